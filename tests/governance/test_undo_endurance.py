"""An undo that dies at any write is carried on: by the terminal asked again, or by the sweep of the service."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.queue import MemoryQueue
from governance import flow, streams
from governance.model import Message
from governance.order import IN_FLIGHT
from governance.record import Record
from governance.terminal import drain, handlers
from governance.undo import ask, attempt
from ledger.faults import Rejected
from tests.governance.scene import Crash, CrashingStore, machine
from tests.governance.undoing import LIVE, StartingFleet, Story, names, staged

WRITES = 17  # of an undo of two machines in two stages, from the wish to its end
STEPS = [(at, after) for at in range(1, WRITES + 1) for after in (False, True)]


def begun(folder: Path) -> tuple[Story, str]:
    told = Story(Record(FolderStore(folder)), StartingFleet(machine("a"), machine("b")), staged(1))
    return told, told.run()


def died(folder: Path, at: int, after: bool) -> tuple[Story, str]:
    told, run = begun(folder)
    told.record = Record(CrashingStore(folder, at, after=after))
    with pytest.raises(Crash):
        told.undo(run)
    told.record = Record(FolderStore(folder))
    return told, run


def check(told: Story, run: str) -> None:
    assert names(told.fleet.starts) == ["a", "b"]
    assert {one.power for one in told.fleet.known.values()} == {"running"}
    current = attempt(told.undo_events(run))
    assert current and current.ended and current.ended.kind == "finished"
    assert all(told.record.verify(stream) == [] for stream in told.record.streams())


def never(message: Message, _now: datetime) -> None:
    pytest.fail(f"given up: {message}")


def written(folder: Path) -> int:
    return len(list(folder.rglob("*.json")))


def test_the_steps_that_are_tried_are_all_there_are(memory_folder: Path) -> None:
    told, run = begun(memory_folder)
    before = written(memory_folder)
    told.undo(run)
    assert written(memory_folder) - before == WRITES


@pytest.mark.parametrize(("at", "after"), STEPS)
def test_asked_again_it_ends_as_if_nothing_had_happened(memory_folder: Path, at: int, after: bool) -> None:
    told, run = died(memory_folder, at, after)
    if (at, after) == STEPS[-1]:  # it died behind its end
        with pytest.raises(Rejected, match="nothing of that run is left to start"):
            told.undo(run)
    else:
        told.undo(run)
    check(told, run)


@pytest.mark.parametrize(("at", "after"), STEPS)
def test_the_sweep_carries_it_on(memory_folder: Path, at: int, after: bool) -> None:
    told, run = died(memory_folder, at, after)
    if not told.undo_events(run):  # the wish itself was lost, and its caller knows
        return
    for _ in range(4):
        told.later(minutes=11)
        queue = MemoryQueue(lambda: told.now)
        for message in flow.on_sweep(record=told.record, now=told.now):
            queue.send(message)
        flows = handlers((told.budget,), told.record, told.fleet, True)
        drain(queue, flows, now=told.now, wait=told.wait, given_up=never)
    check(told, run)
    assert flow.on_sweep(record=told.record, now=told.now + timedelta(hours=1)) == []


def test_messages_that_come_twice_start_nothing_twice(memory_folder: Path) -> None:
    """Every message is handled twice, the second time at once and the third after the call's time."""
    told, run = begun(memory_folder)
    flows = handlers((told.budget,), told.record, told.fleet, True)
    twice = {
        name: lambda body, now, one=one: [*one(body, now), *one(body, now), *one(body, now + IN_FLIGHT)][:2]
        for name, one in flows.items()
    }
    queue = MemoryQueue(lambda: told.now)
    for message in ask(run, LIVE, budgets=(told.budget,), record=told.record, now=told.now):
        queue.send(message)
    drain(queue, twice, now=told.now, wait=told.wait, given_up=never)
    check(told, run)


def test_a_start_is_read_once_at_a_time_however_often_its_message_comes(memory_folder: Path) -> None:
    told, run = died(memory_folder, 6, True)
    (stream,) = told.record.streams("starts/")
    assert told.record.events(stream)[-1].kind == "accepted"
    body = {"alert": run, "order": stream.rpartition("/")[2], "target": "", "attempt": 0}
    flows = handlers((told.budget,), told.record, told.fleet, True)
    for _ in range(3):
        (again,) = flows[streams.START_ORDER](body, told.now)
        assert again.delay == streams.FIRST_LOOK
    assert len(told.record.events(stream)) == 3


def test_a_start_whose_message_was_given_up_is_carried_on(memory_folder: Path) -> None:
    told, run = begun(memory_folder)
    told.record = Record(CrashingStore(memory_folder, 5, after=True))
    with pytest.raises(Crash):
        told.undo(run)
    told.record = Record(FolderStore(memory_folder))
    (stream,) = told.record.streams("starts/")
    message = {"alert": run, "order": stream.rpartition("/")[2]}
    flow.on_poison("start-order-poison", message, record=told.record, now=told.now)
    told.later(minutes=11)
    swept = {one.queue for one in flow.on_sweep(record=told.record, now=told.now)}
    assert swept == {streams.UNDO_RUN, streams.START_ORDER}
    told.undo(run)
    check(told, run)


def test_an_undo_that_was_given_up_is_over_and_can_be_asked_for_anew(memory_folder: Path) -> None:
    told, run = died(memory_folder, 1, True)
    message = {"alert": run, "undo": attempt(told.undo_events(run)).id}  # type: ignore[union-attr]  # it died behind it
    for _ in range(2):
        flow.on_poison("undo-run-poison", message, record=told.record, now=told.now)
    assert [event.kind for event in told.undo_events(run)] == ["asked", "abandoned"]
    assert flow.on_sweep(record=told.record, now=told.now + timedelta(hours=1)) == []
    told.undo(run)
    check(told, run)
