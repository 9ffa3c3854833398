"""Whole ledger rows for tests: a book that holds them, and an export of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from focus.metadata import Generator
from focus.schema import ledger_types
from ledger.book import Book
from ledger.delivery import Part, Period, SourceRef
from ledger.export import Request, Workshop, export
from ledger.export_place import FolderPlace, Place
from ledger.metadata_files import metadata_beside

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
JANUARY = Period(2026, 1)
ROW: Mapping[str, object] = {
    "BilledCost": "1",
    "EffectiveCost": "1",
    "BillingAccountId": "111122223333",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-01-01 00:00:00+00",
    "BillingPeriodEnd": "2026-02-01 00:00:00+00",
    "ChargePeriodStart": "2026-01-05 00:00:00+00",
    "ChargePeriodEnd": "2026-01-06 00:00:00+00",
    "ChargeCategory": "Usage",
    "PricingCurrency": "USD",
    "ProviderName": "AWS",
    "x_Provider": "AWS",
    "x_ServiceCode": "AmazonEC2",
}


def fill(
    book: Book,
    folder: Path,
    *rows: Mapping[str, object],
    source: str = "mine",
    period: Period = JANUARY,
    written: datetime = NOW,
    times: int = 1,
) -> int:
    """Replace one (source, billing period) by these rows, so many times each, as a run at `written` would have."""
    path = folder / f"{source}-{period}.parquet"
    types = dict(ledger_types())
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE part ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
        lines = [[{**ROW, **row}.get(name) for name in types] for row in rows or ({},)]
        connection.executemany(f"INSERT INTO part VALUES ({', '.join('?' * len(types))})", lines)
        connection.execute(f"INSERT INTO part SELECT part.* FROM part, range({times - 1})")
        connection.execute(f"COPY part TO '{path}' (FORMAT parquet)")
    os.utime(path, (written.timestamp(), written.timestamp()))
    moment = "2026-01-05T00:00:00Z"
    part = Part(str(path), len(lines) * times, path.stat().st_size, moment, moment)
    digest = path.read_bytes().hex()[-128:-64]
    return book.replace(SourceRef(source, "aws"), period, digest, [part], f"r{book.version()}")


@contextmanager
def shop(book: Book, file_size: str = "256MB") -> Any:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        yield Workshop(book, connection, Generator("ledger", "0.1.0"), lambda _event, _fields: None, 2048, file_size)


def exported(
    book: Book, out: Path | Place, now: datetime = NOW, file_size: str = "256MB", **asked: Any
) -> dict[str, Any]:
    """What an export lists."""
    place = FolderPlace(out) if isinstance(out, Path) else out
    with shop(book, file_size) as hands:
        return export(place, Request(**asked), hands, now)


def read(out: Path, listed: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Header and rows of all delivered files, as text for CSV."""
    paths = [str(out / file["path"]) for file in listed["files"]]
    reader = "read_parquet" if listed["format"] == "parquet" else "read_csv"
    options = "" if listed["format"] == "parquet" else ", all_varchar = true, header = true, nullstr = ''"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"FROM {reader}($1, hive_partitioning = false{options})", [paths])
        return [column[0] for column in found.description or ()], found.fetchall()


def columns(out: Path, listed: Mapping[str, Any], *names: str) -> Sequence[tuple[Any, ...]]:
    header, rows = read(out, listed)
    places = [header.index(name) for name in names]
    return sorted((tuple(row[place] for place in places) for row in rows), key=str)


def documents(out: Path) -> dict[str, Any]:
    found = metadata_beside(out)
    assert found
    return found


def names(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
