"""What contracts tell and what was drawn from them, as the ledger's two tables hold it. Pure but for SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ledger.delivery import Period
from ledger.reconcile import total

CAPACITY, FREE = "capacity", "free usage"
PREPAID = (CAPACITY, FREE, "rollover")  # balances that a contract keeps, as its lines name them
_DAY = "CAST(ChargePeriodStart AT TIME ZONE 'UTC' AS DATE)"
# Read straight into decimals: as a text, or by a path expression, a number of JSON would pass through a double.
_TEXTS = ("ContractId", "ContractCommitmentId", "ContractCommitmentAppliedUnit", "x_BalanceSource")
_AMOUNTS = ("ContractCommitmentAppliedCost", "ContractCommitmentAppliedQuantity", "x_ContractCommitCostBalance")
_KEYS = {**dict.fromkeys(_TEXTS, "VARCHAR"), **dict.fromkeys(_AMOUNTS, "DECIMAL(38,24)")}
_ELEMENTS = json.dumps({"Elements": [_KEYS]})


@dataclass(frozen=True, slots=True)
class Term:
    """A commitment: money, or a quantity of a unit; `first` and `last` are days. None where the bill does not tell.

    `is_item` where a contract is told item by item, which is paid in advance and keeps a balance; `is_counted` where it
    is a quantity, of whatever unit.
    """

    source: str
    contract: str
    id: str
    type: str
    currency: str
    unit: str
    amount: Decimal | None
    first: date | None
    last: date | None
    is_item: bool
    is_counted: bool = False

    @property
    def kind(self) -> str:
        """The balance it is part of; '' where it is none: what an hour leaves unused of it is gone."""
        name = self.type.lower()
        return "" if not self.is_item else FREE if "free" in name else CAPACITY if CAPACITY in name else name


@dataclass(frozen=True, slots=True)
class Draw:
    """What the lines of a day take of a commitment; `balance` is what the provider says was left at the day's end.

    `commitment` is empty where the lines name only what balance of the contract they were paid from.
    """

    contract: str
    commitment: str
    kind: str
    currency: str
    day: date
    money: Decimal
    quantity: Decimal
    balance: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """The days of a source that the ledger has lines of, in order, and the billing months it holds."""

    days: tuple[date, ...]
    months: frozenset[Period]


@dataclass(frozen=True, slots=True)
class Pool:
    """Commitments of one balance: items of a contract that are drawn on together, or one that stands alone."""

    terms: tuple[Term, ...]
    draws: tuple[Draw, ...] = ()

    @property
    def first(self) -> date | None:
        return min((term.first for term in self.terms if term.first), default=None)

    @property
    def last(self) -> date | None:
        return max((term.last for term in self.terms if term.last), default=None)

    @property
    def amount(self) -> Decimal | None:
        amounts = [term.amount for term in self.terms if term.amount is not None]
        return total(amounts) if len(amounts) == len(self.terms) else None

    @property
    def is_counted(self) -> bool:
        return self.terms[0].is_counted or bool(self.terms[0].unit)

    @property
    def unit(self) -> str:
        """What it is counted in: its own unit, else that of all that was drawn from it; '' where neither tells."""
        if self.terms[0].unit or not self.is_counted:
            return self.terms[0].unit or self.terms[0].currency
        units = {one.unit for one in self.draws}
        return units.pop() if len(units) == 1 else ""

    def taken(self, draws: Iterable[Draw]) -> Decimal:
        return total(one.quantity if self.is_counted else one.money for one in draws)

    @property
    def used(self) -> Decimal | None:
        """None of a quantity in no unit that is known, or in several."""
        return self.taken(self.draws) if self.unit else None


def terms_sql(commitments: str) -> str:
    """Rows of Term: of a contract told item by item its newest telling, of any other commitment its newest row."""
    return f"""
        WITH told AS (
            SELECT *, max(x_ContractModified) OVER (PARTITION BY x_SourceName, x_BillingPeriod, ContractId) AS changed
            FROM ({commitments})
        )
        SELECT x_SourceName, ContractId, ContractCommitmentId, ContractCommitmentType, coalesce(BillingCurrency, ''),
            coalesce(ContractCommitmentUnit, ''),
            CASE WHEN ContractCommitmentCategory = 'Usage' THEN ContractCommitmentQuantity
                ELSE ContractCommitmentCost END,
            CAST(ContractCommitmentPeriodStart AT TIME ZONE 'UTC' AS DATE),
            CAST((ContractCommitmentPeriodEnd - INTERVAL 1 SECOND) AT TIME ZONE 'UTC' AS DATE),
            x_Organization IS NOT NULL, coalesce(ContractCommitmentCategory = 'Usage', false)
        FROM told
        QUALIFY CASE
            WHEN x_Organization IS NULL THEN row_number() OVER (
                PARTITION BY ContractCommitmentId
                ORDER BY ContractCommitmentPeriodStart IS NULL, x_BillingPeriod DESC, x_SourceName
            )
            ELSE rank() OVER (
                PARTITION BY ContractId
                ORDER BY changed DESC NULLS LAST, x_BillingPeriod DESC, x_SourceName
            )
        END = 1
        ORDER BY ALL"""


def draws_sql(relation: str) -> str:
    """Rows of Draw, from the last day as parameter: elements of ContractApplied, and lines paid from a balance."""
    paid_from = "lower(replace(trim(x_Operation), '_', ' '))"
    return f"""
        WITH element AS (
            SELECT BillingCurrency, {_DAY} AS day, unnest(json_transform(ContractApplied, '{_ELEMENTS}').Elements) AS e
            FROM ({relation}) WHERE ContractApplied IS NOT NULL AND {_DAY} <= $1
        )
        SELECT coalesce(e.ContractId, ''), coalesce(e.ContractCommitmentId, ''),
            lower(replace(coalesce(e.x_BalanceSource, ''), '_', ' ')), BillingCurrency, day,
            coalesce(sum(e.ContractCommitmentAppliedCost), 0), coalesce(sum(e.ContractCommitmentAppliedQuantity), 0),
            min(e.x_ContractCommitCostBalance), coalesce(e.ContractCommitmentAppliedUnit, '')
        FROM element GROUP BY 1, 2, 3, 4, 5, 9
        UNION ALL
        SELECT BillingAccountId, '', {paid_from}, BillingCurrency, {_DAY}, sum(EffectiveCost), 0, NULL, ''
        FROM ({relation})
        WHERE x_Provider = 'Snowflake' AND ContractApplied IS NULL AND {_DAY} <= $1
            AND {paid_from} IN ({", ".join(f"'{name}'" for name in PREPAID)})
        GROUP BY 1, 2, 3, 4, 5
        ORDER BY ALL"""


def held_sql(relation: str) -> str:
    """(source, day, billing month) of the ledger's lines, from the last day as parameter; a purchase uses nothing."""
    return f"""SELECT DISTINCT x_SourceName, {_DAY} AS day, x_BillingPeriod FROM ({relation})
        WHERE {_DAY} <= $1 AND x_RowKind <> 'contract-purchase' ORDER BY ALL"""


def held(rows: Iterable[tuple[str, date, str]]) -> dict[str, Held]:
    """By source, from the rows of held_sql."""
    days: dict[str, list[date]] = {}
    months: dict[str, set[Period]] = {}
    for source, day, month in rows:
        days.setdefault(source, []).append(day)
        months.setdefault(source, set()).add(Period.parse(month))
    return {source: Held(tuple(sorted({*found})), frozenset(months[source])) for source, found in days.items()}


def pools(terms: Iterable[Term], draws: Sequence[Draw]) -> tuple[list[Pool], list[Draw]]:
    """Every balance with what was drawn from it, and what was drawn from none that is known."""
    made = [Pool(tuple(group)) for group in _together(terms)]
    named = {(term.id, term.currency): at for at, pool in enumerate(made) for term in pool.terms}
    found: dict[int, list[Draw]] = {}
    unknown: list[Draw] = []
    for one in draws:
        at = named.get((one.commitment, one.currency), named.get((one.commitment, "")))
        at = next((at for at, pool in enumerate(made) if _fits(one, pool)), None) if at is None else at
        (unknown if at is None else found.setdefault(at, [])).append(one)
    return [Pool(pool.terms, tuple(found.get(at, ()))) for at, pool in enumerate(made)], unknown


def _together(terms: Iterable[Term]) -> list[list[Term]]:
    """Items of one balance whose days meet, in the order in which they begin."""
    groups: list[list[Term]] = []
    for term in sorted(terms, key=lambda one: (one.contract, one.kind, one.currency, one.first or date.min, one.id)):
        if groups and _meets(term, groups[-1]):
            groups[-1].append(term)
        else:
            groups.append([term])
    return groups


def _meets(term: Term, group: Sequence[Term]) -> bool:
    last = group[-1]
    same = (term.contract, term.kind, term.currency) == (last.contract, last.kind, last.currency)
    ends = max((one.last for one in group if one.last), default=date.max)
    return same and bool(term.kind) and term.first is not None and term.first <= ends


def _fits(draw: Draw, pool: Pool) -> bool:
    """By contract, balance and day: a line that names no item, or one whose first day was amended since."""
    term = pool.terms[0]
    same = (draw.contract, draw.kind, draw.currency) == (term.contract, term.kind, term.currency)
    return same and (pool.first or date.max) <= draw.day <= (pool.last or date.max)


def months_between(first: date, last: date) -> list[Period]:
    """The months from one day's to another's."""
    found, month = [], Period(first.year, first.month)
    while month <= Period(last.year, last.month):
        found.append(month)
        month = month.next()
    return found


def day_after(day: date, days: int) -> date | None:
    """None beyond the calendar."""
    return day + timedelta(days=days) if days <= (date.max - day).days else None
