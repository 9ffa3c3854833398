"""Faults on the way from the plan to the power state: clouds that fail, crashes, repeated and odd messages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance import flow, lifecycle, streams
from governance.model import State
from governance.order import IN_FLIGHT
from governance.record import Record
from ledger.faults import Missing, Rejected, Transient, reject
from tests.governance.control import Control
from tests.governance.scene import NOW, Crash, CrashingStore, MemoryFleet, machine

LOCKED = reject("deallocate: 409 ScopeLocked", "Remove the lock.", "azure-ScopeLocked")
DENIED = reject("deallocate: 403 AuthorizationFailed", "Grant the role.", "azure-AuthorizationFailed")


@pytest.mark.parametrize("asked", [7, 90, 600])
def test_a_throttled_call_comes_back_when_asked(control: Control, asked: int) -> None:
    order = control.first()
    control.fleet.faults["begin_stop"].append(Transient("429", timedelta(seconds=asked)))
    (again,) = control.order(order)
    assert (again.queue, again.delay, again.body["attempt"]) == ("carry-out-order", timedelta(seconds=asked), 1)
    (look,) = control.order(again, NOW + again.delay)
    assert look.queue == "verify-order"


@pytest.mark.parametrize("method", ["machine", "begin_stop"])
@pytest.mark.parametrize(
    ("fault", "state", "kind"),
    [(Missing("a"), State.VERIFIED, "gone"), (LOCKED, State.FAILED, "failed"), (DENIED, State.FAILED, "failed")],
)
def test_lasting_faults_end_the_order(control: Control, method: str, fault: Exception, state: State, kind: str) -> None:
    order = control.first()
    control.fleet.faults[method].append(fault)
    assert control.order(order) == []
    assert (control.state(order), control.kinds(order)[-1]) == (state, kind)
    assert control.events(order)[-1].body["reason"]


@pytest.mark.parametrize(("fault", "state"), [(Missing("a"), State.VERIFIED), (DENIED, State.FAILED)])
def test_lasting_faults_of_the_reading_end_the_order(control: Control, fault: Exception, state: State) -> None:
    order = control.first()
    (look,) = control.order(order)
    control.fleet.faults["machine"].append(fault)
    assert control.look(look) == []
    assert control.state(order) is state


def test_a_reading_that_fails_is_read_again(control: Control) -> None:
    order = control.first()
    (look,) = control.order(order)
    control.fleet.faults["machine"].append(Transient("503", timedelta(seconds=40)))
    (again,) = control.look(look)
    assert again.delay == timedelta(seconds=40)
    assert control.state(order) is State.ACCEPTED


@pytest.mark.parametrize("fault", [LOCKED, DENIED, Missing("x"), Transient("429")])
def test_invariant_13_one_bad_machine_of_ten_stops_no_other(record: Record, fault: Exception) -> None:
    control = Control(record, *(machine(f"m{number}") for number in range(10)))
    messages = control.plan(control.receive())
    control.fleet.faults["begin_stop"].append(fault)
    looks = [look for message in messages for look in control.order(message) if look.queue == "verify-order"]
    control.settle(looks)
    states = [control.state(message) for message in messages]
    assert states.count(State.VERIFIED) >= 9
    assert isinstance(fault, Missing) or states.count(State.VERIFIED) == 9


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_invariant_8_a_crash_at_any_write_of_planning_and_acting_is_finished_once(
    tmp_path: Path, at: int, after: bool
) -> None:
    """Writes: plan, order, calling, accepted. The message is delivered again, as the queue does."""
    whole = Control(Record(CrashingStore(tmp_path, 0, after=False)), machine("a"))
    message = whole.receive()
    whole.record = Record(CrashingStore(tmp_path, at, after=after))
    with pytest.raises(Crash):
        whole.go(message)
    whole.record = Record(CrashingStore(tmp_path, 0, after=False))
    key = streams.order_key(str(message["alert"]), machine("a").id)
    whole.plan(message)
    whole.settle(flow.on_order({"order": key}, **whole._whole(NOW + IN_FLIGHT)))
    stream = streams.order_stream(key)
    assert lifecycle.fold(event.kind for event in whole.record.events(stream)) is State.VERIFIED
    assert len(whole.fleet.stops) == 1
    assert whole.record.verify(stream) == []


def test_invariant_8_any_message_twice_changes_nothing(control: Control) -> None:
    order = control.first()
    (look,) = control.order(order)
    assert control.order(order) == [look]
    control.settle([look])
    before = control.kinds(order)
    assert control.order(order) == control.look(look) == []
    assert control.kinds(order) == before
    assert len(control.fleet.stops) == 1


def test_who_is_overtaken_between_reading_and_writing_stops(control: Control) -> None:
    order = control.first()

    class Racing(MemoryFleet):
        def machine(self, id: str) -> Any:
            control.record.append(streams.order_stream(str(order.body["order"])), "calling", {}, NOW)
            return super().machine(id)

    control.fleet = Racing(machine("a"))
    assert control.order(order) == []
    assert not control.fleet.stops


@pytest.mark.parametrize("body", [{}, {"order": 7}, {"order": "../alerts/x"}, {"order": "0" * 64}])
def test_a_message_that_names_no_order_is_rejected(control: Control, body: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        flow.on_order(body, **control._whole(NOW))
    with pytest.raises(Rejected):
        flow.on_verify(body, budgets=control.budgets, record=control.record, fleet=control.fleet, now=NOW)
    with pytest.raises(Rejected):
        control.plan({"alert": body.get("order")})
