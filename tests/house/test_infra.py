"""The infrastructure and the code name the same things, and the service may do to machines what it must, no more."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import settings
from governance import drill
from governance.caller import ACTION_GROUPS, ROLE
from settings.webhook import VARIABLES
from tests.house import bicep
from tests.house.source import ROOT, product, project

INFRA = ROOT / "infra"
BICEP = sorted(INFRA.rglob("*.bicep"))
CHECKOV = ROOT / ".venvs/checkov/bin/checkov"
SETTINGS = bicep.pairs(INFRA / "modules/function.bicep")
PARAMETERS = (INFRA / "main.bicepparam").read_text(encoding="utf-8")
SAMPLE = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
HOST = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
TRIGGERS = (ROOT / "function_app.py").read_text(encoding="utf-8")
QUEUES = {
    "ingest-partition",
    "plan-stop",
    "carry-out-order",
    "verify-order",
    "undo-run",
    "start-order",
    "send-notice",
}
# Only where the control plane is a stand-in; a deployed service talks to Azure.
EMULATOR_ONLY = {
    "LEDGER_ARM_URL",
    "LEDGER_ARM_CA",
    "LEDGER_PRICES_URL",
    "LEDGER_SNOWFLAKE_PASSWORD",
    "LEDGER_SNOWFLAKE_URL",
    "LEDGER_WEBHOOK_CA",
}

BUDGET = 'id = "/subscriptions/s/budgets/b"\nscope = "/subscriptions/s"\ncurrency = "USD"\namount = "100"\n'


def read_by_the_code() -> set[str]:
    text = "\n".join(module.path.read_text(encoding="utf-8") for module in product())
    return {*re.findall(r'"(LEDGER_[A-Z]+(?:_[A-Z]+)*)"', text), *re.findall(r"%([A-Z_]+)%", TRIGGERS)}


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.name)
def test_it_is_bicep(path: Path) -> None:
    assert bicep.faults(path) == []


def test_a_fault_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "broken.bicep").write_text("resource x 'a@1' = {\n  name 'b'\n}\n")
    assert bicep.faults(tmp_path / "broken.bicep") != []


def test_every_setting_that_the_code_reads_is_deployed() -> None:
    assert read_by_the_code() - EMULATOR_ONLY <= set(SETTINGS)


def test_every_setting_of_ours_that_is_deployed_is_read() -> None:
    ours = {name for name in SETTINGS if re.fullmatch(r"LEDGER_\w+|\w+_SCHEDULE", name)}
    assert ours == read_by_the_code() - EMULATOR_ONLY


def test_a_local_run_knows_the_same_schedules_and_store() -> None:
    assert {name for name in SAMPLE if name.endswith("_SCHEDULE")} == {n for n in SETTINGS if n.endswith("_SCHEDULE")}
    assert {"LEDGER_STORE", "AzureWebJobsStorage"} <= set(SAMPLE)


def test_what_is_deployed_stops_nothing_unasked() -> None:
    assert bicep.defaults(INFRA / "main.bicep")["live"] == "false"
    assert "param live = false\n" in PARAMETERS
    assert SAMPLE.get("LEDGER_LIVE", "false") == "false"


def test_a_deployment_keeps_what_was_switched_on() -> None:
    """All settings of the app are written anew each time: none is a constant that the docs tell people to change."""
    assert SETTINGS["LEDGER_LIVE"].startswith("live ? 'true' : 'false")
    assert bicep.pairs(INFRA / "main.bicep")["live"] == "live"
    for name in ("webhookUri", "approvalKey", "drillKey"):
        assert f"param {name} = readEnvironmentVariable('LEDGER_" in PARAMETERS
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    assert "--parameters webhookUri" not in page and "app setting\n   `LEDGER_LIVE" not in page


def test_a_live_service_is_not_deployed_without_its_webhook() -> None:
    module = (INFRA / "modules/function.bicep").read_text(encoding="utf-8")
    assert re.search(r"@minLength\(1\)\nparam webhookOfLive string\n", module)
    assert bicep.pairs(INFRA / "main.bicep")["webhookOfLive"].startswith("live && empty(webhookUri) ? ''")


def test_no_key_is_used_anywhere() -> None:
    assert bicep.pairs(INFRA / "modules/storage.bicep")["allowSharedKeyAccess"] == "false"
    assert SETTINGS["AzureWebJobsStorage__credential"] == "managedidentity"
    assert "AzureWebJobsStorage" not in SETTINGS
    assert not any(re.search(r"listKeys|AccountKey", path.read_text(encoding="utf-8")) for path in BICEP)


def test_each_queue_exists_with_its_poison_queue() -> None:
    deployed = set(bicep.listed(INFRA / "modules/storage.bicep", "queueNames"))
    assert deployed == QUEUES | {f"{name}-poison" for name in QUEUES}
    assert all(f'"{name}"' in TRIGGERS for name in QUEUES)


def test_the_store_is_in_a_container_that_exists() -> None:
    container = SETTINGS["LEDGER_STORE"].removeprefix("az://").split("/")[0]
    assert container in bicep.listed(INFRA / "modules/storage.bicep", "containerNames")


def test_nothing_is_made_immutable_unasked() -> None:
    storage = INFRA / "modules/storage.bicep"
    assert bicep.defaults(INFRA / "main.bicep")["retentionDays"] == bicep.defaults(storage)["retentionDays"] == "0"
    assert bicep.pairs(storage)["isVersioningEnabled"] == "retentionDays > 0"
    text = storage.read_text(encoding="utf-8")
    assert text.count("immutabilityPolicies@") == text.count("' = if (retentionDays > 0) {") == 1


def test_the_runtime_is_one_the_project_supports() -> None:
    version = SETTINGS["version"]
    lowest, limit = re.findall(r"3\.(\d+)", project()["project"]["requires-python"])
    assert int(lowest) <= int(version.split(".")[1]) < int(limit)


def test_the_role_can_read_deallocate_and_start_and_nothing_else() -> None:
    """Which of these the calls need is held against the emulator's log: tests/test_machine_role.py."""
    actions = bicep.listed(INFRA / "modules/roles.bicep", "actions")
    assert len(actions) == len(set(actions))
    assert all(one.endswith(("/read", "/deallocate/action", "/start/action")) for one in actions)


@pytest.mark.parametrize("word", ["delete", "write", "poweroff", "*"])
def test_no_role_goes_further(word: str) -> None:
    found = bicep.strings(INFRA / "modules/roles.bicep")
    assert [text for text in found if text.startswith("Microsoft.") and "@" not in text and word in text.lower()] == []


ROLES = {"costs": "Cost Management Reader", "exports": "Storage Blob Data Reader"}
BUILT_IN = {
    "72fafb9e-0641-4937-9268-a91bfd8191a3": "Cost Management Reader",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
}


@pytest.mark.parametrize(("module", "role"), ROLES.items())
def test_bills_of_azure_are_read_with_one_role_of_a_reader(module: str, role: str) -> None:
    path = INFRA / f"modules/{module}.bicep"
    granted = [text for text in bicep.strings(path) if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)]
    assert [BUILT_IN[one] for one in granted] == [role]
    assert path.read_text(encoding="utf-8").count("roleAssignments@") == 1


def test_exports_are_read_in_one_container_alone() -> None:
    assert bicep.pairs(INFRA / "modules/exports.bicep")["scope"] == "container"


def test_no_right_on_costs_or_exports_is_given_unasked() -> None:
    given = bicep.defaults(INFRA / "main.bicep")
    assert (given["readsCosts"], given["exportsAccount"]) == ("false", "")
    main = (INFRA / "main.bicep").read_text(encoding="utf-8")
    assert "'modules/costs.bicep' = if (readsCosts)" in main
    assert "'modules/exports.bicep' = if (!empty(exportsAccount))" in main


def test_the_budget_counts_what_the_guard_may_stop(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_text(f"[budgets.dev-monthly]\n{BUDGET}")
    budget = settings.load(tmp_path / "ledger.toml", {}).budgets[0]
    assert budget.opt_in_key in bicep.strings(INFRA / "modules/budget.bicep")
    assert budget.opt_in_value == bicep.defaults(INFRA / "main.bicep")["budgetName"]


def test_the_host_waits_between_tries_and_gives_up_after_five() -> None:
    queues = HOST["extensions"]["queues"]
    assert queues["maxDequeueCount"] == 5
    assert queues["visibilityTimeout"] == "00:00:30"
    assert queues["messageEncoding"] == "base64"
    assert HOST["extensionBundle"]["version"] == "[4.*, 5.0.0)"


def test_the_token_the_webhook_asks_for_is_the_one_that_action_groups_send() -> None:
    assert bicep.defaults(INFRA / "main.bicep")["webhookClientId"] == ""
    asked = {name: SETTINGS[name].split(" : ") for name in VARIABLES.values()}
    assert {text[0] for text in asked.values()} == {"empty(webhookClientId) ? ''"}
    assert asked["LEDGER_WEBHOOK_ROLE"][1].strip("'") == ROLE
    assert asked["LEDGER_WEBHOOK_CALLER"][1].strip("'") == ACTION_GROUPS
    receiver = bicep.pairs(INFRA / "modules/actiongroup.bicep")
    assert (receiver["useAadAuth"], receiver["useCommonAlertSchema"]) == ("true", "true")


def test_policies_hold_but_for_a_stated_list() -> None:
    if not CHECKOV.exists():
        pytest.skip("checkov is not installed: run `make setup-dev`")
    command = [str(CHECKOV), "-d", ".", "--config-file", ".checkov.yaml", "-o", "json", "--compact", "--skip-download"]
    done = subprocess.run(command, cwd=INFRA, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(done.stdout)
    assert [(item["check_id"], item["file_path"]) for item in report["results"]["failed_checks"]] == []
    # A file that it cannot parse has no failures either, and no passes.
    assert report["summary"]["passed"] > 20
    assert report["summary"]["parsing_errors"] == 0


def watched() -> set[str]:
    """Names of the events that the alert rules look for."""
    asked = [text.partition("told.event)")[2] for text in bicep.strings(INFRA / "modules/monitor.bicep")]
    return {name for text in asked for name in re.findall(r'"([a-z-]+)"', text)}


def test_a_dead_link_and_a_missing_proof_of_life_alarm() -> None:
    """By the names under which the sweep logs them, and to people, not through the chain that is dead."""
    assert {drill.FAILED, drill.PASSED} <= watched()
    monitor = bicep.pairs(INFRA / "modules/monitor.bicep")
    assert (monitor["severity"], monitor["enabled"], monitor["emailAddress"]) == ("1", "true", "alarmEmail")
    assert "webhookReceivers" not in (INFRA / "modules/monitor.bicep").read_text(encoding="utf-8")


def test_every_alarm_of_the_code_has_a_rule_and_every_rule_its_event() -> None:
    texts = "\n".join(module.path.read_text(encoding="utf-8") for module in product())
    alarms = set(re.findall(r'\.alarm\("([a-z-]+)"', texts))
    assert {"alert-refused", "caller-denied", "message-given-up", "notice-given-up", "cost-data-stale"} <= alarms
    assert alarms <= watched()
    assert watched() - alarms == {drill.FAILED, drill.PASSED, "alert-unavailable"}
    assert 'telemetry.failed("alert-unavailable"' in TRIGGERS


def test_only_rules_about_drills_need_drills() -> None:
    monitor = (INFRA / "modules/monitor.bicep").read_text(encoding="utf-8")
    assert (monitor.count("ofDrills: true"), monitor.count("ofDrills: false")) == (len({drill.FAILED, drill.PASSED}), 4)


def test_no_alarm_is_sampled_away() -> None:
    """Alarms and what passes are traces, and sampling keeps no category apart."""
    sampled = HOST["logging"]["applicationInsights"]["samplingSettings"]
    assert {"Exception", "Request", "Trace"} <= set(sampled["excludedTypes"].split(";"))


def test_azure_itself_can_tell_people_about_the_budget() -> None:
    assert (INFRA / "modules/budget.bicep").read_text(encoding="utf-8").count("contactEmails: contactEmails") == 2
    assert bicep.pairs(INFRA / "main.bicep")["contactEmails"] == "budgetEmails"


def test_what_the_templates_say_of_keys_is_so() -> None:
    """Those that are given in clear stand in the settings, and a comment says so."""
    module = (INFRA / "modules/function.bicep").read_text(encoding="utf-8")
    assert "no keys in its settings" not in module and "unless they are\n// references to a key vault" in module
    clear = {"LEDGER_APPROVAL_KEY": "approvalKey", "LEDGER_DRILL_KEY": "drillKey", "LEDGER_DRILL_URL": "webhookUri"}
    assert {name: SETTINGS[name] for name in clear} == clear


def test_drills_are_sent_where_the_action_group_sends_alerts() -> None:
    assert (SETTINGS["LEDGER_DRILL_URL"], SETTINGS["LEDGER_DRILL_KEY"]) == ("webhookUri", "drillKey")
    assert bicep.pairs(INFRA / "modules/actiongroup.bicep")["serviceUri"] == "webhookUri"
    given = bicep.defaults(INFRA / "main.bicep")
    assert (given["drillKey"], given["alarmEmail"]) == ("", "")


def test_a_drill_has_its_time_before_the_next_and_the_alarm_its_own() -> None:
    """Every day at one minute: the rule that misses a proof looks a day and a half back."""
    assert re.fullmatch(r"\d+ \d+ \d+ \* \* \*", bicep.defaults(INFRA / "main.bicep")["drillSchedule"])
    assert "ago(36h)" in "\n".join(bicep.strings(INFRA / "modules/monitor.bicep"))


def test_the_budget_tells_at_four_fifths_and_at_the_limit() -> None:
    """On actual costs, to the action group; an undo knows that a budget is over by the second alone."""
    text = (INFRA / "modules/budget.bicep").read_text(encoding="utf-8")
    assert re.findall(r"^      actual(\d+): \{", text, re.MULTILINE) == ["80", "100"]
    assert re.findall(r"threshold: (\d+)", text) == ["80", "100"]
    assert text.count("thresholdType: 'Actual'") == text.count("actionGroupId\n        ]") == 2


def test_alerts_come_in_the_common_schema_and_from_a_signed_in_group_where_one_is_set_up() -> None:
    group = bicep.pairs(INFRA / "modules/actiongroup.bicep")
    assert (group["useCommonAlertSchema"], group["useAadAuth"]) == ("true", "true")


DATA_ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
}


def test_the_service_has_data_roles_on_its_own_account_and_none_to_manage_it() -> None:
    path = INFRA / "modules/storage.bicep"
    assert set(bicep.listed(path, "dataRoles")) == set(DATA_ROLES)
    assert "scope: account" in path.read_text(encoding="utf-8")


def test_the_hosting_is_flex_consumption_with_an_identity_of_our_own() -> None:
    text = (INFRA / "modules/function.bicep").read_text(encoding="utf-8")
    assert all(one in text for one in ("tier: 'FlexConsumption'", "name: 'FC1'", "type: 'UserAssigned'"))
    assert "FUNCTIONS_WORKER_RUNTIME" not in SETTINGS  # ignored there, and misleading


def test_the_page_of_deployment_names_functions_and_routes_that_exist() -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    functions = set(re.findall(r"^def (\w+)\(", TRIGGERS, re.MULTILINE))
    routes = {f"{HOST['extensions']['http']['routePrefix']}/{one}" for one in re.findall(r'route="([^"]+)"', TRIGGERS)}
    assert set(re.findall(r"--function-name (\w+)", page)) <= functions
    named = {one.rstrip("`") for one in re.findall(r"/(api/[a-z/]+)", page)}
    assert named
    assert named <= routes


def test_the_pinned_worker_library_is_for_the_deployed_python() -> None:
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^azure-functions-runtime(==[\d.]+)?", pinned, re.MULTILINE)
    assert SETTINGS["version"] == "3.13"
