"""Kinds of lines: what many raw rows have in common is worked out once for all of them, in table `kinds`.

Its words, columns of few different texts, become ENUM types: the same text, joined and written far faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from ingest.mappings import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingest.shapes import Shape

FEW = 4000  # different texts; every group of rows that is written holds all of them


@dataclass(frozen=True, slots=True)
class Kinds:
    """`sql` is a SELECT over the view `rows` that the mapping joins; `words` are columns of it, named as in FOCUS.

    `chosen` are columns of which the mapping takes one or another for a FOCUS column, by its name. The rows of a kind
    are found by `line`, a hash that variable `salt` is part of. `beside_sql` are statements that make tables of what
    stands beside the bill, for the mapping to join too.
    """

    sql: str
    words: tuple[str, ...]
    beside_sql: str
    chosen: Mapping[str, Sequence[str]]

    @property
    def types(self) -> dict[str, Sequence[str]]:
        """Columns of one type, by the FOCUS column."""
        return {**{word: (word,) for word in self.words}, **self.chosen}


def kinds_of(entry: object) -> Kinds | None:
    """What a shape's file says of it."""
    return Kinds(**{**entry, "words": tuple(entry["words"])}) if isinstance(entry, Mapping) else None


def condense(connection: DuckDBPyConnection, shape: Shape) -> None:
    """What stands beside the bill in few rows, once for a delivery whose companions are loaded."""
    if shape.kinds:
        connection.execute(text(shape.kinds.beside_sql))


def collect(connection: DuckDBPyConnection, shape: Shape) -> None:
    """Fill the table with the kinds of the rows behind view `rows`; to be done before the mapping's SELECT is run."""
    if not (kinds := shape.kinds):
        return
    for salt in count():
        connection.execute(f"SET VARIABLE salt = {salt}")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE kinds AS {text(kinds.sql)}")
        # Every row is of one of the kinds: where no two of them have the same hash, none is found by another's.
        if (True,) in connection.execute("SELECT count(*) = count(DISTINCT line) FROM kinds").fetchall():
            break
    shorten(connection, "kinds", kinds.types)
    for table, words in shape.split.words.items() if shape.split and shape.is_split else ():
        shorten(connection, table, {word: (word,) for word in words})


def shorten(connection: DuckDBPyConnection, table: str, types: Mapping[str, Sequence[str]]) -> None:
    """Columns of a table with few different texts as ENUM types; of each type are the columns that it names."""
    counts = connection.execute(f"SELECT {', '.join(map(_count, types.values()))} FROM {table}").fetchone() or ()
    for (name, columns), found in zip(types.items(), counts, strict=True):
        connection.execute(f"CREATE OR REPLACE TEMP TYPE {type_of(name)} AS {_told(table, columns, found)}")
    casts = ", ".join(
        f"CAST({column} AS {type_of(name)}) AS {column}" for name, columns in types.items() for column in columns
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * REPLACE ({casts}) FROM {table}")


def types(kinds: Kinds | None) -> dict[str, str]:
    """The types of the words, by name."""
    return {word: type_of(word) for word in kinds.types} if kinds else {}


def files(kinds: Kinds | None) -> tuple[str, ...]:
    """The data files that decide them."""
    return (kinds.sql, kinds.beside_sql) if kinds else ()


def type_of(word: str) -> str:
    return f"kind_{word}"


def _count(columns: Sequence[str]) -> str:
    """Of several columns a text may be counted more than once."""
    return " + ".join(f"count(DISTINCT {column})" for column in columns)


def _told(table: str, columns: Sequence[str], found: int) -> str:
    each = " UNION ".join(
        f"SELECT CAST({column} AS VARCHAR) AS word FROM {table} WHERE {column} IS NOT NULL" for column in columns
    )
    return f"ENUM (SELECT DISTINCT word FROM ({each}))" if found <= FEW else "VARCHAR"
