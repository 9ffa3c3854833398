"""Which month an alert's money is of, as far as anybody can tell. Pure; written `2026-11`, or `2026-11/2026-12`.

Azure has costs 8 to 24 hours late, evaluates a budget about once a day and then sends: an alert of a month's first 49
hours may tell what was spent in the month before. Its form does not say. Spending of a month only grows, so one that
tells less than that month's alerts told already is of the new month; any other may be of either. Such an alert is a
case of its own: it acts, as a new month's budget may be used up on its first day, but it neither uses up the one effect
of a threshold in the new month, nor counts as spent in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

LATE = timedelta(hours=49)
_EITHER = "/"


def of(fired: datetime) -> str:
    """The month in which it fired, behind the one before while alerts of that may still come."""
    at = fired.astimezone(UTC)
    before = month(at - LATE)
    return month(at) if before == month(at) else before + _EITHER + month(at)


def month(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m}"


def earlier(period: str) -> str:
    """The month before, of an alert that may be of that; else blank."""
    return period.partition(_EITHER)[0] if _EITHER in period else ""


def later(period: str) -> str:
    return period.rpartition(_EITHER)[2]


def settled(period: str, spent: Decimal, told: Decimal | None) -> str:
    """`told` is the most that alerts of the earlier month told; None when there was none."""
    return later(period) if told is not None and told > spent else period


def ends(period: str) -> datetime:
    year, number = (int(part) for part in later(period).split("-"))
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def begins(period: str) -> datetime:
    return datetime.fromisoformat(f"{later(period)}-01T00:00:00+00:00")
