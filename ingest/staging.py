"""A raw file as Parquet that the mapping can read, once it has been recognised. Hostile until parsed."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.delimited import CHUNK, checked_text, open_text, to_parquet
from ingest.mapping import StagedFile, literal
from ingest.shapes import Shape, sniff
from ingest.unrecognised import unrecognised
from ledger.faults import reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file at hand; `named` when a person gave it directly, so that it may not be ignored."""

    path: Path
    label: str
    named: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """`ignored` are the labels of files in a folder that are no data."""

    files: tuple[LocalFile, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """A recognised file: `digest` is the SHA-256 of its bytes, unpacked where text was packed."""

    file: StagedFile
    shape: Shape
    digest: str
    size: int
    origin: str


def looks_like_data(name: str) -> bool:
    """Whether a file found in a folder is meant as a bill; others are listed as ignored."""
    return name.lower().endswith(DATA_SUFFIXES)


def stage(connection: DuckDBPyConnection, path: Path, label: str, workspace: Path) -> Staged:
    """Recognise, check and stage one file. Rejected names what is wrong with it and where."""
    size = path.stat().st_size
    path = plainly_named(path, workspace)
    if size == 0:
        raise reject(
            "the file is empty", "Download it again: an empty file is not a bill of zero.", "empty-file", file=label
        )
    if is_parquet(path):
        digest, source, headers, kind = _digest(path), path, _parquet_headers(connection, path, label), "parquet"
    else:
        text, kind = checked_text(path, label), "csv"
        digest, (source, headers) = text.digest, to_parquet(connection, path, label, workspace, text)
    shape = sniff(headers, kind)
    if shape is None:
        raise unrecognised(headers, kind, label)
    return Staged(StagedFile(str(source), label, headers), shape, digest, size, str(path))


def plainly_named(path: Path, workspace: Path) -> Path:
    """The engine reads *, ? and [ in a file's name as a pattern: such a file gets a link without them."""
    if not re.search(r"[*?\[\]{}]|[^\x20-\x7e]", str(path)):
        return path
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
    link = workspace / f"named-{name}"
    if not link.exists():
        link.symlink_to(path.absolute())
    return link


def is_parquet(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def holds_nothing(path: Path) -> bool:
    """No bytes at all, packed or not: what an export that shrank leaves of a file it no longer needs."""
    if path.stat().st_size == 0:
        return True
    try:
        with open_text(path) as stream:
            return not stream.read(1)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False  # damaged: staging says how


def _parquet_headers(connection: DuckDBPyConnection, path: Path, label: str) -> tuple[str, ...]:
    import duckdb

    try:
        source = f"read_parquet({literal(str(path))}, hive_partitioning=false)"
        rows = connection.execute(f"DESCRIBE FROM {source}").fetchall()
    except duckdb.Error as error:
        raise reject(
            "the Parquet file cannot be read; it may be cut short",
            "Download it again and compare its size with the source.",
            "unreadable-parquet",
            file=label,
        ) from error
    return tuple(str(row[0]) for row in rows)
