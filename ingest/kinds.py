"""Kinds of lines: what many raw rows have in common is worked out once for all of them, in table `kinds`.

Its words, columns of few different texts, become ENUM types: the same text, joined and written far faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.mappings import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingest.shapes import Shape

FEW = 1000  # different texts; every group of rows that is written holds all of them


@dataclass(frozen=True, slots=True)
class Kinds:
    """`sql` is a SELECT over the view `rows` that the mapping joins; `words` are columns of it, named as in FOCUS.

    `beside_sql` are statements that make tables of what stands beside the bill, for the mapping to join too.
    """

    sql: str
    words: tuple[str, ...]
    beside_sql: str


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
    connection.execute(f"CREATE OR REPLACE TEMP TABLE kinds AS {text(kinds.sql)}")
    counts = connection.execute(f"SELECT {', '.join(map(_count, kinds.words))} FROM kinds").fetchone() or ()
    for word, count in zip(kinds.words, counts, strict=True):
        connection.execute(f"CREATE OR REPLACE TEMP TYPE {type_of(word)} AS {_told(word, count)}")
    casts = ", ".join(f"CAST({word} AS {type_of(word)}) AS {word}" for word in kinds.words)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE kinds AS SELECT * REPLACE ({casts}) FROM kinds")


def types(kinds: Kinds | None) -> dict[str, str]:
    """The types of the words, by name."""
    return {word: type_of(word) for word in kinds.words} if kinds else {}


def files(kinds: Kinds | None) -> tuple[str, ...]:
    """The data files that decide them."""
    return (kinds.sql, kinds.beside_sql) if kinds else ()


def type_of(word: str) -> str:
    return f"kind_{word}"


def _count(word: str) -> str:
    return f"count(DISTINCT {word})"


def _told(word: str, count: int) -> str:
    return f"ENUM (SELECT DISTINCT {word} FROM kinds WHERE {word} IS NOT NULL)" if count <= FEW else "VARCHAR"
