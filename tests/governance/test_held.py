"""A pause that comes while orders are on their way: they wait, and go on when it is over. Nothing of it looks green."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import flow, pause, runs
from governance.audit import audit
from governance.model import Message, State
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.scene import NOW, Crash, machine

A, B = machine("a"), machine("b")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def turn(record: Record, *, on: bool, after: timedelta) -> None:
    pause.turn(record, on=on, by="Kim", reason="one minute", now=NOW + after)


def swept(record: Record, after: timedelta) -> list[Message]:
    return flow.on_sweep(record=record, now=NOW + after)


def test_invariant_13_19_what_a_pause_held_is_open_and_goes_on_when_it_is_over(record: Record) -> None:
    control = Control(record, A, B)
    a, b = control.plan(control.receive())
    control.settle(control.order(a))
    turn(record, on=True, after=MINUTE)
    assert control.order(b, NOW + MINUTE) == control.order(b, NOW + MINUTE) == []
    assert (control.kinds(b), runs.listed(record)[0].is_green) == (["planned", "held"], None)
    assert swept(record, timedelta(hours=30)) == []
    assert audit(record, NOW + timedelta(hours=30), unfinished_after=timedelta(hours=24)).problems == ()
    turn(record, on=False, after=timedelta(hours=30))
    (again,) = swept(record, timedelta(hours=30))
    assert again == b
    control.settle(control.order(again, NOW + timedelta(hours=30)), NOW + timedelta(hours=30))
    assert (control.state(b), runs.listed(record)[0].is_green) == (State.VERIFIED, True)


def test_invariant_13_held_for_longer_than_an_order_lasts_is_not_green(record: Record) -> None:
    control = Control(record, A)
    order = control.first()
    turn(record, on=True, after=MINUTE)
    control.order(order, NOW + MINUTE)
    turn(record, on=False, after=timedelta(days=4))
    (again,) = swept(record, timedelta(days=4))
    control.order(again, NOW + timedelta(days=4))
    assert (control.fleet.stops, control.state(order)) == ([], State.FAILED)
    assert runs.listed(record)[0].is_green is False


def test_a_hold_tag_that_was_set_meanwhile_is_read_when_it_is_over(record: Record) -> None:
    control = Control(record, A)
    order = control.first()
    turn(record, on=True, after=MINUTE)
    control.order(order, NOW + MINUTE)
    control.fleet.set(A.id, tags={**A.tags, "ledger-hold": "true"})
    turn(record, on=False, after=2 * MINUTE)
    control.order(order, NOW + 3 * MINUTE)
    assert (control.fleet.stops, control.state(order)) == ([], State.REFUSED)


def lost(control: Control) -> Message:
    """Its call was made, and the process died before the answer."""
    order = control.first()
    control.fleet.faults["begin_stop"].append(Crash())  # type: ignore[arg-type]  # a process that dies
    with pytest.raises(Crash):
        control.order(order)
    return order


def test_what_a_lost_call_did_is_read_whatever_is_paused(record: Record) -> None:
    control = Control(record, A)
    order = lost(control)
    control.fleet.set(A.id, power="deallocated")
    turn(record, on=True, after=MINUTE)
    control.order(order, NOW + 3 * MINUTE)
    assert control.state(order) is State.VERIFIED


def test_a_pause_between_two_lost_calls_makes_no_third(record: Record) -> None:
    control = Control(record, A)
    order = lost(control)
    turn(record, on=True, after=MINUTE)
    control.order(order, NOW + 3 * MINUTE)
    assert control.kinds(order) == ["planned", "calling", "held"]
    turn(record, on=False, after=4 * MINUTE)
    control.fleet.faults["begin_stop"].append(Crash())  # type: ignore[arg-type]  # a process that dies
    with pytest.raises(Crash):
        control.order(order, NOW + 5 * MINUTE)
    control.order(order, NOW + 9 * MINUTE)
    assert (control.kinds(order)[-1], len(control.fleet.stops)) == ("failed", 2)
    assert "answers to 2 calls were lost" in control.events(order)[-1].body["reason"]


def test_a_control_plane_that_is_down_is_waited_for_though_it_is_paused(record: Record) -> None:
    control = Control(record, A)
    order = control.first()
    turn(record, on=True, after=MINUTE)
    control.fleet.faults["machine"].append(Transient("503"))
    assert control.order(order, NOW + MINUTE)[0].queue == order.queue
    assert control.kinds(order)[-1] == "deferred"
