"""What holds a plan before its orders are opened, and how each gate opens again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from governance import approval, flow, streams
from governance.alert import MAX_AGE
from governance.model import Budget
from governance.planning import UNWARNED
from governance.receipt import receipt
from governance.record import Record
from governance.rescue import STALE
from governance.rules import Hours, Policy
from ledger.faults import Rejected
from tests.governance.guarded import HOUR, TIGHT, Guarded, at, rule, under
from tests.governance.scene import NOW, ListQueue, machine, payload

SOON = STALE + timedelta(seconds=1)
OFFICE = Hours("UTC", (0, 1, 2, 3, 4), time(8), time(16))
FRIDAY = datetime(2026, 11, 13, 8, tzinfo=UTC)
APPROVED = rule(approval=4 * HOUR)


def proposal(world: Guarded) -> str:
    found = approval.proposed(world.events())
    assert found is not None
    return str(found.body["digest"])


def decide(world: Guarded, choice: str = "approve", plan: str = "", by: str = "Kim", reason: str = "why") -> int:
    made = approval.decide(
        world.record, world.run, plan or proposal(world), choice, by=by, reason=reason, now=world.now
    )
    return len(made)


def test_without_gates_a_rule_stops_at_once(record: Record) -> None:
    world = Guarded(record, under(rule()), machine("a"))
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]
    assert world.kinds() == ["planned"]


def test_a_plan_that_needs_approval_opens_no_order_until_it_is_approved(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    assert world.plan() == world.plan(HOUR) == []
    assert world.kinds() == ["proposed"]
    assert record.streams("orders/") == []
    assert decide(world) == 1
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]
    assert world.kinds() == ["proposed", "approved", "planned"]
    assert (world.events()[-2].body["by"], world.last("approved_by")) == ("Kim", "Kim")


def test_invariant_5_an_approval_is_for_that_exact_set(record: Record) -> None:
    """Machines that came after the proposal are not stopped; one that lost its tag drops out right before the call."""
    world = Guarded(record, under(APPROVED), machine("a"), machine("b"))
    world.plan()
    decide(world)
    late = machine("late")
    world.fleet.known[late.id] = late
    world.fleet.set(machine("b").id, tags={})
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]


def test_a_plan_made_anew_needs_a_new_approval(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    first = proposal(world)
    record.append(streams.alert_stream(world.run), streams.ABANDONED, {"queue": "plan-stop", "message": "x"}, NOW)
    assert world.fire()["revived"] is True
    extra = machine("b")
    world.fleet.known[extra.id] = extra
    assert world.plan() == []
    with pytest.raises(Rejected, match="made anew"):
        decide(world, plan=first)
    assert proposal(world) != first
    decide(world)
    world.carry_out(world.plan())
    assert len(world.fleet.stops) == 2


@pytest.mark.parametrize("power", ["running", "stopped"], ids=["same set", "another"])
def test_an_approval_of_the_first_does_not_approve_the_second(record: Record, power: str) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    decide(world)
    record.append(streams.alert_stream(world.run), streams.ABANDONED, {"queue": "plan-stop", "message": "x"}, NOW)
    world.fire()
    world.fleet.set(machine("a").id, power=power)
    assert world.plan() == [] and world.plan() == []
    assert world.kinds()[-1] == "proposed"


def test_a_rejection_ends_it_with_its_reason(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    assert decide(world, "reject", reason="demo today") == 0
    assert world.plan() == world.sweep(SOON + 5 * HOUR) == []
    assert (world.kinds()[-1], world.last("by"), world.last("reason")) == ("rejected", "Kim", "demo today")
    assert world.fire()["duplicate"] is True


def test_an_approval_window_that_ended_refuses_and_cannot_be_approved(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    world.now += 4 * HOUR
    with pytest.raises(Rejected, match="window ended"):
        decide(world)
    assert world.sweep(SOON) == [world.again()]
    assert world.plan() == []
    assert (world.kinds()[-1], "nobody approved" in world.last("reason")) == ("refused", True)
    with pytest.raises(Rejected):
        decide(world)


@pytest.mark.parametrize("second", ["approve", "reject"])
@pytest.mark.parametrize("first", ["approve", "reject"])
def test_a_decision_is_made_once(record: Record, first: str, second: str) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    decide(world, first)
    with pytest.raises(Rejected, match="already"):
        decide(world, second)


@pytest.mark.parametrize(
    ("by", "reason", "choice"), [("", "x", "approve"), (" ", "x", "reject"), ("Kim", " ", "reject")]
)
def test_a_decision_says_who_and_a_rejection_why(record: Record, by: str, reason: str, choice: str) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    with pytest.raises(Rejected):
        decide(world, choice, by=by, reason=reason)
    assert world.kinds() == ["proposed"]


def test_an_approved_plan_whose_message_was_lost_is_found_by_the_sweep(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    assert world.sweep(SOON) == []  # it waits for a person, not for a message
    decide(world)
    assert world.sweep() == []
    assert world.sweep(SOON) == [world.again()]


def test_an_approval_that_waited_for_days_is_not_carried_out(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    decide(world)
    assert world.plan(MAX_AGE + HOUR) == []
    assert world.kinds()[-1] == "refused"


def test_outside_business_hours_it_waits_for_the_opening_and_is_made_anew(record: Record) -> None:
    world = Guarded(record, under(rule(hours=OFFICE)), machine("a"))
    (later,) = world.plan()
    assert (later.queue, later.delay) == ("plan-stop", FRIDAY - NOW)
    assert (world.kinds(), world.last("due")) == (["outside-hours"], FRIDAY.isoformat())
    (early,) = world.plan(HOUR)
    assert early.delay == later.delay - HOUR
    assert world.kinds() == ["outside-hours"]
    world.fleet.set(machine("a").id, tags={})
    extra = machine("b")
    world.fleet.known[extra.id] = extra
    world.carry_out(at(FRIDAY, world))
    assert world.fleet.stops == [extra.id]
    assert world.kinds() == ["outside-hours", "planned"]


def test_a_deferred_plan_whose_message_was_lost_is_sent_again_after_the_opening(record: Record) -> None:
    world = Guarded(record, under(rule(hours=OFFICE)), machine("a"))
    world.plan()
    assert world.sweep(FRIDAY - NOW) == []
    assert world.sweep(SOON) == [world.again()]


def test_an_approved_plan_waits_for_the_opening_as_it_was_approved(record: Record) -> None:
    world = Guarded(record, under(APPROVED), machine("a"))
    world.plan()
    world.budget = under(replace(APPROVED, hours=OFFICE))
    decide(world)
    (later,) = world.plan()
    assert later.delay == FRIDAY - NOW
    assert world.sweep(FRIDAY - NOW + SOON) == [world.again()]
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]
    assert world.kinds() == ["proposed", "approved", "outside-hours", "planned"]


def test_a_wait_by_the_rules_is_no_backlog(record: Record) -> None:
    monday = replace(OFFICE, days=(0,))
    world = Guarded(record, under(rule(hours=monday)), machine("a"))
    world.plan()
    opens = datetime(2026, 11, 16, 8, tzinfo=UTC)
    assert opens - NOW > MAX_AGE
    world.carry_out(at(opens, world))
    assert len(world.fleet.stops) == 1


def test_what_waits_beyond_the_budgets_period_is_refused(record: Record) -> None:
    fired = datetime(2026, 11, 25, 16, 5, tzinfo=UTC)
    body = payload("common-actual", firedDateTime=(fired - timedelta(minutes=1)).isoformat())
    world = Guarded(record, under(rule(hours=replace(OFFICE, days=(1,)))), machine("a"), body=body, now=fired)
    world.plan()
    assert at(datetime(2026, 12, 1, 8, tzinfo=UTC), world) == []
    assert (world.kinds()[-1], "period 2026-11 is over" in world.last("reason")) == ("refused", True)


def test_hours_that_never_meet_refuse_the_plan(record: Record) -> None:
    never = under(
        rule("r", hours=OFFICE, kinds=("azure_vm",), tags={"x": "1"}), rule("s", hours=replace(OFFICE, days=(6,)))
    )
    world = Guarded(record, never, machine("a"), machine("b", x="1"))
    assert world.plan() == []
    assert (world.kinds(), "no common hour" in world.last("reason")) == (["refused"], True)


def test_notice_comes_first_and_only_who_was_warned_is_stopped(record: Record) -> None:
    world = Guarded(record, under(rule(notice=4 * HOUR)), machine("a"), machine("gone"))
    (later,) = world.plan()
    assert (later.delay, world.kinds()) == (4 * HOUR, ["notice-given"])
    assert [target["id"] for target in world.last("targets")] == [machine("a").id, machine("gone").id]
    extra = machine("new")
    world.fleet.known[extra.id] = extra
    del world.fleet.known[machine("gone").id]
    assert world.plan(3 * HOUR)[0].delay == HOUR
    world.carry_out(world.plan(HOUR))
    assert world.fleet.stops == [machine("a").id]
    assert [one["reason"] for one in world.last("spared")] == [UNWARNED]


def test_a_message_given_up_in_between_does_not_shorten_the_notice(record: Record) -> None:
    world = Guarded(record, under(rule(notice=4 * HOUR)), machine("a"))
    world.plan()
    record.append(streams.alert_stream(world.run), streams.ABANDONED, {"queue": "plan-stop", "message": "x"}, NOW)
    (early,) = world.plan(HOUR)
    assert (early.queue, early.delay) == ("plan-stop", 3 * HOUR)


@pytest.mark.parametrize("gate", [rule(notice=4 * HOUR), rule(hours=OFFICE)], ids=["notice", "hours"])
def test_a_test_alert_in_between_does_not_shorten_the_wait(record: Record, gate: Policy) -> None:
    world = Guarded(record, under(gate), machine("a"))
    (later,) = world.plan()
    told = payload("common-actual", description="a test")
    flow.on_alert(told, budgets=[world.budget], record=record, queue=ListQueue(), now=NOW, live=True)
    assert world.kinds()[-1] == "notice"
    (early,) = world.plan(HOUR)
    assert (early.queue, early.delay) == ("plan-stop", later.delay - HOUR)
    assert record.streams("orders/") == []


def test_a_notice_whose_message_was_lost_is_carried_on_by_the_sweep(record: Record) -> None:
    world = Guarded(record, under(rule(notice=4 * HOUR)), machine("a"))
    world.plan()
    assert world.sweep(4 * HOUR) == []
    assert world.sweep(SOON) == [world.again()]


def test_notice_then_approval(record: Record) -> None:
    world = Guarded(record, under(rule(notice=HOUR, approval=HOUR)), machine("a"))
    world.plan()
    assert world.plan(HOUR) == []
    decide(world)
    world.carry_out(world.plan())
    assert world.kinds() == ["notice-given", "proposed", "approved", "planned"]


GATED = (
    under(rule(hours=OFFICE)),
    under(rule(notice=HOUR)),
    under(APPROVED),
    under(rule(), paused=True),
)


@pytest.mark.parametrize("budget", GATED, ids=["hours", "notice", "approval", "paused"])
def test_a_dry_run_waits_for_nothing_and_calls_nothing(record: Record, budget: Budget) -> None:
    world = Guarded(record, budget, machine("a"), live=False)
    world.carry_out(world.plan())
    assert (world.fleet.stops, world.kinds()) == ([], ["planned"])
    assert record.streams("days/") == []


@pytest.mark.parametrize(
    "budget", [*GATED, under(rule(ceilings=TIGHT))], ids=["hours", "notice", "approval", "paused", "ceiling"]
)
def test_nothing_to_stop_waits_for_nothing(record: Record, budget: Budget) -> None:
    world = Guarded(record, budget, machine("a", "deallocated"))
    assert world.plan() == []
    assert world.kinds() == ["planned"]


def test_the_receipt_tells_what_holds_a_plan(record: Record) -> None:
    world = Guarded(record, under(rule(notice=HOUR, approval=HOUR)), machine("a"))
    world.plan()
    world.plan(HOUR)
    decide(world, reason="fine")
    told = "\n".join(receipt(record, world.run))
    assert "notice given to owners, acts from 2026-11-12T17:05" in told
    assert "awaits approval until 2026-11-12T18:05" in told
    assert "approved by Kim: plan " in told
    assert told.count("1 to stop, 0 spared") == 2
