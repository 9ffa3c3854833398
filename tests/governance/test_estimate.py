"""What was probably spent by now: low, mid, high, and when the cap breaks; Decimal only, and unknown is not nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import estimate as told
from governance.alert import parse
from governance.estimate import DELAY, FIRST, Estimate, acts_from, estimate
from governance.feeds import Feed
from governance.model import Alert
from tests.governance.guarded import HOUR
from tests.governance.scene import DOLLAR, payload

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
TENTH = START + timedelta(days=10)  # of data; an alert that fired then has data of nine days
parsed = parse(payload("common-actual"), budgets=[DOLLAR], now=datetime(2026, 11, 12, 16, 5, tzinfo=UTC))
assert isinstance(parsed, Alert)
ALERT = parsed

amounts = st.decimals("0.000001", "1000000", places=6)
moments = st.integers(0, 30 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
frozen = st.none() | moments.map(lambda at: Feed("azure", at, True, True))


def at(spent: str, told_at: datetime = TENTH, now: datetime = TENTH, feed: Feed | None = None) -> Estimate:
    return estimate(replace(ALERT, spent=Decimal(spent)), told_at, Decimal(1), feed, now)


def test_nine_days_of_data_and_one_without() -> None:
    found = at("0.90")
    assert (found.low, found.mid, found.high) == (Decimal("0.90"), Decimal(1), Decimal("1.10"))
    assert (found.covers_until, found.breaks_at) == (TENTH - DELAY, TENTH)
    assert found.rate is not None
    assert abs(found.rate * 24 - Decimal("0.1")) < Decimal("1e-20")
    assert (found.unknown, found.stale) == ("", "")


def test_each_hour_without_data_widens_it() -> None:
    found = at("0.45", now=TENTH + 12 * HOUR)
    assert (found.low, found.mid, found.high) == (Decimal("0.45"), Decimal("0.525"), Decimal("0.600"))


def test_a_cap_that_holds_until_the_month_ends_breaks_never() -> None:
    """0.30 in nine days is 1.00 in thirty: at the very end of the month it is not broken."""
    assert at("0.30").breaks_at is None
    assert at("0.31").breaks_at is not None


@pytest.mark.parametrize("spent", ["0", "-0.5"])
def test_from_nothing_or_credits_nothing_is_projected(spent: str) -> None:
    found = at(spent)
    assert (found.low, found.mid, found.high, found.rate, found.breaks_at) == (Decimal(spent), None, None, None, None)
    assert found.unknown == told.NOTHING


def test_a_forecast_is_never_taken_as_spent() -> None:
    found = estimate(replace(ALERT, kind="forecast", spent=Decimal(7)), TENTH, Decimal(1), None, TENTH)
    assert (found.low, found.mid, found.breaks_at, found.unknown) == (None, None, None, told.FORECAST)


def test_without_an_alert_nothing_is_known_and_it_is_not_nothing() -> None:
    found = estimate(None, None, Decimal(1), None, TENTH)
    assert (found.low, found.mid, found.high, found.unknown) == (None, None, None, told.NOBODY)


def test_in_the_first_hours_there_is_no_rate_but_a_broken_cap_is_one() -> None:
    early = START + DELAY + FIRST - HOUR
    assert (at("0.90", early, early).mid, at("0.90", early, early).unknown) == (None, told.TOO_EARLY)
    assert at("0.90", early, early).breaks_at is None
    assert at("1.00", START + HOUR, START + HOUR).breaks_at == START
    assert at("0.90", early + HOUR, early + HOUR).unknown == ""


def test_invariant_21_a_feed_that_is_frozen_for_36_hours_makes_the_data_older() -> None:
    """With the delay alone the data are a day old; a feed without a word for 36 hours makes them that old."""
    feed = Feed("azure", TENTH - 36 * HOUR, True, True)
    fresh, stale = at("0.90"), at("0.90", feed=feed)
    assert stale.covers_until == TENTH - 36 * HOUR
    assert stale.low == fresh.low == Decimal("0.90")
    assert fresh.mid and stale.mid and fresh.high and stale.high
    assert (stale.mid > fresh.mid, stale.high > fresh.high) == (True, True)
    assert stale.high - Decimal("0.90") > fresh.high - Decimal("0.90")
    assert "STALE" in stale.stale and fresh.stale == ""


def test_a_delivery_of_just_now_makes_no_data_younger_than_the_delay() -> None:
    assert at("0.90", feed=Feed("azure", TENTH, True, False)) == at("0.90")


@given(amounts, amounts, moments, st.integers(0, 24 * 60), frozen)
def test_law_low_mid_high_and_the_cap_breaks_when_mid_reaches_it(
    spent: Decimal, limit: Decimal, fired: datetime, waited: int, feed: Feed | None
) -> None:
    now = fired + waited * HOUR / 60
    found = estimate(replace(ALERT, spent=spent), fired, limit, feed, now)
    assert found.low == spent
    if found.mid is None or found.high is None:
        assert found.unknown == told.TOO_EARLY
        return
    assert found.low <= found.mid <= found.high
    if now < END:
        assert (found.breaks_at is not None and found.breaks_at <= now) is (found.mid >= limit)


@given(amounts, moments, st.integers(0, 200), st.integers(0, 200), frozen)
def test_invariant_21_law_older_data_never_narrow_it(
    spent: Decimal, fired: datetime, first: int, second: int, feed: Feed | None
) -> None:
    less, more = sorted((first, second))
    wide = [estimate(replace(ALERT, spent=spent), fired, spent, feed, fired + one * HOUR) for one in (less, more)]
    assert all(one.low == spent for one in wide)
    if wide[0].high is not None and wide[1].high is not None:
        assert wide[0].high <= wide[1].high


@given(moments, st.integers(0, 720), st.none() | moments)
def test_invariant_26_law_never_later_than_without_and_never_before_now(
    now: datetime, hours: int, breaks: datetime | None
) -> None:
    notice = hours * HOUR
    acts = acts_from(now, notice, breaks)
    assert now <= acts <= now + notice
    assert acts == now + notice if breaks is None or breaks >= now + notice else acts == max(now, breaks)
