"""Never two calls for one machine at a time, and one repeat at most when the answer to a call was lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from governance.model import Message, State
from governance.order import IN_FLIGHT
from governance.record import Record
from tests.governance.control import Control
from tests.governance.scene import NOW, Crash, MemoryFleet, machine

LATER = NOW + IN_FLIGHT


def lose(control: Control, order: Message, now: datetime = NOW, *, arrived: bool = False) -> None:
    """The process dies while it waits for the answer; the call has reached the machine or has not."""
    control.fleet.faults["begin_stop"].append(Crash())  # type: ignore[arg-type]  # a death, not an error
    with pytest.raises(Crash):
        control.order(order, now)
    if arrived:
        control.fleet.set(str(order.body["target"]), power="deallocating")


def test_a_second_delivery_while_the_call_is_under_way_calls_nothing(record: Record) -> None:
    control = Control(record, machine("a"))
    order, during = control.first(), list[Message]()

    class Slow(MemoryFleet):
        def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # it has no parts
            self.stops.append(id)  # the machine still reads running
            if len(self.stops) == 1:
                during.extend(control.order(order, NOW + timedelta(seconds=30)))

    control.fleet = Slow(machine("a"))
    (look,) = control.order(order)
    assert [(again.queue, again.delay) for again in during] == [("carry-out-order", timedelta(seconds=90))]
    assert control.kinds(order) == ["planned", "calling", "accepted"]
    assert control.order(during[0], LATER) == [look]
    assert len(control.fleet.stops) == 1


@pytest.mark.parametrize("elapsed", [timedelta(0), timedelta(seconds=119)])
def test_a_fresh_call_is_left_alone_and_nothing_is_recorded(control: Control, elapsed: timedelta) -> None:
    order = control.first()
    lose(control, order)
    (again,) = control.order(order, NOW + elapsed)
    assert (again.queue, again.delay) == ("carry-out-order", IN_FLIGHT - elapsed)
    assert control.kinds(order) == ["planned", "calling"]


def test_after_a_crash_the_power_state_decides_that_the_call_had_arrived(control: Control) -> None:
    order = control.first()
    lose(control, order, arrived=True)
    control.settle(control.order(order, LATER))
    assert control.state(order) is State.VERIFIED
    assert len(control.fleet.stops) == 1


def test_after_a_crash_a_running_machine_is_called_once_more(control: Control) -> None:
    order = control.first()
    lose(control, order)
    control.settle(control.order(order, LATER))
    assert control.state(order) is State.VERIFIED
    assert len(control.fleet.stops) == 2


def test_after_two_lost_answers_nothing_is_called_again(control: Control) -> None:
    order = control.first()
    lose(control, order)
    lose(control, order, LATER)
    assert control.order(order, LATER + IN_FLIGHT) == []
    assert (control.state(order), len(control.fleet.stops)) == (State.FAILED, 2)
    assert control.events(order)[-1].body["reason"] == "the answers to 2 calls were lost; the machine is running"


@pytest.mark.parametrize(
    ("before", "since"), [("running", "starting"), ("stopped", "starting"), ("stopped", "running")]
)
def test_a_machine_that_was_started_since_is_not_stopped_again(record: Record, before: str, since: str) -> None:
    control = Control(record, machine("a", before))
    order = control.first()
    lose(control, order)
    control.fleet.set(str(order.body["target"]), power=since)
    assert control.order(order, LATER) == []
    assert (control.state(order), len(control.fleet.stops)) == (State.FAILED, 1)
    assert "started since" in str(control.events(order)[-1].body["reason"])
