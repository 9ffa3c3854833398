"""Azure's cost details: a pair of CSV files to FOCUS rows, against the engine's own read and write of the columns.

The plain way reads both files with the engine's CSV reader and writes the columns that the mapping reads as Parquet,
with the threads, codec and row groups of ours. It checks nothing, sums nothing up and merges nothing.
`python -m bench.cost_details [ROWS [ROUNDS]]` prints the figures.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

import wiring
from bench.figure import Figure
from bench.gen import azure_cost_details
from bench.launch import cost
from bench.mapping import Cost
from bench.rounds import OPTIONS, Way, medians
from ingest.delimited import header
from ingest.deliveries import Assembled, assemble
from ingest.flow import Job, Tuning, ingest, map_delivery
from ingest.inspection import inspect
from ingest.mapping import literal, quoted
from ingest.records import RECORD_LIMIT
from ingest.run import opening
from ingest.shapes import resolve, sniff
from ingest.shelf import Shelf
from ingest.staging import stage
from ledger.delivery import SourceRef
from settings import Settings

DATA = Path(__file__).parent / "data"
ROUNDS = 3
SETTINGS = Settings(row_group_size=122_880, memory_limit="1GB")
NOW = datetime(2026, 2, 1, tzinfo=UTC)


def figures(rows: int = 1_000_000, rounds: int = ROUNDS) -> Iterator[Figure]:
    files = azure_cost_details.write(DATA, rows)
    costs = measured(files, rounds, f"Azure, twice {rows:,} rows")
    plain, mapped = costs["plain"], costs["mapped"]
    yield Figure("Azure cost details to FOCUS rows / plain read and write, rates", plain.wall / mapped.wall, 0.7, True)
    yield Figure("the same per processor second", plain.cpu / mapped.cpu, 0.7, True)
    commit, gated = costs["committed"], costs["gated"]
    yield Figure("time to a committed partition / to plain files", commit.wall / mapped.wall, 1.25)
    yield Figure("the same with the gate on", gated.wall / mapped.wall, 2.75)
    yield Figure(f"peak memory of Azure cost details, twice {rows:,} rows, gate on, MB", peak_memory(files), 1_500)


def peak_memory(files: Sequence[Path]) -> float:
    """Of the whole way to the ledger, in a process of its own."""
    row_group, limit = str(SETTINGS.row_group_size), SETTINGS.memory_limit
    program = [sys.executable, "-m", "bench.peak", row_group, limit, *map(str, files)]
    return float(cost(program, DATA / "cost_details.txt").output.split()[-1])


def measured(files: Sequence[Path], rounds: int, label: str = "Azure") -> Mapping[str, Cost]:
    """Medians of interleaved rounds, each from the CSV files on, with an engine and folders of its own."""
    ways: Mapping[str, Way] = {
        "plain": plain_copy,
        "mapped": mapped,
        "committed": partial(committed, gate="off"),
        "gated": partial(committed, gate="block"),
    }
    return medians(label, ways, files, SETTINGS, rounds)


def plain_copy(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> None:
    for file in files:
        headers, delimiter = header(file, file.name)
        shape = sniff(headers, "csv")
        assert shape is not None
        needed = ", ".join(map(quoted, resolve(shape, headers, file.name).values()))
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in headers)
        reader = f"""read_csv({literal(str(file))}, auto_detect=false, header=true, delim={literal(delimiter)},
            quote='"', escape='"', columns={{{columns}}}, max_line_size={RECORD_LIMIT},
            buffer_size={2 * RECORD_LIMIT})"""
        target = literal(str(work / f"{file.stem}.parquet"))
        connection.execute(
            f"COPY (SELECT {needed} FROM {reader}) TO {target} ({OPTIONS.format(SETTINGS.row_group_size)})"
        )


def mapped(connection: DuckDBPyConnection, files: Sequence[Path], work: Path) -> None:
    """FOCUS rows as plain Parquet: all checks of the bytes and values, the money held against the files."""
    assembled = _assembled(connection, files, work)
    tuning = Tuning(row_group_size=SETTINGS.row_group_size)
    job = Job(assembled, connection, work / "mapped", wiring.quiet, tuning, Shelf())
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
    found = [one for file in files for one in inspect(connection, stage(connection, file, file.name, work))]
    return assemble(SourceRef("bench", "azure"), found[0].period, found, "amortized")


if __name__ == "__main__":
    for figure in figures(*map(int, sys.argv[1:])):
        print(figure, flush=True)
