"""Raw files through the real staging and mapping, without a ledger behind them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from ingest.companions import load
from ingest.inspection import inspect, prepare
from ingest.kinds import collect, condense
from ingest.mapping import focus_select, raw_view, rows_view, tables, variables
from ingest.prices import match
from ingest.shapes import Shape
from ingest.splits import asked, shares
from ingest.staging import stage
from ledger.delivery import Period

JANUARY = Period(2026, 1)
Row = Mapping[str, Any]


def focus_rows(
    files: Sequence[tuple[Path, str]],
    workspace: Path,
    *,
    period: Period = JANUARY,
    basis: str = "amortized",
    options: Mapping[str, str] | None = None,
    sheets: Sequence[Path] = (),
    companions: Sequence[Path] = (),
) -> list[Row]:
    """The ledger rows of (file, role) pairs of one shape; Azure's role is actual or amortized, others' is empty.

    `options` are further variables of the mapping; `sheets` are price sheets beside them, `companions` other views.
    """
    with duckdb.connect() as connection:
        prepare(connection)
        staged = [stage(connection, path, path.name, workspace) for path, _ in files]
        roled = [replace(entry.file, role=role) for entry, (_, role) in zip(staged, files, strict=True)]
        shape = asked(staged[0].shape, options or {})
        values = {
            "period_start": f"{period.start:%Y-%m-%d} 00:00:00+00",
            "period_end": f"{period.end:%Y-%m-%d} 00:00:00+00",
            "source_name": "test",
            "basis": basis,
            **(options or {}),
        }
        for statement in (
            *tables(shape),
            *variables(values),
            raw_view(shape, roled, str(period)),
            *_facts(shape),
        ):
            connection.execute(statement)
        if shape.companions:
            found = [one for entry in staged for one in inspect(connection, entry)]
            besides = [stage(connection, path, path.name, workspace) for path in companions]
            load(connection, shape, besides, {member for one in found for member in one.members})
            connection.execute(raw_view(shape, roled, str(period)))
        condense(connection, shape)
        if shape.split and shape.is_split:
            connection.execute(shares(shape.split))
        if sheets:
            match(connection, shape, [stage(connection, path, path.name, workspace) for path in sheets])
        connection.execute(rows_view(shape, priced=bool(sheets)))
        collect(connection, shape)
        cursor = connection.execute(focus_select(shape))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def write_csv(path: Path, lines: Sequence[Mapping[str, str]], encoding: str = "utf-8") -> Path:
    """A CSV of the lines' keys as header."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def _facts(shape: Shape) -> list[str]:
    """Statements that read the shape's facts off view `raw`, which has to show the whole delivery, into variables."""
    return [
        f"SET VARIABLE {name} = (SELECT CAST({aggregate} AS VARCHAR) FROM raw)"
        for name, aggregate in shape.facts.items()
    ]
