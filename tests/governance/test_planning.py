"""What a plan holds, and what stops an alert from becoming orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from governance import backoff, flow, planning, streams
from governance.model import Answer, Machine, State
from governance.record import Record
from ledger.faults import Missing, Transient, reject
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, NOW, MemoryFleet, machine, payload

ELSEWHERE = "snowflake:org-acc"
DENIED = reject("list machines: 403 AuthorizationFailed", "Grant the role.", "azure-AuthorizationFailed")


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


class OneDown(MemoryFleet):
    """The other cloud is down for good."""

    def machines(self, scope: str) -> list[Machine]:
        if scope == ELSEWHERE:
            raise Transient("list warehouses: 503")
        return super().machines(scope)


def test_a_further_scope_that_stays_down_holds_up_the_others_for_a_while_only(record: Record) -> None:
    control = Control(record, budgets=[replace(DOLLAR, also=(ELSEWHERE,))])
    control.fleet = OneDown(machine("a"))
    message, now = control.receive(), NOW
    for _ in range(planning.MAX_LISTINGS):
        (later,) = control.plan(message, now)
        assert later.queue == streams.PLAN_STOP
        now += later.delay
    (order,) = control.plan(message, now)
    assert order.body["target"] == machine("a").id
    (planned,) = (event for event in record.events(f"alerts/{message['alert']}") if event.kind == "planned")
    assert planned.body["unseen"] == {ELSEWHERE: "list warehouses: 503"}


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
    assert record.events(f"alerts/{message['alert']}")[-1].kind == "unusable"


def test_a_budget_that_left_the_registry_holds_its_order_until_it_is_back(control: Control) -> None:
    message = control.receive()
    (order,) = control.plan(message)
    control.budgets = []
    assert control.order(order) == control.order(order) == []
    assert (control.kinds(order), control.fleet.stops) == (["planned", "held"], [])
    control.budgets = [DOLLAR]
    control.settle(control.order(order))
    assert control.state(order) is State.VERIFIED


def test_invariant_9_an_alert_that_waited_for_days_is_not_planned(control: Control) -> None:
    message = control.receive()
    assert control.plan(message, NOW + timedelta(days=3, seconds=1)) == []
    assert control.record.events(f"alerts/{message['alert']}")[-1].kind == "refused"


def test_invariant_9_an_order_that_waited_for_days_is_not_carried_out(control: Control) -> None:
    order = control.first()
    assert control.order(order, NOW + timedelta(days=3, seconds=1)) == []
    assert control.state(order) is State.FAILED
    assert not control.fleet.stops


def test_a_listing_that_fails_plans_nothing(control: Control) -> None:
    message = control.receive()
    control.fleet.faults["machines"].append(Transient("throttled"))
    (again,) = control.plan(message)
    assert (again.queue, again.body, again.delay) == ("plan-stop", message, backoff.FIRST)
    assert told(control, message)[-1] == "deferred"
    assert [order.queue for order in control.plan(message)] == ["carry-out-order"]


def test_a_listing_comes_back_when_asked_to(control: Control) -> None:
    message = control.receive()
    control.fleet.faults["machines"].append(Transient("429", timedelta(seconds=70)))
    (again,) = control.plan(message)
    assert again.delay == timedelta(seconds=70)


def test_an_outage_is_waited_out_a_bounded_number_of_times(control: Control) -> None:
    message = control.receive()
    exhaust(control, message)
    assert told(control, message)[-1] == "unlisted"
    assert told(control, message).count("deferred") == planning.MAX_LISTINGS


@pytest.mark.parametrize("fault", [DENIED, Missing("the group")], ids=["denied", "missing"])
def test_a_listing_that_is_refused_is_recorded_with_its_reason(control: Control, fault: Exception) -> None:
    message = control.receive()
    control.fleet.faults["machines"].append(fault)
    assert control.plan(message) == []
    last = control.record.events(f"alerts/{message['alert']}")[-1]
    assert (last.kind, last.body["reason"]) == ("unlisted", str(fault))


def test_who_is_overtaken_while_listing_leaves_the_rest_to_the_other(control: Control) -> None:
    message = control.receive()

    class Racing(MemoryFleet):
        def machines(self, scope: str) -> list[Machine]:
            control.record.append(f"alerts/{message['alert']}", "deferred", {}, NOW)
            raise Transient(scope)

    control.fleet = Racing(machine("a"))
    assert control.plan(message) == []


def test_the_alert_sent_again_revives_a_plan_that_rests(control: Control) -> None:
    message = control.receive()
    exhaust(control, message)
    answers = [post(control), post(control)]
    assert ["duplicate" in answer.body for answer in answers] == [False, True]
    assert answers[0].body["revived"] is True
    assert control.queue.sent[1:] == [streams.plan_stop(str(message["alert"]))]
    control.fleet.faults["machines"].append(Transient("again"))
    assert control.plan(message)[0].delay == backoff.FIRST  # counted anew
    control.settle([look for order in control.plan(message) for look in control.order(order)])
    assert len(control.fleet.stops) == 1


def test_a_revival_whose_message_could_not_be_sent_is_made_good_by_the_next(control: Control) -> None:
    message = control.receive()
    exhaust(control, message)
    control.queue.down.append(Transient("queue"))
    assert [post(control).status for _ in range(2)] == [503, 202]
    assert len(control.queue.sent) == 2


def test_an_alert_that_is_too_old_revives_nothing_and_a_fresh_one_does(control: Control) -> None:
    message = control.receive()
    exhaust(control, message)
    late = NOW + timedelta(days=3, hours=1)
    assert post(control, control.body, late).status == 422
    answer = post(control, payload("common-actual", firedDateTime="2026-11-15T17:00:00Z"), late)
    assert answer.body["revived"] is True


def exhaust(control: Control, message: dict[str, object]) -> None:
    pending = [message]
    while pending:
        control.fleet.faults["machines"].append(Transient("503"))
        pending = [dict(again.body) for again in control.plan(pending[0])]


def told(control: Control, message: dict[str, object]) -> list[str]:
    return [event.kind for event in control.record.events(f"alerts/{message['alert']}")]


def post(control: Control, body: bytes | None = None, now: datetime = NOW) -> Answer:
    return flow.on_alert(
        body or control.body, budgets=control.budgets, record=control.record, queue=control.queue, now=now, live=True
    )
