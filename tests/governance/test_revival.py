"""What came to rest before its orders is revived by a further alert or by a person; what a person rejected is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import approval, flow, pause, revival, streams
from governance.audit import audit
from governance.record import Record
from governance.rules import Ceilings
from ledger.faults import Rejected
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import NOW, SUBSCRIPTION, machine, payload

A, B = machine("a"), machine("b")


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def unapproved(record: Record) -> Guarded:
    """Its approval window is over."""
    world = Guarded(record, under(rule(approval=4 * HOUR)), A)
    world.plan()
    world.plan(5 * HOUR)
    assert world.kinds() == ["proposed", "refused"]
    return world


def again(world: Guarded, reason: str = "they are all away") -> None:
    run, messages = revival.again(world.record, world.run[:8], by="Kim", reason=reason, now=world.now)
    assert (run, messages) == (world.run, [world.again()])


def fresh(world: Guarded, **changes: object) -> dict[str, object]:
    """Another alert of Azure at the same threshold."""
    id = f"{SUBSCRIPTION}/providers/Microsoft.CostManagement/alerts/another"
    world.body = payload("common-actual", alertId=id, firedDateTime=world.now.isoformat(), **changes)
    return world.fire()


def approve(world: Guarded) -> None:
    proposal = approval.proposed(world.events())
    assert proposal is not None
    approval.decide(
        world.record, world.run, str(proposal.body["digest"]), "approve", by="Kim", reason="", now=world.now
    )


def test_what_nobody_approved_in_time_is_planned_and_approved_anew(record: Record) -> None:
    world = unapproved(record)
    assert f"`ledger plan again {world.run[:12]}` plans it anew" in world.last("reason")
    again(world)
    assert world.plan() == []
    assert (world.kinds()[-2:], world.fleet.stops) == (["revived", "proposed"], [])
    approve(world)
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]
    assert audit(record, world.now, unfinished_after=HOUR).problems == ()


def test_a_fresh_alert_at_the_threshold_revives_it_and_is_the_alert_that_is_planned_for(record: Record) -> None:
    world = unapproved(record)
    world.now += timedelta(days=5)
    assert fresh(world, SpentAmount="$0.97")["revived"] is True
    world.plan()
    approve(world)
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]
    assert world.events()[-1].body["estimate"]["low"] == "0.97"  # type: ignore[index]  # a plan's
    assert audit(record, world.now, unfinished_after=HOUR).problems == ()


def test_the_same_alert_revives_it_while_it_is_one(record: Record) -> None:
    world = unapproved(record)
    assert world.fire()["revived"] is True
    world.plan()
    assert world.kinds()[-1] == "proposed"


def test_what_a_person_rejected_stays_so(record: Record) -> None:
    world = Guarded(record, under(rule(approval=4 * HOUR)), A)
    world.plan()
    digest = str(world.last("digest"))
    approval.decide(record, world.run, digest, "reject", by="Kim", reason="a demo", now=world.now)
    assert (fresh(world).get("duplicate"), world.plan()) == (True, [])
    with pytest.raises(Rejected, match="rejected by Kim, which is for good"):
        again(world)


def test_a_budget_that_was_away_for_one_message_costs_an_hour(record: Record) -> None:
    world = Guarded(record, under(rule()), A)
    assert flow.on_plan({"alert": world.run}, budgets=[], record=record, fleet=world.fleet, now=NOW, live=True) == []
    assert (world.kinds(), world.sweep(HOUR / 2)) == (["unusable"], [])
    assert world.sweep(HOUR) == [world.again()]
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]


def test_one_whose_tag_or_amount_is_put_right_goes_on(record: Record) -> None:
    world = Guarded(record, under(rule()), A)
    right = world.budget
    for wrong in (replace(right, opt_in_value=" "), replace(right, amount=right.amount * 3)):
        world.budget = wrong
        assert (world.plan(), world.kinds()[-1]) == ([], "unusable")
    world.budget = right
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]


def test_a_budget_that_stays_away_rests_and_is_planned_again_by_hand(record: Record) -> None:
    world = Guarded(record, under(rule()), A)
    right, world.budget = world.budget, replace(world.budget, opt_in_value="")
    world.plan()
    assert world.sweep(timedelta(days=3, hours=1)) == []
    world.budget = right
    again(world)
    assert world.sweep(HOUR) == [world.again()]  # the message was lost
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]


def test_above_a_ceiling_it_waits_for_one_who_raises_it(record: Record) -> None:
    world = Guarded(record, under(rule(), ceilings=Ceilings(count=1)), A, B)
    world.plan()
    with pytest.raises(Rejected, match=f"ledger plan again {world.run[:12]}"):
        approval.require_open(world.events(), str(world.last("digest")), world.now)
    again(world)
    assert (world.plan(), world.kinds()[-1], world.fleet.stops) == ([], "above-ceiling", [])
    world.budget = under(rule(), ceilings=Ceilings(count=2))
    again(world)
    world.carry_out(world.plan())
    assert len(world.fleet.stops) == 2


def test_a_paused_one_may_be_asked_for_and_stays_paused(record: Record) -> None:
    pause.turn(record, on=True, by="Kim", reason="a demo", now=NOW)
    world = Guarded(record, under(rule()), A)
    world.plan()
    again(world)
    assert (world.plan(), world.kinds()[-1], world.fleet.stops) == ([], "paused", [])


def test_one_that_waited_too_long_for_its_message_is_planned_again_by_hand(record: Record) -> None:
    world = Guarded(record, under(rule()), A)
    world.plan(timedelta(days=3, hours=1))
    assert f"`ledger plan again {world.run[:12]}`" in world.last("reason")
    again(world)
    world.carry_out(world.plan())
    assert world.fleet.stops == [A.id]


def test_a_month_that_is_over_is_not_planned_for(record: Record) -> None:
    world = unapproved(record)
    again(world)
    world.now = datetime(2026, 12, 1, tzinfo=UTC)
    with pytest.raises(Rejected, match="period that ended"):
        again(world)
    world.plan()
    assert (world.kinds()[-1], "period 2026-11 is over" in world.last("reason")) == ("refused", True)
    assert "plan again" not in world.last("reason")


@pytest.mark.parametrize(
    ("begins", "by", "reason", "told"),
    [
        ("0", "Kim", "r", "hexadecimal"),
        ("../alerts/00000000", "Kim", "r", "hexadecimal"),
        ("00000000", "Kim", "r", "there is no run"),
        ("", " ", "r", "needs who and why"),
        ("", "Kim", "", "needs who and why"),
    ],
)
def test_refused_with_a_reason(record: Record, begins: str, by: str, reason: str, told: str) -> None:
    world = unapproved(record)
    with pytest.raises(Rejected, match=told):
        revival.again(record, begins or world.run, by=by, reason=reason, now=NOW)
    assert world.kinds()[-1] == "refused"


def test_what_is_under_way_or_carried_out_is_not_planned_twice(record: Record) -> None:
    world = Guarded(record, under(rule()), A)
    with pytest.raises(Rejected, match="under way, its last word is: enqueued"):
        again(world)
    world.plan()
    with pytest.raises(Rejected, match="carried out"):
        again(world)


def test_the_live_run_is_meant_where_the_dry_one_begins_alike(record: Record) -> None:
    """By all its digits and its ending the dry one can be had too."""
    world = unapproved(record)
    dry = Guarded(record, under(rule()), A, live=False)
    dry.plan(timedelta(days=3, hours=1))
    assert dry.run == streams.run_key(world.run, dry_run=True)
    again(world)
    assert f"ledger plan again {dry.run[:12]}-dry-run`" in dry.last("reason")
    assert revival.again(record, dry.run, by="Kim", reason="r", now=dry.now)[0] == dry.run
