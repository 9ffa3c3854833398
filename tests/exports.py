"""Small FOCUS exports as AWS, Azure and Snowflake deliver them: their columns, their types, CSV or Parquet. Made up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb

from ingest.mapping import literal, quoted
from tests.export_lines import LINES, Line
from tests.mapped import write_csv

HERE = Path(__file__).parent
NEW_IN_1_1 = (
    *("CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountQuantity", "CommitmentDiscountUnit"),
    *("ServiceSubcategory", "SkuMeter", "SkuPriceDetails"),
)


@cache
def columns(name: str) -> Mapping[str, str]:
    """Column to DuckDB type of an export such as aws_1_2; 1.1 is the specification's, with 1.0's columns of its own."""
    known = json.loads((HERE / "export_columns.json").read_text(encoding="utf-8"))
    provider, _, version = name.partition("_")
    if version == "1_1":
        older = columns(f"{provider}_1_0")
        return {**older, **{column: _new_kind(provider, column) for column in NEW_IN_1_1}}
    by_type = known["azure_1_0r2" if name == "azure_1_0" else name]
    return {column: kind for kind, listed in by_type.items() for column in listed.split()}


def lines(name: str) -> list[Line]:
    """The rows of an export, every column of it as text."""
    base, found = LINES[name.partition("_")[0]]
    filled: list[Line] = [{column: {**base, **line}.get(column, "") for column in columns(name)} for line in found]
    return [_without_seconds(line) for line in filled] if name == "azure_1_0" else filled


def export(path: Path, name: str, rows: Sequence[Line] | None = None) -> Path:
    """The file `path`: Parquet by its suffix, else CSV."""
    found = lines(name) if rows is None else rows
    return _parquet(path, name, found) if path.suffix == ".parquet" else write_csv(path, found, "utf-8-sig")


def changed(name: str, values: Line) -> list[Line]:
    """The rows of an export, the first of them with other values."""
    first, *others = lines(name)
    return [{**first, **values}, *others]


def _without_seconds(line: Line) -> Line:
    return {column: value.replace(":00:00Z", ":00Z") for column, value in line.items()}


def _new_kind(provider: str, column: str) -> str:
    if column == "CommitmentDiscountQuantity":
        return "DOUBLE" if provider == "aws" else "DECIMAL(38, 18)"
    return "MAP(VARCHAR, VARCHAR)" if (provider, column) == ("aws", "SkuPriceDetails") else "VARCHAR"


def _parquet(path: Path, name: str, rows: Sequence[Line]) -> Path:
    header = list(rows[0])
    values = ", ".join(f"({', '.join(literal(row[column]) for column in header)})" for row in rows)
    casts = ", ".join(_cast(column, columns(name).get(column, "VARCHAR")) for column in header)
    names = ", ".join(map(quoted, header))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        select = f"SELECT {casts} FROM (VALUES {values}) AS line({names})"
        connection.execute(f"COPY ({select}) TO {literal(str(path))} (FORMAT parquet)")
    return path


def _cast(column: str, kind: str) -> str:
    text = f"nullif({quoted(column)}, '')"
    inner = f"CAST({text} AS JSON)" if kind.startswith("MAP") else text
    return f"CAST({inner} AS {kind.replace('JSON', 'VARCHAR')}) AS {quoted(column)}"
