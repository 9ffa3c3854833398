"""What a machine cost before and after its stop, from the ledger's rows. Pure: SQL texts, and what their rows mean.

A machine's rows are those with its id, without case; Azure's tell its compute, its network and more by ServiceCategory.
Disks and addresses have ids of their own and no row says whose they are: on Azure those of its group that are named
after it are told beside it. AWS's volumes are not. Warehouses are told where the bill is split by warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from governance.places import account_of
from ledger.delivery import Period
from ledger.reconcile import DIGITS

AROUND = 7
DAY = timedelta(days=1)
RATE = Decimal("1e-10")
BESIDE = "named after it"
LONGER = "charged for longer than a day"

_DAY = "CAST(ChargePeriodStart AT TIME ZONE 'UTC' AS DATE)"
_MACHINE = """coalesce(lower(ResourceId) = $id
    OR ($short <> '' AND lower(ResourceId) = $short AND lower(SubAccountId) = $account)
    OR ($warehouse <> '' AND lower(AllocatedResourceName) = $warehouse AND lower(SubAccountName) = $account), false)"""
_ACCOUNT = """($account <> '' AND (lower(SubAccountId) = $account OR ends_with(lower(SubAccountId), '/' || $account)
    OR ($warehouse <> '' AND lower(SubAccountName) = $account)))"""
_NEAR = """($group <> '' AND (starts_with(lower(ResourceId), $group || '/providers/microsoft.compute/')
    OR starts_with(lower(ResourceId), $group || '/providers/microsoft.network/publicipaddresses/')))"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one part cost on one day; several currencies are several costs."""

    day: date
    part: str
    currency: str
    effective: Decimal
    billed: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """The days around a stop: `known` are those of which the ledger has usage of the machine's source.

    `delivered` is when the last delivery of that source came. `on_again` is the day on which somebody started the
    machine, an undo or a person, as far as the record knows.
    """

    stopped: date
    costs: Sequence[Cost] = ()
    known: frozenset[date] = frozenset()
    on_again: date | None = None
    delivered: datetime | None = None

    @property
    def watermark(self) -> date | None:
        return max(self.known, default=None)

    def is_whole(self, day: date) -> bool:
        """With data, and not the newest day, which may lack hours yet."""
        return day in self.known and day != self.watermark

    def is_off(self, day: date) -> bool:
        """For the whole day."""
        return day > self.stopped and (self.on_again is None or day < self.on_again)

    def days(self) -> list[date]:
        return [self.stopped + DAY * step for step in range(-AROUND, AROUND + 1)]

    def parts(self) -> list[tuple[str, str]]:
        """Part and currency, what goes on costing last."""
        return sorted({(one.part, one.currency) for one in self.costs}, key=lambda one: (one[0] == BESIDE, one))

    def average(self, part: str, currency: str, *, after: bool) -> Decimal | None:
        """Effective cost a day over whole days with data; None without any.

        After the stop only days on which it was off count.
        """
        days = [day for day in self.days() if self.is_whole(day)]
        days = [day for day in days if (self.is_off(day) if after else day < self.stopped)]
        found = [
            one.effective for one in self.costs if (one.part, one.currency) == (part, currency) and one.day in days
        ]
        with localcontext(prec=DIGITS):
            return (sum(found, Decimal(0)) / len(days)).quantize(RATE, ROUND_HALF_EVEN) if days else None


def names_of(target: str) -> dict[str, str]:
    """How bills name the machine, all in lower case: the parameters of the queries. Escapes are undone before."""
    low, account = target.lower(), account_of(target).lower()
    names = {"id": low, "account": account, "short": "", "group": "", "warehouse": ""}
    if low.startswith("arn:"):
        return {**names, "short": low.rpartition("/")[2]}
    if low.startswith("snowflake:"):
        return {**names, "account": account.rpartition("-")[2], "warehouse": low.rpartition("/")[2]}
    return {**names, "group": low.partition("/providers/")[0]}


def months(stopped: date) -> tuple[Period, Period]:
    """The first and the last billing period of the days around it."""
    first, last = span(stopped)
    return Period(first.year, first.month), Period(last.year, last.month)


def span(stopped: date) -> tuple[date, date]:
    """The days that are read: a week more than is told, so that the newest of them need not be the newest there is."""
    return stopped - AROUND * DAY, stopped + 2 * AROUND * DAY


def costs_sql(relation: str) -> str:
    """Cost by day, part, resource and currency; parameters are those of names_of, and the days `first` and `last`."""
    return f"""
        SELECT {_DAY}, CASE WHEN ChargePeriodEnd - ChargePeriodStart > INTERVAL 1 DAY THEN '{LONGER}'
                WHEN {_MACHINE} THEN coalesce(ServiceCategory, 'Other') ELSE '{BESIDE}' END AS part,
            CASE WHEN NOT {_MACHINE} THEN lower(ResourceId) ELSE '' END AS near, BillingCurrency,
            sum(EffectiveCost), sum(BilledCost)
        FROM ({relation})
        WHERE ({_MACHINE} OR {_NEAR}) AND {_DAY} BETWEEN $first AND $last
        GROUP BY ALL ORDER BY ALL"""


def known_sql(relation: str) -> str:
    """The days with usage in the sources that bill the machine or its account, each with its source."""
    return f"""
        WITH told AS (SELECT x_SourceName AS source, {_DAY} AS day, ChargeCategory AS category,
                {_MACHINE} AS machine, coalesce({_ACCOUNT}, false) AS account FROM ({relation})),
        sources AS (SELECT source FROM told GROUP BY source HAVING bool_or(machine OR account))
        SELECT DISTINCT day, source FROM told JOIN sources USING (source)
        WHERE category = 'Usage' AND day BETWEEN $first AND $last ORDER BY ALL"""


def bill(target: str, found: Bill, costs: Iterable[Sequence[object]], known: Iterable[Sequence[object]]) -> Bill:
    """The same stop with the rows of both queries."""
    rows = list(costs)
    others = {_named(str(row[2])) for row in rows if "/virtualmachines/" in str(row[2])}
    mine = _named(target.lower())
    kept = [row for row in rows if not row[2] or _is_beside(str(row[2]), mine, others)]
    sums: dict[tuple[date, str, str], tuple[Decimal, Decimal]] = {}
    for day, part, _, currency, effective, billed in kept:
        assert isinstance(day, date)  # as the query gives it
        key = (day, str(part), str(currency))
        before = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (before[0] + _amount(effective), before[1] + _amount(billed))
    days = frozenset(row[0] for row in known if isinstance(row[0], date))
    return replace(found, costs=[Cost(*key, *amounts) for key, amounts in sorted(sums.items())], known=days)


def _is_beside(id: str, mine: str, others: Iterable[str]) -> bool:
    """A disk or an address that is named after this machine, and not after another with a longer name."""
    if "/disks/" not in id and "/publicipaddresses/" not in id:
        return False
    fitting = [name for name in (mine, *others) if _follows(_named(id), name)]
    return bool(fitting) and max(fitting, key=len) == mine


def _follows(name: str, machine: str) -> bool:
    return name == machine or name.startswith((f"{machine}-", f"{machine}_"))


def _named(id: str) -> str:
    return id.rpartition("/")[2]


def _amount(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(0)


def document(found: Bill, target: Mapping[str, object]) -> dict[str, object]:
    """JSON-ready; amounts are decimal strings, null where there is no whole day yet."""
    costs: list[dict[str, object]] = [
        {
            "day": str(one.day),
            "part": one.part,
            "currency": one.currency,
            "effective": _text(one.effective),
            "billed": _text(one.billed),
        }
        for one in found.costs
    ]
    sums: list[dict[str, object]] = [
        {
            "part": part,
            "currency": currency,
            "before": _text(found.average(part, currency, after=False)),
            "after": _text(found.average(part, currency, after=True)),
        }
        for part, currency in found.parts()
    ]
    missing = [str(day) for day in found.days() if day not in found.known]
    return {
        "stopped": str(found.stopped),
        "on_again": str(found.on_again) if found.on_again else None,
        "watermark": str(found.watermark) if found.watermark else None,
        "delivered": found.delivered.isoformat() if found.delivered else None,
        "days": costs,
        "not_in_the_cost_data": missing,
        "a_day": sums,
        "expected_saving": {"per_hour": target.get("saves"), "currency": target.get("currency", "")},
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount.normalize(), "f")
