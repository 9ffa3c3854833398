"""The estimate at work in a plan: when a notice ends, what is told of stale data, and that unknown changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from governance import feeds
from governance.receipt import receipt
from governance.record import Record
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import NOW, machine, payload
from tests.house.source import ROOT


def spending(amount: str, at: datetime = NOW) -> bytes:
    return payload("common-actual", SpentAmount=amount, firedDateTime=at.isoformat())


def test_invariant_26_a_notice_is_cut_short_to_when_the_cap_would_break_first(record: Record) -> None:
    """0.91 of 1.00 in 256 hours of data that are a day old: 1.00 is reached 25 hours and some after these."""
    breaks = NOW - timedelta(days=1) + (NOW - timedelta(days=1) - datetime(2026, 11, 1, tzinfo=UTC)) * 9 / 91
    world = Guarded(record, under(rule(notice=4 * HOUR)), machine("a"), body=spending("$0.91"))
    (later,) = world.plan()
    assert timedelta() < later.delay < 4 * HOUR
    assert abs(later.delay - (breaks - NOW)) < timedelta(milliseconds=1)
    assert datetime.fromisoformat(world.last("due")) == datetime.fromisoformat(world.last("estimate")["breaks_at"])
    assert world.last("full_notice") == (NOW + 4 * HOUR).isoformat()
    assert world.plan(later.delay - timedelta(minutes=1))[0].delay == timedelta(minutes=1)
    assert world.fleet.stops == []
    world.carry_out(world.plan(timedelta(minutes=1)))
    assert world.fleet.stops == [machine("a").id]
    assert "the cap would break first" in "\n".join(receipt(record, world.run))


def test_invariant_26_over_a_broken_cap_owners_are_told_and_nothing_waits(record: Record) -> None:
    world = Guarded(record, under(rule(notice=4 * HOUR)), machine("a"), body=spending("$1.00"))
    (at_once,) = world.plan()
    assert (at_once.delay, world.kinds()) == (timedelta(), ["notice-given"])
    world.carry_out(world.plan())
    assert world.fleet.stops == [machine("a").id]


def test_invariant_26_without_an_estimate_the_notice_is_whole(record: Record) -> None:
    """Of the second of a month nobody knows whether it tells of that month."""
    second = datetime(2026, 11, 2, 12, tzinfo=UTC)
    budget = under(rule(notice=4 * HOUR))
    world = Guarded(record, budget, machine("a"), body=spending("$0.99", second), now=second)
    (later,) = world.plan()
    assert later.delay == 4 * HOUR
    assert "spend: no estimate" in "\n".join(receipt(record, world.run))


def test_invariant_26_a_forecast_shortens_no_notice(record: Record) -> None:
    budget = under(rule(notice=4 * HOUR, alerts=("forecast",)))
    body = payload("common-forecast", firedDateTime=NOW.isoformat())
    world = Guarded(record, budget, machine("a"), body=body)
    assert world.plan()[0].delay == 4 * HOUR
    assert world.last("estimate")["low"] is None


def test_invariant_21_a_feed_frozen_for_36_hours_is_told_in_the_plan_and_cuts_the_notice(record: Record) -> None:
    """The same alert as with fresh data, where the whole notice is waited; never taken for nothing spent."""
    budget = replace(under(rule(notice=4 * HOUR)), feed="azure", stale_after=35 * HOUR)
    feeds.delivered(record, "azure", "2026-11", "a" * 64, NOW - 36 * HOUR)
    world = Guarded(record, budget, machine("a"), body=spending("$0.90"))
    assert world.plan()[0].delay == timedelta()
    found = world.last("estimate")
    assert (found["low"], found["covers_until"]) == ("0.90", (NOW - 36 * HOUR).isoformat())
    assert "STALE" in found["stale"]
    assert "spend: STALE, the estimate is widened" in "\n".join(receipt(record, world.run))


def test_invariant_21_the_same_with_a_feed_that_delivers_waits_its_time(record: Record) -> None:
    budget = replace(under(rule(notice=4 * HOUR)), feed="azure", stale_after=35 * HOUR)
    feeds.delivered(record, "azure", "2026-11", "a" * 64, NOW - HOUR)
    world = Guarded(record, budget, machine("a"), body=spending("$0.90"))
    assert world.plan()[0].delay == 4 * HOUR
    assert world.last("estimate")["stale"] == ""
    assert "STALE" not in "\n".join(receipt(record, world.run))


def test_the_receipt_tells_the_estimate_as_the_page_shows_it(record: Record) -> None:
    world = Guarded(record, under(rule()), machine("a"))
    world.plan()
    page = (ROOT / "docs/stop-machines.md").read_text(encoding="utf-8")
    (line,) = (one for one in receipt(record, world.run) if "spend:" in one)
    assert line.strip() in page
