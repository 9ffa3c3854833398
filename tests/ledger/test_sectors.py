"""Days of the charge period axis: when one is complete, and when it was last updated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.delivery import Period
from ledger.sectors import Held, sectors

JANUARY, FEBRUARY = Period(2026, 1), Period(2026, 2)
LATE = datetime(2026, 2, 15, tzinfo=UTC)


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def held(period: Period, first: datetime, last: datetime, written: datetime) -> Held:
    return Held(period, first, last, written)


def test_each_day_from_the_first_charge_to_the_last_is_a_sector() -> None:
    found = sectors([held(JANUARY, at(1, 5, 7), at(1, 8), LATE)])
    assert [(one.start, one.end) for one in found] == [(at(1, day), at(1, day + 1)) for day in (5, 6, 7)]
    assert {one.updated for one in found} == {LATE}


@pytest.mark.parametrize(
    ("written", "complete"),
    [(at(1, 31), False), (at(2, 14, 23), False), (at(2, 15), True), (at(3, 1), True)],
)
def test_a_day_is_complete_when_its_month_was_delivered_after_it_settled(written: datetime, complete: bool) -> None:
    [one] = sectors([held(JANUARY, at(1, 5), at(1, 6), written)])
    assert one.complete is complete


def test_the_settling_time_may_be_chosen() -> None:
    [one] = sectors([held(JANUARY, at(1, 5), at(1, 6), at(2, 2))], timedelta(days=1))
    assert one.complete


def test_a_later_month_that_bills_a_day_keeps_it_open_until_it_is_settled_too() -> None:
    january = held(JANUARY, at(1, 5), at(1, 7), LATE)
    february = held(FEBRUARY, at(1, 6), at(2, 1), at(2, 20))
    assert {one.start.day: one.complete for one in sectors([january, february])[:2]} == {5: True, 6: False}
    assert {one.updated for one in sectors([january, february])[1:]} == {at(2, 20)}
    settled = held(FEBRUARY, at(1, 6), at(2, 1), at(3, 20))
    assert {one.start.day: one.complete for one in sectors([january, settled])[:2]} == {5: True, 6: True}


def test_a_day_whose_own_month_is_not_delivered_is_not_complete() -> None:
    [one] = sectors([held(FEBRUARY, at(1, 6), at(1, 7), at(6, 1))])
    assert not one.complete


instants = st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1), timezones=st.just(UTC))


@given(st.lists(st.tuples(instants, instants, instants), min_size=1, max_size=4))
def test_sectors_are_in_order_apart_and_cover_every_charge(spans: list[tuple[datetime, datetime, datetime]]) -> None:
    parts = [held(JANUARY, min(a, b), max(a, b) + timedelta(seconds=1), c) for a, b, c in spans]
    found = sectors(parts)
    assert all(one.start < one.end for one in found)
    assert all(one.end <= later.start for one, later in pairwise(found))
    for part in parts:
        assert any(one.start <= part.first < one.end for one in found)
        assert any(one.start < part.last <= one.end for one in found)
