"""AWS bills of every kind of line, and what one delivery of any files adds up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingest.deliveries import Found, assemble
from ingest.flow import Job, Tuning, map_delivery
from ingest.identities import Identity
from ingest.inspection import inspect, prepare
from ingest.mappings import text
from ingest.run import opening
from ingest.shelf import Shelf
from ingest.staging import stage
from ledger.delivery import SourceRef
from tests.bills import cur2

Line = Mapping[str, Any]


def kind(name: str, cost: float, **fields: Any) -> Line:
    return {"line_item_line_item_type": name, "line_item_unblended_cost": cost, **fields}


def on(invoice: str, line: Line, currency: str = "USD") -> Line:
    return {**line, "bill_invoice_id": invoice, "line_item_currency_code": currency}


def reserved(name: str, cost: float, arn: str = "ri-1", **fields: Any) -> Line:
    return kind(name, cost, reservation_reservation_a_r_n=arn, **{f"reservation_{k}": v for k, v in fields.items()})


def planned(name: str, cost: float, arn: str = "sp-1", **fields: Any) -> Line:
    return kind(name, cost, savings_plan_savings_plan_a_r_n=arn, **{f"savings_plan_{k}": v for k, v in fields.items()})


def covered(cost: float, effective: float = 1.0, arn: str = "sp-1") -> Line:
    return planned("SavingsPlanCoveredUsage", cost, arn, savings_plan_effective_cost=effective)


def mapped(folder: Path, *bills: Sequence[Line], wrong: Mapping[str, str] | None = None) -> dict[str, Identity]:
    """The identities of one delivery of these files, by name and currency; `wrong` are columns mapped otherwise."""
    paths = [
        cur2(folder / f"bill-{index}.parquet", *_distinct(lines, f"i-{index}")) for index, lines in enumerate(bills)
    ]
    return identities(folder, paths, wrong=wrong)


def identities(
    folder: Path, paths: Sequence[Path], basis: str = "amortized", wrong: Mapping[str, str] | None = None
) -> dict[str, Identity]:
    """The same of files that are there already."""
    with duckdb.connect() as connection:
        prepare(connection)
        found = [_found(connection, path, folder, wrong or {}) for path in paths]
        assembled = assemble(SourceRef("test", found[0].provider), found[0].period, found, basis)
        job = Job(assembled, connection, folder / "work", lambda *_: None, Tuning(), Shelf())
        _, run = map_delivery(job, opening(assembled, datetime(2026, 2, 1, tzinfo=UTC), "r"))
    return {f"{one.name} {one.currency}": one for one in run.identities}


def _distinct(lines: Sequence[Line], name: str) -> list[Line]:
    """Or two files would look like one bill given twice."""
    return [{**line, "line_item_resource_id": f"{name}-{row}"} for row, line in enumerate(lines)]


def _found(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, wrong: Mapping[str, str]) -> Found:
    [found] = inspect(connection, stage(connection, path, path.name, folder))
    otherwise = ", ".join(f"{sql} AS {column}" for column, sql in wrong.items())
    select = f"SELECT * REPLACE ({otherwise})\nFROM (\n{text(found.staged.shape.select_sql)}\n)"
    otherwise_sql = folder / found.staged.shape.select_sql
    otherwise_sql.write_text(select, encoding="utf-8")
    shape = replace(found.staged.shape, select_sql=str(otherwise_sql)) if wrong else found.staged.shape
    return replace(found, staged=replace(found.staged, shape=shape))
