"""Invariant 17: undo restores only what this very run stopped, in stages, after budget, pause, holds and locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import lifecycle, streams
from governance.model import Machine
from governance.record import Record
from governance.undo import attempts
from ledger.faults import Missing, Rejected, Transient
from tests.governance.scene import machine
from tests.governance.undoing import DRY, LIVE, StartingFleet, Story, names, staged

A, B, C = machine("a"), machine("b"), machine("c")


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def story(record: Record, *machines: Machine, batch: int = 5) -> Story:
    return Story(record, StartingFleet(*machines), staged(batch))


def test_a_machine_that_was_moved_is_left_alone_and_its_new_place_is_told(record: Record) -> None:
    here = replace(machine("a"), identity="vm-1")
    story = Story(record, StartingFleet(here, replace(machine("b"), identity="vm-2")))
    run = story.run()
    there = replace(story.fleet.known.pop(here.id), id=here.id.replace("rg-dev", "rg-new"))
    story.fleet.known[there.id] = there
    undone = story.undo(run)
    told = next(line for line in undone.lines if "    a: " in line)
    assert f"left alone: it was moved since the stop, and is now {there.id}" in told
    assert names(story.fleet.starts) == ["b"] and undone.failed == ()


def test_of_three_of_which_one_was_off_already_exactly_two_are_started(record: Record) -> None:
    told = story(record, A, replace(B, power="deallocated"), C)
    run = told.run()
    undone = told.undo(run)
    assert names(told.fleet.starts) == ["a", "c"]
    assert [told.fleet.known[one.id].power for one in (A, B, C)] == ["running", "deallocated", "running"]
    assert undone.failed == ()
    assert [line for line in undone.lines if "read back: running" in line] == [
        "    a: started, power state read back: running",
        "    c: started, power state read back: running",
    ]
    assert all(record.verify(stream) == [] for stream in record.streams())


def test_a_start_is_recorded_before_and_after_its_call_with_who_and_why(record: Record) -> None:
    told = story(record, A)
    undone = told.undo(told.run())
    order = [event for event in undone.events if event.stream.startswith("starts/")]
    assert [event.kind for event in order] == ["planned", "calling", "accepted", "waiting", "verified"]
    assert order[0].body["who"] == {"entry": "terminal", "by": "kim"}
    assert order[0].body["why"] == "undo of a stop: the demo needs them"
    assert order[1].body["before"] == {"power": "deallocated", "tags": dict(A.tags)}


def test_a_dry_run_is_the_default_and_calls_nothing(record: Record) -> None:
    told = story(record, A, B, batch=1)
    run, before = told.run(), told.now
    for wish, live in ((DRY, True), (LIVE, False)):
        undone = told.undo(run, wish, live=live)
        assert [line for line in undone.lines if "would do" in line] == [
            f"    {name}: dry run, would do: start" for name in "ab"
        ] or not live
        assert told.fleet.starts == []
    assert told.now - before < timedelta(minutes=6), "a dry run does not wait between stages"


def test_a_live_undo_after_a_dry_one_starts_them(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    told.undo(run, DRY)
    told.undo(run)
    assert names(told.fleet.starts) == ["a"]


def test_undone_twice_starts_nothing_twice(record: Record) -> None:
    told = story(record, A, B)
    run = told.run()
    told.undo(run)
    told.fleet.set(A.id, power="deallocated")
    with pytest.raises(Rejected, match="an earlier undo started it"):
        told.undo(run)
    assert names(told.fleet.starts) == ["a", "b"]


def test_stages_begin_only_when_the_last_one_is_read_back_and_its_pause_is_over(record: Record) -> None:
    told = story(record, A, B, C, batch=2)
    undone = told.undo(told.run())
    events = [event for event in undone.events if event.stream.startswith("undos/")]
    assert [event.kind for event in events] == ["asked", "stage-begun", "stage-read", "stage-begun", "finished"]
    ends = {event.body["power"]: event.at for event in undone.events if event.kind == "verified"}
    calls = [event for event in undone.events if event.kind == "calling"]
    assert len(calls) == 3 and calls[2].at >= events[2].at + timedelta(minutes=5)
    assert set(ends) == {"running"}


def test_a_stage_that_fails_stops_the_rest(record: Record) -> None:
    told = story(record, A, B, C, batch=1)
    run = told.run()
    told.fleet.deaf = {B.id}
    undone = told.undo(run)
    assert names(told.fleet.starts) == ["a", "b"]
    assert names(undone.failed) == ["b", "c"]
    assert any("HALTED in stage 2: 1 of stage 2 failed: b" in line for line in undone.lines)
    assert undone.lines[-1] == "    c: NOT STARTED: its stage was not begun"


def test_with_continue_the_rest_is_started_all_the_same(record: Record) -> None:
    told = story(record, A, B, C, batch=1)
    run = told.run()
    told.fleet.refusing = {B.id: Rejected([])}
    undone = told.undo(run, replace(LIVE, keep_going=True))
    assert (names(told.fleet.starts), names(undone.failed)) == (["a", "b", "c"], ["b"])
    assert told.undo_events(run)[-1].kind == "halted"
    assert any("HALTED in stage 3: 1 of 3 failed: b" in line for line in undone.lines)


@pytest.mark.parametrize("batch", [1, 2])
def test_an_undo_whose_last_stage_failed_is_not_finished(record: Record, batch: int) -> None:
    told = story(record, A, B, batch=batch)
    run = told.run()
    told.fleet.deaf = {B.id}
    undone = told.undo(run)
    assert names(undone.failed) == ["b"]
    assert [event.kind for event in told.undo_events(run)][-1] == "halted"
    assert any("HALTED" in line and "1 of 2 failed: b" in line for line in undone.lines)
    told.fleet.deaf = set()
    assert told.undo(run).failed == ()
    assert told.undo_events(run)[-1].kind == "finished"


def test_what_failed_can_be_asked_for_again(record: Record) -> None:
    told = story(record, A, B, batch=1)
    run = told.run()
    told.fleet.deaf = {A.id}
    told.undo(run)
    told.fleet.deaf = set()
    undone = told.undo(run)
    assert (names(told.fleet.starts), undone.failed) == (["a", "a", "b"], ())


def test_only_the_runs_own_stops_count(record: Record) -> None:
    """Refused, failed, gone and found off: each is left, and told."""
    told = story(record, *(machine(name) for name in "adegs"))
    told.fleet.faults["begin_stop"].extend([Transient("busy"), Rejected([]), Missing("gone")])
    played = told.alert()
    undone = told.undo(played.run)
    stopped = [one for event in undone.events if event.kind == "asked" for one in streams.targets_in(event.body)]
    started = {str(one["id"]) for one in stopped}
    verified = {
        str(record.events(event.stream)[0].body["target"])
        for event in played.events
        if event.kind == lifecycle.VERIFIED and event.stream.startswith("orders/")
    }
    assert started == verified
    assert set(told.fleet.starts) == verified
    assert sum("    leave  " in line for line in undone.lines) == 2


def test_another_stop_that_was_only_found_is_not_undone(record: Record) -> None:
    """The first call was not taken; when it came back somebody else had switched the machine off."""
    told = story(record, A, B)
    told.fleet.faults["begin_stop"].append(Transient("busy"))
    told.fleet.known[A.id] = replace(A)
    original = told.wait

    def off(until: datetime) -> datetime:
        if told.fleet.stops.count(A.id) == 1 and told.fleet.known[A.id].power == "running":
            told.fleet.set(A.id, power="deallocated")
        return original(until)

    told.wait = off  # type: ignore[method-assign]  # somebody at the portal
    run = told.run()
    undone = told.undo(run)
    assert names(told.fleet.starts) == ["b"]
    assert "    leave  a: it was off already, the run made no call" in undone.lines


def test_a_warehouse_gets_back_the_monitor_it_had_before_the_first_call(record: Record) -> None:
    """The first call changed the monitor and was then told to come back."""
    told = story(record, replace(A, kind="snowflake_warehouse", parts={"TEAM": "resource monitor"}))
    stop, calls = told.fleet.begin_stop, iter([Transient("busy")])
    given: list[list[str]] = []

    def frozen(id: str, parts: Sequence[str] = ()) -> None:
        told.fleet.set(A.id, parts={})
        if fault := next(calls, None):
            raise fault
        stop(id, parts)

    start = told.fleet.begin_start

    def started(id: str, parts: Sequence[str] = ()) -> None:
        given.append(list(parts))
        start(id, parts)

    told.fleet.begin_stop = frozen  # type: ignore[method-assign]  # a warehouse with a resource monitor
    told.fleet.begin_start = started  # type: ignore[method-assign]  # likewise
    told.undo(told.run())
    assert given == [["TEAM"]]


def test_a_machine_that_did_not_run_before_its_stop_is_not_started(record: Record) -> None:
    told = story(record, replace(A, power="stopped"), B)
    undone = told.undo(told.run())
    assert names(told.fleet.starts) == ["b"]
    assert "    leave  a: it was stopped before the stop: nothing ran on it" in undone.lines


def test_a_control_plane_that_asks_to_wait_is_given_its_time(record: Record) -> None:
    told = story(record, A)
    run, fails = told.run(), iter([Transient("busy", timedelta(minutes=2)), Transient("busy")])
    start = told.fleet.begin_start

    def busy(id: str, parts: Sequence[str] = ()) -> None:
        if fault := next(fails, None):
            raise fault
        start(id, parts)

    told.fleet.begin_start = busy  # type: ignore[method-assign]  # a control plane that is busy twice
    undone = told.undo(run)
    order = [event for event in undone.events if event.stream.startswith("starts/")]
    assert [event.kind for event in order][:6] == ["planned", "calling", "deferred", "calling", "deferred", "calling"]
    assert order[3].at - order[2].at >= timedelta(minutes=2)
    assert undone.failed == ()


def test_a_listing_that_fails_for_a_while_is_waited_out_and_for_good_halts(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    told.fleet.faults["machines"].extend([Transient("down")] * 2)
    assert told.undo(run).failed == ()
    other = Story(record, StartingFleet(machine("z")), staged(5), told.now)
    run = other.run(NotificationThresholdAmount="$0.90", SpentAmount="$0.91")
    other.fleet.faults["machines"].extend([Transient("down")] * 99)
    undone = other.undo(run)
    assert other.fleet.starts == []
    assert any("whether a lock forbids it could not be read" in line for line in undone.lines)


def test_each_attempt_is_in_the_runs_own_stream(record: Record) -> None:
    told = story(record, A)
    run = told.run()
    told.undo(run, DRY)
    told.undo(run)
    assert [one.asked.body["dry_run"] for one in attempts(told.undo_events(run))] == [True, False]
