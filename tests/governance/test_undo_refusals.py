"""What an undo is refused for, and which machines it leaves alone: budget, pause, age, holds, locks, changes since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import pause, undo_receipt
from governance.model import Machine
from governance.record import Record
from governance.undo import Wish
from ledger.faults import Rejected
from tests.governance.scene import DOLLAR, machine
from tests.governance.undoing import LIVE, StartingFleet, Story, names, staged

A, B = machine("a"), machine("b")


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def story(record: Record, *machines: Machine, batch: int = 5) -> Story:
    return Story(record, StartingFleet(*machines), staged(batch))


OVER = {"SpentAmount": "$1.02", "NotificationThresholdAmount": "$1.00"}


def test_a_budget_over_its_limit_refuses_unless_it_is_waived_with_a_reason(record: Record) -> None:
    told = story(record, A)
    run = told.run(**OVER)
    with pytest.raises(Rejected, match=r"budget dev-dollar is over: 1\.02 of 1\.00 USD in 2026-11"):
        told.undo(run)
    with pytest.raises(Rejected, match="needs why"):
        told.undo(run, Wish("kim", "", dry_run=False, despite_budget=True))
    assert [event.kind for event in told.undo_events(run)] == ["refused", "refused"]
    assert told.fleet.starts == []
    undone = told.undo(run, replace(LIVE, despite_budget=True))
    assert names(told.fleet.starts) == ["a"]
    assert "    although budget dev-dollar is over: 1.02 of 1.00 USD in 2026-11" in undone.lines


def test_a_new_month_ends_the_refusal(record: Record) -> None:
    told = story(record, A)
    told.now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    run = told.run(**OVER)
    told.later(days=3)
    told.undo(run)
    assert names(told.fleet.starts) == ["a"]


def test_a_raised_limit_ends_the_refusal(record: Record) -> None:
    told = story(record, A)
    run = told.run(**OVER)
    told.budget = replace(told.budget, amount=DOLLAR.amount * 2)
    told.undo(run)
    assert names(told.fleet.starts) == ["a"]


def test_a_later_alert_that_tells_of_the_limit_stops_the_next_stage(record: Record) -> None:
    told = story(record, A, B, batch=1)
    run = told.run()
    wait = told.wait

    def alerted(until: datetime) -> datetime:
        """The alert comes while the undo waits for its next stage; it stops what was just started."""
        if told.fleet.starts and not alerts and until - told.now > timedelta(minutes=4):
            alerts.append(told.now)
            told.alert(**OVER)
        return wait(until)

    alerts: list[object] = []
    told.wait = alerted  # type: ignore[method-assign]  # another process
    undone = told.undo(run)
    assert names(told.fleet.starts) == ["a"]
    assert any("HALTED in stage 2: budget dev-dollar is over" in line for line in undone.lines)


def test_a_pause_refuses_and_its_end_allows(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    pause.turn(record, on=True, by="kim", reason="audit", now=told.now)
    with pytest.raises(Rejected, match="paused by kim"):
        told.undo(run)
    pause.turn(record, on=False, by="kim", reason="over", now=told.now)
    told.undo(run)
    assert names(told.fleet.starts) == ["a"]


def retagged(**tags: str) -> Callable[[Story], None]:
    return lambda told: told.fleet.set(A.id, tags={**A.tags, **{k.replace("_", "-"): v for k, v in tags.items()}})


CHANGES: list[tuple[str, Callable[[Story], object], str]] = [
    ("hold", retagged(ledger_hold="2026-12-24"), "held by tag ledger-hold until 2026-12-24"),
    ("no opt-in", lambda told: told.fleet.set(A.id, tags={}), "not opted in by ledger-stop=dev-dollar any more"),
    ("lock", lambda told: told.fleet.set(A.id, unstoppable="a ReadOnly lock"), "a ReadOnly lock"),
    ("deleted", lambda told: told.fleet.known.pop(A.id), "it was deleted since the stop"),
    ("re-created", lambda told: told.fleet.set(A.id, identity="two"), "another machine was made under its id"),
    (
        "started",
        lambda told: told.fleet.set(A.id, power="running"),
        "somebody started it since the stop: it is running",
    ),
    ("on, then off", lambda told: told.fleet.set(A.id, power="stopped"), "somebody started it since the stop"),
]


@pytest.mark.parametrize(("change", "reason"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_what_became_of_a_machine_since_keeps_it_from_being_started(
    record: Record, change: Callable[[Story], object], reason: str
) -> None:
    told = story(record, replace(A, identity="one"), B)
    run = told.run()
    told.later(minutes=1)
    change(told)
    undone = told.undo(run)
    assert names(told.fleet.starts) == ["b"]
    assert [line for line in undone.lines if line.startswith("    a: left alone: ")], undone.lines
    assert any(reason in line for line in undone.lines), undone.lines
    assert undone.failed == ()


def test_a_set_whose_instances_were_replaced_is_left_alone(record: Record) -> None:
    pool = replace(A, kind="azure_vmss", parts={"0": "running", "1": "running"})
    told = story(record, pool)
    run = told.run()
    told.later(minutes=1)
    told.fleet.set(A.id, parts={"7": "deallocated"})
    undone = told.undo(run)
    assert told.fleet.starts == []
    assert undone.lines[-1] == "    a: left alone: its instances were deleted since the stop"


def test_an_exemption_is_from_stops_alone(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    retagged(ledger_exempt="2026-12-24")(told)
    told.undo(run)
    assert names(told.fleet.starts) == ["a"]


def test_a_machine_that_another_run_stopped_since_is_left_to_that_ones_undo(record: Record) -> None:
    told = story(record, A)
    first = told.run()
    told.fleet.set(A.id, power="running")
    told.later(hours=1)
    told.run(**OVER)
    undone = told.undo(first, replace(LIVE, despite_budget=True))
    assert told.fleet.starts == []
    assert "    a: left alone: another run stopped it since: undo that one" in undone.lines


def test_an_undo_and_a_dry_run_are_not_undone(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    undone = told.undo(run)
    with pytest.raises(Rejected, match="an undo is not undone"):
        undo_receipt.found(record, undone.undo)
    with pytest.raises(Rejected, match="an undo is not undone"):
        undo_receipt.found(record, undone.undo[:12])
    with pytest.raises(Rejected, match="a run's id is hexadecimal"):
        undo_receipt.found(record, "nonsense")
    with pytest.raises(Rejected, match="there is no run 00000000"):
        undo_receipt.found(record, "00000000")
    assert undo_receipt.found(record, run) == undo_receipt.found(record, run[:8]) == run
    (plan,) = {str(event.body["plan"]) for event in undone.events if event.kind == "asked"}
    assert undo_receipt.found(record, plan[:12]) == run


def test_only_within_the_age_of_the_settings(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    told.later(days=7)
    with pytest.raises(Rejected, match="older than 7 days"):
        told.undo(run)


def test_a_dry_run_stopped_nothing(record: Record) -> None:
    told = story(record, A)
    told.budget = replace(told.budget, live=False)
    run = told.run()
    with pytest.raises(Rejected, match="it stopped nothing"):
        told.undo(run)


def test_who_is_needed(record: Record) -> None:
    told = story(record, A)
    with pytest.raises(Rejected, match="needs who"):
        told.undo(told.run(), replace(LIVE, by=" "))
