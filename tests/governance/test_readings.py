"""How often and how long a machine is read back: by the clock, however many messages ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import flow, lifecycle
from governance.model import Message, State
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.scene import NOW, machine

A, B = machine("a"), machine("b")
LASTS = timedelta(minutes=25)


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def test_copies_of_a_message_use_up_no_readings(record: Record) -> None:
    control = Control(record, A)
    (look,) = control.order(control.first())
    control.fleet.set(A.id, power="running")
    due = NOW + look.delay
    for _ in range(30):
        (again,) = control.look(look, due - timedelta(seconds=6))
        assert again.delay == timedelta(seconds=6)
    assert [len(control.look(look, due)) for _ in range(30)] == [1] * 30
    assert control.kinds(look).count(lifecycle.WAITING) == 1


@pytest.mark.parametrize("sweeps", [False, True])
def test_a_held_account_and_its_sweeps_leave_each_machine_its_time(record: Record, sweeps: bool) -> None:
    """Azure asks for an hour; each sweep of it sends a copy for every order that waits. A deallocation takes 25 min."""
    control = Control(record, A, B)
    orders = control.plan(control.receive())
    control.fleet.faults["begin_stop"].append(Transient("429", timedelta(hours=1)))
    heap: list[tuple[datetime, int, Message]] = []
    count, now, sweep = 0, NOW, NOW + timedelta(minutes=10)
    called: dict[str, datetime] = {}

    def add(messages: list[Message]) -> None:
        nonlocal count
        for message in messages:
            count += 1
            heappush(heap, (now + max(message.delay, timedelta()), count, message))

    add(orders)
    while heap and now < NOW + timedelta(hours=5):
        if sweeps and heap[0][0] > sweep:
            now, sweep = sweep, sweep + timedelta(minutes=10)
            add(flow.on_sweep(record=record, now=now))
            continue
        now, _, message = heappop(heap)
        for id, at in called.items():
            control.fleet.set(id, power="deallocated" if now - at >= LASTS else "stopping")
        before = len(control.fleet.stops)
        if message.queue == "carry-out-order":
            add(control.order(message, now))
            taken = [id for id in control.fleet.stops[before:] if control.fleet.known[id].power == "deallocating"]
            called |= dict.fromkeys(taken, now)
        elif message.queue == "verify-order":
            add(control.look(message, now))
    assert [control.state(order) for order in orders] == [State.VERIFIED, State.VERIFIED]
    assert max(control.kinds(order).count(lifecycle.WAITING) for order in orders) <= 12
