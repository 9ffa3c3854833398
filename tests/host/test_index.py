"""The app as the production worker library indexes it, and the checks the host adds."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.checks import cron_fields, problems, resolved
from tests.host.conftest import Hosting
from tests.host.functions_host import ROOT, Function, FunctionsHost, IndexingFailed

QUEUES = (
    "ingest-partition",
    "plan-stop",
    "carry-out-order",
    "verify-order",
    "undo-run",
    "start-order",
    "send-notice",
)
EMPTY_APP = "import azure.functions as func\n\napp = func.FunctionApp()\n\n\n"


@pytest.fixture(scope="module")
def host(hosting: Hosting) -> Iterator[FunctionsHost]:
    with hosting() as running:
        yield running


def queue_functions(host: FunctionsHost) -> dict[str, str]:
    triggers = {name: one.trigger for name, one in host.functions.items()}
    return {name: one["queueName"] for name, one in triggers.items() if one["type"] == "queueTrigger"}


def test_it_indexes_exactly_these_functions(host: FunctionsHost) -> None:
    assert {name: one.trigger["type"] for name, one in host.functions.items()} == {
        "plan_ingest": "timerTrigger",
        "sweep": "timerTrigger",
        "drill": "timerTrigger",
        "budget_alert": "httpTrigger",
        "plan_decision": "httpTrigger",
        **{queue.replace("-", "_"): "queueTrigger" for queue in QUEUES},
        **{f"{queue.replace('-', '_')}_poison": "queueTrigger" for queue in QUEUES},
    }


def test_the_webhook_is_a_post_with_a_function_key(host: FunctionsHost) -> None:
    trigger = host.functions["budget_alert"].trigger
    assert (trigger["route"], trigger["methods"], trigger["authLevel"]) == ("alerts/budget", ["POST"], "FUNCTION")


def test_a_link_is_its_own_authentication(host: FunctionsHost) -> None:
    trigger = host.functions["plan_decision"].trigger
    assert (trigger["route"], trigger["authLevel"]) == ("plans/decide", "ANONYMOUS")
    assert trigger["methods"] == ["GET", "POST"]


def test_every_queue_function_reads_its_queue_and_has_a_poison_handler(host: FunctionsHost) -> None:
    read = set(queue_functions(host).values())
    assert read == {*QUEUES, *(f"{queue}-poison" for queue in QUEUES)}
    assert {host.functions[name].trigger["connection"] for name in queue_functions(host)} == {"AzureWebJobsStorage"}


def test_timers_take_their_schedule_from_settings_and_never_run_on_startup(host: FunctionsHost) -> None:
    triggers = [host.functions[name].trigger for name in ("plan_ingest", "drill", "sweep")]
    schedules = ["%PLAN_INGEST_SCHEDULE%", "%DRILL_SCHEDULE%", "%SWEEP_SCHEDULE%"]
    assert [one["schedule"] for one in triggers] == schedules
    assert not any(one.get("runOnStartup") for one in triggers)


def test_the_host_would_start_with_the_sample_settings(host: FunctionsHost, sample_values: dict[str, str]) -> None:
    assert problems(ROOT, host.functions.values(), sample_values) == []


def test_no_message_leaves_through_an_output_binding(host: FunctionsHost) -> None:
    """A failing binding would turn the webhook's 503 into a 500, and a binding cannot delay a message."""
    outputs = [b["type"] for one in host.functions.values() for b in one.bindings if b["direction"] == "OUT"]
    assert outputs == ["http", "http"]


def test_indexing_prints_nothing(host: FunctionsHost) -> None:
    assert host.printed() == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("", "Could not find top level function app"),
        (EMPTY_APP + "other = func.FunctionApp()\n", "More than one"),
        (EMPTY_APP + "@app.route(route='x')\ndef x(wrong: func.HttpRequest) -> str:\n    return ''\n", "'wrong'"),
        (
            EMPTY_APP + "@app.timer_trigger(arg_name='t', schedule='x')\ndef x(t: func.HttpRequest) -> None: ...\n",
            "do not match",
        ),
    ],
)
def test_an_app_that_cannot_be_indexed_fails_with_the_librarys_words(
    hosting: Hosting, tmp_path: Path, source: str, reason: str
) -> None:
    (tmp_path / "function_app.py").write_text(source)
    shutil.copy(ROOT / "host.json", tmp_path)
    with pytest.raises(IndexingFailed, match=reason), hosting(tmp_path):
        pass


def trigger(**binding: str) -> Function:
    return Function("id", "probe", ({"name": "x", "type": "queueTrigger", "direction": "IN", **binding},))


@pytest.mark.parametrize(
    ("binding", "reason"),
    [
        ({"schedule": "%NOT_SET%"}, "unresolved setting NOT_SET"),
        ({"schedule": "*/5 * * * *"}, "six fields"),
        ({"schedule": "0 60 * * * *"}, "field 2"),
        ({"queueName": "Upper"}, "not a queue name"),
        ({"queueName": "two--dashes"}, "not a queue name"),
        ({"connection": "Elsewhere"}, "connection Elsewhere is not set"),
    ],
)
def test_each_check_can_fail(binding: dict[str, str], reason: str) -> None:
    [problem] = problems(ROOT, [trigger(**binding)], {"AzureWebJobsStorage": "x"})
    assert reason in problem


def test_settings_are_strings_and_storage_needs_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    found = problems(tmp_path, [trigger(queueName="fine")], {"LEDGER_LIVE": False})  # type: ignore[dict-item]  # the fault
    assert found == [
        "setting LEDGER_LIVE is not a string",
        "host.json names no extension bundle, but a binding needs one",
    ]


@pytest.mark.parametrize("schedule", ["0 0 * * * *", "0 */5 * * * *", "0 0,30 6-18 1-5 * 1-5", "15 2/10 0 * 12 0"])
def test_schedules_the_host_takes(schedule: str) -> None:
    assert cron_fields(schedule) == []


@pytest.mark.parametrize("schedule", ["0 0 0 0 * *", "0 0 24 * * *", "0 */0 * * * *", "0 5-1 * * * *", "x * * * * *"])
def test_schedules_the_host_refuses(schedule: str) -> None:
    assert cron_fields(schedule)


def test_deployed_schedules_are_the_samples(sample_values: dict[str, str]) -> None:
    text = (ROOT / "infra/main.bicep").read_text()
    deployed = dict(re.findall(r"param (planIngest|sweep|drill)Schedule string = '([^']+)'", text))
    names = {"planIngest": "PLAN_INGEST", "sweep": "SWEEP", "drill": "DRILL"}
    samples = {name: sample_values[f"{setting}_SCHEDULE"] for name, setting in names.items()}
    assert deployed == samples


def test_an_identity_is_a_connection_too() -> None:
    assert problems(ROOT, [trigger(connection="Jobs")], {"Jobs__accountName": "account"}) == []
    assert resolved("at %A%", {"A": "0 0 * * * *"}) == "at 0 0 * * * *"
