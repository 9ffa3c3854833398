"""A control plane that takes no start for hours: a start lasts as long as a stop would, and people hear of it early."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import delays
from governance.alert import MAX_AGE
from governance.model import Event, Machine
from governance.record import Record
from ledger.faults import Conflict, Transient
from tests.governance.desk import Post, channel
from tests.governance.scene import DOLLAR, machine
from tests.governance.undoing import DRY, LIVE, StartingFleet, Story, names, staged

A, B = machine("a"), machine("b")
FAULTS = {
    "503": Transient("503"),
    "409": Conflict("busy"),
    "429": Transient("429", timedelta(seconds=7)),
    "429-long": Transient("429", MAX_AGE),
}
OVER = {"SpentAmount": "$1.20", "NotificationThresholdAmount": "$1.00"}


class DownFleet(StartingFleet):
    """Takes no start until that many calls were made in vain."""

    def __init__(self, *machines: Machine, fault: Exception, times: int) -> None:
        super().__init__(*machines)
        self.fault, self.left = fault, times

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        if self.left:
            self.left -= 1
            raise self.fault
        super().begin_start(id, parts)


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def starts(told: Story) -> list[Event]:
    return [event for stream in told.record.streams("starts/") for event in told.record.events(stream)]


def down(record: Record, fault: Exception, times: int, *machines: Machine) -> tuple[Story, str]:
    told = Story(record, DownFleet(*(machines or (A,)), fault=fault, times=times), staged(5))
    return told, told.run()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_outage_of_many_hours_is_outlasted_by_few_calls(record: Record, fault: Exception) -> None:
    told, run = down(record, fault, times=30)
    begun = told.now
    undone = told.undo(run)
    assert undone.failed == ()
    assert told.fleet.known[A.id].power == "running"
    assert timedelta(hours=12) < told.now - begun < MAX_AGE


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_that_lasts_longer_than_an_alert_is_a_failure_that_says_why(record: Record, fault: Exception) -> None:
    told, run = down(record, fault, times=10_000)
    begun = told.now
    undone = told.undo(run)
    assert names(undone.failed) == ["a"]
    assert MAX_AGE - timedelta(hours=2) <= told.now - begun <= MAX_AGE
    assert len([one for one in starts(told) if one.kind == "deferred"]) <= 100
    halted = told.undo_events(run)[-1]
    assert halted.kind == "halted"
    assert str(halted.body["reason"]).startswith(f"1 of 1 failed: a (the control plane took no call in {MAX_AGE}: ")


def test_what_one_start_is_asked_to_wait_all_of_its_account_wait(record: Record) -> None:
    told, run = down(record, Transient("429", timedelta(minutes=40)), 1, A, B)
    told.undo(run)
    (deferred,) = (one for one in starts(told) if one.kind == "deferred")
    later = [one.at for one in starts(told) if one.kind == "calling" and one.at > deferred.at]
    assert len(later) == 2
    assert min(later) >= deferred.at + timedelta(minutes=40)


def told_of(record: Record, now: datetime) -> list[tuple[str, str, Sequence[str]]]:
    """What people get then."""
    post = Post(record, [DOLLAR], channel(events=("undo-delayed", "undo-halted")))
    post.run(now)
    return sorted((letter.kind, letter.title, letter.lines) for _, letter, _ in post.kept.letters)


def test_people_are_told_once_that_an_undo_waits_and_again_that_it_gave_up(record: Record) -> None:
    told, run = down(record, Transient("503 ServerBusy"), 10_000, A, B)
    told.undo(run)
    (waits,) = record.events(f"delays/{run}")
    assert (waits.kind, waits.body["attempt"]) == (delays.UNDO_DELAYED, 11)
    assert waits.at - starts(told)[0].at < timedelta(hours=1)
    waiting, halted = told_of(record, waits.at)
    assert waiting[:2] == ("undo-delayed", "Budget dev-dollar: an undo waits, the control plane takes no call")
    assert "503 ServerBusy" in waiting[2][0]
    assert halted[:2] == ("undo-halted", "Budget dev-dollar: the undo HALTED in stage 1")
    assert "2 of 2 failed: a, b (a: the control plane took no call in 3 days" in halted[2][0]


def test_another_undo_of_the_run_that_waits_is_told_of_again(record: Record) -> None:
    told, run = down(record, Transient("503"), times=10_000)
    for _ in range(2):
        told.undo(run)
    assert [one.kind for one in record.events(f"delays/{run}")] == [delays.UNDO_DELAYED] * 2


def test_of_a_dry_undo_nobody_is_told_that_it_waits(record: Record) -> None:
    told, run = down(record, Transient("503"), times=0)
    told.fleet.faults["machine"] = deque([Transient("503")] * 20)
    told.undo(run, DRY)
    assert len([one for one in starts(told) if one.kind == "deferred"]) == 20
    assert list(record.streams("delays/")) == []


def test_locks_that_cannot_be_read_for_hours_are_waited_for_and_told(record: Record) -> None:
    told, run = down(record, Transient("503"), times=0)
    told.fleet.faults["machines"] = deque([Transient("503 listing")] * 30)
    assert told.undo(run).failed == ()
    (waits,) = record.events(f"delays/{run}")
    assert waits.body["reason"] == "503 listing"


def test_a_lock_set_while_a_start_waited_is_seen_before_its_call(record: Record) -> None:
    told, run = down(record, Transient("503"), times=8)
    fleet, calls = told.fleet, told.fleet.begin_start

    def locked(id: str, parts: Sequence[str] = ()) -> None:
        fleet.set(id, unstoppable="lock keep (ReadOnly) holds on it")
        calls(id, parts)

    fleet.begin_start = locked  # type: ignore[method-assign]  # somebody sets a lock during the first call
    undone = told.undo(run)
    assert fleet.known[A.id].power == "deallocated"
    assert undone.lines[-1] == "    a: left alone: lock keep (ReadOnly) holds on it"


@pytest.mark.parametrize("waived", [False, True])
def test_a_budget_that_went_over_while_a_start_waited_refuses_it_unless_it_is_waived(
    record: Record, waived: bool
) -> None:
    told, run = down(record, Transient("503"), times=20)
    calls = told.fleet.begin_start
    spent = iter([True])

    def spending(id: str, parts: Sequence[str] = ()) -> None:
        if next(spent, False):
            other = Story(record, StartingFleet(), told.budget, told.now)
            other.alerts = 7
            other.alert(**OVER)
        calls(id, parts)

    told.fleet.begin_start = spending  # type: ignore[method-assign]  # the budget is spent during the first call
    undone = told.undo(run, replace(LIVE, despite_budget=waived))
    assert told.fleet.known[A.id].power == ("running" if waived else "deallocated")
    assert waived or "over" in undone.lines[-1] or "limit" in undone.lines[-1], undone.lines
