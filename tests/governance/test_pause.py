"""The global pause: read for every plan and every call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.folder import FolderStore
from governance import approval, pause
from governance.record import Record
from governance.rescue import STALE
from ledger.faults import Rejected
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import NOW, machine

SOON = STALE + timedelta(seconds=1)


def test_invariant_19_while_paused_there_are_plans_and_no_orders(record: Record) -> None:
    world = Guarded(record, under(rule()), machine("a"))
    pause.turn(record, on=True, by="Kim", reason="release night", now=NOW)
    assert world.plan() == world.plan() == world.sweep(SOON) == []
    assert world.kinds() == ["paused"]
    assert "Kim" in world.last("why") and "release night" in world.last("why")
    pause.turn(record, on=False, by="Kim", reason="done", now=world.now)
    assert world.sweep() == [world.again()]
    world.carry_out(world.plan())
    assert len(world.fleet.stops) == 1


def test_invariant_19_a_pause_between_plan_and_call_holds_the_call(record: Record) -> None:
    world = Guarded(record, under(rule()), machine("a"))
    orders = world.plan()
    pause.turn(record, on=True, by="Kim", reason="stop it", now=NOW)
    world.carry_out(orders)
    assert world.fleet.stops == []
    (event,) = record.events(str(record.streams("orders/")[0]))[1:]
    assert (event.kind, "paused by Kim" in str(event.body["reason"])) == ("held", True)


def test_a_pause_by_the_settings_holds_too(record: Record) -> None:
    world = Guarded(record, under(rule(), paused=True), machine("a"))
    assert world.plan() == []
    assert world.last("why") == "paused by the settings"


def test_a_pause_switch_that_cannot_be_read_is_on(record: Record, store: FolderStore) -> None:
    world = Guarded(record, under(rule()), machine("a"))
    store.create("record/switches/pause/000001.json", b"junk")
    assert world.plan() == []
    assert "cannot be read" in world.last("why")


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("x", " ")])
def test_a_pause_says_who_and_why(record: Record, by: str, reason: str) -> None:
    with pytest.raises(Rejected):
        pause.turn(record, on=True, by=by, reason=reason, now=NOW)


def test_an_approved_plan_that_was_paused_is_carried_out_soon_after_the_pause(record: Record) -> None:
    world = Guarded(record, under(rule(approval=24 * HOUR)), machine("a"))
    world.plan()
    proposal = approval.proposed(world.events())
    assert proposal is not None
    plan = str(proposal.body["digest"])
    approval.decide(record, world.run, plan, "approve", by="Kim", reason="", now=NOW)
    pause.turn(record, on=True, by="Kim", reason="release night", now=NOW)
    assert world.plan() == []
    pause.turn(record, on=False, by="Kim", reason="done", now=NOW)
    assert world.sweep(SOON) == [world.again()]
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]
    assert world.kinds() == ["proposed", "approved", "paused", "planned"]
    assert {"due", "expires"}.isdisjoint(world.events()[-1].body)
