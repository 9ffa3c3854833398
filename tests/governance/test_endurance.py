"""Every step may be the last of a process, every write may fail, every clock may be wrong: a run still ends once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.queue import MemoryQueue
from governance import flow, lifecycle, streams
from governance.model import Event, Machine, Message, State
from governance.order import IN_FLIGHT
from governance.planning import targets_in
from governance.record import Record
from governance.rules import Ceilings, Safeguards
from governance.terminal import MAX_TRIES, Handler, drain, handlers, run_alert
from ledger.faults import Transient
from tests.governance.scene import DOLLAR, NOW, Crash, CrashingStore, MemoryFleet, machine, payload

BODY = payload("common-actual")
BUDGETS = (replace(DOLLAR, safeguards=Safeguards(ceilings=Ceilings())),)
WRITES = 17  # of a whole run over two machines, from the alert to the last read-back


class Clock:
    """A clock that only waiting moves; each new process finds it a little later."""

    def __init__(self) -> None:
        self.now = NOW

    def wait(self, until: datetime) -> datetime:
        self.now = max(self.now, until)
        return self.now


def play(record: Record, fleet: MemoryFleet, clock: Clock) -> None:
    run_alert(
        BODY,
        budgets=BUDGETS,
        record=record,
        queue=MemoryQueue(lambda: clock.now),
        fleet=fleet,
        now=clock.now,
        live=True,
        wait=clock.wait,
    )


def states(record: Record) -> Counter[State | None]:
    found = (record.events(stream) for stream in record.streams("orders/"))
    return Counter(lifecycle.fold(event.kind for event in events) for events in found)


def whole(record: Record) -> bool:
    return all(record.verify(stream) == [] for stream in record.streams())


class CountingStore(FolderStore):
    writes = 0

    def create(self, name: str, body: bytes) -> None:
        super().create(name, body)
        self.writes += 1


def test_the_steps_that_are_tried_are_all_there_are(tmp_path: Path) -> None:
    store = CountingStore(tmp_path)
    play(Record(store), MemoryFleet(machine("a"), machine("b")), Clock())
    assert store.writes == WRITES


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_invariant_8_16_a_process_that_dies_at_any_step_is_carried_on_to_one_end(
    tmp_path: Path, at: int, after: bool
) -> None:
    fleet, clock = MemoryFleet(machine("a"), machine("b")), Clock()
    with pytest.raises(Crash):
        play(Record(CrashingStore(tmp_path, at, after=after)), fleet, clock)
    clock.now += IN_FLIGHT
    record = Record(FolderStore(tmp_path))
    play(record, fleet, clock)
    assert states(record) == {State.VERIFIED: 2}
    assert {one.power for one in fleet.known.values()} == {"deallocated"}
    assert Counter(fleet.stops) == dict.fromkeys(fleet.known, 1)
    assert whole(record)
    before = list(fleet.stops)
    play(record, fleet, clock)
    assert fleet.stops == before


class FailingStore(FolderStore):
    """Down for `length` operations of any kind from the `at`-th on."""

    def __init__(self, root: Path, at: int, length: int) -> None:
        super().__init__(root)
        self.count, self.down = 0, range(at, at + length)

    def _step(self) -> None:
        self.count += 1
        if self.count in self.down:
            raise Transient("the store is down")

    def create(self, name: str, body: bytes) -> None:
        self._step()
        super().create(name, body)

    def read(self, name: str) -> bytes:
        self._step()
        return super().read(name)

    def names(self, prefix: str = "") -> list[str]:
        self._step()
        return super().names(prefix)


@pytest.mark.parametrize("length", [1, 2])
def test_a_store_that_is_down_at_any_operation_only_costs_time(memory_folder: Path, length: int) -> None:
    at, operations = 0, 1
    while at < operations:
        at += 1
        store = FailingStore(memory_folder / f"{at}", at, length)
        fleet, record = MemoryFleet(machine("a")), Record(FolderStore(memory_folder / f"{at}"))
        _until_done(Record(store), fleet, record)
        operations = store.count
        assert states(record) == {State.VERIFIED: 1}, at
        assert len(fleet.stops) == 1, at
        assert whole(record), at
    assert at > 40


def _until_done(down: Record, fleet: MemoryFleet, record: Record) -> None:
    """The platform sends an alert again that was answered with 503."""
    clock = Clock()
    for _ in range(MAX_TRIES):
        with suppress(Transient):
            play(down, fleet, clock)
        if set(states(record)) == {State.VERIFIED}:
            return
        clock.now += timedelta(minutes=1)


@pytest.mark.parametrize("seed", range(8))
def test_instances_whose_clocks_differ_by_minutes_stop_each_machine_once(record: Record, seed: int) -> None:
    fleet, clock, dice = MemoryFleet(*(machine(f"m{number}") for number in range(6))), Clock(), random.Random(seed)
    queue = MemoryQueue(lambda: clock.now)
    flow.on_alert(BODY, budgets=BUDGETS, record=record, queue=queue, now=NOW, live=True)

    def skewed(handler: Handler) -> Handler:
        def handle(body: Mapping[str, object], now: datetime) -> list[Message]:
            twice = [handler(body, now + timedelta(seconds=dice.randint(-300, 300))) for _ in range(2)]
            return [message for messages in twice for message in messages]

        return handle

    flows = {name: skewed(handler) for name, handler in handlers(BUDGETS, record, fleet, live=True).items()}
    drain(queue, flows, now=NOW, wait=clock.wait, given_up=lambda *_: pytest.fail("given up"))
    assert states(record) == {State.VERIFIED: 6}
    assert Counter(fleet.stops) == dict.fromkeys(fleet.known, 1)
    assert whole(record)


KEYS = ("ledger-stop", "Ledger-Stop", "LEDGER-STOP ", "ledger_stop", "ledger-exempt", "Ledger-Exempt")
MORE = ("environment", "Env", "stage", "tier", "owner", "", "ledger-stopx", "äöü", "ledger-hold")
VALUES = ("dev-dollar", "Dev-Dollar", "dev-dollar ", "", "all", "*", "true", "lab-monthly", "null", "dev", "production")
PAST = "2026-01-01"  # an exemption that is over
ODD = ("prod", "development", "test", "P", PAST, "2099-01-01", "sandbox2", "staging (live)")


def fuzzed(dice: random.Random) -> dict[str, str]:
    keys = dice.sample((*KEYS, *MORE), dice.randint(0, 4))
    return {key: dice.choice((*VALUES, *ODD)) for key in keys} | (
        {"ledger-stop": "dev-dollar"} if dice.random() < 0.3 else {}
    )


def opted_in(tags: Mapping[str, str]) -> bool:
    """Told anew, more strictly than the product: whoever is stopped must at least be in here."""
    values = {value for key, value in tags.items() if key.lower() == "ledger-stop"}
    exempt = any(key.lower() == "ledger-exempt" and value != PAST for key, value in tags.items())
    return values == {"dev-dollar"} and not exempt


def test_invariant_2_no_machine_outside_the_opt_in_is_ever_called(memory_folder: Path) -> None:
    """Ten thousand maps of tags; between plan and call every fiftieth machine gets another."""
    dice, record = random.Random(20261112), Record(FolderStore(memory_folder))
    machines = [_tagged(f"m{number}", fuzzed(dice)) for number in range(10_000)]
    fleet, clock = MemoryFleet(*machines), Clock()
    queue = MemoryQueue(lambda: clock.now)
    flow.on_alert(BODY, budgets=BUDGETS, record=record, queue=queue, now=NOW, live=True)
    plan = queue.take(NOW)
    assert plan is not None
    flows = handlers(BUDGETS, record, fleet, live=True)
    orders = flows[streams.PLAN_STOP](plan.body, NOW)
    for one in machines[::50]:
        fleet.set(one.id, tags=fuzzed(dice))
    for order in orders:
        flows[streams.CARRY_OUT_ORDER](order.body, NOW + order.delay)
    called = [fleet.known[id] for id in fleet.stops]
    assert [one.tags for one in called if not opted_in(one.tags)] == []
    assert len(called) == len({one.id for one in called}) > 500
    planned = {str(target["id"]) for target in targets_in(_planned(record))}
    assert {one.id for one in called} <= planned
    assert {one.id for one in machines if not opted_in(one.tags)}.isdisjoint(planned)


def _tagged(name: str, tags: dict[str, str]) -> Machine:
    return replace(machine(name), tags=tags)


def _planned(record: Record) -> Event:
    (stream,) = record.streams("alerts/")
    found = streams.find(record.events(stream), streams.PLANNED)
    assert found is not None
    return found
