"""From the plan to the power state read back, with every fault on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance import flow, lifecycle, orders, streams
from governance.model import Message, State
from governance.record import Record
from ledger.faults import Conflict, Missing, Rejected, Transient, reject
from tests.governance.scene import BUDGETS, DOLLAR, NOW, Crash, CrashingStore, ListQueue, MemoryFleet, machine, payload

LOCKED = reject("deallocate: 409 ScopeLocked", "Remove the lock.", "azure-ScopeLocked")
DENIED = reject("deallocate: 403 AuthorizationFailed", "Grant the role.", "azure-AuthorizationFailed")


class Control:
    """The flows over one record and fleet; a live alert is received and planned at once."""

    def __init__(self, record: Record, *machines: Any, live: bool = True, budgets: Any = BUDGETS) -> None:
        self.record, self.live, self.budgets = record, live, budgets
        self.fleet = MemoryFleet(*machines)
        self.queue = ListQueue()
        self.body = payload("common-actual")

    def receive(self) -> dict[str, object]:
        answer = flow.on_alert(
            self.body, budgets=self.budgets, record=self.record, queue=self.queue, now=NOW, live=self.live
        )
        assert answer.status == 202, answer
        return dict(self.queue.sent[-1].body)

    def plan(self, message: dict[str, object], now: datetime = NOW) -> list[Message]:
        return flow.on_plan(message, **self._whole(now))

    def order(self, message: Message, now: datetime = NOW) -> list[Message]:
        return flow.on_order(message.body, **self._whole(now))

    def look(self, message: Message, now: datetime = NOW) -> list[Message]:
        return flow.on_verify(message.body, record=self.record, fleet=self.fleet, now=now)

    def settle(self, looks: list[Message]) -> None:
        """Read back until nothing more is asked for; the fleet reads deallocating once before deallocated."""
        while looks:
            looks = [after for look in looks for after in self.look(look)]

    def go(self, message: dict[str, object]) -> None:
        for order in self.plan(message):
            self.order(order)

    def first(self) -> Message:
        (message,) = self.plan(self.receive())
        return message

    def kinds(self, message: Message) -> list[str]:
        return [event.kind for event in self.events(message)]

    def events(self, message: Message) -> list[Any]:
        return self.record.events(streams.order_stream(str(message.body["order"])))

    def state(self, message: Message) -> State | None:
        return lifecycle.fold(self.kinds(message))

    def _whole(self, now: datetime) -> dict[str, Any]:
        return {"budgets": self.budgets, "record": self.record, "fleet": self.fleet, "now": now, "live": self.live}


@pytest.fixture
def control(record: Record) -> Control:
    return Control(record, machine("a"))


def test_the_plan_records_each_machine_in_or_out_with_its_reason(record: Record) -> None:
    control = Control(record, machine("a"), machine("b", env="prod"), machine("c", ledger_stop=""))
    message = control.receive()
    (order,) = control.plan(message)
    (planned,) = (event for event in record.events(f"alerts/{message['alert']}") if event.kind == "planned")
    assert [target["id"][-1] for target in planned.body["targets"]] == ["a"]  # type: ignore[attr-defined]  # a list
    assert all(one["reason"] for one in planned.body["spared"])  # type: ignore[attr-defined]  # a list
    assert len(planned.body["spared"]) == 2  # type: ignore[arg-type]  # a list
    assert control.events(order)[0].body["plan"] == planned.body["digest"]
    assert set(order.body) == {"alert", "order", "target", "attempt"}


def test_a_second_plan_message_keeps_the_first_plan(control: Control) -> None:
    message = control.receive()
    first = control.plan(message)
    extra = machine("late")
    control.fleet.known[extra.id] = extra
    control.fleet.faults["machines"].append(AssertionError("listed again"))
    assert control.plan(message) == first


def test_orders_already_begun_are_not_sent_again(control: Control) -> None:
    message = control.receive()
    control.order(control.plan(message)[0])
    assert control.plan(message) == []


@pytest.mark.parametrize("blank", [{"opt_in_key": ""}, {"opt_in_value": " "}, {"scope": "/"}])
def test_invariant_1_a_blank_selector_refuses_the_plan_and_lists_nothing(record: Record, blank: dict[str, Any]) -> None:
    control = Control(record, machine("a"))
    message = control.receive()
    control.budgets = [replace(DOLLAR, **blank)]
    control.fleet.faults["machines"].append(AssertionError("listed"))
    assert control.plan(message) == control.plan(message) == []
    assert record.events(f"alerts/{message['alert']}")[-1].kind == "refused"


def test_a_budget_that_left_the_registry_refuses_plan_and_order(control: Control) -> None:
    message = control.receive()
    (order,) = control.plan(message)
    control.budgets = []
    assert control.order(order) == []
    assert control.state(order) is State.REFUSED
    assert not control.fleet.stops


def test_invariant_9_an_alert_that_waited_for_days_is_not_planned(control: Control) -> None:
    message = control.receive()
    assert control.plan(message, NOW + timedelta(days=3, seconds=1)) == []
    assert control.record.events(f"alerts/{message['alert']}")[-1].kind == "refused"


def test_invariant_9_an_order_that_waited_for_days_is_not_carried_out(control: Control) -> None:
    order = control.first()
    assert control.order(order, NOW + timedelta(days=3, seconds=1)) == []
    assert control.state(order) is State.REFUSED
    assert not control.fleet.stops


def test_a_listing_that_fails_plans_nothing(control: Control) -> None:
    message = control.receive()
    control.fleet.faults["machines"].append(Transient("throttled"))
    with pytest.raises(Transient):
        control.plan(message)
    assert len(control.plan(message)) == 1


def test_invariant_16_the_call_is_recorded_before_and_after(control: Control) -> None:
    order = control.first()
    control.fleet.faults["begin_stop"].append(Transient("dropped"))
    control.order(order)
    calling = control.events(order)[1]
    assert calling.kind == "calling"
    assert calling.body["before"] == {"power": "running", "tags": dict(machine("a").tags)}
    assert calling.body["why"]["plan"] == control.events(order)[0].body["plan"]
    control.order(order)
    assert control.kinds(order) == ["planned", "calling", "deferred", "calling", "accepted"]


def test_invariant_12_accepted_is_not_done_until_it_reads_deallocated(control: Control) -> None:
    order = control.first()
    (look,) = control.order(order)
    assert (look.queue, look.delay) == ("verify-order", timedelta(seconds=15))
    assert control.state(order) is State.ACCEPTED
    for power in ("running", "stopped", "stopping", "starting"):
        control.fleet.set(str(order.body["target"]), power=power)
        (look,) = control.look(look)
        assert control.state(order) is State.ACCEPTED
    control.fleet.set(str(order.body["target"]), power="deallocated")
    control.look(look)
    assert control.state(order) is State.VERIFIED
    assert control.events(order)[-1].body["power"] == "deallocated"


def test_invariant_12_a_machine_that_never_goes_off_fails(control: Control) -> None:
    order = control.first()
    pending, delays = control.order(order), []
    while pending:
        control.fleet.set(str(order.body["target"]), power="running")
        delays.append(pending[0].delay)
        pending = control.look(pending[0])
    assert control.state(order) is State.FAILED
    assert len(delays) == orders.MAX_READS
    assert delays == sorted(delays)
    assert max(delays) <= timedelta(minutes=5)


def test_invariant_14_unknown_power_is_not_off(control: Control) -> None:
    order = control.first()
    (look,) = control.order(order)
    control.fleet.set(str(order.body["target"]), power="unknown")
    (again,) = control.look(look)
    assert control.state(order) is State.ACCEPTED
    assert control.events(order)[-1].body["power"] == "unknown"
    control.fleet.set(str(order.body["target"]), power="deallocated")
    control.look(again)
    assert control.state(order) is State.VERIFIED


def test_invariant_11_a_powered_off_machine_is_still_deallocated(record: Record) -> None:
    control = Control(record, machine("a", "stopped"))
    control.order(control.first())
    assert len(control.fleet.stops) == 1


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"ledger-stop": "lab-monthly"},
        {**machine("a").tags, "ledger-exempt": ""},
        {**machine("a").tags, "env": "prod"},
    ],
)
def test_invariant_5_tags_are_read_again_just_before_the_call(control: Control, tags: dict[str, str]) -> None:
    order = control.first()
    control.fleet.set(str(order.body["target"]), tags=tags)
    assert control.order(order) == []
    assert control.state(order) is State.REFUSED
    assert control.events(order)[-1].body["reason"]
    assert not control.fleet.stops


def test_invariant_5_only_planned_machines_are_called(record: Record) -> None:
    control = Control(record, machine("a"), machine("b", ledger_stop=""))
    order = control.first()
    newcomer = machine("c")
    control.fleet.known[newcomer.id] = newcomer
    control.order(order)
    assert control.fleet.stops == [machine("a").id]


@pytest.mark.parametrize(("live", "budget_live"), [(False, True), (True, False), (False, False)])
def test_invariant_4_without_both_switches_nothing_is_called(record: Record, live: bool, budget_live: bool) -> None:
    control = Control(record, machine("a"), live=live, budgets=[replace(DOLLAR, live=budget_live)])
    order = control.first()
    assert control.order(order) == []
    assert control.kinds(order) == ["planned", "dry-run"]
    assert control.events(order)[-1].body["would"] == "deallocate"
    assert not control.fleet.stops


def test_invariant_4_switched_off_between_plan_and_order(control: Control) -> None:
    order = control.first()
    control.live = False
    control.order(order)
    assert control.state(order) is State.DRY_RUN


def test_invariant_4_an_alert_received_dry_is_planned_dry(record: Record) -> None:
    control = Control(record, machine("a"), live=False)
    message = control.receive()
    control.live = True
    (order,) = control.plan(message)
    assert control.events(order)[0].body["dry_run"] is True


def test_invariant_4_a_dry_plan_stays_dry_when_live_is_switched_on(record: Record) -> None:
    control = Control(record, machine("a"), live=False)
    order = control.first()
    control.live = True
    control.order(order)
    assert not control.fleet.stops


@pytest.mark.parametrize("asked", [7, 90, 600])
def test_a_throttled_call_comes_back_when_asked(control: Control, asked: int) -> None:
    order = control.first()
    control.fleet.faults["begin_stop"].append(Transient("429", timedelta(seconds=asked)))
    (again,) = control.order(order)
    assert (again.queue, again.delay, again.body["attempt"]) == ("carry-out-order", timedelta(seconds=asked), 1)
    (look,) = control.order(again)
    assert look.queue == "verify-order"


@pytest.mark.parametrize("method", ["machine", "begin_stop"])
@pytest.mark.parametrize("fault", [Transient("429"), Conflict("busy")])
def test_a_call_never_taken_fails_after_a_bounded_number(control: Control, method: str, fault: Exception) -> None:
    order = control.first()
    pending, tries = [order], 0
    while pending:
        control.fleet.faults[method].append(fault)
        pending, tries = control.order(pending[0]), tries + 1
    assert tries == orders.MAX_CALLS + 1
    assert control.state(order) is State.FAILED


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


def test_found_off_already_makes_no_call(control: Control) -> None:
    order = control.first()
    control.fleet.set(str(order.body["target"]), power="deallocated")
    assert control.order(order) == []
    assert control.state(order) is State.VERIFIED
    assert not control.fleet.stops


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
    whole.settle(flow.on_order({"order": key}, **whole._whole(NOW)))
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
        flow.on_verify(body, record=control.record, fleet=control.fleet, now=NOW)
    with pytest.raises(Rejected):
        control.plan({"alert": body.get("order")})
