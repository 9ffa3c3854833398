"""A conformant FOCUS table as text, row by row, and what the rules say of a changed one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import duckdb

from bench.gen.focus_rows import COMMITMENTS, CONTRACT_COMMITMENTS, _select_list, select
from focus.conformance import Question, Rows, check
from focus.fields import described
from focus.report import VIOLATED, Report
from focus.rules import MUST
from focus.schema import columns

Row = Mapping[str, str | None]
ROWS = 300
EVERY_PLACE = 100_000


@cache
def connection() -> duckdb.DuckDBPyConnection:
    """One for all tables of this process."""
    return duckdb.connect(config={"threads": 1})


@cache
def conformant(dataset: str = "CostAndUsage", version: str = "1.3") -> tuple[Row, ...]:
    """The generated rows, every value as text, as a CSV file has them."""
    names = columns(dataset, version)
    sql = (
        select(ROWS, version, text_dates=True)
        if dataset == "CostAndUsage"
        else f"SELECT {_select_list(names, COMMITMENTS, True)} FROM range({CONTRACT_COMMITMENTS}) AS numbers(n)"
    )
    found = connection().execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})")
    header = [one[0] for one in found.description or ()]
    return tuple(dict(zip(header, values, strict=True)) for values in found.fetchall())


def table(name: str, rows: Sequence[Row], header: Iterable[str] = ()) -> Rows:
    """These rows as a table of texts of that name; the first row is row 1."""
    names = list(header) or list(rows[0])
    kinds = {"#file": "VARCHAR", "#row": "BIGINT", **dict.fromkeys(names, "VARCHAR")}
    values = json.dumps([{"#file": name, "#row": place, **row} for place, row in enumerate(rows, 1)])
    unpacked = "unnest(from_json($1, $2), recursive := true)"
    connection().execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT {unpacked}', [values, json.dumps([kinds])])
    return described_rows(name)


def described_rows(name: str) -> Rows:
    """A table with #file and #row, for the engine."""
    kinds = connection().execute(f'DESCRIBE "{name}"').fetchall()
    return Rows(f'SELECT * FROM "{name}"', described([one for one in kinds if one[0] not in ("#file", "#row")]), name)


def report(rows: Rows, dataset: str = "CostAndUsage", version: str = "1.3", **asked: object) -> Report:
    """The verdicts with every criterion held unless `asked` says otherwise."""
    wish = {"applicability": "all", "max_examples": EVERY_PLACE, **asked}
    return check(connection(), rows, Question(version, dataset, **wish))  # type: ignore[arg-type]  # fields by name


def places(found: Report) -> dict[str, set[int | None]]:
    """Rule to the rows that break it."""
    broken = [one for one in found.verdicts if one.status == VIOLATED]
    return {one.rule: {example.row for example in one.examples} for one in broken}


def broken_musts(found: Report) -> set[str]:
    return {one.rule for one in found.violated(MUST)}
