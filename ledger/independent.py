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


@dataclass(frozen=True, slots=True, order=True)
class DayCost:
    """What a service cost on a day; `estimated` while the provider may still change it."""

    currency: str
    day: date
    service: str
    amount: Decimal
    estimated: bool = False


class IndependentTotals(Protocol):
    """A provider's own totals. Faults: Transient, Rejected."""

    def daily(self, period: Period) -> Iterable[DayCost]: ...


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
    """A month's comparison, by which of the provider's metrics, after how many paid requests."""

    period: str
    metric: str
    requests: int
    comparison: Comparison

    def as_json(self) -> dict[str, object]:
        head = {"period": self.period, "metric": self.metric, "requests": self.requests}
        return {**head, **self.comparison.as_json()}


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


def daily_sql(relation: str, provider: str) -> str:
    """Rows of DayCost without the mark, from (first day, day after the last, source or '') as parameters."""
    day = "CAST(timezone('UTC', ChargePeriodStart) AS DATE)"
    service = f"CASE WHEN ChargeCategory = '{TAX}' THEN '{TAX}' ELSE ServiceName END"
    return f"""SELECT BillingCurrency, {day} AS day, {service} AS service, sum(BilledCost)
        FROM ({relation}) WHERE x_Provider = '{provider}' AND {day} >= $1 AND {day} < $2 AND $3 IN ('', x_SourceName)
        GROUP BY ALL ORDER BY ALL"""


def months_sql(relation: str, provider: str) -> str:
    """Billing months of the provider's rows, oldest first, from (source or '') as parameter."""
    return f"""SELECT DISTINCT x_BillingPeriod FROM ({relation})
        WHERE x_Provider = '{provider}' AND $1 IN ('', x_SourceName) ORDER BY 1"""


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
