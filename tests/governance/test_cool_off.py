"""Invariant 20: what somebody started after a stop is left alone for its cool-off, and told once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.folder import FolderStore
from governance import cool_off, flow, restarts, streams
from governance.cool_off import Past
from governance.model import Event
from governance.policy import policies_of
from governance.record import Record
from governance.terminal import Played
from ledger.faults import Rejected
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, NOW, machine
from tests.governance.undoing import StartingFleet, Story, staged

A = machine("a")
COOL_OFF = timedelta(hours=4)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

moments = st.integers(0, 40).map(lambda quarter: NOW + timedelta(minutes=15 * quarter))
pasts = st.builds(Past, st.just("x"), *[st.none() | moments] * 4)


@given(past=pasts, now=moments, hours=st.integers(0, 6), breaks=st.none() | moments)
def test_invariant_20_law_it_holds_for_the_cool_off_and_not_when_the_cap_breaks_before_its_end(
    past: Past, now: datetime, hours: int, breaks: datetime | None
) -> None:
    span = timedelta(hours=hours)
    since = max((at for at in (past.undone, past.seen) if at), default=None)
    wanted = since is not None and now < since + span and (breaks is None or breaks >= since + span)
    assert bool(cool_off.holds(past, span, now, breaks)) is wanted


@given(past=pasts, power=st.sampled_from([*cool_off.STARTED, "deallocated", "deallocating", "unknown"]), at=moments)
def test_law_a_restart_is_news_once_and_only_after_a_stop_that_was_read_back(
    past: Past, power: str, at: datetime
) -> None:
    found = cool_off.is_restart(past, power, at)
    assert found is (
        past.stopped is not None
        and past.stopped < at
        and power in cool_off.STARTED
        and (past.off is not None or (past.undone is None and past.seen is None))
    )
    if found:
        on = replace(past, seen=at, off=None)
        assert not cool_off.is_restart(on, power, at + timedelta(minutes=1))
        assert not cool_off.is_off_again(on, power, at + cool_off.SETTLED)
        settled = max(at, past.undone or at) + cool_off.SETTLED
        assert cool_off.is_off_again(on, "deallocated", settled)
        assert not cool_off.is_off_again(on, "deallocated", settled - timedelta(minutes=1))
        assert cool_off.is_restart(replace(on, off=at), power, at + timedelta(minutes=1))


@dataclass
class Expected:
    """What the product must do, told without its record: `since` is when the machine was first known to be on again."""

    is_on: bool = True
    stopped: bool = False
    since: datetime | None = None
    spent: int = 0
    fired: datetime = NOW
    stops: int = 0
    starts: int = 0
    notices: int = 0
    run: str = ""
    undone: set[str] = field(default_factory=set)

    def alert(self, now: datetime, spent: int) -> bool:
        """Whether the alert stops it."""
        if spent >= self.spent:
            self.spent, self.fired = spent, now
        if not self.is_on:
            return False
        self._seen(now)
        if self.since and now < self.since + COOL_OFF <= self._breaks():
            return False
        self.is_on, self.stopped, self.since = False, True, None
        self.stops += 1
        return True

    def undo(self, now: datetime) -> None:
        if not self.run or self.spent >= 100 or self.run in self.undone:
            return
        if self.is_on:
            self._seen(now)
        elif self.since is None:
            self.is_on, self.since = True, now
            self.starts += 1
            self.undone.add(self.run)

    def _breaks(self) -> datetime:
        """Where a line from the first of the month through what was told, a day old, reaches the whole."""
        start, known = datetime(2026, 11, 1, tzinfo=UTC), self.fired - timedelta(days=1)
        return known if self.spent >= 100 else start + (known - start) * 100 / self.spent

    def _seen(self, now: datetime) -> None:
        if self.stopped and self.since is None:
            self.since = now
            self.notices += 1


# 50 minutes never add up to the cool-off; an alert is an effect of its own by its percentage.
steps = st.lists(st.sampled_from(["alert", "over", "restart", "off", "undo", "wait", "wait", "wait"]), max_size=14)


@settings(max_examples=60, deadline=None)
@example(["alert", "restart", "alert", "wait", "alert", "wait", "wait", "wait", "wait", "alert"])
@example(["alert", "restart", "alert", "over"])
@example(["alert", "undo", "alert", "wait", "wait", "wait", "wait", "wait", "alert", "undo"])
@example(["alert", "restart", "undo", "off", "undo", "wait", "restart", "alert"])
@given(steps)
def test_law_over_any_order_of_alerts_restarts_undos_and_time(order: list[str]) -> None:
    with TemporaryDirectory(dir=MEMORY) as folder:
        told, expected = Story(Record(FolderStore(folder)), StartingFleet(A), staged(5)), Expected()
        for number, step in enumerate(order):
            play(told, expected, step, number)
            assert (len(told.fleet.stops), len(told.fleet.starts)) == (expected.stops, expected.starts), step
            assert len(notices(told.record)) == expected.notices, step
            assert (told.fleet.known[A.id].power == "running") is expected.is_on, step


def play(told: Story, expected: Expected, step: str, number: int) -> None:
    if step in ("alert", "over"):
        percent = (80 if step == "alert" else 100) + number
        stops = expected.alert(told.now, percent)
        played = told.alert(**spent(percent))
        expected.run = played.run if stops else expected.run
    elif step == "restart" or step == "off":
        expected.is_on = step == "restart"
        told.later(minutes=1)
        told.fleet.set(A.id, power="running" if expected.is_on else "deallocated")
    elif step == "undo" and expected.run:
        expected.undo(told.now)
        with suppress(Rejected):
            told.undo(expected.run)
    else:
        told.later(minutes=50)


def spent(percent: int) -> dict[str, object]:
    amount = f"${percent // 100}.{percent % 100:02}"
    return {"NotificationThresholdAmount": amount, "SpentAmount": amount}


def notices(record: Record) -> list[Event]:
    return [one for one in record.events(streams.machine_stream(A.id)) if one.kind == restarts.SEEN_ON]


@pytest.fixture
def told(memory_folder: Path) -> Story:
    return Story(Record(FolderStore(memory_folder)), StartingFleet(A), DOLLAR)


def reasons(played: Played) -> Iterable[str]:
    (planned,) = (event for event in played.events if event.kind == "planned" and "spared" in event.body)
    spared = planned.body["spared"]
    assert isinstance(spared, list)
    return [str(one["reason"]) for one in spared]


def test_the_plan_says_who_started_it_and_until_when_it_is_left_alone(told: Story) -> None:
    told.run()
    told.fleet.set(A.id, power="running")
    told.later(hours=1)
    seen = told.now
    until = f"{seen + COOL_OFF:%Y-%m-%d %H:%M} UTC"
    assert reasons(told.alert(**spent(90))) == [f"started by somebody else after a stop: left alone until {until}"]
    (notice,) = notices(told.record)
    assert (notice.at, notice.body["power"]) == (seen, "running")
    assert notice.body["notice"] == "started again after a stop"


@pytest.mark.parametrize(("percent", "again"), [(90, False), (92, True)])
def test_invariant_20_a_cap_that_would_break_before_the_cool_off_ends_goes_first(
    told: Story, percent: int, again: bool
) -> None:
    """At 90 of 100 it would break at 21:38, after the cool-off (21:05); at 92 at 15:26, so that it is broken by now."""
    told.run()
    told.fleet.set(A.id, power="running")
    told.later(hours=1)
    told.alert(**spent(percent))
    assert told.fleet.stops == [A.id] * (2 if again else 1)
    assert len(notices(told.record)) == 1


def test_a_plan_made_before_the_restart_does_not_stop_it_either(memory_folder: Path) -> None:
    """Two runs planned the same machine; the second one's order comes after the first has stopped it."""
    record = Record(FolderStore(memory_folder))
    first, second = Control(record, A), Control(record, A)
    second.fleet = first.fleet
    second.body = first.body.replace(b"$0.80", b"$0.79").replace(b"0.81", b"0.82").replace(b"0000000a", b"0000000b")
    second.budgets = (replace(DOLLAR, action_threshold=DOLLAR.action_threshold / 2),)
    order, late = first.first(), second.first()
    (look,) = first.order(order)
    first.settle([look])
    first.fleet.set(A.id, power="running")
    later = NOW + timedelta(minutes=5)
    assert second.order(late, later) == []
    assert first.fleet.stops == [A.id]
    assert second.kinds(late)[-1] == "refused"
    assert "started by somebody else after a stop" in str(second.events(late)[-1].body["reason"])
    assert len(notices(record)) == 1


def test_without_a_cool_off_the_rule_applies_at_once(told: Story) -> None:
    rule = replace(policies_of(DOLLAR)[0], name="now", cool_off=timedelta())
    told.budget = replace(DOLLAR, policies=(rule,))
    told.run()
    told.fleet.set(A.id, power="running")
    told.later(hours=1)
    told.run(**spent(90))
    assert told.fleet.stops == [A.id] * 2
    assert len(notices(told.record)) == 1


def test_a_stop_that_was_not_read_back_starts_no_cool_off(told: Story) -> None:
    """The order failed, so that nobody knows whether it was off in between."""
    told.fleet.known[A.id] = replace(A, power="running")
    told.fleet.faults["begin_stop"].append(Rejected([]))
    told.run()
    told.later(hours=1)
    told.run(**spent(90))
    assert told.fleet.stops == [A.id] * 2
    assert notices(told.record) == []


def test_power_that_is_unknown_is_no_restart(told: Story) -> None:
    told.run()
    told.fleet.set(A.id, power="unknown")
    told.later(hours=1)
    told.alert(**spent(90))
    assert notices(told.record) == []


def test_the_sweep_sends_nothing_for_a_machine_that_was_started_again(told: Story) -> None:
    told.run()
    told.fleet.set(A.id, power="running")
    told.later(hours=1)
    assert flow.on_sweep(record=told.record, now=told.now) == []
