"""Totals of the ledger by provider, environment, service and month; one block per currency, never added across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from types import MappingProxyType

from ledger.classify import Classification, environment_sql, tag_lists_sql
from ledger.reconcile import DIGITS, total

GROUPS = {
    "by_provider": "provider",
    "by_environment": "environment",
    "by_service_code": "service",
    "by_period": "period",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Billed and effective cost of one cell."""

    currency: str
    provider: str
    environment: str
    service: str
    period: str
    billed: Decimal
    effective: Decimal
    rows: int


def facts_sql(relation: str, rules: Classification) -> str:
    """Aggregates first and classifies the few groups after, because reading tags is the dear part."""
    return f"""
        WITH cell AS (
            SELECT BillingCurrency, x_Provider, x_ServiceCode, x_BillingPeriod, SubAccountId, Tags, AllocatedTags,
                sum(BilledCost) AS billed, sum(EffectiveCost) AS effective, count(*) AS rows
            FROM ({relation}) GROUP BY ALL
        ), tagged AS (SELECT *, {tag_lists_sql()} FROM cell)
        SELECT BillingCurrency, x_Provider, {environment_sql(rules)} AS environment, x_ServiceCode, x_BillingPeriod,
            sum(billed), sum(effective), CAST(sum(rows) AS BIGINT)
        FROM tagged GROUP BY ALL ORDER BY ALL
    """


def counts_sql(commitments: str) -> str:
    """How many commitments there are, by what they are called, in whatever months they were billed."""
    return f"""SELECT ContractCommitmentType, count(DISTINCT ContractCommitmentId)
        FROM ({commitments}) GROUP BY ALL ORDER BY ALL"""


def facts(rows: Iterable[Sequence[object]]) -> list[Fact]:
    """Facts from the rows of facts_sql."""
    return [_fact(row) for row in rows]


def summarise(
    cells: Sequence[Fact], store: str, version: int | None, commitments: Mapping[str, int] = MappingProxyType({})
) -> dict[str, object]:
    """The summary document: decimal strings, shares in percent with two digits; commitments counted by their type."""
    currencies = sorted({cell.currency for cell in cells})
    blocks = {code: _block([cell for cell in cells if cell.currency == code]) for code in currencies}
    return {"store": store, "version": version, "currencies": blocks, "commitments": dict(commitments)}


def plain(amount: Decimal) -> str:
    """A decimal as text: every digit that counts, at least two after the point."""
    text = f"{amount:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _block(cells: Sequence[Fact]) -> dict[str, object]:
    billed = total(cell.billed for cell in cells)
    block: dict[str, object] = {
        "total": plain(billed),
        "effective": plain(total(cell.effective for cell in cells)),
        "rows": sum(cell.rows for cell in cells),
    }
    return block | {name: _group(cells, field, billed) for name, field in GROUPS.items()}


def _group(cells: Sequence[Fact], field: str, whole: Decimal) -> list[dict[str, object]]:
    names = sorted({str(getattr(cell, field)) for cell in cells})
    lines = [(name, _sum(cells, field, name)) for name in names]
    ordered = lines if field == "period" else sorted(lines, key=lambda line: (-line[1], line[0]))
    return [{"name": name, "cost": plain(cost), "percent": _percent(cost, whole)} for name, cost in ordered]


def _fact(row: Sequence[object]) -> Fact:
    currency, provider, environment, service, period = (str(value) for value in row[:5])
    billed, effective = (value if isinstance(value, Decimal) else Decimal(0) for value in row[5:7])
    return Fact(currency, provider, environment, service, period, billed, effective, int(str(row[7])))


def _sum(cells: Sequence[Fact], field: str, name: str) -> Decimal:
    return total(cell.billed for cell in cells if str(getattr(cell, field)) == name)


def _percent(cost: Decimal, whole: Decimal) -> str | None:
    """Against a total near nothing a share may have more digits than Python's usual 28."""
    with localcontext(prec=DIGITS):
        return f"{(100 * cost / whole).quantize(Decimal('0.01')):f}" if whole else None
