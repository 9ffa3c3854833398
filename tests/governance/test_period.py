"""The turn of a month: whose money an alert of its first days tells of, and what was ordered before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.folder import FolderStore
from governance import period, restarts
from governance.model import State
from governance.record import Record
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, machine, payload
from tests.governance.undoing import StartingFleet, Story, names

A = machine("a")
FIRST = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


@pytest.mark.parametrize(
    ("at", "months"),
    [
        (FIRST - timedelta(microseconds=1), "2026-11"),
        (FIRST, "2026-11/2026-12"),
        (FIRST + 49 * HOUR - timedelta(microseconds=1), "2026-11/2026-12"),
        (FIRST + 49 * HOUR, "2026-12"),
        (datetime(2027, 1, 1, 5, tzinfo=UTC), "2026-12/2027-01"),
    ],
)
def test_the_first_49_hours_may_be_of_either_month(at: datetime, months: str) -> None:
    assert period.of(at) == months


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
def test_law_it_fired_within_its_later_month(at: datetime) -> None:
    months = period.of(at)
    assert period.begins(months) <= at < period.ends(months)
    assert bool(period.earlier(months)) == (at - period.begins(months) < period.LATE)
    assert not period.earlier(months) or period.ends(period.earlier(months)) == period.begins(months)


@pytest.mark.parametrize(("told", "months"), [(None, "a/b"), ("0.81", "a/b"), ("0.82", "b")])
def test_spending_of_a_month_only_grows(told: str | None, months: str) -> None:
    assert period.settled("a/b", Decimal("0.81"), Decimal(told) if told else None) == months


def test_invariant_8_a_late_alert_of_the_old_month_uses_up_nothing_of_the_new_one(record: Record) -> None:
    story = Story(record, StartingFleet(A), now=FIRST + 3 * HOUR)
    early = story.run(SpentAmount="$0.99")
    assert names(story.fleet.stops) == ["a"]
    story.fleet.set(A.id, power="running")
    restarts.looked(record, story.fleet.known[A.id], "the sweep", FIRST + 40 * HOUR)  # else its cool-off begins below
    story.now = datetime(2026, 12, 20, 9, tzinfo=UTC)
    later = story.run(SpentAmount="$0.81")
    assert (names(story.fleet.stops), later != early) == (["a", "a"], True)


def test_invariant_17_what_the_old_month_spent_refuses_no_undo_in_the_new_one(record: Record) -> None:
    story = Story(record, StartingFleet(A), now=FIRST + 3 * HOUR)
    run = story.run(SpentAmount="$1.02")
    story.later(days=3)
    story.undo(run)
    assert names(story.fleet.starts) == ["a"]


def test_one_that_tells_less_than_the_old_month_did_is_of_the_new_one(record: Record) -> None:
    """And is the one effect of its threshold there."""
    story = Story(record, StartingFleet(A), now=FIRST - 30 * HOUR)
    story.run(SpentAmount="$1.02", NotificationThresholdAmount="$1.00")
    story.fleet.set(A.id, power="running")
    story.now = FIRST + 40 * HOUR
    first = story.run(SpentAmount="$0.90")
    story.later(days=10)
    again = story.alert(SpentAmount="$0.95")
    assert (again.run, again.answer.body.get("duplicate")) == (first, True)


def test_a_spend_is_compared_with_its_own_budget_alone(record: Record) -> None:
    story = Story(record, StartingFleet(A), now=FIRST - 30 * HOUR)
    story.run(SpentAmount="$1.02", NotificationThresholdAmount="$1.00")
    story.budget = replace(DOLLAR, id=DOLLAR.id + "2", name="dev-dollar2")
    story.now = FIRST + 40 * HOUR
    story.run(SpentAmount="$0.90", BudgetName="dev-dollar2", BudgetId=DOLLAR.id + "2")
    runs = [record.events(stream)[0].body["period"] for stream in record.streams("alerts/")]
    assert sorted(map(str, runs)) == ["2026-11", "2026-11/2026-12"]


def test_an_order_of_the_old_month_is_not_called_in_the_new_one(record: Record) -> None:
    control = Control(record, A)
    fired = FIRST - HOUR / 6
    control.body = payload("common-actual", firedDateTime=fired.isoformat())
    (order,) = control.plan(control.receive(fired), fired)
    control.order(order, FIRST + 44 * HOUR)
    assert (control.fleet.stops, control.state(order)) == ([], State.FAILED)
    assert "period ended at 2026-12-01 00:00 UTC" in control.events(order)[-1].body["reason"]


def test_one_that_is_called_in_time_is_read_back_after_it(record: Record) -> None:
    control = Control(record, A)
    fired = FIRST - HOUR / 6
    control.body = payload("common-actual", firedDateTime=fired.isoformat())
    (order,) = control.plan(control.receive(fired), fired)
    looks = control.order(order, FIRST - timedelta(seconds=1))
    control.settle(looks, FIRST)
    assert control.state(order) is State.VERIFIED


def test_the_last_minute_s_alert_is_planned_and_carried_out_after_midnight(record: Record) -> None:
    """Its message was only late; what was held into the new month is refused (test_overtaken.py)."""
    control = Control(record, A)
    fired = FIRST - timedelta(seconds=20)
    control.body = payload("common-actual", firedDateTime=fired.isoformat())
    (order,) = control.plan(control.receive(fired), FIRST + timedelta(seconds=20))
    control.order(order, FIRST + timedelta(seconds=30))
    assert names(control.fleet.stops) == ["a"]
