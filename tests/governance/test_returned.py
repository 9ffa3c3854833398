"""The sweep's eyes: a machine that a run stopped and that is on again is noted once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import lifecycle, restarts, returned, streams
from governance.record import Record
from governance.returned import Looked
from ledger.faults import Missing, Transient
from tests.governance.scene import DOLLAR, NOW, machine
from tests.governance.undoing import StartingFleet, Story

A, B = machine("a"), machine("b")


@pytest.fixture
def story(record: Record) -> Story:
    """Two machines stopped by a run and read back, an hour ago."""
    told = Story(record, StartingFleet(A, B), replace(DOLLAR, live=True))
    told.run()
    told.later(hours=1)
    return told


def look(told: Story) -> Looked:
    waiting = returned.should_be_off(told.record, told.now)
    return returned.look(waiting, [told.budget], told.record, told.fleet, told.now)


def noted(told: Story, id: str = A.id) -> list[str]:
    return [one.kind for one in told.record.events(streams.machine_stream(id)) if one.kind == restarts.SEEN_ON]


def test_what_stays_off_is_watched_and_is_no_news(story: Story) -> None:
    assert {one.target for one in returned.should_be_off(story.record, story.now)} == {A.id, B.id}
    assert look(story) == Looked((), {})
    assert noted(story) == []


@pytest.mark.parametrize("power", ["running", "starting", "stopped"])
def test_invariant_20_a_machine_that_came_back_is_noted_once(story: Story, power: str) -> None:
    story.fleet.set(A.id, power=power)
    assert look(story).returned == (A.id,)
    for _ in range(3):
        story.later(minutes=10)
        assert look(story).returned == ()
    assert (noted(story), noted(story, B.id)) == ([restarts.SEEN_ON], [])


def test_each_stop_of_ours_may_be_followed_by_one_restart(story: Story) -> None:
    story.fleet.set(A.id, power="running")
    look(story)
    story.later(hours=30)
    story.run(NotificationThresholdAmount="$0.90", SpentAmount="$0.90")
    assert story.fleet.known[A.id].power == "deallocated"
    story.later(hours=1)
    story.fleet.set(A.id, power="running")
    assert look(story).returned == (A.id,)
    assert noted(story) == [restarts.SEEN_ON] * 2


def test_invariant_20_a_second_restart_between_two_stops_is_told_apart_from_the_first(story: Story) -> None:
    for times in (1, 2, 3):
        story.fleet.set(A.id, power="running")
        assert look(story).returned == (A.id,)
        story.later(minutes=10)
        assert look(story).returned == ()
        assert noted(story) == [restarts.SEEN_ON] * times
        story.later(hours=4)
        story.fleet.set(A.id, power="deallocated")
        for _ in range(2):
            assert look(story).returned == ()
            story.later(minutes=10)
    assert (noted(story, B.id), story.record.verify(streams.machine_stream(A.id))) == ([], [])


def test_invariant_20_each_restart_has_a_cool_off_of_its_own(story: Story) -> None:
    """Two hours after the second restart the four hours of the first are long over."""
    for power, hours in (("running", 4), ("deallocated", 1), ("running", 2)):
        story.fleet.set(A.id, power=power)
        look(story)
        story.later(hours=hours)
    story.run(NotificationThresholdAmount="$0.84", SpentAmount="$0.84")
    assert story.fleet.stops.count(A.id) == 1
    story.later(hours=2)
    story.run(NotificationThresholdAmount="$0.85", SpentAmount="$0.85")
    assert story.fleet.stops.count(A.id) == 2


def launched(told: Story) -> None:
    """Somebody starts it now, where the control plane tells of each start: between two sweeps, or after a stop."""
    told.fleet.set(A.id, power="running", launched=told.now)


def test_invariant_20_a_second_start_that_nobody_saw_in_between_is_known_by_its_launch(story: Story) -> None:
    for times in (1, 2, 3):
        launched(story)
        story.later(minutes=8)
        assert look(story).returned == (A.id,)
        for _ in range(2):
            story.later(minutes=10)
            assert look(story).returned == ()
        assert noted(story) == [restarts.SEEN_ON] * times
        story.later(hours=4)
        assert look(story).returned == ()
    assert story.record.verify(streams.machine_stream(A.id)) == []


def test_one_that_is_launched_again_within_four_hours_was_started_once(story: Story) -> None:
    for _ in range(4):
        launched(story)
        look(story)
        story.later(minutes=50)
    assert noted(story) == [restarts.SEEN_ON]


def test_a_launch_that_is_yet_to_come_is_no_start(story: Story) -> None:
    launched(story)
    look(story)
    story.fleet.set(A.id, launched=story.now + timedelta(hours=9))
    story.later(hours=5)
    assert look(story).returned == ()


def test_one_that_is_off_and_on_within_four_hours_was_started_once(story: Story) -> None:
    """Else somebody who switches it every hour would be told of every hour, and its cool-off would never end."""
    for power in ("running", "deallocated", "running", "deallocated", "running"):
        story.fleet.set(A.id, power=power)
        look(story)
        story.later(minutes=50)
    assert noted(story) == [restarts.SEEN_ON]


def test_a_warehouse_that_suspends_and_resumes_with_each_query_was_started_once(record: Record) -> None:
    id = "snowflake:ORG-ACC/DEV_WH"
    ordered, stopped = streams.order_key("1" * 64, id), NOW
    first = {"alert": "1" * 64, "target": id, "budget_id": DOLLAR.id, "dry_run": False}
    record.append(streams.order_stream(ordered), lifecycle.PLANNED, first, stopped)
    for kind in (lifecycle.CALLING, lifecycle.ACCEPTED, lifecycle.VERIFIED):
        record.append(
            streams.order_stream(ordered), kind, {"power": "deallocated", "before": {"power": "running"}}, NOW
        )
    restarts.ordered(record, restarts.STOP_ORDERED, id, ordered, NOW)
    for hours, power in ((1, "running"), (6, "deallocated"), (12, "running"), (18, "deallocated"), (24, "running")):
        restarts.looked(record, replace(A, id=id, power=power), "the sweep", NOW + timedelta(hours=hours))
    kinds = [one.kind for one in record.events(streams.machine_stream(id))]
    assert kinds == [restarts.STOP_ORDERED, restarts.SEEN_ON]


def test_an_undo_of_ours_is_no_restart(story: Story) -> None:
    run = story.record.streams("alerts/")[0].removeprefix("alerts/")
    story.undo(run)
    assert story.fleet.known[A.id].power == "running"
    assert returned.should_be_off(story.record, story.now) == []


@pytest.mark.parametrize("power", ["unknown", "deallocating", "deallocated"])
def test_a_power_that_proves_no_start_is_no_news(story: Story, power: str) -> None:
    story.fleet.set(A.id, power=power)
    assert look(story).returned == ()


def test_what_is_gone_or_was_stopped_long_ago_is_not_looked_for(story: Story) -> None:
    del story.fleet.known[A.id]
    assert look(story).returned == ()
    story.now += returned.WATCHED
    story.later(hours=1)
    assert returned.should_be_off(story.record, story.now) == []


@pytest.mark.parametrize("fault", [Transient("429"), Missing("the group")])
def test_a_scope_that_cannot_be_seen_is_told_and_looked_into_next_time(story: Story, fault: Exception) -> None:
    story.fleet.set(A.id, power="running")
    story.fleet.faults["machines"].append(fault)
    assert list(look(story).unseen) == [DOLLAR.scope]
    assert look(story).returned == (A.id,)


def test_a_dry_run_stops_nothing_and_nothing_is_watched(record: Record) -> None:
    told = Story(record, StartingFleet(A), replace(DOLLAR, live=False))
    told.run()
    assert returned.should_be_off(record, told.now) == []
