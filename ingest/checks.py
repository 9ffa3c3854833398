"""What is wrong with raw values, and what a file holds: SQL over the raw view and its reading. Pure."""

from __future__ import annotations

from ingest.mapping import literal, quoted
from ingest.shapes import RawColumn, Shape
from ledger.faults import Fault

SHOWN = 3  # example rows per column in an error

ACTUAL_ROWS = "(SELECT * FROM raw WHERE x_RawRole = 'actual')"

_BAD = {
    ("number", "DOUBLE"): "{column} IS NOT NULL AND NOT isfinite({column})",
    ("number", "VARCHAR"): "blank_to_null({column}) IS NOT NULL AND NOT is_number({column})",
    ("date", "VARCHAR"): "blank_to_null({column}) IS NOT NULL AND date_of({column}) IS NULL",
}
_MISSING = {"DOUBLE": "{column} IS NULL", "TIMESTAMP": "{column} IS NULL"}
_ADVICE = {
    "number": "Amounts are plain or scientific numbers with a point; export the file again rather than editing it.",
    "date": "Dates are MM/DD/YYYY or YYYY-MM-DD; export the file again rather than editing it.",
    "missing": "Nothing is taken as 0 here; export the file again.",
}


def bad_value_sql(shape: Shape) -> str | None:
    """One row with a count of bad values per checked column; None when nothing is to check."""
    checked = checks(shape)
    counts = [f"count(*) FILTER (WHERE {condition})" for _, _, condition in checked]
    return f"SELECT {', '.join(counts)} FROM raw" if counts else None


def checks(shape: Shape) -> list[tuple[RawColumn, str, str]]:
    """(column, rule, condition that a bad value meets) for every column the mapping computes with."""
    found = []
    for column in shape.columns:
        if template := _BAD.get((column.check, column.type)):
            found.append((column, column.check, template.format(column=quoted(column.name))))
        if column.required and not column.blank:
            template = _MISSING.get(column.type, "blank_to_null({column}) IS NULL")
            found.append((column, "missing", template.format(column=quoted(column.name))))
    return found


def examples_sql(column: RawColumn, condition: str) -> str:
    """The first bad rows: (file, row from 1, value)."""
    name = quoted(column.name)
    return f"""SELECT x_RawFile, x_RawRow + 1, CAST({name} AS VARCHAR) FROM raw
        WHERE {condition} ORDER BY x_RawFile, x_RawRow LIMIT {SHOWN}"""


def value_fault(column: RawColumn, rule: str, file: str, row: int, value: str | None) -> Fault:
    shown = "the value is missing" if rule == "missing" else f"{value!r:.60} is not a {rule}"
    return Fault(
        shown, _ADVICE[rule], f"not-a-{rule}" if rule != "missing" else "missing-value", file, row, column.name
    )


def contents_sql(shape: Shape) -> str:
    """Per (account, month, currency) of the raw view: rows, the raw cost, and how many rows hint at each role."""
    hints = "".join(f", count(*) FILTER (WHERE {condition})" for condition in shape.roles.values())
    return f"""SELECT {shape.account}, strftime({shape.period}, '%Y-%m'), {shape.currency}, count(*){hints}
        FROM raw GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def rule_totals_sql(shape: Shape) -> str:
    """Raw money and rows per (currency, rule) of the rows that a rule drops or zeroes."""
    return f"""SELECT {shape.currency}, x_Rule, sum(money({shape.cost})), count(*) FROM rows
        WHERE x_RowKind = 'charge' AND x_Rule <> '' GROUP BY 1, 2"""


def long_fraction_sql(shape: Shape) -> str:
    """Rows whose cost carries more fraction digits than the ledger's money type."""
    return f"SELECT count(*) FROM raw WHERE length(split_part(CAST({shape.cost} AS VARCHAR), '.', 2)) > 24"


def part_facts_sql(pattern: str) -> str:
    """Per written file and currency: rows, billed, effective, first and last charge period start."""
    return f"""SELECT filename, BillingCurrency, count(*), sum(BilledCost), sum(EffectiveCost),
        min(ChargePeriodStart)::TIMESTAMPTZ, max(ChargePeriodStart)::TIMESTAMPTZ
        FROM read_parquet({literal(pattern)}, filename=true) GROUP BY 1, 2 ORDER BY 1, 2"""
