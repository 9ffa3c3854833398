"""The ledger's daily costs against totals that a provider tells by another way. Pure.

A row that the ledger books on a day must be told on that day: both go by the start of what was charged, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from ledger.delivery import Period
from ledger.reconcile import total

WHOLE_DAY = ""  # in place of a service: all of them together
TAX = "Tax"
DAY = "CAST(timezone('UTC', ChargePeriodStart) AS DATE)"


@dataclass(frozen=True, slots=True, order=True)
class DayCost:
    """What a service cost on a day; `estimated` while the provider may still change it."""

    currency: str
    day: date
    service: str
    amount: Decimal
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of the ledger's costs and what the provider calls the same; `basis` is what the costs have to be of."""

    column: str
    asked: str
    basis: str = ""


class IndependentTotals(Protocol):
    """A provider's own totals of one source. Faults: Transient, Missing, Rejected.

    `provider` is what the ledger's rows call it, `service` their column whose names the provider also uses, `price`
    what a request costs, `requests` how many were made.
    """

    name: str
    provider: str
    service: str
    price: str

    @property
    def requests(self) -> int: ...

    def untold(self, period: Period) -> str:
        """Why the provider cannot be asked for that month; empty where it can."""

    def days(self, period: Period) -> tuple[date, date]:
        """The first day, and the day after the last, that it is asked for."""

    def measures(self, period: Period, /) -> Sequence[Measure]: ...

    def daily(self, measure: Measure, days: tuple[date, date]) -> Iterable[DayCost]: ...

    def names(self, ledger: Sequence[DayCost], other: Sequence[DayCost], /) -> Mapping[str, str]:
        """Services that one side calls otherwise or splits, each with the name both are compared under."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Rows of the billing month on days that are not asked for, or of other billing months on days that are."""

    currency: str
    of_month: bool
    rows: int
    amount: Decimal

    def __str__(self) -> str:
        of = "this billing month on other days: not compared" if self.of_month else "other billing months: compared too"
        return f"{self.rows} rows of {of} ({self.currency} {self.amount:f})"

    def as_json(self) -> dict[str, object]:
        where = "other days of this billing month" if self.of_month else "these days of other billing months"
        return {"currency": self.currency, "what": where, "rows": self.rows, "amount": f"{self.amount:f}"}


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A (currency, day, service) on which the two disagree; WHOLE_DAY stands for all services of the day."""

    currency: str
    day: date
    service: str
    ledger: Decimal
    other: Decimal
    estimated: bool

    @property
    def difference(self) -> Decimal:
        return total((self.ledger, self.other.copy_negate()))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides' totals per currency, how many cells were compared, and where they differ by more than `tolerance`."""

    ledger: Mapping[str, Decimal]
    other: Mapping[str, Decimal]
    compared: int
    gaps: tuple[Gap, ...]
    tolerance: Decimal

    @property
    def settled(self) -> tuple[Gap, ...]:
        """Gaps on days that the provider no longer changes: these are faults, the others may close by themselves."""
        return tuple(gap for gap in self.gaps if not gap.estimated)

    def as_json(self) -> dict[str, object]:
        totals = {"ledger": _texts(self.ledger), "independent": _texts(self.other)}
        gaps = [
            {"currency": gap.currency, "day": gap.day.isoformat(), "service": gap.service or None}
            | {"ledger": f"{gap.ledger:f}", "independent": f"{gap.other:f}", "difference": f"{gap.difference:f}"}
            | {"estimated": gap.estimated}
            for gap in self.gaps
        ]
        return {"totals": totals, "compared": self.compared, "tolerance": f"{self.tolerance:f}", "differences": gaps}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A month's comparison of one column of costs: with whose metric, after how many requests of which price."""

    period: str
    measure: Measure
    teller: str
    price: str
    requests: int
    comparison: Comparison
    outside: tuple[Outside, ...] = ()

    def as_json(self) -> dict[str, object]:
        head = {"period": self.period, "teller": self.teller, "cost": self.measure.column, "metric": self.measure.asked}
        outside = [one.as_json() for one in self.outside]
        return {**head, "requests": self.requests, **self.comparison.as_json(), "outside": outside}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not compared; `unknown` where the provider should have told and did not: no sign that all agrees."""

    period: str
    reason: str
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.period}: {self.reason}"


def compare(
    ledger: Sequence[DayCost], other: Sequence[DayCost], names: Mapping[str, str], tolerance: Decimal
) -> Comparison:
    """Per service and day, and per day: a name can neither hide nor make up a difference of the day.

    `names` are services that one side calls otherwise or splits, each with the name both are compared under.
    """
    ours, theirs = _cells(ledger, names), _cells(other, names)
    open_days = {(cost.currency, cost.day) for cost in other if cost.estimated}
    keys = sorted({*ours, *theirs})
    gaps = [
        Gap(*key, ours.get(key, Decimal(0)), theirs.get(key, Decimal(0)), (key[0], key[1]) in open_days) for key in keys
    ]
    found = tuple(gap for gap in gaps if abs(gap.difference) > tolerance)
    return Comparison(_totals(ledger), _totals(other), len(keys), found, tolerance)


def daily_sql(relation: str, provider: str, column: str, service: str) -> str:
    """Rows of DayCost without the mark, from (first day, day after the last, source or '') as parameters."""
    named = f"CASE WHEN ChargeCategory = '{TAX}' THEN '{TAX}' ELSE {service} END"
    return f"""SELECT BillingCurrency, {DAY} AS day, {named} AS service, sum({column})
        FROM ({relation}) WHERE {_of(provider, "$3")} AND {DAY} >= $1 AND {DAY} < $2
        GROUP BY ALL ORDER BY ALL"""


def outside_sql(relation: str, provider: str, column: str) -> str:
    """Rows of Outside, from (first day, day after the last, source or '', billing month) as parameters."""
    return f"""SELECT BillingCurrency, x_BillingPeriod = $4 AS of_month, count(*), sum({column})
        FROM ({relation}) WHERE {_of(provider, "$3")}
        AND (x_BillingPeriod = $4) <> ({DAY} >= $1 AND {DAY} < $2) GROUP BY ALL ORDER BY ALL"""


def bases_sql(relation: str, provider: str) -> str:
    """What the effective costs of a billing month are of, from (source or '', billing month) as parameters."""
    return f"""SELECT DISTINCT x_EffectiveCostBasis FROM ({relation})
        WHERE {_of(provider, "$1")} AND x_BillingPeriod = $2"""


def months_sql(relation: str, provider: str) -> str:
    """Billing months of the provider's rows, oldest first, from (source or '') as parameter."""
    return f"""SELECT DISTINCT x_BillingPeriod FROM ({relation}) WHERE {_of(provider, "$1")} ORDER BY 1"""


def _of(provider: str, source: str) -> str:
    return f"x_Provider = '{provider}' AND {source} IN ('', x_SourceName)"


def _cells(costs: Iterable[DayCost], names: Mapping[str, str]) -> dict[tuple[str, date, str], Decimal]:
    sums: dict[tuple[str, date, str], Decimal] = {}
    for cost in costs:
        for key in _keys(cost, names):
            sums[key] = total((sums.get(key, Decimal(0)), cost.amount))
    return sums


def _keys(cost: DayCost, names: Mapping[str, str]) -> Iterator[tuple[str, date, str]]:
    yield cost.currency, cost.day, names.get(cost.service, cost.service)
    yield cost.currency, cost.day, WHOLE_DAY


def _totals(costs: Iterable[DayCost]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for cost in costs:
        sums[cost.currency] = total((sums.get(cost.currency, Decimal(0)), cost.amount))
    return sums


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in sorted(amounts.items())}
