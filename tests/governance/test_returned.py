"""The sweep's eyes: a machine that a run stopped and that is on again is noted once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance import restarts, returned, streams
from governance.record import Record
from governance.returned import Looked
from ledger.faults import Missing, Transient
from tests.governance.scene import DOLLAR, machine
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
