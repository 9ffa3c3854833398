"""What the units of one delivery add up to: raw money by rule, mapped money, and the parts that were written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import checks, splits
from ingest.identities import Identity
from ingest.measures import (
    CURRENCY,
    INVOICE,
    Amount,
    Measures,
    collect,
    examples_sql,
    laws,
    ledger_sql,
    raw_sql,
    unnamed,
)
from ingest.reservations import hours
from ingest.shapes import Shape
from ledger.delivery import Part
from ledger.reconcile import raw_total_sql, raw_totals, rounded_rows, total
from ledger.summary import plain

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Bill = tuple[str, str]  # currency and invoice
Sum = tuple[Bill, int, int | None, str | None, int]  # a row of raw_total_sql

NAMED = 10  # unknown values that a run tells by name


@dataclass(slots=True)
class Tally:
    """What the units of one delivery add up to."""

    parts: list[Part] = field(default_factory=list)
    raw: dict[str, Decimal] = field(default_factory=dict)
    rules: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    assumed: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    worth: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    mapped: dict[str, Decimal] = field(default_factory=dict)
    effective: dict[str, Decimal] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    raw_rows: int = 0
    rounded: int = 0
    without_cost: int = 0
    hours: list[Identity] = field(default_factory=list)


def measure_raw(shape: Shape, connection: DuckDBPyConnection, tally: Tally) -> None:
    invoice = laws(shape).invoice
    for role in ("", *shape.roles):
        rows = connection.execute(
            raw_total_sql(shape.cost, shape.currency, checks.rows_of(shape, role), also=invoice)
        ).fetchall()
        # A bill of one file is the actual one.
        _add_bill(tally, [((row[0], row[5]), *row[1:5]) for row in rows], role if shape.roles else "actual")
    if shape.contracts_sql:
        bought = connection.execute(
            raw_total_sql(shape.cost, shape.currency, checks.BOUGHT_BESIDE, also=invoice)
        ).fetchall()
        _add_bill(tally, [((row[0], row[5]), *row[1:5]) for row in bought], "")
    for currency, rule, money, count, key in connection.execute(checks.rule_totals_sql(shape, invoice)).fetchall():
        tally.rules[currency, rule] = total((tally.rules.get((currency, rule), Decimal(0)), money))
        tally.counts[rule] = tally.counts.get(rule, 0) + count
        tally.measures.add("excluded", INVOICE, currency, key, Amount(money, count))
        tally.measures.add(rule, CURRENCY, currency, "", Amount(money, count))
    if shape.assumptions:
        tell_of(tally, connection.execute(checks.assumptions_sql(shape)).fetchall())
    for entry in shape.unknown:
        for value, count, currency, money in connection.execute(checks.unknown_sql(entry, shape)).fetchall():
            tally.unknown.setdefault(entry.told, Counter()).update({value: count})
            if money is not None:
                place = (entry.told, value, currency)
                tally.worth[place] = total((tally.worth.get(place, Decimal(0)), money))


def tell_of(tally: Tally, counted: Sequence[tuple[str, int]]) -> None:
    """What a person should know of, and how often it is so."""
    for what, count in counted:
        if count:
            tally.assumed[what] = tally.assumed.get(what, 0) + count


def told(tally: Tally) -> dict[str, int]:
    """What was assumed, and for how many raw rows; what is unknown by the names that most rows have."""
    named = {f"{what}: {_listed(what, tally)}": names.total() for what, names in tally.unknown.items() if names}
    return {**tally.assumed, **named}


def _listed(what: str, tally: Tally) -> str:
    names = tally.unknown[what]
    most = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:NAMED]
    shown = ", ".join((name or "blank") + _worth(what, name, tally) for name, _ in most)
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _worth(what: str, name: str, tally: Tally) -> str:
    """The money of an unknown value's rows, per currency, where it is told."""
    found = sorted((place[2], money) for place, money in tally.worth.items() if place[:2] == (what, name))
    return f" ({', '.join(f'{currency} {plain(money)}' for currency, money in found)})" if found else ""


def _add_bill(tally: Tally, sums: Sequence[Sum], role: str) -> None:
    """The bill's money, and how many amounts the ledger cannot hold all decimals of, by currency and by invoice.

    What the files of a role add up to is kept under the role's name too: per invoice, and `all` of it per currency.
    """
    lines = Counter[Bill]()
    for one in sums:
        lines[one[0]] += one[4]
        if rounded := rounded_rows([one]):
            tally.rounded += rounded
            tally.measures.add("rounded", INVOICE, *one[0], Amount(Decimal(0), rounded))
            tally.measures.add("all rounded", CURRENCY, one[0][0], "", Amount(Decimal(0), rounded))
    for (currency, invoice), money in raw_totals(sums).items():
        _add(tally.raw, {currency: money})
        amount = Amount(money, lines[currency, invoice])
        tally.measures.add("bill", INVOICE, currency, invoice, amount)
        if role:
            tally.measures.add(role, INVOICE, currency, invoice, amount)
            tally.measures.add(f"all {role}", CURRENCY, currency, "", amount)
    tally.raw_rows += lines.total()


def measure_beside(shape: Shape, connection: DuckDBPyConnection, tally: Tally) -> None:
    """What stands beside the bill, once for the delivery."""
    for one in laws(shape).beside:
        found = connection.execute(one.sql).fetchall()
        tally.measures.add_all(one.name, one.per, ((one.unit, *line) for line in found))


def measure_identities(shape: Shape, connection: DuckDBPyConnection, folder: Path, tally: Tally) -> None:
    """Both sides of a unit's identities beside the bill's total: its raw lines, and the parts written for it."""
    stated, files = laws(shape), folder / "*.parquet"
    if stated.raw:
        collect(tally.measures, stated.raw, connection.execute(raw_sql(shape)).fetchall())
    if stated.ledger and any(folder.glob(files.name)):
        collect(tally.measures, stated.ledger, connection.execute(ledger_sql(shape, str(files))).fetchall())
        for one in unnamed(shape, tally.measures):
            names = connection.execute(examples_sql(one, str(files))).fetchall()
            tally.measures.examples[one.name] = tuple(name for (name,) in names)
        tally.hours += hours(shape, connection, str(files))


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


def measure_untaken(shape: Shape, connection: DuckDBPyConnection, folder: Path, tally: Tally) -> None:
    """Rows that should have been split and were left whole."""
    if shape.split and shape.is_split and any(folder.glob("*.parquet")):
        sql = splits.untaken_sql(shape.split, str(folder / "*.parquet"))
        tell_of(tally, connection.execute(sql).fetchall())


def _part(name: str, seen: Sequence[tuple[int, datetime, datetime]]) -> Part:
    first, last = min(entry[1] for entry in seen), max(entry[2] for entry in seen)
    rows = sum(entry[0] for entry in seen)
    return Part(name, rows, Path(name).stat().st_size, instant(first), instant(last))


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _add(totals: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for currency, amount in more.items():
        totals[currency] = total((totals.get(currency, Decimal(0)), amount))
