"""Time of the mapping against the engine's own copy of the same columns, and of the whole way to a committed ledger."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median

from duckdb import DuckDBPyConnection

import wiring
from ingest.deliveries import Assembled, assemble
from ingest.flow import Tuning, ingest, known_values
from ingest.inspection import inspect
from ingest.mapping import focus_select, quoted, raw_view, rows_view, tables, variables
from ingest.mappings import text
from ingest.shapes import resolve
from ingest.staging import stage
from ledger.delivery import SourceRef
from settings import Settings

ROUNDS = 3
OPTIONS = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}, FILE_SIZE_BYTES '128MB'"
SETTINGS = Settings(row_group_size=122_880)


@dataclass(frozen=True, slots=True)
class Bill:
    """One generated file, staged and assembled, with a scratch folder for what is written."""

    connection: DuckDBPyConnection
    assembled: Assembled
    workspace: Path
    row_group: int

    @property
    def select_needed(self) -> str:
        """The raw columns that the mapping's SQL names, straight from the file."""
        staged = self.assembled.found[0].staged
        found = resolve(staged.shape, staged.file.headers, staged.file.label)
        body = text(staged.shape.rows_sql) + text(staged.shape.select_sql)
        headers = [header for name, header in found.items() if re.search(rf"\b{name}\b", body)]
        return f"SELECT {', '.join(map(quoted, headers))} FROM read_parquet('{staged.file.path}')"


@contextmanager
def opened(path: Path, settings: Settings = SETTINGS) -> Iterator[Bill]:
    with tempfile.TemporaryDirectory(prefix="bench-") as work, wiring.engine(settings) as connection:
        staged = stage(connection, path, path.name, Path(work))
        found = inspect(connection, staged)
        assembled = assemble(SourceRef("bench", "aws"), found[0].period, found, "amortized")
        _prepare(connection, assembled)
        yield Bill(connection, assembled, Path(work), settings.row_group_size)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and of all processor cores; on a busy machine only the second means much."""

    wall: float
    cpu: float


def costs(bill: Bill) -> dict[str, Cost]:
    """Medians of interleaved rounds: the plain copy, the mapping to plain files, ingest without and with the gate."""
    ways: Mapping[str, Callable[[Bill], object]] = {
        "copy": _copy_needed,
        "map": mapped,
        "commit": partial(_commit, gate="off"),
        "gated": partial(_commit, gate="block"),
    }
    rounds = [{name: _timed(way, bill) for name, way in ways.items()} for _ in range(ROUNDS)]
    return {name: _median([costs[name] for costs in rounds]) for name in ways}


def mapped(bill: Bill) -> Path:
    """FOCUS rows of the bill as plain Parquet files in a new folder."""
    return _written(bill, focus_select(bill.assembled.found[0].staged.shape), "mapped")


def unequal_money(bill: Bill) -> tuple[int, int]:
    """(amounts that differ, amounts): billed costs against the shortest decimal text of the raw doubles.

    The text is Python's own, so that the engine does not check itself. Lines that a rule drops or zeroes have no say.
    """
    raw = bill.connection.execute(
        "SELECT line_item_unblended_cost FROM rows WHERE x_RowKind = 'charge' AND x_Keep AND x_Rule = ''"
    ).fetchall()
    expected = Counter(Decimal(repr(cost)) for (cost,) in raw)
    pattern = mapped(bill) / "*.parquet"
    rows = bill.connection.execute(
        f"""SELECT BilledCost FROM read_parquet('{pattern}') WHERE x_RowKind = 'charge'
            AND x_ChargeType NOT IN ('SavingsPlanCoveredUsage', 'DiscountedUsage')"""
    ).fetchall()
    found = Counter(cost for (cost,) in rows)
    return ((expected - found) + (found - expected)).total(), expected.total()


def _prepare(connection: DuckDBPyConnection, assembled: Assembled) -> None:
    """The views `raw` and `rows` of the whole bill."""
    shape = assembled.found[0].staged.shape
    files = [entry.staged.file for entry in assembled.found]
    views = raw_view(shape, files, str(assembled.period)), rows_view(shape)
    for statement in (*tables(shape), *variables(known_values(assembled)), *views):
        connection.execute(statement)


def _copy_needed(bill: Bill) -> Path:
    return _written(bill, bill.select_needed, "copied")


def _written(bill: Bill, select: str, name: str) -> Path:
    folder = bill.workspace / name
    shutil.rmtree(folder, ignore_errors=True)
    bill.connection.execute(f"COPY ({select}) TO '{folder}' ({OPTIONS.format(bill.row_group)})")
    return folder


def _commit(bill: Bill, gate: str) -> None:
    store = bill.workspace / "ledger"
    shutil.rmtree(store, ignore_errors=True)
    shutil.rmtree(bill.workspace / "units", ignore_errors=True)
    (bill.workspace / "units").mkdir()
    ingest(
        bill.assembled,
        connection=bill.connection,
        book=wiring.book(wiring.store(str(store), {})),
        workspace=bill.workspace / "units",
        now=datetime(2026, 2, 1, tzinfo=UTC),
        run_id=wiring.new_id(),
        progress=wiring.quiet,
        tuning=Tuning(row_group_size=SETTINGS.row_group_size, gate=gate),
    )


def _median(found: list[Cost]) -> Cost:
    return Cost(median(cost.wall for cost in found), median(cost.cpu for cost in found))


def _timed(way: Callable[[Bill], object], bill: Bill) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    way(bill)
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)
