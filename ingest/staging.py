"""A raw file, checked byte by byte and turned into Parquet that the mapping can read. Hostile until parsed."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.mapping import StagedFile, literal, quoted
from ingest.records import RECORD_LIMIT, Records, data_row
from ingest.shapes import Shape, resolve, sniff
from ledger.faults import Fault, Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHUNK = 1024 * 1024
STAGED_GROUP = 20_480
DELIMITERS = ",;\t"
FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}
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
        digest, kind = _checked_text(path, label), "csv"
        source, headers = _csv_to_parquet(connection, path, label, workspace, digest)
    shape = sniff(headers, kind)
    if shape is None:
        raise _unknown(headers, label)
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


def open_text(path: Path) -> BinaryIO:
    """The text's bytes; gzip is recognised by its mark, not by the file's name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]  # GzipFile reads alike


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


def _checked_text(path: Path, label: str) -> str:
    """SHA-256 of the text, packed or not, after it has proved to be UTF-8 with lines within the limit."""
    decoder, records, digest = codecs.getincrementaldecoder("utf-8")(), Records(label), hashlib.sha256()
    try:
        with open_text(path) as stream:
            while chunk := stream.read(CHUNK):
                _refuse_marks(chunk, records.line, label)
                decoder.decode(chunk)
                records.feed(chunk)
                digest.update(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(records.line + error.object[: error.start].count(b"\n"), label) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        advice = "Download it again and compare its size with the source."
        raise reject("the gzip file is cut short or damaged", advice, "unreadable-gzip", file=label) from error
    if records.quoted:
        _refuse_open_quote(path, label)
    return digest.hexdigest()


def _refuse_open_quote(path: Path, label: str) -> None:
    """The engine drops the row of a quote that never closes without a word, so an odd quote is looked at closely."""
    with open_text(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            for _ in reader:
                pass
        except csv.Error as error:
            raise _bad_row(f"{error}\nLine: {reader.line_num}", label) from error


def _refuse_marks(chunk: bytes, line: int, label: str) -> None:
    foreign = next((name for mark, name in FOREIGN_MARKS.items() if line == 1 and chunk.startswith(mark)), None)
    if foreign or b"\x00" in chunk:
        raise reject(
            f"the text is {foreign or 'holding a NUL byte'}, not UTF-8",
            "Save or export it again as CSV in UTF-8 (a byte order mark is fine).",
            "encoding",
            file=label,
        )


def _not_utf8(line: int, label: str) -> Rejected:
    return reject(
        f"the text is not UTF-8 (line {line})",
        "Save or export it again as CSV in UTF-8 (a byte order mark is fine).",
        "encoding",
        file=label,
        row=data_row(line),
    )


def header(path: Path, label: str) -> tuple[tuple[str, ...], str]:
    """The header's names and its delimiter."""
    with open_text(path) as stream:
        first = stream.readline(RECORD_LIMIT).decode("utf-8-sig").rstrip("\r\n")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        names = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error as error:
        raise _unknown((first[:40],), label) from error
    if not any(name.strip() for name in names):
        raise reject(
            "the first line holds no column names", "Export the file with its header.", "no-header", file=label
        )
    return tuple(name if name.strip() else f"column{index}" for index, name in enumerate(names)), delimiter


def told_apart(headers: Sequence[str]) -> tuple[str, ...]:
    """Tags may differ by case alone, which the engine does not see: each later one gets a blank more at its end."""
    folded = [header.lower() for header in headers]
    return tuple(header + " " * folded[:place].count(folded[place]) for place, header in enumerate(headers))


def _csv_to_parquet(
    connection: DuckDBPyConnection, path: Path, label: str, workspace: Path, digest: str
) -> tuple[Path, tuple[str, ...]]:
    import duckdb

    headers, delimiter = header(path, label)
    shape = sniff(headers, "csv")
    if shape is None:
        raise _unknown(headers, label)
    resolve(shape, headers, label)
    headers = told_apart(headers)
    target = workspace / f"{digest[:16]}-{len(label)}.parquet"
    positions = ", ".join(f"{literal(f'c{index}')}: 'VARCHAR'" for index in range(len(headers)))
    names = ", ".join(f"c{index} AS {quoted(name)}" for index, name in enumerate(headers))
    reader = f"""read_csv({literal(str(path))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='"',
        escape='"', columns={{{positions}}}, max_line_size={RECORD_LIMIT}, compression={literal(compression(path))},
        null_padding=false, strict_mode=true, parallel=false)"""
    # Text columns by the dozen: at the engine's own group size they take 200 MB more, and are written no faster.
    options = f"FORMAT parquet, ROW_GROUP_SIZE {STAGED_GROUP}"
    try:
        connection.execute(f"COPY (SELECT {names} FROM {reader}) TO {literal(str(target))} ({options})")
    except duckdb.Error as error:
        raise _bad_row(str(error), label) from error
    return target, headers


def compression(path: Path) -> str:
    with path.open("rb") as stream:
        return "gzip" if stream.read(2) == b"\x1f\x8b" else "none"


def _bad_row(message: str, label: str) -> Rejected:
    line = re.search(r"Line: (\d+)", message)
    reason = next((text.strip() for text in message.splitlines() if text.strip()), "unreadable")
    return reject(
        f"a row does not fit the header ({reason[:200]})",
        "Every row needs as many fields as the header; export the file again rather than editing it.",
        "uneven-row",
        file=label,
        row=data_row(int(line.group(1))) if line else None,
    )


def _unknown(headers: tuple[str, ...], label: str) -> Rejected:
    shown = ", ".join(headers[:6])
    fault = Fault(
        f"no known bill has these columns: {shown}{' ...' if len(headers) > 6 else ''}",
        "Known shapes are listed in docs/ingest.md; check that the export type is one of them.",
        "unknown-shape",
        label,
    )
    return Rejected([fault])
