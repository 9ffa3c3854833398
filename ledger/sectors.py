"""Which days of delivered data are complete: what Recency tells about the charge period axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from focus.metadata import Sector
from ledger.delivery import Period

# AWS, the slowest, goes on changing a closed month for about two weeks; Azure and Snowflake are done earlier.
SETTLED_AFTER = timedelta(days=14)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """What is delivered of one billing period: its rows' charge periods lie in [first, last)."""

    period: Period
    first: datetime
    last: datetime
    written: datetime

    def covers(self, day: datetime) -> bool:
        return _midnight(self.first) <= day < self.last

    def settled(self, after: timedelta) -> bool:
        """Whether it was written when its provider no longer changes that billing period."""
        return self.written >= self.period.end + after


def sectors(held: Sequence[Held], settled_after: timedelta = SETTLED_AFTER) -> tuple[Sector, ...]:
    """One sector per UTC day that the delivered rows span.

    A day is complete when its own month is delivered and settled, and so is every other billing period with rows on
    that day. It was last updated when the newest of those was written, whether or not rows of that day differed.
    """
    days = sorted({day for one in held for day in _days(one)})
    return tuple(_sector(day, held, settled_after) for day in days)


def _sector(day: datetime, held: Sequence[Held], settled_after: timedelta) -> Sector:
    touching = [one for one in held if one.covers(day)]
    own = [one for one in held if one.period == Period(day.year, day.month)]
    complete = bool(own) and all(one.settled(settled_after) for one in [*own, *touching])
    return Sector(day, day + DAY, complete, max(one.written for one in touching))


def _days(one: Held) -> list[datetime]:
    first = _midnight(one.first)
    return [first + DAY * number for number in range(-((first - one.last) // DAY))]


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
