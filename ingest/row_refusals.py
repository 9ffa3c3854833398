"""Rows that keep a delivery out: what no single value shows, and days that are there twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.faults import Fault, Rejected

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 3
AGAIN = "Give each day once: unload whole months in one go, or leave out the file that holds days of another one."
DAYS = """CREATE OR REPLACE TEMP TABLE delivered_day (
    file VARCHAR, row BIGINT, latest BIGINT, day DATE, place VARCHAR, key UBIGINT, line UBIGINT, lines BIGINT
)"""

# Whether to look at all: one file whose lines all differ has no day twice.
DOUBTFUL = "SELECT max(lines) > 1 OR min(file) <> max(file) FROM delivered_day"

# (file, row, file, row, day, place) where each row of an account's day is there more than once.
WHOLE_DAYS = """
    WITH line AS (
        SELECT day, place, line, sum(lines) AS lines,
            arg_min(file, (file, row)) AS file, arg_min(row, (file, row)) AS row,
            arg_max(file, (file, row)) AS other, arg_max(latest, (file, row)) AS again
        FROM delivered_day GROUP BY day, place, line
    )
    SELECT arg_min(file, (file, row)), arg_min(row, (file, row)), arg_min(other, (file, row)),
        arg_min(again, (file, row)), day, place
    FROM line GROUP BY day, place HAVING min(lines) > 1 ORDER BY 5, 6
"""

# The same where two files tell most lines of an account's day, with whatever amounts: one is an older telling of it.
TOLD_TWICE = """
    WITH line AS (SELECT file, day, place, key, min(row) AS row FROM delivered_day GROUP BY ALL),
    size AS (SELECT file, day, place, count(*) AS lines FROM line GROUP BY ALL)
    SELECT a.file, min(a.row), b.file, min(b.row), a.day, a.place
    FROM line AS a JOIN line AS b ON a.day = b.day AND a.place = b.place AND a.key = b.key AND a.file < b.file
    JOIN size AS x ON a.file = x.file AND a.day = x.day AND a.place = x.place
    JOIN size AS y ON b.file = y.file AND b.day = y.day AND b.place = y.place
    GROUP BY a.file, b.file, a.day, a.place HAVING 2 * count(*) > any_value(least(x.lines, y.lines)) ORDER BY 5, 6, 1, 3
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What keeps a whole file out: an aggregate over the distinct values of some columns, and what it means."""

    rule: str
    column: str
    over: tuple[str, ...]
    when: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """Rows of view `raw` that meet `when` keep a delivery out. `shown` is what a fault tells of one, `text` with {}."""

    rule: str
    column: str
    when: str
    shown: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Daily:
    """What a bill of daily rows tells once: `key` and `figures` are raw columns, `day` and `place` SQL."""

    day: str
    place: str
    column: str
    key: tuple[str, ...]
    figures: tuple[str, ...]


def refusals(entry: object) -> tuple[Refusal, ...]:
    assert isinstance(entry, list)
    return tuple(Refusal(**{**one, "over": tuple(one["over"])}) for one in entry)


def row_refusals(entry: object) -> tuple[RowRefusal, ...]:
    assert isinstance(entry, list)
    return tuple(RowRefusal(**one) for one in entry)


def daily_of(entry: object) -> Daily | None:
    if not isinstance(entry, Mapping):
        return None
    return Daily(**{**entry, "key": tuple(entry["key"]), "figures": tuple(entry["figures"])})


def refuse_rows(connection: DuckDBPyConnection, stated: Sequence[RowRefusal]) -> None:
    """Rejected with the first rows behind view `raw` that meet one of them."""
    faults = [fault for one in stated for fault in _faults(connection, one)]
    if faults:
        raise Rejected(faults)


def _faults(connection: DuckDBPyConnection, one: RowRefusal) -> list[Fault]:
    rows = connection.execute(
        f"""SELECT x_RawFile, x_RawRow + 1, CAST({one.shown} AS VARCHAR) FROM raw WHERE {one.when}
        ORDER BY x_RawFile, x_RawRow LIMIT {SHOWN}"""
    ).fetchall()
    return [Fault(one.text.format(shown), one.advice, one.rule, file, row, one.column) for file, row, shown in rows]


def may_repeat(connection: DuckDBPyConnection, daily: Daily) -> bool:
    """Whether any two lines of view `raw` may be the same: soon told where none are."""
    key, figures = _compared(daily)
    told = f"SELECT count(*) > count(DISTINCT hash({daily.day}, {daily.place}, {key}, {figures})) FROM raw"
    return (True,) in connection.execute(told).fetchall()


def _compared(daily: Daily) -> tuple[str, str]:
    """What tells lines apart, and their figures; one file may write TRUE or nothing where another has true or null."""
    key = (f"upper(coalesce(trim({name}), ''))" for name in daily.key)
    return ", ".join(key), ", ".join(f"TRY_CAST({name} AS DECIMAL(38, 12))" for name in daily.figures)


def note_days(connection: DuckDBPyConnection, daily: Daily) -> None:
    """Add what view `raw` tells of each day to table `delivered_day`."""
    key, figures = _compared(daily)
    connection.execute(
        f"""INSERT INTO delivered_day
        SELECT x_RawFile, min(x_RawRow) + 1, max(x_RawRow) + 1, {daily.day}, {daily.place}, hash({key}) AS key,
            hash({key}, {figures}) AS line, count(*)
        FROM raw GROUP BY ALL"""
    )


def refuse_days_twice(connection: DuckDBPyConnection, daily: Daily) -> None:
    """Rejected where an account's day is there twice, in one file or in two."""
    if (True,) not in connection.execute(DOUBTFUL).fetchall():
        return
    for told, sql in (("there twice, row by row", WHOLE_DAYS), ("told by two files", TOLD_TWICE)):
        if rows := connection.execute(sql).fetchall():
            raise Rejected([_twice(daily, told, len(rows), *row) for row in rows[:SHOWN]])


def _twice(
    daily: Daily, told: str, days: int, file: str, row: int, other: str, again: int, day: object, place: str
) -> Fault:
    first = f"row {row}" if file == other else f"row {row} of {file}"
    more = f" ({days} such days)" if days > SHOWN else ""
    return Fault(
        f"{day} of account {place} is {told}, first in {first}{more}", AGAIN, "day-twice", other, again, daily.column
    )
