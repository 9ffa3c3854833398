"""What the units of one delivery add up to: raw money by rule, mapped money, and the parts that were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import checks
from ingest.shapes import Shape
from ledger.delivery import Part
from ledger.reconcile import raw_total_sql, raw_totals, rounded_rows, total

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(slots=True)
class Tally:
    """What the units of one delivery add up to."""

    parts: list[Part] = field(default_factory=list)
    raw: dict[str, Decimal] = field(default_factory=dict)
    rules: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    assumed: dict[str, int] = field(default_factory=dict)
    mapped: dict[str, Decimal] = field(default_factory=dict)
    effective: dict[str, Decimal] = field(default_factory=dict)
    actual: dict[str, Decimal] = field(default_factory=dict)
    raw_rows: int = 0
    rounded: int = 0
    without_cost: int = 0


def measure_raw(shape: Shape, connection: DuckDBPyConnection, tally: Tally) -> None:
    rows = connection.execute(raw_total_sql(shape.cost, shape.currency)).fetchall()
    _add(tally.raw, raw_totals(rows))
    tally.raw_rows += sum(int(row[4]) for row in rows)
    for currency, rule, money, count in connection.execute(checks.rule_totals_sql(shape)).fetchall():
        tally.rules[currency, rule] = total((tally.rules.get((currency, rule), Decimal(0)), money))
        tally.counts[rule] = tally.counts.get(rule, 0) + count
    if shape.roles:
        actual = connection.execute(raw_total_sql(shape.cost, shape.currency, checks.ACTUAL_ROWS)).fetchall()
        _add(tally.actual, raw_totals(actual))
    tally.rounded += rounded_rows(rows)
    for name, count in connection.execute(checks.assumptions_sql(shape)).fetchall() if shape.assumptions else ():
        tally.assumed[name] = tally.assumed.get(name, 0) + count


def measure_parts(connection: DuckDBPyConnection, folder: Path, tally: Tally) -> None:
    facts: dict[str, list[tuple[int, datetime, datetime]]] = {}
    if not any(folder.glob("*.parquet")):
        return
    for name, currency, rows, billed, effective, first, last, without_cost in connection.execute(
        checks.part_facts_sql(str(folder / "*.parquet"))
    ).fetchall():
        facts.setdefault(name, []).append((rows, first, last))
        tally.without_cost += without_cost
        _add(tally.mapped, {currency: billed})
        _add(tally.effective, {currency: effective or Decimal(0)})
    tally.parts += [_part(name, seen) for name, seen in facts.items()]


def _part(name: str, seen: Sequence[tuple[int, datetime, datetime]]) -> Part:
    first, last = min(entry[1] for entry in seen), max(entry[2] for entry in seen)
    rows = sum(entry[0] for entry in seen)
    return Part(name, rows, Path(name).stat().st_size, instant(first), instant(last))


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _add(totals: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for currency, amount in more.items():
        totals[currency] = total((totals.get(currency, Decimal(0)), amount))
