"""Laws of the pace of calls and of what is held back; marks on a real record."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import pace, throttle
from governance.record import Record
from tests.governance.scene import NOW, machine

VM, OTHER = machine("a").id, machine("b").id
EC2 = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0a"
SECONDS = st.integers(0, 3600).map(lambda count: timedelta(seconds=count))
HOLDS = st.lists(st.tuples(SECONDS, SECONDS), max_size=6).map(
    lambda pairs: sorted((NOW + begun, NOW + begun + length) for begun, length in pairs)
)


@given(st.lists(st.sampled_from([VM, EC2, "snowflake:O-A/W"]), max_size=600))
def test_no_account_is_called_faster_than_its_rate(ids: list[str]) -> None:
    waits: dict[str, list[timedelta]] = {}
    for target, wait, peers in pace.paced([{"id": id} for id in ids]):
        waits.setdefault(str(target["id"]), []).append(wait)
        assert peers == ids.count(str(target["id"]))
    for id, found in waits.items():
        rate = pace.rate(id)
        assert found == sorted(found)
        assert all(wait == timedelta() for wait in found[: rate.burst])
        steps = [after - before for before, after in pairwise(found[rate.burst :])]
        assert all(step == timedelta(seconds=1) / rate.per_second for step in steps)


@pytest.mark.parametrize(("peers", "seconds"), [(0, 0), (1, 1), (16, 1), (17, 2), (1000, 63)])
def test_readings_of_many_are_further_apart(peers: int, seconds: int) -> None:
    assert pace.between_readings(VM, peers) == timedelta(seconds=seconds)


@given(SECONDS, HOLDS)
def test_a_clock_that_stood_still_is_late_by_no_more_than_it_stood(due: timedelta, holds: list[throttle.Hold]) -> None:
    moved = throttle.shifted(NOW + due, NOW, holds)
    assert NOW + due <= moved
    assert moved - (NOW + due) <= sum((until - begun for begun, until in holds), timedelta())
    assert all(moved >= until for begun, until in holds if begun <= NOW + due)


@given(SECONDS, SECONDS, HOLDS)
def test_who_was_due_earlier_stays_earlier_by_as_much(
    due: timedelta, later: timedelta, holds: list[throttle.Hold]
) -> None:
    first, second = (throttle.shifted(NOW + one, NOW, holds) for one in (due, due + later))
    assert second - first >= later


@given(SECONDS, SECONDS, HOLDS)
def test_nobody_calls_while_a_hold_lasts(after: timedelta, spread: timedelta, holds: list[throttle.Hold]) -> None:
    now = NOW + after
    rest = throttle.rest(now, spread, holds)
    running = [until for begun, until in holds if begun <= now < until]
    assert (rest > timedelta()) == bool(running)
    assert all(now + rest >= until for until in running)


def test_a_mark_holds_its_account_in_every_process_and_no_other(record: Record) -> None:
    throttle.mark(record, VM, NOW + timedelta(seconds=30), NOW)
    assert throttle.holds(record, OTHER.upper(), NOW, NOW) == [(NOW, NOW + timedelta(seconds=30))]
    assert throttle.holds(record, EC2, NOW, NOW) == []


def test_a_mark_that_adds_nothing_is_not_written(record: Record) -> None:
    for seconds in (30, 30.5, 20, 45):
        throttle.mark(record, VM, NOW + timedelta(seconds=seconds), NOW)
    assert [until - NOW for _, until in throttle.holds(record, VM, NOW, NOW)] == [
        timedelta(seconds=30),
        timedelta(seconds=45),
    ]


def test_a_hold_over_midnight_is_found_on_both_days(record: Record) -> None:
    midnight = NOW.replace(hour=0, minute=0) + timedelta(days=1)
    before = midnight - timedelta(seconds=10)
    throttle.mark(record, VM, midnight + timedelta(seconds=30), before)
    after = midnight + timedelta(seconds=5)
    for since, now in ((before, before), (before, midnight), (before, midnight + timedelta(hours=5)), (after, after)):
        assert throttle.holds(record, VM, since, now) == [(before, midnight + timedelta(seconds=30))]


@pytest.mark.parametrize(
    ("id", "account"),
    [
        (VM, "/subscriptions/22222222-2222-4222-8222-222222222222"),
        (EC2, "arn:aws:ec2:eu-west-1:123456789012"),
        ("snowflake:O-A/W", "snowflake:o-a"),
    ],
)
def test_whose_bucket_it_is(id: str, account: str) -> None:
    assert pace.account(id) == account
