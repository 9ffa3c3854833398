"""An alert that settings or the calendar have overtaken while its plan waited: nothing is stopped for it any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from governance import approval, pause
from governance.record import Record
from governance.rules import Hours, Policy
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import DOLLAR, machine, payload

DAY = 24 * HOUR
OFFICE = Hours("UTC", (0, 1, 2, 3, 4), time(8), time(16))
LAST_DAY = datetime(2026, 11, 30, 16, 5, tzinfo=UTC)
CHANGES: dict[str, dict[str, Any]] = {
    "amount": {"amount": Decimal(2)},
    "currency": {"currency": "EUR"},
    "scope": {"scope": f"{DOLLAR.scope}/resourcegroups/rg-dev"},
}


def approve(world: Guarded) -> None:
    proposal = approval.proposed(world.events())
    assert proposal is not None
    plan = str(proposal.body["digest"])
    approval.decide(world.record, world.run, plan, "approve", by="Kim", reason="", now=world.now)


def fired(moment: datetime, record: Record, policy: Policy) -> Guarded:
    body = payload("common-actual", firedDateTime=(moment - timedelta(minutes=1)).isoformat())
    return Guarded(record, under(policy), machine("a"), body=body, now=moment)


@pytest.mark.parametrize("gate", [rule(notice=HOUR), rule(approval=2 * HOUR)], ids=["notice", "approval"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_alert_of_what_the_budget_was_before(record: Record, gate: Policy, change: dict[str, Any]) -> None:
    world = Guarded(record, under(gate), machine("a"))
    world.plan()
    if gate.approval:
        approve(world)
    world.budget = replace(world.budget, **change)
    world.carry_out(world.plan(HOUR))
    assert (world.fleet.stops, world.kinds()[-1]) == ([], "unusable")
    assert "was changed since the alert" in world.last("reason")


@pytest.mark.parametrize("now", [rule(threshold=Decimal("0.9")), rule(alerts=("forecast",))], ids=["share", "kind"])
def test_a_rule_that_would_not_answer_it_any_more(record: Record, now: Policy) -> None:
    money = {"BudgetThreshold": "$900.00", "NotificationThresholdAmount": "$720.00", "SpentAmount": "$721.00"}
    budget = under(rule(), of=replace(DOLLAR, amount=Decimal(900)))
    world = Guarded(record, budget, machine("a"), body=payload("common-actual", **money))
    world.budget = replace(budget, policies=(now,))
    assert world.plan() == []
    assert world.last("targets") == []


@pytest.mark.parametrize(("before", "now", "stops"), [("1", "2", 0), ("1", "1", 1), ("", "2", 1), ("1", "", 1)])
def test_another_machine_under_the_same_id_was_not_approved(record: Record, before: str, now: str, stops: int) -> None:
    """Where its control plane tells none, the tags are all there is."""
    world = Guarded(record, under(rule(approval=2 * HOUR)), replace(machine("a"), identity=before))
    world.plan()
    approve(world)
    world.fleet.set(machine("a").id, identity=now)
    world.carry_out(world.plan(HOUR))
    assert len(world.fleet.stops) == stops
    if not stops:
        (order,) = record.streams("orders/")
        assert record.events(order)[-1].body["reason"] == "another machine was made under its id since the plan"


def test_another_machine_under_the_same_id_was_not_warned(record: Record) -> None:
    world = Guarded(record, under(rule(notice=HOUR)), replace(machine("a"), identity="1"), machine("b"))
    world.plan()
    world.fleet.set(machine("a").id, identity="2")
    world.carry_out(world.plan(HOUR))
    assert world.fleet.stops == [machine("b").id]


WAITS = {
    "notice": rule(notice=DAY),
    "hours": rule(hours=OFFICE),
    "approval": rule(approval=3 * DAY),
    "pause": rule(),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_what_waited_into_the_next_month(record: Record, wait: Policy) -> None:
    """The new month's money is not spent yet, however short the wait was."""
    world = fired(LAST_DAY, record, wait)
    if wait == rule():
        pause.turn(record, on=True, by="Kim", reason="demo", now=world.now)
    world.plan()
    pause.turn(record, on=False, by="Kim", reason="over", now=world.now)
    if wait.approval:
        approve(world)
    world.carry_out(world.plan(DAY))
    assert (world.fleet.stops, world.kinds()[-1]) == ([], "refused")
    assert "period 2026-11 is over" in world.last("reason")


def test_an_alert_of_the_last_minutes_that_waits_for_nothing_is_acted_on(record: Record) -> None:
    world = fired(LAST_DAY + timedelta(hours=7, minutes=54), record, rule())
    world.carry_out(world.plan(timedelta(minutes=2)))
    assert world.fleet.stops == [machine("a").id]
