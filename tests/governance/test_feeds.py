"""Invariant 21: cost data that stays away is a state, told once for each gap, and is nobody's zero."""

from __future__ import annotations

from datetime import timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.folder import FolderStore
from governance import feeds, streams
from governance.record import Record
from tests.governance.scene import NOW

LIMIT, HOUR = timedelta(hours=36), timedelta(hours=1)
SOURCE = ("aws-bill",)


def kinds(record: Record) -> list[str]:
    return [event.kind for stream in record.streams("feeds/") for event in record.events(stream)]


def test_invariant_21_a_feed_that_is_frozen_is_told_once(record: Record) -> None:
    feeds.delivered(record, "aws-bill", "2026-11", "a" * 64, NOW)
    assert feeds.check(record, SOURCE, LIMIT, NOW + LIMIT) == []
    (event,) = feeds.check(record, SOURCE, LIMIT, NOW + LIMIT + HOUR)
    assert (event.kind, event.body["source"], event.body["hours"]) == (feeds.STALE, "aws-bill", 36)
    for hours in (38, 60, 200):
        assert feeds.check(record, SOURCE, LIMIT, NOW + hours * HOUR) == []


def test_invariant_21_the_state_is_shown_until_data_comes(record: Record) -> None:
    feeds.delivered(record, "aws-bill", "2026-11", "a" * 64, NOW)
    for hours, stale in ((1, False), (37, True), (100, True)):
        (one,) = feeds.feeds(record, SOURCE, LIMIT, NOW + hours * HOUR)
        assert (one.stale, one.since, "STALE" in one.line()) == (stale, NOW, stale)
    feeds.delivered(record, "aws-bill", "2026-11", "b" * 64, NOW + 101 * HOUR)
    (one,) = feeds.feeds(record, SOURCE, LIMIT, NOW + 102 * HOUR)
    assert not one.stale
    assert len(feeds.check(record, SOURCE, LIMIT, NOW + 200 * HOUR)) == 1


def test_invariant_21_data_that_never_came_is_missed_as_well(record: Record) -> None:
    assert feeds.check(record, SOURCE, LIMIT, NOW) == []
    assert kinds(record) == [feeds.AWAITED]
    (event,) = feeds.check(record, SOURCE, LIMIT, NOW + LIMIT + HOUR)
    assert event.body["ever"] is False
    assert "nothing delivered" in feeds.feeds(record, SOURCE, LIMIT, NOW)[0].line()


def test_the_same_delivery_again_is_no_news(record: Record) -> None:
    for hours in (0, 10, 20, 24 * 14):
        feeds.delivered(record, "aws-bill", "2026-11", "a" * 64, NOW + hours * HOUR)
    assert kinds(record) == [feeds.DELIVERED]


def test_one_that_is_late_does_not_speak_for_another(record: Record) -> None:
    feeds.delivered(record, "azure", "2026-11", "a" * 64, NOW + LIMIT)
    feeds.delivered(record, "aws-bill", "2026-11", "a" * 64, NOW)
    (event,) = feeds.check(record, ("azure", "aws-bill"), LIMIT, NOW + LIMIT + HOUR)
    assert event.body["source"] == "aws-bill"


def test_nothing_is_stale_where_that_is_switched_off(record: Record) -> None:
    assert feeds.check(record, SOURCE, timedelta(), NOW + 1000 * HOUR) == []
    assert kinds(record) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_law_each_gap_longer_than_the_limit_is_told_once_however_often_one_looks(gaps: list[int]) -> None:
    with TemporaryDirectory() as folder:
        record, now, told = Record(FolderStore(folder)), NOW, 0
        for number, gap in enumerate(gaps):
            feeds.delivered(record, "aws-bill", "2026-11", str(number), now)
            for hours in range(0, gap + 1, 12):
                told += len(feeds.check(record, SOURCE, LIMIT, now + hours * HOUR))
            told += len(feeds.check(record, SOURCE, LIMIT, now + gap * HOUR))
            now += gap * HOUR
        assert told == sum(gap > 36 for gap in gaps)


def test_its_streams_are_no_runs(record: Record) -> None:
    feeds.check(record, SOURCE, LIMIT, NOW)
    assert record.streams("alerts/") == []
    assert not streams.is_drill(record.streams("feeds/")[0])


@pytest.mark.parametrize("days", [1, 20])
def test_the_turn_of_a_month_hides_no_gap(record: Record, days: int) -> None:
    last = NOW.replace(month=11, day=30)
    feeds.delivered(record, "aws-bill", "2026-11", "a", last)
    assert len(feeds.check(record, SOURCE, HOUR, last + timedelta(days=days))) == 1
