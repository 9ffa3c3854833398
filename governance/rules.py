"""What ledger.toml says about stopping: rules, what they wait for, ceilings, and what no rule overrides. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from governance.model import Machine

STOP, NOTICE, SPARE = "stop", "notice", "spare"
ACTIONS = (STOP, NOTICE, SPARE)
KINDS = ("azure_vm", "azure_vmss", "aws_ec2", "snowflake_warehouse")
ALERT_KINDS = ("actual", "forecast")
BUILT_IN = "default"
COOL_OFF_HOURS = 4
_NEVER_AGAIN = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class Hours:
    """Days (0 is Monday) and wall-clock times of a zone in which a stop may begin; past midnight when opens > closes.

    A window belongs to the day on which it opens. Equal times mean the whole day.
    """

    zone: str
    days: tuple[int, ...]
    opens: time
    closes: time

    def is_open(self, now: datetime) -> bool:
        return any(start <= now < end for start, end in self._windows(now))

    def next_opening(self, now: datetime) -> datetime | None:
        """`now` when it is open; the next start otherwise, in UTC; None when no day is named."""
        if self.is_open(now):
            return now
        return min((start for start, _ in self._windows(now) if start > now), default=None)

    def _windows(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """From yesterday's, which may reach into today, to next week's; compared in UTC, where no hour comes twice."""
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        dates = [day for day in (today + timedelta(days=step) for step in range(-1, 9)) if day.weekday() in self.days]
        overnight = timedelta(days=self.opens >= self.closes)
        return [
            (
                datetime.combine(day, self.opens, zone).astimezone(UTC),
                _earlier(datetime.combine(day + overnight, self.closes, zone)),
            )
            for day in dates
        ]


def _earlier(wall: datetime) -> datetime:
    """Of the two instants that a wall clock's time means when it is told twice, or skipped."""
    return min(wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC))


def opening(windows: Sequence[Hours], now: datetime) -> datetime | None:
    """The first instant from now on at which all windows are open; None when there is none within two weeks."""
    moment = now
    while moment - now < _NEVER_AGAIN:
        starts = [one.next_opening(moment) for one in windows]
        latest = max((start or moment + _NEVER_AGAIN for start in starts), default=moment)
        if latest == moment:
            return moment
        moment = latest
    return None


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The most that one run, and all runs of a UTC day, may stop; None is no such ceiling.

    `percent` is a share above 0 of the machines the scope lists; whatever it comes to, it leaves room for one. Money
    is per hour in `currency`, the budget's where that is blank.
    """

    count: int | None = None
    percent: Decimal | None = None
    per_hour: Decimal | None = None
    day_count: int | None = None
    day_percent: Decimal | None = None
    day_per_hour: Decimal | None = None
    currency: str = ""


NO_CEILINGS = Ceilings()
# A belt that is off until somebody thinks of it is no belt.
DEFAULT_CEILINGS = Ceilings(count=25, day_count=50)


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule: which alerts of which budgets lead to which action on which machines, and what a stop waits for.

    A blank filter passes every machine that is opted in; the opt-in itself is never waived. `spare` holds at every
    alert. `approval` is how long an approval may be given, `notice` how long owners are warned, `cool_off` how long a
    machine is left alone that was started again after a stop; none when zero.
    """

    name: str
    budgets: tuple[str, ...]
    threshold: Decimal = Decimal("0.8")
    alerts: tuple[str, ...] = ("actual",)
    action: str = STOP
    kinds: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    environments: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    hours: Hours | None = None
    notice: timedelta = timedelta()
    approval: timedelta = timedelta()
    ceilings: Ceilings = NO_CEILINGS
    cool_off: timedelta = timedelta(hours=COOL_OFF_HOURS)


@dataclass(frozen=True, slots=True)
class Stages:
    """How an undo starts machines: `batch` at a time, `pause` between, and of runs no older than `age` at all."""

    batch: int = 5
    pause: timedelta = timedelta(minutes=5)
    age: timedelta = timedelta(days=7)


DEFAULT_STAGES = Stages()


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What holds for every budget. `protected` are ids, lower case, and all below them."""

    protected: tuple[str, ...] = ()
    ceilings: Ceilings = DEFAULT_CEILINGS
    paused: bool = False
    undo: Stages = DEFAULT_STAGES


DEFAULT_SAFEGUARDS = Safeguards()


@dataclass(frozen=True, slots=True)
class Price:
    """What a machine costs an hour while it is on; None when nobody knows. `source` says where it is from."""

    per_hour: Decimal | None
    currency: str
    source: str


NO_PRICE = Price(None, "", "unknown: no price was looked up")


class Prices(Protocol):
    """Prices of machines. Never raises and never takes long: a price is told beside a decision, not needed for it."""

    def of(self, machines: Sequence[Machine], currency: str, now: datetime, /) -> Mapping[str, Price]:
        """By machine id; what is not in it is unknown."""


class NoPrices:
    """Every price is unknown."""

    def of(self, _machines: Sequence[Machine], _currency: str, _now: datetime, /) -> Mapping[str, Price]:
        return {}


NO_PRICES: Prices = NoPrices()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan has to wait for: the strictest of the rules that picked its targets."""

    approval: timedelta
    notice: timedelta
    hours: tuple[Hours, ...]


def terms(policies: Iterable[Policy]) -> Terms:
    chosen = list(policies)
    windows = dict.fromkeys(one.hours for one in chosen if one.hours)
    return Terms(
        approval=min((one.approval for one in chosen if one.approval), default=timedelta()),
        notice=max((one.notice for one in chosen), default=timedelta()),
        hours=tuple(windows),
    )
