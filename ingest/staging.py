"""A raw file, checked byte by byte and turned into Parquet that the mapping can read. Hostile until parsed."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.mapping import StagedFile, literal, quoted
from ingest.shapes import Shape, sniff
from ledger.faults import Fault, Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LINE_LIMIT = 16 * 1024 * 1024
CHUNK = 1024 * 1024
DELIMITERS = ",;\t"
FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}
DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class Staged:
    """A recognised file: `digest` is the SHA-256 of the bytes as delivered."""

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
    if size == 0:
        raise reject(
            "the file is empty", "Download it again: an empty file is not a bill of zero.", "empty-file", file=label
        )
    if _is_parquet(path):
        digest, source, headers, kind = _digest(path), path, _parquet_headers(connection, path, label), "parquet"
    else:
        digest, kind = _checked_text(path, label), "csv"
        source, headers = _csv_to_parquet(connection, path, label, workspace, digest)
    shape = sniff(headers, kind)
    if shape is None:
        raise _unknown(headers, label)
    return Staged(StagedFile(str(source), label, headers), shape, digest, size, str(path))


def _is_parquet(path: Path) -> bool:
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


def _open_text(path: Path) -> BinaryIO:
    """The text's bytes; gzip is recognised by its mark, not by the file's name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]  # GzipFile reads alike


def _parquet_headers(connection: DuckDBPyConnection, path: Path, label: str) -> tuple[str, ...]:
    import duckdb

    try:
        rows = connection.execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall()
        connection.execute(f"SELECT count(*) FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error as error:
        raise reject(
            "the Parquet file cannot be read; it may be cut short",
            "Download it again and compare its size with the source.",
            "unreadable-parquet",
            file=label,
        ) from error
    return tuple(str(row[0]) for row in rows)


def _checked_text(path: Path, label: str) -> str:
    """SHA-256 of the delivered bytes, after the text has proved to be UTF-8 with lines within the limit."""
    decoder, line, run = codecs.getincrementaldecoder("utf-8")(), 1, 0
    try:
        with _open_text(path) as stream:
            while chunk := stream.read(CHUNK):
                _refuse_marks(chunk, line, label)
                decoder.decode(chunk)
                line, run = _measure(chunk, line, run, label)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(line, label) from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise reject("the gzip file is cut short", "Download it again.", "unreadable-gzip", file=label) from error
    return _digest(path)


def _measure(chunk: bytes, line: int, run: int, label: str) -> tuple[int, int]:
    """(line number, bytes of the line so far) after this chunk; a whole line inside one chunk is within the limit."""
    first = chunk.find(b"\n")
    if run + (len(chunk) if first < 0 else first) > LINE_LIMIT:
        raise reject(
            f"line {line} is longer than {LINE_LIMIT // 1024 // 1024} MB",
            "This is not a provider's bill; check what was downloaded.",
            "line-too-long",
            file=label,
            row=max(line - 1, 0),
        )
    if first < 0:
        return line, run + len(chunk)
    return line + chunk.count(b"\n"), len(chunk) - chunk.rfind(b"\n") - 1


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
        f"the text is not UTF-8 (near line {line})",
        "Save or export it again as CSV in UTF-8 (a byte order mark is fine).",
        "encoding",
        file=label,
        row=max(line - 1, 0),
    )


def _header(path: Path, label: str) -> tuple[tuple[str, ...], str]:
    """The header's names and its delimiter."""
    with _open_text(path) as stream:
        first = stream.readline(LINE_LIMIT).decode("utf-8-sig").rstrip("\r\n")
    delimiter = max(DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise reject(
            "the first line holds no column names", "Export the file with its header.", "no-header", file=label
        )
    return tuple(name or f"column{index}" for index, name in enumerate(names)), delimiter


def _csv_to_parquet(
    connection: DuckDBPyConnection, path: Path, label: str, workspace: Path, digest: str
) -> tuple[Path, tuple[str, ...]]:
    import duckdb

    headers, delimiter = _header(path, label)
    if sniff(headers, "csv") is None:
        raise _unknown(headers, label)
    target = workspace / f"{digest[:16]}-{len(label)}.parquet"
    positions = ", ".join(f"{literal(f'c{index}')}: 'VARCHAR'" for index in range(len(headers)))
    names = ", ".join(f"c{index} AS {quoted(_unique(headers, index))}" for index in range(len(headers)))
    reader = f"""read_csv({literal(str(path))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='"',
        escape='"', columns={{{positions}}}, max_line_size={LINE_LIMIT}, compression={literal(_compression(path))},
        null_padding=false, strict_mode=true, parallel=false)"""
    try:
        connection.execute(f"COPY (SELECT {names} FROM {reader}) TO {literal(str(target))} (FORMAT parquet)")
    except duckdb.Error as error:
        raise _bad_row(str(error), label) from error
    return target, headers


def _compression(path: Path) -> str:
    with path.open("rb") as stream:
        return "gzip" if stream.read(2) == b"\x1f\x8b" else "none"


def _unique(headers: tuple[str, ...], index: int) -> str:
    """A doubled header gets its position, so that staging goes on and the shape check can name it."""
    name = headers[index].removeprefix("\ufeff")
    return name if headers.index(headers[index]) == index else f"{name} #{index + 1}"


def _bad_row(message: str, label: str) -> Rejected:
    line = re.search(r"Line: (\d+)", message)
    reason = next((text.strip() for text in message.splitlines() if text.strip()), "unreadable")
    return reject(
        f"a row does not fit the header ({reason[:200]})",
        "Every row needs as many fields as the header; export the file again rather than editing it.",
        "uneven-row",
        file=label,
        row=int(line.group(1)) - 1 if line else None,
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
