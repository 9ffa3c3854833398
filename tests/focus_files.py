"""Small conformant FOCUS files, spoilt cell by cell, and the command that checks them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
from bench.gen.focus_rows import write_focus

ROWS = 200


@dataclass(frozen=True)
class Checked:
    """What the command said: its exit code, its reports, and the verdicts of all of them by rule."""

    code: int
    reports: list[dict[str, Any]]
    err: str

    @property
    def verdicts(self) -> dict[str, dict[str, Any]]:
        return {one["rule"]: one for report in self.reports for one in report["verdicts"]}

    @property
    def broken(self) -> set[str]:
        return {rule for rule, one in self.verdicts.items() if one["status"] == "violated"}

    def places(self, rule: str) -> list[tuple[int | None, dict[str, str | None]]]:
        return [(one["row"], one["values"]) for one in self.verdicts[rule]["examples"]]


def validate(capsys: pytest.CaptureFixture[str], *arguments: object) -> Checked:
    capsys.readouterr()
    code = cli.main(["validate", *map(str, arguments), "--format", "json"])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return Checked(code, json.loads(told.out).get("reports", []) if code < 2 else [], told.out + told.err)


def table(folder: Path, version: str = "1.3", rows: int = ROWS) -> list[list[str]]:
    """Header and rows of a conformant CostAndUsage dataset."""
    path = write_focus(folder / f"{version}-{rows}.csv", rows, version, "csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def spoilt(sound: list[list[str]], cells: Mapping[tuple[int, str], str]) -> list[list[str]]:
    """The rows with other values in (row from 1, column)."""
    rows = [list(row) for row in sound]
    for (row, column), value in cells.items():
        rows[row][sound[0].index(column)] = value
    return rows


def as_csv(rows: list[list[str]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue()


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    path.write_text(as_csv(rows), encoding="utf-8", newline="")
    return path


def write_parquet(path: Path, source: Path, replaced: str) -> Path:
    """The Parquet file with other expressions in place of columns; `n` counts its rows from 1."""
    with duckdb.connect() as connection:
        query = f"SELECT * EXCLUDE (n) REPLACE ({replaced}) FROM (SELECT *, row_number() OVER () AS n FROM '{source}')"
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path
