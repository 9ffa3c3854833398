"""A store that is down until the queue gives messages up: orders are carried on by the sweep, to a good end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import flow
from governance.model import Message, State
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.scene import NOW, Crash, machine
from tests.governance.undoing import names

A, B = machine("a"), machine("b")
TRIES, RETRY = 5, timedelta(seconds=30)  # host.json
MINUTE = timedelta(minutes=1)


class Down(FolderStore):
    """Answers nothing until `until`, by the clock of the test."""

    now = NOW
    until = NOW

    def read(self, name: str) -> bytes:
        self._answer()
        return super().read(name)

    def names(self, prefix: str = "") -> list[str]:
        self._answer()
        return super().names(prefix)

    def create(self, name: str, body: bytes) -> None:
        self._answer()
        super().create(name, body)

    def _answer(self) -> None:
        if self.now < self.until:
            raise Transient("503 server busy")


class Host:
    """The queues of the platform: each message is tried five times, then its poison is, and the sweep comes."""

    def __init__(self, store: Down, control: Control) -> None:
        self.store, self.control = store, control
        self.heap: list[tuple[datetime, int, Message, int, bool]] = []
        self.count = 0

    def add(self, message: Message, due: datetime, tries: int = 0, *, is_poison: bool = False) -> None:
        self.count += 1
        heappush(self.heap, (due, self.count, message, tries, is_poison))

    def run(self, until: datetime) -> None:
        sweep = NOW + timedelta(minutes=10)
        while self.store.now < until:
            if self.heap and self.heap[0][0] <= sweep:
                due, _, message, tries, is_poison = heappop(self.heap)
                self.store.now = max(self.store.now, due)
                self._try(message, tries, is_poison=is_poison)
            else:
                self.store.now, sweep = sweep, sweep + timedelta(minutes=10)
                with suppress(Transient):
                    for message in flow.on_sweep(record=self.control.record, now=self.store.now):
                        self.add(message, self.store.now)

    def _try(self, message: Message, tries: int, *, is_poison: bool) -> None:
        try:
            for following in self._handled(message, is_poison=is_poison):
                self.add(following, self.store.now + following.delay)
        except Transient:
            if tries + 1 < TRIES:
                self.add(message, self.store.now + RETRY, tries + 1, is_poison=is_poison)
            elif not is_poison:
                self.add(message, self.store.now, is_poison=True)

    def _handled(self, message: Message, *, is_poison: bool) -> list[Message]:
        now, control = self.store.now, self.control
        if is_poison:
            flow.on_poison(f"{message.queue}-poison", dict(message.body), record=control.record, now=now)
            return []
        flows = {"carry-out-order": control.order, "verify-order": control.look}
        return flows[message.queue](message, now) if message.queue in flows else []


@pytest.mark.parametrize("minutes", [1, 2.5, 3, 4, 45])
def test_invariant_13_a_store_that_is_down_for_minutes_ends_no_order(memory_folder: Path, minutes: float) -> None:
    store = Down(memory_folder)
    control = Control(Record(store), A, B)
    first, second = control.plan(control.receive())
    (look,) = control.order(first)
    host = Host(store, control)
    host.add(second, NOW + timedelta(seconds=2))
    host.add(look, NOW + timedelta(seconds=15))
    store.until = NOW + timedelta(seconds=1, minutes=minutes)
    host.run(NOW + timedelta(hours=2))
    assert [control.state(one) for one in (first, second)] == [State.VERIFIED, State.VERIFIED]
    assert sorted(names(control.fleet.stops)) == ["a", "b"]


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def give_up(record: Record, message: Message, now: datetime) -> None:
    flow.on_poison(f"{message.queue}-poison", dict(message.body), record=record, now=now)


def test_a_call_whose_message_was_given_up_counts_as_lost(record: Record) -> None:
    """Else each time the queue gives up would allow one more."""
    control = Control(record, A)
    order = control.first()
    for call in range(2):
        control.fleet.faults["begin_stop"].append(Crash())  # type: ignore[arg-type]  # a process that dies
        with pytest.raises(Crash):
            control.order(order, NOW + call * 20 * MINUTE)
        give_up(record, order, NOW + (call * 20 + 1) * MINUTE)
    control.order(order, NOW + 40 * MINUTE)
    assert (control.kinds(order)[-1], len(control.fleet.stops)) == ("failed", 2)


def test_one_whose_messages_always_fail_ends_when_it_is_too_old(record: Record) -> None:
    control = Control(record, A)
    order = control.first()
    give_up(record, order, NOW + MINUTE)
    for hours in (1, 30, 72):
        assert flow.on_sweep(record=record, now=NOW + timedelta(hours=hours)) == [order]
    assert flow.on_sweep(record=record, now=NOW + timedelta(hours=74)) == []
    assert control.state(order) is State.FAILED
    assert "given up by the queue" in control.events(order)[-1].body["reason"]
