"""`ledger azure exports` against the emulated Cost Management over HTTPS, with the real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

import cli
from emulators import faults
from emulators.arm import Arm
from emulators.control_plane import Reply
from emulators.cost_exports import ExportsApi
from emulators.cost_management import Asked
from tests.arm import found_arm

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
ENROLLMENT = "/providers/Microsoft.Billing/billingAccounts/70000042"
GROUP = "/providers/Microsoft.Management/managementGroups/all"
STORAGE = f"{SUBSCRIPTION}/resourceGroups/billing/providers/Microsoft.Storage/storageAccounts/mybilling"
PLACE = ("--storage", STORAGE, "--container", "exports", "--folder", "ledger")
NOW = datetime(2026, 2, 20, 8, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "schedule": {
        "status": "Active",
        "recurrence": "Daily",
        "recurrencePeriod": {"from": "2025-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"},
    },
    "format": "Parquet",
    "partitionData": True,
    "dataOverwriteBehavior": "OverwritePreviousReport",
    "deliveryInfo": {"destination": {"resourceId": STORAGE, "container": "exports", "rootFolderPath": "old"}},
    "definition": {
        "type": "FocusCost",
        "timeframe": "MonthToDate",
        "dataSet": {"granularity": "Daily", "configuration": {"dataVersion": "1.0r2"}},
    },
    "runHistory": {
        "value": [{"properties": {"status": "Completed", "submittedTime": "2026-02-20T03:00:00.1234567Z"}}],
    },
}
Run = Callable[..., tuple[int, dict[str, Any], str]]


def export(path: str = "", value: object = None) -> dict[str, Any]:
    """An export of use, with one setting, named by its path, set to another value."""
    made: dict[str, Any] = deepcopy(GOOD)
    if path:
        *way, last = path.split(".")
        place = made
        for name in way:
            place = place[name]
        place[last] = value
    return made


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with found_arm(NOW, monkeypatch) as running:
        yield running


@pytest.fixture
def api(arm: Arm) -> ExportsApi:
    made = ExportsApi()
    arm.cost.handlers["exports"] = made
    return made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(cli, "_now", lambda: NOW)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def ask(*arguments: str, scope: str = SUBSCRIPTION) -> tuple[int, dict[str, Any], str]:
        code = cli.main(["azure", "exports", "--scope", scope, *arguments, "--json"])
        out, errors = capsys.readouterr()
        return code, json.loads(out), errors

    return ask


def sent(arm: Arm) -> list[str]:
    """Names of what was put."""
    return [asked.rest[0] for asked in arm.cost.asked if asked.method == "PUT"]


def test_without_apply_nothing_is_sent_and_all_that_would_be_is_shown(arm: Arm, api: ExportsApi, run: Run) -> None:
    code, document, _ = run(*PLACE)
    assert (code, document["missing"]) == (1, ["FocusCost", "ActualCost", "AmortizedCost"])
    assert [one["path"].rpartition("/")[2].partition("?")[0] for one in document["requests"]] == [
        "ledger-focus",
        "ledger-actual",
        "ledger-amortized",
    ]
    assert {asked.method for asked in arm.cost.asked} == {"GET"}
    assert (document["applied"], api.known) == (False, {})


def test_what_is_shown_is_what_is_sent_to_the_letter(arm: Arm, api: ExportsApi, run: Run) -> None:
    _, shown, _ = run(*PLACE, "--last-month")
    code, document, _ = run(*PLACE, "--last-month", "--apply")
    assert (code, [one["created"] and one["ran"] for one in document["done"]]) == (0, [True] * 3)
    asked = [one for one in arm.cost.asked if one.method != "GET"]
    addresses = [f"{one.scope}/providers/Microsoft.CostManagement/exports/{'/'.join(one.rest)}" for one in asked]
    versions = [f"?api-version={one.query['api-version']}" for one in asked]
    paths = [address + version for address, version in zip(addresses, versions, strict=True)]
    assert [(one["method"], one["path"], one["body"]) for one in shown["requests"]] == [
        (one.method, path, json.loads(one.body)) for one, path in zip(asked, paths, strict=True)
    ]
    assert {name for name, _ in api.runs} == {"ledger-focus", "ledger-actual", "ledger-amortized"}
    assert api.runs[0][1] == {"timePeriod": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"}}


def test_a_new_export_is_daily_whole_overwritten_and_lasts_for_years(api: ExportsApi, run: Run) -> None:
    run(*PLACE, "--apply", "--type", "FocusCost")
    [made] = api.known.values()
    about = made["properties"]
    assert about["schedule"]["recurrencePeriod"] == {"from": "2026-02-21T00:00:00Z", "to": "2031-02-21T00:00:00Z"}
    assert (about["schedule"]["status"], about["schedule"]["recurrence"]) == ("Active", "Daily")
    assert (about["definition"]["type"], about["definition"]["timeframe"]) == ("FocusCost", "MonthToDate")
    assert about["definition"]["dataSet"]["configuration"] == {"dataVersion": "1.2-preview"}
    assert (about["partitionData"], about["dataOverwriteBehavior"]) == (True, "OverwritePreviousReport")
    assert about["deliveryInfo"]["destination"]["rootFolderPath"] == "ledger"


def test_after_apply_nothing_is_missing_and_a_second_apply_sends_nothing(arm: Arm, api: ExportsApi, run: Run) -> None:
    run(*PLACE, "--apply")
    before = deepcopy(api.known)
    code, document, _ = run(*PLACE, "--apply")
    assert (code, document["missing"], document["done"], api.known) == (0, [], [], before)
    assert run()[0] == 0
    assert len(sent(arm)) == 3


def test_price_sheets_are_of_an_enrollment_or_a_billing_profile(api: ExportsApi, run: Run) -> None:
    code, document, _ = run(*PLACE, "--apply", "--last-month", scope=ENROLLMENT)
    assert (code, document["kind"], "PriceSheet" in document["missing"]) == (0, "enrollment", True)
    prices = api.known[(ENROLLMENT.lower(), "ledger-prices")]["properties"]
    assert (prices["definition"]["timeframe"], prices["definition"]["dataSet"]) == (
        "TheCurrentMonth",
        {"granularity": "Monthly"},
    )
    assert "ledger-prices" not in {name for name, _ in api.runs}
    assert any(note.startswith("PriceSheet: not offered at a subscription") for note in run()[1]["notes"])


def test_an_export_of_use_is_left_alone_and_only_the_others_are_made(arm: Arm, api: ExportsApi, run: Run) -> None:
    api.add(SUBSCRIPTION, "made-by-hand", export())
    before = deepcopy(api.known[(SUBSCRIPTION, "made-by-hand")])
    code, document, _ = run(*PLACE, "--apply")
    assert (code, sent(arm)) == (0, ["ledger-actual", "ledger-amortized"])
    assert api.known[(SUBSCRIPTION, "made-by-hand")] == before
    [told] = document["exports"]
    assert (told["of_use"], told["version"], told["place"]) == (True, "1.0r2", "mybilling/exports/old")
    assert (told["last_status"], told["last_run"][:10], told["remarks"]) == ("Completed", "2026-02-20", [])


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("schedule.status", "Inactive", "inactive"),
        ("schedule.recurrence", "Monthly", "monthly, not daily"),
        ("schedule.recurrencePeriod.to", "2026-01-01T00:00:00Z", "ended on 2026-01-01"),
        ("definition.timeframe", "TheLastMonth", "covers TheLastMonth"),
        ("definition.dataSet.granularity", "Monthly", "rows are monthly"),
        ("definition.dataSet.configuration.dataVersion", "1.0-preview(v1)", "1.0-preview(v1) is not read"),
        ("definition.dataSet.configuration.columns", ["BilledCost"], "leaves columns"),
        ("partitionData", False, "no manifest"),
        ("format", "Xml", "format is Xml"),
        ("deliveryInfo.destination.container", "others", "elsewhere: mybilling/others/old"),
        ("schedule", None, "not told"),
        ("definition.type", "Usage", "Usage is not read"),
    ],
)
def test_an_export_of_no_use_is_told_why_left_alone_and_replaced_beside_it(
    path: str, value: object, words: str, arm: Arm, api: ExportsApi, run: Run
) -> None:
    api.add(SUBSCRIPTION, "Ledger-Focus", export(path, value))
    before = deepcopy(api.known[(SUBSCRIPTION, "ledger-focus")])
    code, document, _ = run(*PLACE, "--apply", "--type", "FocusCost")
    [told] = document["exports"]
    assert (code, told["of_use"], sent(arm)) == (0, False, ["ledger-focus-2"])
    assert words in "; ".join(told["faults"])
    assert api.known[(SUBSCRIPTION, "ledger-focus")] == before


def test_an_export_that_somebody_makes_meanwhile_is_left_alone(arm: Arm, api: ExportsApi, run: Run) -> None:
    def late(asked: Asked) -> Reply:
        reply = api(asked)
        if asked.method == "GET" and not asked.rest:
            api.add(SUBSCRIPTION, "ledger-focus", export("schedule.status", "Inactive"))
        return reply

    arm.cost.handlers["exports"] = late
    code, document, _ = run(*PLACE, "--apply")
    assert (code, sent(arm)) == (3, ["ledger-actual", "ledger-amortized"])
    assert (document["done"][0]["created"], document["done"][0]["later"]) == (False, True)
    assert api.known[(SUBSCRIPTION, "ledger-focus")]["properties"] == export("schedule.status", "Inactive")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("dataOverwriteBehavior", "CreateNewReport", "keeps every run"),
        ("schedule.recurrencePeriod.to", "2026-03-31T00:00:00Z", "ends on 2026-03-31"),
        ("runHistory", None, "has not run yet"),
        ("runHistory.value", [{"properties": {"status": "Failed", "submittedTime": "2026-02-20T03:00:00Z"}}], "Failed"),
        (
            "runHistory.value",
            [{"properties": {"status": "Completed", "submittedTime": "2026-02-10T03:00:00Z"}}],
            "2026-02-10",
        ),
    ],
)
def test_what_else_is_to_know_of_an_export_of_use_is_remarked(
    path: str, value: object, words: str, api: ExportsApi, run: Run
) -> None:
    api.add(SUBSCRIPTION, "focus", export(path, value))
    [told] = run(*PLACE, "--type", "FocusCost")[1]["exports"]
    assert (told["of_use"], words in "; ".join(told["remarks"])) == (True, True)


def test_a_management_group_has_none_and_says_what_has(arm: Arm, api: ExportsApi, run: Run) -> None:
    api.add(GROUP, "old", export("definition.type", "Usage"))
    code, document, _ = run(*PLACE, scope=GROUP)
    assert (code, document["requests"], len(document["exports"])) == (1, [], 1)
    assert "billing account" in document["notes"][-1]
    code, document, _ = run(*PLACE, "--apply", scope=GROUP)
    assert (code, sent(arm)) == (2, [])
    assert "management group" in document["faults"][0]["message"]


def test_a_type_that_the_agreement_does_not_offer_keeps_no_other_from_being_made(api: ExportsApi, run: Run) -> None:
    api.refused = {"FocusCost"}
    code, document, _ = run(*PLACE, "--apply")
    assert (code, [one["created"] for one in document["done"]]) == (2, [False, True, True])
    assert "FocusCost is not supported" in document["done"][0]["fault"]
    assert "pay-as-you-go" in document["notes"][-1]


@pytest.mark.usefixtures("api")
def test_what_is_not_said_is_asked_for_before_anything_is_sent(arm: Arm, run: Run) -> None:
    code, document, _ = run("--container", "exports")
    assert (code, document["needs"], document["requests"]) == (1, ["--storage ID", "--folder PATH"], [])
    code, document, _ = run("--container", "exports", "--apply")
    assert (code, sent(arm)) == (2, [])
    assert "--storage ID, --folder PATH" in document["faults"][0]["advice"]


@pytest.mark.parametrize(
    "place",
    [
        ("--storage", "mybilling"),
        ("--storage", "https://mybilling.blob.core.windows.net"),
        ("--container", "https://mybilling.blob.core.windows.net/exports?sv=1&sig=abc%3D"),
        ("--container", "UPPER"),
        ("--container", "a--b"),
        ("--folder", "../up"),
        ("--folder", "a/./b"),
        ("--folder", "a b"),
        ("--storage", STORAGE, "--container", "https://otheraccount.blob.core.windows.net/exports"),
    ],
)
@pytest.mark.usefixtures("api")
def test_a_place_that_is_none_is_refused_and_no_key_is_repeated(arm: Arm, run: Run, place: tuple[str, ...]) -> None:
    code, document, errors = run(*place)
    assert (code, arm.cost.asked, document["faults"][0]["rule"]) == (2, [], "azure-exports")
    assert "sig=" not in errors


@pytest.mark.parametrize(
    "place",
    [
        ("--container", f"{STORAGE}/blobServices/default/containers/exports"),
        ("--storage", STORAGE, "--container", "https://mybilling.blob.core.windows.net/exports/"),
    ],
)
def test_a_container_may_be_an_id_or_an_address(api: ExportsApi, run: Run, place: tuple[str, ...]) -> None:
    assert run(*place, "--folder", "/ledger/", "--type", "ActualCost", "--apply")[0] == 0
    [made] = api.known.values()
    assert made["properties"]["deliveryInfo"]["destination"] == {
        "type": "AzureBlob",
        "resourceId": STORAGE,
        "container": "exports",
        "rootFolderPath": "ledger",
    }


@pytest.mark.usefixtures("api")
def test_lack_of_rights_names_the_role(arm: Arm, run: Run) -> None:
    arm.cloud.faults.add(faults.denied("exports", times=1))
    code, document, _ = run()
    assert (code, "Cost Management Reader" in document["faults"][0]["advice"]) == (2, True)


def test_a_storm_of_throttling_is_waited_out(arm: Arm, api: ExportsApi, run: Run) -> None:
    arm.cloud.faults.add(faults.throttled("exports", times=4, retry_after=5))
    assert (run(*PLACE, "--apply", "--type", "ActualCost")[0], len(api.known)) == (0, 1)


@pytest.mark.usefixtures("run", "api")
def test_waiting_is_told(arm: Arm, capsys: pytest.CaptureFixture[str]) -> None:
    arm.cloud.faults.add(faults.throttled("exports", times=1, retry_after=5))
    cli.main(["azure", "exports", "--scope", SUBSCRIPTION])
    assert "wait  seconds 5" in capsys.readouterr().err


def test_a_service_that_stays_busy_means_later(arm: Arm, api: ExportsApi, run: Run) -> None:
    arm.cloud.faults.add(faults.Fault("exports", times=None, status=503, code="ServerBusy"))
    assert (run(*PLACE, "--apply")[0], api.known) == (3, {})


def test_what_is_listed_may_be_anything(arm: Arm, run: Run) -> None:
    odd: list[Any] = [None, 7, [], {}, {"name": 3, "properties": []}, {"properties": {"runHistory": {"value": [1]}}}]
    arm.cost.handlers["exports"] = lambda _: Reply(200, {"value": odd})
    code, document, _ = run()
    assert (code, [one["of_use"] for one in document["exports"]]) == (1, [False] * len(odd))


def test_people_read_it_too(api: ExportsApi, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    api.add(SUBSCRIPTION, "focus", export("schedule.status", "Inactive"))
    run()
    assert cli.main(["azure", "exports", "--scope", SUBSCRIPTION, *PLACE]) == 1
    shown = capsys.readouterr().out
    for words in (
        "no use  focus",
        "its schedule is inactive",
        "would send: PUT",
        "never changed or deleted",
        "--apply",
    ):
        assert words in shown
