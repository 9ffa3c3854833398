"""`ledger undo` from its words to the record and the machines, over the emulated cloud."""

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
from adapters.folder import FolderStore
from emulators.arm import Arm
from emulators.budget import payload
from emulators.cloud import MACHINE
from emulators.faults import Effect, Fault
from emulators.scenario import LAB, Setup, World, build
from governance import period, switches
from tests.clock import one_day
from tests.host.scene import ledger_toml


@dataclass
class Desk:
    """A folder with a store, settings and an alert, and the commands over it."""

    arm: Arm
    world: World
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def settings(self, *, live: bool = True) -> None:
        switches = f"ledger.live = {str(live).lower()}\nundo.pause_minutes = 1\n"
        (self.folder / "ledger.toml").write_text(switches + ledger_toml(self.world.setup))

    def run(self, *words: str) -> int:
        given = ["--store", str(self.folder / "store"), "--config", str(self.folder / "ledger.toml")]
        return cli.main([*words, *given])

    def said(self) -> str:
        return self.capsys.readouterr().out

    def stopped(self, spent: str = "0.8125", threshold: str = "0.8") -> str:
        """A run that stopped the machine; its id."""
        setup = self.world.setup
        body = payload(setup.budget(), Decimal(threshold), Decimal(spent), datetime.now(UTC))
        (self.folder / "alert.json").write_text(json.dumps(body))
        assert self.run("alert", str(self.folder / "alert.json"), "--execute", "--json") == 0
        return str(json.loads(self.said())["run"])

    def last_month_told_more(self) -> None:
        """In a month's first days an alert counts as spent in it only where the month before told more."""
        setup, months = self.world.setup, period.of(datetime.now(UTC))
        if not period.earlier(months):
            return
        fired = period.begins(months) - timedelta(minutes=1)
        body = payload(setup.budget(), Decimal("0.9"), Decimal("9.9"), fired)
        (self.folder / "before.json").write_text(json.dumps(body))
        assert self.run("alert", str(self.folder / "before.json")) == 0
        self.said()

    def power(self) -> str:
        return self.world.cloud.power(self.world.setup.id(MACHINE, LAB))

    def starts(self) -> int:
        return len(self.arm.asked("/start"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    world = build(replace(Setup(), start=one_day()))
    for name in ("alert", "undo"):
        sleep = partial(getattr(wiring, name), sleep=lambda seconds: world.cloud.advance(timedelta(seconds=seconds)))
        monkeypatch.setattr(wiring, name, sleep)
    for name in ("LEDGER_LIVE", "AzureWebJobsStorage"):
        monkeypatch.delenv(name, raising=False)
    with Arm(world.cloud) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        made = Desk(arm, world, tmp_path, capsys)
        made.settings()
        yield made


def test_it_looks_first_and_starts_with_execute(desk: Desk) -> None:
    run = desk.stopped()
    assert desk.power() == "deallocated"
    assert desk.run("undo", run[:8]) == 0
    said = desk.said()
    assert f"start  {LAB} (stage 1 of 1)" in said and f"{LAB}: dry run, would do: start" in said
    assert (desk.starts(), desk.power()) == (0, "deallocated")
    assert desk.run("undo", run[:8], "--execute", "--by", "Kim", "--reason", "demo") == 0
    assert f"{LAB}: started, power state read back: running" in desk.said()
    assert (desk.starts(), desk.power()) == (1, "running")


def test_undone_twice_and_an_undo_are_refused(desk: Desk) -> None:
    run = desk.stopped()
    assert desk.run("undo", run, "--execute", "--json") == 0
    undo = json.loads(desk.said())["undo"]
    assert desk.run("undo", run, "--execute") == 2
    assert f"{LAB}: an earlier undo started it" in desk.capsys.readouterr().err
    assert desk.run("undo", undo, "--execute") == 2
    assert "an undo is not undone" in desk.capsys.readouterr().err
    assert desk.starts() == 1


def test_a_switch_that_is_off_keeps_it_dry_and_is_told(desk: Desk) -> None:
    run = desk.stopped()
    desk.settings(live=False)
    assert desk.run("undo", run, "--execute") == 1
    assert "not executed: the master switch is off" in desk.said()
    assert desk.starts() == 0


def test_a_budget_that_is_over_wants_a_reason(desk: Desk) -> None:
    desk.last_month_told_more()
    run = desk.stopped("1.01", "1")
    assert desk.run("undo", run, "--execute") == 2
    assert "is over: 1.01 of 1.00 USD" in desk.capsys.readouterr().err
    assert desk.run("undo", run, "--execute", "--despite-budget") == 2
    assert "needs why" in desk.capsys.readouterr().err
    assert desk.starts() == 0
    assert desk.run("undo", run, "--execute", "--despite-budget", "--reason", "the board sees it") == 0
    assert desk.power() == "running"


def test_a_start_that_lies_is_not_green(desk: Desk) -> None:
    run = desk.stopped()
    desk.world.cloud.faults.add(Fault("start", LAB, effect=Effect.OPERATION_LIES))
    assert desk.run("undo", run, "--execute") == 1
    assert f"{LAB}: FAILED: deallocated, not running, in 20 readings" in desk.said()


def test_for_the_service_it_is_only_recorded_and_the_service_s_switch_counts(desk: Desk) -> None:
    run = desk.stopped()
    desk.settings(live=False)
    assert desk.run("undo", run, "--service", "--execute", "--by", "Kim") == 1
    said = desk.said()
    assert "asked for by Kim (signed in to Azure as application " in said and said.count("; live") == 1
    assert "the service was not live for dev-monthly at its last sweep" in said and "not executed" not in said
    assert "the service starts them with its next sweep" in said
    record = wiring.record(FolderStore(desk.folder / "store"))
    budgets = wiring.settings({}, desk.folder / "ledger.toml").budgets
    switches.noted(record, budgets, datetime.now(UTC), live=True)
    assert desk.run("undo", run, "--service", "--execute", "--by", "Kim") == 0
    said = desk.said()
    assert "was not live" not in said
    assert f"{LAB}: NOT STARTED: its stage was not begun" in said
    assert desk.starts() == 0
