"""Programs that write to one book from processes of their own; `spawn` hands them plain values."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from adapters.blob import BlobStore
from adapters.folder import FolderStore
from adapters.storage_account import account_from
from ledger.book import Book
from ledger.delivery import Part, Period, SourceRef
from ledger.store import ObjectStore

SCHEMA = (
    ("writer", "VARCHAR"),
    ("cost", "DECIMAL(38,24)"),
    ("ChargePeriodStart", "TIMESTAMP WITH TIME ZONE"),
)
JANUARY = Period(2026, 1)

Place = dict[str, str]


def open_store(place: Place) -> ObjectStore:
    """A folder, or a container of the emulator, from values that cross a process border."""
    if "folder" in place:
        return FolderStore(place["folder"])
    account = account_from({"AzureWebJobsStorage": place["connection"]})
    return BlobStore(account, place["container"], "prefix", Path(place["cache"]))


def open_book(place: Place) -> Book:
    return Book(open_store(place), SCHEMA)


def part(folder: Path, writer: str, rows: int) -> Part:
    """A part file of `rows` rows of one writer, each costing 0.1."""
    path = folder / f"{writer}-{rows}.parquet"
    query = f"SELECT '{writer}' AS writer, 0.1::DECIMAL(38,24) AS cost, '2026-01-05 06:00:00+00'::TIMESTAMPTZ"
    duckdb.sql(f"COPY ({query} AS ChargePeriodStart FROM range({rows})) TO '{path}' (FORMAT parquet)")
    return Part(str(path), rows, path.stat().st_size, "2026-01-05T06:00:00+00:00", "2026-01-05T06:00:00+00:00")


def write(place: Place, folder: str, writer: str, source: str, rows: int, gate: Any = None) -> int:
    """Replace one partition by two parts of the writer; a gate lets several start at the same moment."""
    parts = [part(Path(folder), writer, rows), part(Path(folder), writer, rows + 1)]
    book = open_book(place)
    if gate is not None:
        gate.wait(60)
    return book.replace(SourceRef(source, "aws"), JANUARY, digest(writer), parts, f"run-{writer}")


def digest(writer: str) -> str:
    return writer.encode().hex().ljust(64, "0")


class DyingStore(FolderStore):
    """Its process is killed as soon as the first data file is in place."""

    def put_file(self, name: str, path: Path) -> None:
        super().put_file(name, path)
        os.kill(os.getpid(), signal.SIGKILL)


def write_and_die(root: str, folder: str) -> None:
    Book(DyingStore(root), SCHEMA).replace(
        SourceRef("a", "aws"), JANUARY, digest("dead"), [part(Path(folder), "dead", 9)], "run-dead"
    )


def together(target: Callable[..., object], calls: Sequence[tuple[Any, ...]], gated: bool = True) -> list[int | None]:
    """The exit codes of one fresh process per call; fork would break the Delta library."""
    context = multiprocessing.get_context("spawn")
    gate = (context.Barrier(len(calls)),) if gated else ()
    processes = [context.Process(target=target, args=(*call, *gate)) for call in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]
