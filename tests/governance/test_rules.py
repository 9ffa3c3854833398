"""Business hours, what a plan waits for, and tags with an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.exemption import EXEMPT_KEY, HOLD_KEY, end_of, keeps_out
from governance.rules import Hours, Policy, opening, terms
from tests.governance.scene import NOW

BERLIN = Hours("Europe/Berlin", (0, 1, 2, 3, 4), time(8), time(18))
NIGHTS = replace(BERLIN, opens=time(22), closes=time(6))
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC")
clocks = st.times().map(lambda one: one.replace(second=0, microsecond=0))
windows = st.builds(Hours, st.sampled_from(ZONES), st.sets(st.integers(0, 6), min_size=1).map(tuple), clocks, clocks)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


def berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)  # type: ignore[misc,arg-type]  # year to minute


@given(windows, moments)
def test_the_next_opening_is_open_and_nothing_before_it_is(hours: Hours, now: datetime) -> None:
    opens = hours.next_opening(now)
    assert opens is not None and now <= opens <= now + timedelta(days=8, hours=2)
    assert hours.is_open(opens) or hours.opens == hours.closes
    before = opens - timedelta(minutes=1)
    assert opens == now or before < now or not hours.is_open(before)


@given(windows, moments)
def test_a_window_is_judged_by_the_wall_clock_of_its_zone(hours: Hours, now: datetime) -> None:
    local = now.astimezone(ZoneInfo(hours.zone))
    inside = local.weekday() in hours.days and hours.opens <= local.time() < hours.closes
    changes = local.utcoffset() != (local - timedelta(days=1)).utcoffset()
    if hours.opens < hours.closes and not changes:
        assert hours.is_open(now) is inside


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ((2026, 11, 12, 8, 0), True),
        ((2026, 11, 12, 7, 59), False),
        ((2026, 11, 12, 17, 59), True),
        ((2026, 11, 12, 18, 0), False),
        ((2026, 11, 14, 12, 0), False),
        ((2026, 7, 1, 8, 0), True),
    ],
)
def test_hours_of_a_day(when: tuple[int, ...], is_open: bool) -> None:
    assert BERLIN.is_open(berlin(*when)) is is_open


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    assert NIGHTS.is_open(berlin(2026, 11, 14, 5, 59))  # Friday's night, on Saturday
    assert not NIGHTS.is_open(berlin(2026, 11, 14, 22, 30))
    assert not NIGHTS.is_open(berlin(2026, 11, 16, 5, 0))  # Sunday's
    assert NIGHTS.next_opening(berlin(2026, 11, 14, 12, 0)) == berlin(2026, 11, 16, 22, 0)


def test_the_opening_moves_with_summer_time() -> None:
    assert BERLIN.next_opening(datetime(2026, 3, 27, 20, tzinfo=UTC)) == datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert BERLIN.next_opening(datetime(2026, 10, 23, 20, tzinfo=UTC)) == datetime(2026, 10, 26, 7, tzinfo=UTC)


def test_several_windows_open_together_or_never() -> None:
    late = replace(BERLIN, opens=time(17), closes=time(20))
    assert opening([BERLIN, late], berlin(2026, 11, 12, 10, 0)) == berlin(2026, 11, 12, 17, 0)
    assert opening([BERLIN, replace(BERLIN, days=(6,))], NOW) is None
    assert opening([], NOW) == NOW


@pytest.mark.parametrize(("minutes", "is_open"), [(-16, True), (-15, False), (0, False), (44, False)])
def test_a_closing_time_that_the_clock_skips_is_not_put_off(minutes: int, is_open: bool) -> None:
    """In Sao Paulo midnight of 4 November 2018 was one o'clock at once, so that 00:45 never was."""
    skipped = datetime(2018, 11, 4, 3, tzinfo=UTC)
    window = Hours("America/Sao_Paulo", (5,), time(12), time(0, 45))
    assert window.is_open(skipped + timedelta(minutes=minutes)) is is_open


def test_the_strictest_of_the_rules_holds() -> None:
    hour = timedelta(hours=1)
    found = terms(
        [
            Policy("a", ("b",), notice=hour, approval=5 * hour, hours=BERLIN),
            Policy("c", ("b",), notice=3 * hour, approval=2 * hour, hours=BERLIN),
            Policy("d", ("b",)),
        ]
    )
    assert (found.notice, found.approval, found.hours) == (3 * hour, 2 * hour, (BERLIN,))
    assert terms([]).approval == terms([Policy("d", ("b",))]).notice == timedelta()


@pytest.mark.parametrize("key", [EXEMPT_KEY, HOLD_KEY, "Ledger-Exempt", "LEDGER-HOLD"])
@pytest.mark.parametrize(
    ("value", "out"),
    [
        *(("2026-11-12", True), ("2026-11-11", False), (" 2026-11-12 ", True), ("2026-11-12T16:05:00Z", False)),
        *(("2026-11-12T16:06:00+00:00", True), ("2026-11-12T18:00:00+02:00", False)),
        *(("true", True), ("false", True), ("", True), ("12.11.2026", True), ("2026-02-30", True)),
        *(("2020-01-01T00:00:00", True), ("20200101", True), ("9999-12-31", True), ("2020-W01-1", True)),
    ],
)
def test_invariant_19_a_tag_that_keeps_out_ends_with_its_day(key: str, value: str, out: bool) -> None:
    assert bool(keeps_out({key: value}, NOW)) is out


@pytest.mark.parametrize("value", ["true", "12.11.2026", "", "soon"])
def test_what_is_no_day_is_told(value: str) -> None:
    assert f"{value!r} is no day, so it has no end" in keeps_out({EXEMPT_KEY: value}, NOW)


def test_one_tag_in_force_is_enough() -> None:
    assert (
        keeps_out({EXEMPT_KEY: "2020-01-01", HOLD_KEY: "2026-12-01"}, NOW) == "held by tag ledger-hold until 2026-12-01"
    )
    assert keeps_out({EXEMPT_KEY: "2020-01-01", "Ledger-Exempt": "x"}, NOW)


@given(st.text(max_size=30))
def test_any_text_keeps_out_or_has_an_end(value: str) -> None:
    end = end_of(value)
    assert bool(keeps_out({HOLD_KEY: value}, NOW)) is (end is None or end > NOW)
