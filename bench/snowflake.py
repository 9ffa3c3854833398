"""Snowflake's usage with the split by warehouse to a partition, against the engine's own read and write of its rows.

The engine's way reads the same FOCUS rows from Parquet and writes them, with the threads, codec and row groups of ours.
It checks nothing, joins nothing, splits nothing and commits nothing. How long it takes to copy the views themselves,
which have a quarter of the columns and half of the rows, is told without a target. The views are read from Parquet
files; they are also asked for through the connector, from the stand-in, where that is installed.
`python -m bench.snowflake [ROWS [ROUNDS]]` prints the figures.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

import wiring
from bench.figure import Figure
from bench.gen.snowflake_views import VIEWS, Month, write
from bench.launch import cost
from bench.mapping import Cost
from bench.rounds import OPTIONS, Way, medians, timed
from ingest.deliveries import Assembled, assemble
from ingest.flow import Job, Tuning, ingest, map_delivery
from ingest.inspection import inspect
from ingest.mapping import literal
from ingest.plan import Source
from ingest.run import opening
from ingest.shelf import Shelf
from ingest.staging import stage
from ledger.delivery import SourceRef
from settings import Settings

DATA = Path(__file__).parent / "data"
ROUNDS = 3
BILL = "USAGE_IN_CURRENCY_DAILY"
BESIDE = (
    "RATE_SHEET_DAILY", "METERING_DAILY_HISTORY", "WAREHOUSE_METERING_HISTORY", "TAG_REFERENCES", "CONTRACT_ITEMS",
    "REMAINING_BALANCE_DAILY",
)  # fmt: skip
SOURCE = Source("bench", "snowflake", "", allocation="warehouse")
SETTINGS = Settings(row_group_size=20_480, memory_limit="600MB", sources=(SOURCE,))
NOW = datetime(2026, 2, 20, tzinfo=UTC)


def figures(rows: int = 1_000_000, rounds: int = ROUNDS) -> Iterator[Figure]:
    files = written(rows)
    costs = measured(files, rounds, f"Snowflake, {rows:,} rows")
    copied, mapped, commit, gated = (costs[name] for name in ("copied", "mapped", "committed", "gated"))
    yield Figure(
        "Snowflake's views to a partition / copy of its FOCUS rows, rates", copied.wall / commit.wall, 0.6, True
    )
    yield Figure("the same per processor second", copied.cpu / commit.cpu, 0.6, True)
    yield Figure("time to a committed partition / to plain files", commit.wall / mapped.wall, 1.25)
    yield Figure("the same with the gate on", gated.wall / mapped.wall, 2.75)
    yield Figure(f"peak memory of Snowflake's views, {rows:,} rows, gate on, MB", peak_memory(files), 1_000)
    yield from asked(files)


def written(rows: int) -> list[Path]:
    """The bill first. Files already there are kept."""
    folder = DATA / f"snowflake-{rows}"
    if not (folder / ".whole").exists():
        write(folder, Month(rows))
        (folder / ".whole").touch()
    return [folder / f"{view.lower()}.parquet" for view in (BILL, *BESIDE) if view in VIEWS]


def peak_memory(places: Sequence[Path | str]) -> float:
    """Of the whole way to the ledger, in a process of its own."""
    program = [sys.executable, "-m", "bench.snowflake_peak", *map(str, places)]
    wall, cpu, peak = cost(program, DATA / "snowflake.txt").output.split()[-3:]
    print(f"  the whole way of the last: {wall} s on the clock, {cpu} s of processor")
    return float(peak)


def asked(files: Sequence[Path]) -> Iterator[Figure]:
    """The same month through the connector, from the stand-in; its own doing is not in the figure."""
    from tests.servers import snowflake

    if not snowflake.PROGRAM.is_file():
        print("  skipped: fakesnow is not installed: python3 tools/bootstrap.py --server fakesnow")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, snowflake.shared(Path(folder)) as server:
        account = server.open("BENCH-PRODUCTION")
        for file in files:
            view = file.stem.upper()
            if view != "TAG_REFERENCES":
                account.load(f"ORGANIZATION_USAGE.{view}", file)
        yield Figure(
            "peak memory through the connector, gate on, MB", peak_memory([server.endpoint, account.name]), 1_000
        )


def measured(files: Sequence[Path], rounds: int, label: str = "Snowflake") -> Mapping[str, Cost]:
    """Medians of interleaved rounds, each from the files on, with an engine and folders of its own."""
    ways: Mapping[str, Way] = {
        "plain": plain_copy,
        "copied": focus_copy,
        "mapped": mapped,
        "committed": partial(committed, gate="off"),
        "gated": partial(committed, gate="block"),
    }
    rows = files[0].parent / "focus"
    if not rows.exists():
        timed(lambda connection, given, work: _mapped(connection, given, work, rows), files, SETTINGS)
    return medians(label, ways, files, SETTINGS, rounds)


def plain_copy(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> None:
    for file in files:
        target = literal(str(work / file.name))
        options = OPTIONS.format(SETTINGS.row_group_size)
        connection.execute(f"COPY (FROM read_parquet({literal(str(file))})) TO {target} ({options})")


def focus_copy(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> None:
    """The FOCUS rows themselves, read and written by the engine; they are mapped once, before the rounds."""
    rows = literal(str(files[0].parent / "focus" / "*" / "*.parquet"))
    target = literal(str(work / "copied.parquet"))
    connection.execute(f"COPY (FROM read_parquet({rows})) TO {target} ({OPTIONS.format(SETTINGS.row_group_size)})")


def mapped(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> None:
    """FOCUS rows as plain Parquet: all checks of the values, the money held against the files, the split."""
    _mapped(connection, files, work, work / "mapped")


def _mapped(connection: DuckDBPyConnection, files: Sequence[Path], work: Path, folder: Path) -> None:
    assembled = _assembled(connection, files, work)
    tuning = Tuning(row_group_size=SETTINGS.row_group_size)
    job = Job(assembled, connection, folder, wiring.quiet, tuning, Shelf())
    map_delivery(job, opening(assembled, NOW, "bench"))


def committed(connection: DuckDBPyConnection, files: Sequence[Path], work: Path, gate: str) -> None:
    """The whole way: a new ledger's first partition."""
    (work / "units").mkdir()
    ingest(
        _assembled(connection, files, work),
        connection=connection,
        book=wiring.book(wiring.store(str(work / "ledger"), {})),
        workspace=work / "units",
        now=NOW,
        run_id=wiring.new_id(),
        progress=wiring.quiet,
        tuning=Tuning(row_group_size=SETTINGS.row_group_size, gate=gate),
    )


def _assembled(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> Assembled:
    bill, *beside = (stage(connection, file, file.name, work) for file in files)
    found = inspect(connection, bill)
    made = assemble(SourceRef(SOURCE.name, SOURCE.provider), found[0].period, found, SOURCE.basis)
    return replace(made, companions=tuple(beside), options=SOURCE.options)


if __name__ == "__main__":
    for figure in figures(*map(int, sys.argv[1:])):
        print(figure, flush=True)
