"""The real clock, for tests of a program that reads it itself, and the months that a timer asks for by it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

from governance import period
from ingest.plan import SILENT, months_to_ask
from ledger.delivery import Period

LONGEST = timedelta(seconds=75)  # that a test goes on after it has asked; to wait and to go on it has 180
WATCHED = 70  # days, so that two months are due on whichever day


def one_day() -> datetime:
    """Now, on a day (UTC) that goes on for as long as a test does: shortly before midnight the next one is waited for.

    So it is where alerts begin to be of one month alone. What is written on one day and read on the next is tested with
    a `now` of the test's own, not by luck.
    """
    while _marks(now := datetime.now(UTC)) != _marks(now + LONGEST):
        time.sleep(1)
    return now


def closed_month() -> Period:
    """The newest one that is over. It stays so while the tests run, and services that keep a year still have it."""
    now = datetime.now(UTC)
    return Period(now.year, now.month).before()


def months_due(silent: timedelta = SILENT) -> tuple[Period, Period]:
    """The newest two months that a timer asks for today where the source is watched for WATCHED days.

    In a month's first days the open one is not among them.
    """
    older, newer = months_to_ask(one_day(), WATCHED, None, silent=silent)[-2:]
    return older, newer


def _marks(at: datetime) -> tuple[date, str]:
    return at.date(), period.of(at)
