"""What was probably spent by now, from the last alert that told an amount and from how old its data are. Pure.

low is what was told. mid adds the month's own rate (told amount by the hours that its data cover) for the hours since,
high adds twice that: the older the data, the wider the two lie apart. What is not known is None, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal, localcontext

from governance.feeds import Feed
from governance.model import Alert
from governance.period import begins, ends

# Azure has the costs of an hour 8 to 24 hours later; the longest is taken, as no alert says up to when its data reach.
DELAY = timedelta(hours=24)
# A rate from less than a day of data would take one busy hour for a month.
FIRST = timedelta(hours=24)
WIDENED = 2
_TICK = timedelta(microseconds=1)
_HOUR = Decimal(timedelta(hours=1) // _TICK)
_DIGITS = 60  # DECIMAL(38,24) times the microseconds of a month
_SCALE = Decimal(1).scaleb(-24)

NOBODY = "no alert of this month has told what was spent"
FORECAST = "the amount of a forecast is not what was spent"
NOTHING = "nothing was spent, and from nothing there is no rate"
TOO_EARLY = f"the data cover less than {FIRST // timedelta(hours=1)} hours of the month"


@dataclass(frozen=True, slots=True)
class Estimate:
    """`rate` is per hour. `breaks_at` is when mid reaches the limit, or reached it; None: not within the month, or not
    known. `covers_until` is up to when the data reach at best. `unknown` says why nothing is projected, `stale` that
    the cost data of the budget stay away; each is blank where it is not so.
    """

    low: Decimal | None = None
    mid: Decimal | None = None
    high: Decimal | None = None
    currency: str = ""
    rate: Decimal | None = None
    covers_until: datetime | None = None
    breaks_at: datetime | None = None
    unknown: str = ""
    stale: str = ""


def estimate(alert: Alert | None, told: datetime | None, limit: Decimal, feed: Feed | None, now: datetime) -> Estimate:
    """`told` is when the alert fired, or came where it does not say; `feed` that of the budget, where one is named."""
    stale = feed.line() if feed and feed.stale else ""
    if alert is None or told is None:
        return Estimate(unknown=NOBODY, stale=stale)
    if alert.kind != "actual":
        return Estimate(currency=alert.currency, unknown=FORECAST, stale=stale)
    start, end = begins(alert.period), ends(alert.period)
    until = covers_until(told, feed)
    broken = max(until, start) if alert.spent >= limit else None
    if why := _unknown(alert.spent, until - start):
        return Estimate(alert.spent, None, None, alert.currency, None, until, broken, why, stale)
    with localcontext(prec=_DIGITS):
        rate = alert.spent / Decimal((until - start) // _TICK)
        since = rate * Decimal(max(min(now, end) - until, timedelta()) // _TICK)
        breaks = broken or _reached((limit - alert.spent) / rate, until, end)
        mid, high, hourly = (
            one.quantize(_SCALE) for one in (alert.spent + since, alert.spent + WIDENED * since, rate * _HOUR)
        )
        return Estimate(alert.spent, mid, high, alert.currency, hourly, until, breaks, stale=stale)


def covers_until(told: datetime, feed: Feed | None) -> datetime:
    """A delivery makes the data no younger, as it does not say up to when it reaches; one that is missing, older."""
    reach = told - DELAY
    return min(reach, feed.since) if feed and feed.since else reach


def acts_from(now: datetime, notice: timedelta, breaks_at: datetime | None) -> datetime:
    """The end of a notice that begins now; cut short to when the cap would break, and never before now."""
    full = now + notice
    return max(now, min(full, breaks_at)) if breaks_at else full


def _unknown(spent: Decimal, covered: timedelta) -> str:
    if spent <= 0:
        return NOTHING
    return TOO_EARLY if covered < FIRST else ""


def _reached(ticks: Decimal, until: datetime, end: datetime) -> datetime | None:
    whole = ticks.to_integral_value(ROUND_CEILING)
    return until + int(whole) * _TICK if whole < (end - until) // _TICK else None
