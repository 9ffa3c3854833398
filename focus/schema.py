"""Columns of a FOCUS dataset and of the ledger, derived from the data files; nothing is typed twice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from focus import versions
from focus.data import load

VERSION = "1.3"
DUCKDB_TYPES = {
    "String": "VARCHAR",
    "JSON": "VARCHAR",
    "Decimal": "DECIMAL(38,24)",
    "Date/Time": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `nullable` is the specification's own word: 'true', 'false' or 'conditional'."""

    name: str
    data_type: str
    feature_level: str
    nullable: str
    allowed_values: tuple[str, ...]

    @property
    def duckdb_type(self) -> str:
        return DUCKDB_TYPES[self.data_type]

    @property
    def checked_type(self) -> str:
        """The type a mapping casts to: a closed list is an ENUM, which refuses strangers and is written far faster."""
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in self.allowed_values)
        return f"ENUM({values})" if values else self.duckdb_type


@cache
def columns(dataset: str = "CostAndUsage", version: str = VERSION) -> tuple[Column, ...]:
    """The dataset's columns in the order of the specification's column index."""
    return tuple(_column(entry) for entry in versions.column_entries(version, dataset))


@cache
def custom_columns() -> tuple[Column, ...]:
    """The ledger's own x_ columns, which follow the FOCUS columns in every row."""
    return _custom("columns")


def _custom(listed: str) -> tuple[Column, ...]:
    return tuple(
        Column(entry["id"], entry["data_type"], "Custom", "true", tuple(entry.get("allowed_values", ())))
        for entry in load("custom-columns.json")[listed]
    )


@cache
def ledger_columns() -> tuple[Column, ...]:
    """What one row of the ledger holds, partition columns apart."""
    return columns() + custom_columns()


def ledger_types() -> tuple[tuple[str, str], ...]:
    """(column, DuckDB type) of a ledger row, in order."""
    return tuple((column.name, column.duckdb_type) for column in ledger_columns())


def commitment_types() -> tuple[tuple[str, str], ...]:
    """(column, DuckDB type) of a row of ContractCommitment with the ledger's own columns, in order."""
    listed = columns("ContractCommitment") + _custom("commitment_columns")
    return tuple((column.name, column.duckdb_type) for column in listed)


def _column(entry: versions.Entry) -> Column:
    allowed = entry["allowed_values"] or ()
    assert isinstance(allowed, list | tuple)
    return Column(
        str(entry["id"]),
        str(entry["data_type"]),
        str(entry["feature_level"]),
        str(entry["allows_nulls"]).lower(),
        tuple(map(str, allowed)),
    )
