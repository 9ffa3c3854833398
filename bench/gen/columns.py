"""The columns of the AWS CUR 2.0 table, in the order of the export, and a SELECT that fills all of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

# Reports write empty text, not null, where a line has nothing to say.
BLANK = {"VARCHAR": "''", "DOUBLE": "NULL", "TIMESTAMP_MS": "NULL"}


@cache
def columns() -> tuple[tuple[str, str], ...]:
    """(name, DuckDB type) of every column."""
    with (Path(__file__).parent / "cur2_columns.csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["name"], row["type"]) for row in csv.DictReader(file))


def select_list(filled: Mapping[str, str]) -> str:
    """`CAST(expression AS type) AS name` for every column, blank ones included. KeyError on an unknown name."""
    known = dict(columns())
    unknown = [name for name in filled if name not in known]
    if unknown:
        raise KeyError(f"no columns of CUR 2.0: {unknown}")
    return ",\n".join(
        f"CAST({filled.get(name, BLANK.get(kind, 'MAP {}'))} AS {kind}) AS {name}" for name, kind in columns()
    )


def pick(values: tuple[str, ...], index: str) -> str:
    """SQL of the value at that place, counted from 0."""
    return "[" + ", ".join(f"'{value}'" for value in values) + f"][1 + {index}]"


def when(condition: str, value: str, otherwise: str = "''") -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE {otherwise} END"
