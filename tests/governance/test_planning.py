"""What a plan holds, and what stops an alert from becoming orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from governance.model import State
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, NOW, machine


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
