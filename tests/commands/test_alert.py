"""`ledger alert` from its words to the machines, over the emulated control plane; only the waiting is not real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

import cli
import wiring
from emulators import faults
from emulators.arm import Arm
from emulators.budget import payload
from emulators.cloud import MACHINE
from emulators.faults import denied
from emulators.scenario import LAB, Setup, build
from ledger.faults import Missing
from tests.clock import one_day
from tests.host.scene import ledger_toml

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "alerts" / "budget-alert.json"


@dataclass
class Terminal:
    """A folder with a store, settings and an alert, and the command over it."""

    arm: Arm
    setup: Setup
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def settings(self, *, budget: bool = True, switch: bool = False) -> None:
        text = f"ledger.live = {str(switch).lower()}\n{ledger_toml(self.setup, live=budget)}"
        (self.folder / "ledger.toml").write_text(text)

    def alert(self, *words: str, name: str = "alert.json") -> int:
        given = ["--store", str(self.folder / "store"), "--config", str(self.folder / "ledger.toml")]
        return cli.main(["alert", str(self.folder / name), *given, *words])

    def said(self) -> str:
        return self.capsys.readouterr().out

    def stops(self) -> int:
        return len(self.arm.asked("/deallocate"))


def body(setup: Setup, fired: datetime) -> bytes:
    return json.dumps(payload(setup.budget(), setup.threshold, Decimal("0.8125"), fired)).encode()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    setup = replace(Setup(), start=one_day())
    world = build(setup)
    (tmp_path / "alert.json").write_bytes(body(setup, setup.start))
    pretended = partial(wiring.alert, sleep=lambda seconds: world.cloud.advance(timedelta(seconds=seconds)))
    monkeypatch.setattr(wiring, "alert", pretended)
    monkeypatch.delenv("LEDGER_LIVE", raising=False)
    with Arm(world.cloud, page_size=2) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        made = Terminal(arm, setup, tmp_path, capsys)
        made.settings()
        yield made


def test_a_terminal_needs_no_token_of_an_action_group(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_WEBHOOK_TENANT", "aaaaaaaa-0000-4000-8000-000000000001")
    monkeypatch.setenv("LEDGER_WEBHOOK_AUDIENCE", "api://ledger")
    terminal.settings(switch=True)
    assert terminal.alert("--execute") == 0
    assert terminal.stops() == 1


def test_without_execute_the_receipt_says_what_would_be_done(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_LIVE", "true")
    assert terminal.alert() == 0
    said = terminal.said()
    assert "answer 202" in said and f"{LAB}: dry run, would do: deallocate" in said
    assert "not executed" not in said
    assert terminal.stops() == 0


@pytest.mark.parametrize("by_environment", [True, False])
def test_with_all_switches_on_one_machine_is_stopped_and_read_back(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    terminal.settings(switch=not by_environment)
    if by_environment:
        monkeypatch.setenv("LEDGER_LIVE", "true")
    assert terminal.alert("--execute") == 0
    said = terminal.said()
    assert f"{LAB}: verified, power state read back: deallocated" in said
    assert "not executed" not in said
    assert terminal.arm.cloud.power(terminal.setup.id(MACHINE, LAB)) == "deallocated"
    assert terminal.alert("--execute") == 0
    assert terminal.stops() == 1


@pytest.mark.parametrize("budget", [True, False])
def test_execute_obeys_the_master_switch_and_says_so(terminal: Terminal, budget: bool) -> None:
    terminal.settings(budget=budget)
    assert terminal.alert("--execute") == 1
    lines = terminal.said().splitlines()
    assert lines[1].startswith("not executed: the master switch is off")
    assert lines[2].startswith("not executed: [budgets.") is not budget
    assert f"{LAB}: dry run" in lines[-1]
    assert terminal.stops() == 0


def test_execute_obeys_the_budget_and_says_so(terminal: Terminal) -> None:
    terminal.settings(budget=False, switch=True)
    assert terminal.alert("--execute") == 1
    assert f"not executed: [budgets.{terminal.setup.budget_name}] is not live" in terminal.said()
    assert terminal.stops() == 0


def test_the_environment_switches_off_what_the_file_switched_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.settings(switch=True)
    monkeypatch.setenv("LEDGER_LIVE", "false")
    assert terminal.alert("--execute") == 1
    assert terminal.stops() == 0


def test_now_is_the_day_the_alert_is_judged_by(terminal: Terminal) -> None:
    fired = datetime(2026, 2, 3, 4, tzinfo=UTC)
    (terminal.folder / "alert.json").write_bytes(body(terminal.setup, fired))
    assert terminal.alert("--now", "2026-02-07T04:00:00") == 2
    assert "not acted on (422)" in terminal.said()
    assert terminal.alert("--now", "2026-02-03T06:00:00+01:00") == 0
    assert "2026-02-03 05:00:0" in terminal.said()


def test_json_is_one_document(terminal: Terminal) -> None:
    assert terminal.alert("--json", "--execute") == 1
    document = json.loads(terminal.said())
    assert (document["status"], document["answer"]["dry_run"]) == (202, True)
    assert document["switches_off"][0].startswith("not executed")
    assert document["events"][-1]["kind"] == "dry-run"


@pytest.mark.parametrize(("content", "answer"), [(b"junk", 400), (b"{}", 422), (b"", 400)])
def test_a_refused_alert_ends_with_2(terminal: Terminal, content: bytes, answer: int) -> None:
    (terminal.folder / "bad.json").write_bytes(content)
    assert terminal.alert(name="bad.json") == 2
    assert f"answer {answer}" in terminal.said()
    assert not terminal.arm.requests


def test_a_file_that_is_not_there_ends_with_2(terminal: Terminal) -> None:
    assert terminal.alert(name="nothing.json") == 2
    assert "no such file" in terminal.capsys.readouterr().err


def test_machines_that_may_not_be_listed_are_said_and_listed_the_next_time(terminal: Terminal) -> None:
    terminal.arm.cloud.faults.add(denied("*"))
    assert terminal.alert() == 1
    assert "planning rests until the alert or the sweep revives it" in terminal.said()
    terminal.arm.cloud.faults.clear()
    assert terminal.alert() == 0
    assert f"{LAB}: dry run" in terminal.said()


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59", "yesterday", ""]
)
def test_an_instant_off_the_calendar_is_bad_usage(terminal: Terminal, moment: str) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.alert("--now", moment)
    assert ended.value.code == 2


def test_what_is_missing_ends_with_2_and_is_named(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Missing("container bills")

    monkeypatch.setattr(wiring, "alert", gone)
    assert terminal.alert() == 2
    assert "container bills" in terminal.capsys.readouterr().err


@pytest.mark.parametrize(("arm", "live", "calls"), [("", True, 0), ("", False, 1), ("https://127.0.0.1", True, 1)])
def test_a_pretended_instant_stops_no_real_machine(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, arm: str, live: bool, calls: int
) -> None:
    """By another day's clock its ceilings have room, its holds have ended and its hours are open."""
    played: list[object] = []

    def play(*given: object, **_: object) -> tuple[int, list[str], dict[str, object]]:
        played.append(given)
        return 202, [], {"failed": []}

    monkeypatch.setattr(wiring, "alert", play)
    monkeypatch.setenv("LEDGER_ARM_URL", arm)
    terminal.settings(switch=live)
    assert terminal.alert("--now", "2027-01-05T09:00:00Z", "--execute") == (0 if calls else 2)
    assert len(played) == calls


def test_the_sample_alert_is_one_of_the_shipped_budget(terminal: Terminal) -> None:
    """Its subscription is not in the emulated cloud, so it gets as far as the listing."""
    words = ["alert", str(SAMPLE), "--config", str(ROOT / "ledger.toml"), "--store", str(terminal.folder / "store")]
    assert cli.main([*words, "--now", "2026-01-26T09:00:00Z"]) == 0
    said = terminal.said()
    assert "budget dev-monthly of 50.00 USD for 2026-01, spent 41.20, actual threshold 80 %; dry run" in said
    assert cli.main([*words, "--now", "2026-01-30T09:00:00Z"]) == 2


def test_invariant_13_a_machine_that_does_not_go_off_makes_the_command_fail(terminal: Terminal) -> None:
    terminal.settings(switch=True)
    terminal.arm.cloud.faults.add(faults.denied("deallocate"))
    assert terminal.alert("--execute", "--json") == 1
    assert [id.rpartition("/")[2] for id in json.loads(terminal.said())["failed"]] == [LAB]


def test_a_scope_that_nobody_could_look_into_makes_the_command_fail_and_stops_the_rest(terminal: Terminal) -> None:
    terminal.settings(switch=True)
    path = terminal.folder / "ledger.toml"
    path.write_text(path.read_text() + '\nalso_stops = ["arn:aws:ec2::123456789012"]')
    assert terminal.alert("--execute") == 1
    said = terminal.said()
    assert "UNSEEN arn:aws:ec2::123456789012: no control plane is set up" in said
    assert terminal.stops() == 1
