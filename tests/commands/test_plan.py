"""`ledger plan`, `pause` and `resume` from their words to the record and the machines, over the emulated cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import cli
import wiring
from emulators.arm import Arm
from emulators.budget import payload
from emulators.scenario import LAB, Setup, build
from tests.clock import one_day
from tests.host.scene import ledger_toml

GATES = "approval_hours = 24\nceilings = { count = 3 }"
KEY = "a key of the test, 32 characters"


@dataclass
class Terminal:
    """A folder with a store, settings under one rule, and the commands over it."""

    arm: Arm
    setup: Setup
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def settings(self, rule: str = GATES) -> None:
        text = f"""
ledger.live = true
approval.url = "https://ledger.example"
{ledger_toml(self.setup)}
[policies.guard]
budgets = ["{self.setup.budget().name}"]
{rule}"""
        (self.folder / "ledger.toml").write_text(text)

    def run(self, *words: str) -> int:
        given = ["--store", str(self.folder / "store"), "--config", str(self.folder / "ledger.toml")]
        return cli.main([*words, *given])

    def said(self) -> str:
        return self.capsys.readouterr().out

    def alert(self, ends: int = 0) -> str:
        assert self.run("alert", str(self.folder / "alert.json"), "--execute") == ends
        return self.said()

    def plan(self) -> str:
        """The id of the newest plan."""
        self.said()
        assert self.run("plan", "list", "--json") == 0
        return str(json.loads(self.said())["plans"][0]["id"])

    def stops(self) -> int:
        return len(self.arm.asked("/deallocate"))


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    setup = replace(Setup(), start=one_day())
    world = build(setup)

    body = json.dumps(payload(setup.budget(), setup.threshold, Decimal("0.8125"), setup.start))
    (tmp_path / "alert.json").write_text(body)
    pretended = partial(wiring.alert, sleep=lambda seconds: world.cloud.advance(timedelta(seconds=seconds)))
    monkeypatch.setattr(wiring, "alert", pretended)
    for name in ("LEDGER_LIVE", "LEDGER_APPROVAL_KEY", "AzureWebJobsStorage"):
        monkeypatch.delenv(name, raising=False)
    with Arm(world.cloud) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        made = Terminal(arm, setup, tmp_path, capsys)
        made.settings()
        yield made


def test_a_plan_is_proposed_listed_shown_approved_and_then_carried_out(terminal: Terminal) -> None:
    assert "awaits approval until" in terminal.alert()
    assert terminal.stops() == 0
    id = terminal.plan()
    assert terminal.run("plan", "list") == 0
    assert f"{id[:12]}" in (said := terminal.said()) and "awaiting approval: 1 to stop, 1 of unknown price" in said
    assert terminal.run("plan", "show", id[:10]) == 0
    said = terminal.said()
    assert f"/{LAB} (azure_vm, running) by rule guard: opted in" in said
    assert said.count("  spare  ") == 2
    assert terminal.run("plan", "approve", id[:12], "--by", "Kim") == 0
    assert "approved by Kim; the sweep, or the same alert again, carries it on" in terminal.said()
    assert f"{LAB}: verified" in terminal.alert()
    assert terminal.stops() == 1


def test_a_rejected_plan_is_not_carried_out(terminal: Terminal) -> None:
    terminal.alert()
    id = terminal.plan()
    assert terminal.run("plan", "reject", id, "--by", "Kim", "--reason", "demo today") == 0
    assert "rejected by Kim (signed in to Azure as application " in terminal.alert()
    assert terminal.stops() == 0
    assert terminal.run("plan", "approve", id) == 2
    assert "was rejected by Kim already" in terminal.capsys.readouterr().err


def test_a_plan_above_a_ceiling_is_planned_again_once_that_is_raised(terminal: Terminal) -> None:
    terminal.settings('ceilings = { per_hour = "0.01" }')
    terminal.alert(1)
    terminal.settings("")
    assert terminal.run("orders", "--json") == 0
    run = json.loads(terminal.said())["runs"][0]["run"]
    assert terminal.run("plan", "again", run[:12], "--by", "Kim", "--reason", "it was too low") == 0
    assert f"run {run[:12]} is planned anew by Kim; the sweep" in terminal.said()
    assert f"{LAB}: verified" in terminal.alert()
    assert terminal.run("plan", "again", run[:12], "--by", "Kim", "--reason", "once more") == 2
    assert "is carried out" in terminal.capsys.readouterr().err


def test_a_pause_holds_everything_until_it_is_over(terminal: Terminal) -> None:
    terminal.settings("")
    assert terminal.run("pause", "--by", "Kim", "--reason", "release night") == 0
    assert "paused by Kim (signed in to Azure as application " in terminal.alert()
    assert terminal.stops() == 0
    assert terminal.run("resume", "--by", "Kim", "--reason", "done") == 0
    assert f"{LAB}: verified" in terminal.alert()


def test_who_did_it_is_the_user_signed_in_when_nobody_says(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "lee")
    assert terminal.run("pause", "--reason", "x", "--json") == 0
    assert json.loads(terminal.said()).items() >= {"paused": True, "by": "lee", "reason": "x"}.items()


def test_notice_and_hours_do_not_keep_the_terminal_waiting(terminal: Terminal) -> None:
    terminal.settings("notice_hours = 4")
    assert "notice given to owners, acts from" in terminal.alert()
    assert terminal.stops() == 0


def test_above_a_ceiling_the_terminal_says_so(terminal: Terminal) -> None:
    terminal.settings('ceilings = { per_hour = "1" }')
    said = terminal.alert(ends=1)
    assert "ABOVE A CEILING, nothing is stopped" in said and "without a price in USD" in said
    assert terminal.stops() == 0


def test_links_are_made_for_one_person_and_say_where_they_lead(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.alert()
    id = terminal.plan()
    assert terminal.run("plan", "links", id, "--to", "Kim") == 2
    assert "LEDGER_APPROVAL_KEY" in terminal.capsys.readouterr().err
    monkeypatch.setenv("LEDGER_APPROVAL_KEY", KEY)
    assert terminal.run("plan", "links", id, "--to", "Kim", "--json") == 0
    links = json.loads(terminal.said())
    assert set(links) == {"approve", "reject"} and links["approve"].startswith(
        "https://ledger.example/api/plans/decide?"
    )
    assert KEY not in str(links)
    token = parse_qs(urlsplit(links["approve"]).query)["token"][0]
    env = {"LEDGER_APPROVAL_KEY": KEY, "LEDGER_CONFIG": str(terminal.folder / "ledger.toml")}
    env["LEDGER_STORE"] = str(terminal.folder / "store")
    assert wiring.by_link("POST", token, env, datetime.now(UTC)).status == 200
    assert terminal.run("plan", "links", id, "--to", "Kim") == 2


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "show", "00000000"),
        ("plan", "show", "../../x"),
        ("plan", "approve", "0"),
        ("plan", "reject", "00000000", "--reason", "x"),
        ("pause", "--reason", " "),
        ("resume", "--reason", "x", "--by", ""),
    ],
)
def test_what_names_no_plan_or_says_no_why_ends_with_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.run(*words) == 2


def test_an_empty_record_has_no_plans(terminal: Terminal) -> None:
    assert terminal.run("plan", "list") == 0
    assert terminal.said() == "no plans in the record\n"
