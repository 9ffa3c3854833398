"""Price sheets: what stands beside a bill and tells the prices that it leaves out. They are no bills themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ingest import checks
from ingest.engine import reading
from ingest.inspection import refuse_bad_values
from ingest.mapping import price_key, raw_view
from ingest.mappings import text
from ingest.shapes import Shape, price_sheet
from ingest.staging import Staged
from ledger.faults import Fault, Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATE = "coalesce(instant_of({0}), utc(date_of({0})))"
PRICES = ("UnitPrice", "MarketPrice", "BasePrice")
ADVICE = "Download the price sheet again rather than editing it."


def is_sheet(staged: Staged) -> bool:
    return staged.shape.name == price_sheet().name


def owners(connection: DuckDBPyConnection, staged: Staged) -> frozenset[str]:
    """Whose prices the sheet tells, empty where it does not say. Rejected names what is wrong with its values."""
    with reading(staged.file.label):
        connection.execute(raw_view(staged.shape, [staged.file]))
        refuse_bad_values(connection, [*checks.checks(staged.shape), *_own_checks(staged.shape)])
        _refuse_doubled(connection, staged)
        rows = connection.execute(f"SELECT DISTINCT {staged.shape.account} FROM raw").fetchall()
    if not rows:
        text = "the price sheet has a header but no rows"
        raise reject(text, "Give a whole price sheet, or none.", "no-rows", file=staged.file.label)
    return frozenset(name for (name,) in rows if name)


def _own_checks(shape: Shape) -> list[checks.Check]:
    by_name = {column.name: column for column in shape.columns}
    start, end = (DATE.format(name) for name in ("EffectiveStartDate", "EffectiveEndDate"))
    dates = [
        (by_name[name], "date", f"{name} IS NOT NULL AND {DATE.format(name)} IS NULL")
        for name in ("EffectiveStartDate", "EffectiveEndDate")
    ]
    turned = (by_name["EffectiveEndDate"], "order", f"CAST({end} AS DATE) < CAST({start} AS DATE)")
    below = [(by_name[name], "negative", f"TRY_CAST({name} AS DOUBLE) < 0") for name in PRICES]
    return [*dates, turned, *below]


def _refuse_doubled(connection: DuckDBPyConnection, staged: Staged) -> None:
    """Lines that are the same but for the price: one of them is wrong, and nothing tells which."""
    names = [column.name for column in staged.shape.columns]
    keys = ", ".join(name for name in names if name not in PRICES)
    distinct = f"count(DISTINCT {{{', '.join(f'{name!r}: TRY_CAST({name} AS DECIMAL(38, 18))' for name in PRICES)}}})"
    rows = connection.execute(
        f"""SELECT any_value(MeterId), min(x_RawRow), max(x_RawRow) FROM raw WHERE MeterId IS NOT NULL
        GROUP BY {keys} HAVING {distinct} > 1 ORDER BY 2 LIMIT {checks.SHOWN}"""
    ).fetchall()
    if rows:
        raise Rejected([_doubled(staged, *row) for row in rows])


def _doubled(staged: Staged, meter: str, first: int, last: int) -> Fault:
    told = f"meter {meter} has another price in row {first + 1}, with nothing else that differs"
    return Fault(told, ADVICE, "doubled-price", staged.file.label, last + 1, "UnitPrice")


def unused(label: str, accounts: Collection[str], alone: bool) -> Fault:
    """A sheet that prices none of the bills given, or that no bill was given with."""
    if alone:
        text = "a price sheet is no bill: it prices what a bill leaves out"
        return Fault(text, "Give it together with the bill that it belongs to.", "prices-alone", label)
    whose = f"account {', '.join(sorted(accounts))}" if accounts else "Azure"
    text = f"the price sheet is of {whose}, but no bill of it that takes prices was given"
    advice = "Give the price sheet of the bill's own account, or leave it out."
    return Fault(text, advice, "prices-of-another", label)


def match(connection: DuckDBPyConnection, shape: Shape, sheets: Sequence[Staged]) -> None:
    """Table `sheet_prices`: the sheets' price for each kind of charge of view `raw` that lacks one, and no more."""
    sheet = price_sheet()
    named = {name: expression for name, expression in shape.prices.items() if name != "wanted"}
    columns = ", ".join(f"{expression} AS {name}" for name, expression in named.items())
    connection.execute(raw_view(sheet, [staged.file for staged in sheets], name="sheet"))
    connection.execute(f"CREATE OR REPLACE TEMP VIEW prices AS {text(sheet.rows_sql)}")
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW unpriced AS SELECT {price_key(shape)} AS price_key, {columns} "
        f"FROM raw WHERE {shape.prices['wanted']}"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sheet_prices AS {text(sheet.select_sql)}")
