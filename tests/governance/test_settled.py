"""What a sweep reads does not grow with what is over; and without its index it finds the same."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import flow, returned, streams
from governance.model import Message
from governance.record import Record
from governance.settled import ROOT, Settled
from tests.governance.desk import Post, channel
from tests.governance.guarded import Guarded
from tests.governance.scene import DOLLAR, NOW, MemoryFleet, machine, payload
from tests.governance.undoing import StartingFleet, Story

LATER = NOW + timedelta(days=8)


class Counting(FolderStore):
    """A real folder that counts what is asked of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()

    def read(self, name: str) -> bytes:
        self.asked["read"] += 1
        return super().read(name)

    def names(self, prefix: str = "") -> list[str]:
        self.asked["list"] += 1
        return super().names(prefix)

    def spent(self) -> tuple[int, int]:
        found = self.asked["read"], self.asked["list"]
        self.asked.clear()
        return found


@pytest.fixture
def store(memory_folder: Path) -> Counting:
    return Counting(memory_folder / "store")


def history(store: Counting, runs: int, machines: int = 3) -> Record:
    """Runs whose every order is over, an hour apart; each stops machines of its own."""
    record = Record(store)
    for run in range(runs):
        fleet = StartingFleet(*(machine(f"m{run}-{one}") for one in range(machines)))
        story = Story(record, fleet, now=NOW + timedelta(hours=run))
        story.alerts = run * 10
        amount = f"$0.{81 + run}"
        story.alert(NotificationThresholdAmount=amount, SpentAmount="$1.05")
        assert len(fleet.stops) == machines
    return record


def sweep(record: Record, now: datetime) -> tuple[list[Message], int]:
    messages, waiting = flow.on_sweep(record=record, now=now), returned.should_be_off(record, now)
    fleet = MemoryFleet(*(machine(one.target.rpartition("/")[2], power="deallocated") for one in waiting))
    returned.look(waiting, [DOLLAR], record, fleet, now)
    Post(record, [DOLLAR], channel()).run(now)
    return messages, len(waiting)


def test_a_sweep_reads_no_more_of_a_long_history_than_of_a_short_one(memory_folder: Path) -> None:
    spent = {}
    for runs in (2, 6):
        store = Counting(memory_folder / str(runs))
        record = history(store, runs)
        store.spent()
        assert sweep(record, LATER) == ([], runs * 3)
        first = store.spent()
        assert sweep(record, LATER + timedelta(minutes=10)) == ([], runs * 3)
        spent[runs] = store.spent()
        assert first[0] > 10 * spent[runs][0]
    assert spent[2] == spent[6]
    assert spent[6][0] <= 5


def test_what_is_added_to_a_stream_brings_it_back(store: Counting) -> None:
    record = history(store, 1)
    sweep(record, LATER)
    (alert,) = record.streams("alerts/")
    assert list(Settled(record, "sweep").unsettled("alerts/")) == []
    record.append(alert, streams.NOTICE, {"digest": "x"}, LATER)
    assert list(Settled(record, "sweep").unsettled("alerts/")) == [alert]


def test_a_machine_that_is_started_is_seen_though_its_stop_is_long_over(store: Counting) -> None:
    record = history(store, 1)
    sweep(record, LATER)
    waiting = returned.should_be_off(record, LATER)
    assert all(one.quiet for one in waiting)
    names = [one.target.rpartition("/")[2] for one in waiting]
    fleet = MemoryFleet(*(machine(name, power="running" if name == "m0-1" else "deallocated") for name in names))
    looked = returned.look(waiting, [DOLLAR], record, fleet, LATER)
    assert [one.rpartition("/")[2] for one in looked.returned] == ["m0-1"]
    again = returned.should_be_off(record, LATER)
    assert sorted((one.target.rpartition("/")[2], one.quiet) for one in again) == [
        ("m0-0", True),
        ("m0-1", False),
        ("m0-2", True),
    ]
    assert returned.should_be_off(record, LATER + returned.WATCHED) == []


@pytest.mark.parametrize("damage", ["gone", "broken", "foreign", "list"])
def test_the_index_may_be_lost_and_is_made_anew(store: Counting, damage: str) -> None:
    record = history(store, 2)
    sweep(record, LATER)
    for name in store.names(ROOT):
        store.delete(name)
        if damage != "gone":
            store.create(name, {"broken": b"{", "foreign": b'{"x": "y"}', "list": b"[1]"}[damage])
    assert sweep(record, LATER) == ([], 6)
    store.spent()
    assert sweep(record, LATER) == ([], 6)
    assert store.spent()[0] <= 5


def test_what_is_lost_is_found_with_the_index_as_without(store: Counting) -> None:
    """One order on its way and one never begun, beside a history."""
    record = history(store, 1)
    sweep(record, LATER)
    late = LATER + timedelta(days=1)
    world = Guarded(
        record,
        DOLLAR,
        machine("x"),
        machine("y"),
        body=payload("common-actual", alertId="/a/99", firedDateTime=late.isoformat(), SpentAmount="$1.05"),
        now=late,
    )
    world.carry_out(world.plan()[:1])
    found = world.sweep(timedelta(hours=1))
    for name in store.names(ROOT):
        store.delete(name)
    assert sorted(one.queue for one in found) == ["carry-out-order", "verify-order"]
    assert found == world.sweep()
