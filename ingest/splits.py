"""Rows split into parts, where the settings of a source ask for it: SQL text around a mapping's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.mappings import text

if TYPE_CHECKING:
    from ingest.shapes import Shape

OPTION = "allocation"


@dataclass(frozen=True, slots=True)
class Split:
    """How mapped rows become parts: `shares_sql` makes the tables that `select_sql` joins to the rows, view `mapped`.

    `words` are columns of those tables that may have few different texts, by table. `keys` are what they are joined
    by, as SQL over the mapping's last SELECT. `told` are counts over those tables and `untaken` a condition of written
    parts: what a person should know of, by what it is.
    """

    shares_sql: str
    words: Mapping[str, Sequence[str]]
    select_sql: str
    keys: Mapping[str, str]
    told: Mapping[str, str]
    untaken: Mapping[str, str]


def split_of(entry: object) -> Split | None:
    """What a shape's file says of it."""
    return Split(**entry) if isinstance(entry, dict) else None


def asked(shape: Shape, options: Mapping[str, str]) -> Shape:
    """The shape as these options want its rows: split, or one for one."""
    return replace(shape, is_split=shape.split is not None and bool(options.get(OPTION)))


def files(split: Split | None) -> tuple[str, ...]:
    """The data files that decide its parts."""
    return (split.shares_sql, split.select_sql) if split else ()


def shares(split: Split) -> str:
    """Statements that make the tables of shares, once for a delivery whose companions are loaded."""
    return text(split.shares_sql)


def keyed(split: Split, also: tuple[str, Sequence[str]]) -> tuple[str, Sequence[str]]:
    """Further columns of the mapping: these, and what its rows are split by."""
    keys = ", ".join(f"{expression} AS {name}" for name, expression in split.keys.items())
    return ", ".join(filter(None, [also[0], keys])), [*also[1], *split.keys]


def around(split: Split, select: str) -> str:
    """The parts of the rows of this SELECT, its keys left out."""
    return f"WITH mapped AS NOT MATERIALIZED ({select}) SELECT * FROM ({text(split.select_sql)})"


def told_sql(split: Split) -> str:
    """(what, how often) over the tables of shares."""
    return " UNION ALL ".join(f"SELECT {_literal(what)}, ({count})" for what, count in split.told.items())


def untaken_sql(split: Split, pattern: str) -> str:
    """(what, rows) of written parts."""
    return " UNION ALL ".join(
        f"SELECT {_literal(what)}, count(*) FROM read_parquet({_literal(pattern)}) WHERE {condition}"
        for what, condition in split.untaken.items()
    )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
