"""From an order to the power state read back: when a machine is called, and when it counts as stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.model import State
from governance.order import MAX_READS
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, machine


def test_invariant_16_the_call_is_recorded_before_and_after(control: Control) -> None:
    order = control.first()
    control.fleet.faults["begin_stop"].append(Transient("dropped"))
    control.order(order)
    calling = control.events(order)[1]
    assert calling.kind == "calling"
    assert calling.body["before"] == {"power": "running", "tags": dict(machine("a").tags)}
    assert calling.body["basis"]["plan"] == control.events(order)[0].body["plan"]
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


def test_invariant_12_a_machine_that_does_not_go_off_is_never_taken_for_off(control: Control) -> None:
    order = control.first()
    pending, delays = control.order(order), []
    while pending:
        control.fleet.set(str(order.body["target"]), power="running")
        delays.append(pending[0].delay)
        pending = control.look(pending[0])
    assert control.state(order) is State.ACCEPTED
    assert control.events(order)[-1].body["reason"] == f"not deallocated in {MAX_READS} readings"
    assert len(delays) == MAX_READS
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


def test_found_off_already_makes_no_call(control: Control) -> None:
    order = control.first()
    control.fleet.set(str(order.body["target"]), power="deallocated")
    assert control.order(order) == []
    assert control.state(order) is State.VERIFIED
    assert not control.fleet.stops


def test_invariant_17_which_parts_were_on_is_recorded_before_the_call(record: Record) -> None:
    parts = {"0": "running", "1": "deallocated"}
    control = Control(record, replace(machine("a"), kind="azure_vmss", parts=parts))
    order = control.first()
    control.order(order)
    assert control.events(order)[1].body["before"]["parts"] == parts
