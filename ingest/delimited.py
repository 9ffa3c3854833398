"""A delimited text, checked byte by byte and turned into Parquet. Hostile until parsed."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ingest.mapping import literal, quoted
from ingest.records import RECORD_LIMIT, Records, data_row
from ingest.shapes import Shape, plain, resolve, sniff
from ingest.unrecognised import unrecognised
from ledger.faults import Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHUNK = 1024 * 1024
STAGED_GROUP = 20_480
BY_ALL_CORES = 32 * 1024 * 1024  # bytes of text from which a file is worth all cores
DELIMITERS = ",;\t"
FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", codecs.BOM_UTF32_BE: "UTF-32"}


@dataclass(frozen=True, slots=True)
class Text:
    """What is known of a text once read, unpacked: its SHA-256, its bytes, and its lines with the header's."""

    digest: str
    size: int
    lines: int


def open_text(path: Path) -> BinaryIO:
    """The text's bytes; gzip is recognised by its mark, not by the file's name."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]  # GzipFile reads alike


def checked_text(path: Path, label: str) -> Text:
    """The text, packed or not, has proved to be UTF-8 with lines within the limit."""
    decoder, records, digest, size = codecs.getincrementaldecoder("utf-8")(), Records(label), hashlib.sha256(), 0
    try:
        with open_text(path) as stream:
            while chunk := stream.read(CHUNK):
                _refuse_marks(chunk, records.line, label)
                decoder.decode(chunk)
                records.feed(chunk)
                digest.update(chunk)
                size += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(records.line + error.object[: error.start].count(b"\n"), label) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        advice = "Download it again and compare its size with the source."
        raise reject("the gzip file is cut short or damaged", advice, "unreadable-gzip", file=label) from error
    if records.quoted:
        _refuse_open_quote(path, label)
    return Text(digest.hexdigest(), size, records.lines)


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
        raise unrecognised((first[:40],), "csv", label) from error
    if not any(name.strip() for name in names):
        raise reject(
            "the first line holds no column names", "Export the file with its header.", "no-header", file=label
        )
    return tuple(name if name.strip() else f"column{index}" for index, name in enumerate(names)), delimiter


def told_apart(headers: Sequence[str]) -> tuple[str, ...]:
    """Tags may differ by case alone, which the engine does not see: each later one gets a blank more at its end."""
    folded = [header.lower() for header in headers]
    return tuple(header + " " * folded[:place].count(folded[place]) for place, header in enumerate(headers))


def to_parquet(
    connection: DuckDBPyConnection, path: Path, label: str, workspace: Path, text: Text
) -> tuple[Path, tuple[str, ...]]:
    """The columns that the mapping reads, and all headers."""
    import duckdb

    headers, delimiter = header(path, label)
    shape = sniff(headers, "csv")
    if shape is None:
        raise unrecognised(headers, "csv", label)
    resolve(shape, headers, label)
    headers = told_apart(headers)
    target = workspace / f"{text.digest[:16]}-{len(label)}.parquet"
    names = ", ".join(f"c{index} AS {quoted(headers[index])}" for index in _read_by(shape, headers, label))
    try:
        with _in_order(connection):
            _copy_rows(connection, names, _reader(path, len(headers), delimiter), target, text)
    except duckdb.Error as error:
        raise _bad_row(str(error), label) from error
    return target, headers


def _read_by(shape: Shape, headers: Sequence[str], label: str) -> list[int]:
    """The places of the columns that the shape's mapping reads."""
    found = set(resolve(shape, headers, label).values())
    return [
        place
        for place, name in enumerate(headers)
        if name in found
        or any(entry.key(name) for entry in shape.maps)
        or (shape.extras and plain(name).startswith(shape.extras))
    ]


def _reader(path: Path, columns: int, delimiter: str) -> str:
    """The rows as SQL but for its end; every row is held against all columns, whichever are read."""
    positions = ", ".join(f"{literal(f'c{index}')}: 'VARCHAR'" for index in range(columns))
    # Left to itself the engine takes a buffer of sixteen of the longest lines for each thread.
    return f"""read_csv({literal(str(path))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='"',
        escape='"', columns={{{positions}}}, max_line_size={RECORD_LIMIT}, buffer_size={2 * RECORD_LIMIT},
        compression={literal(compression(path))}, null_padding=false, strict_mode=true"""


def _copy_rows(connection: DuckDBPyConnection, names: str, reader: str, target: Path, text: Text) -> None:
    """A long text is read by all cores, and by one if they do not find a row on every line but the header's."""
    import duckdb

    # Text columns by the dozen: at the engine's own group size they take 200 MB more, and are written no faster.
    target_and_options = f"TO {literal(str(target))} (FORMAT parquet, ROW_GROUP_SIZE {STAGED_GROUP})"
    every, one = (
        f"COPY (SELECT {names} FROM {reader}, parallel={way})) {target_and_options}" for way in ("true", "false")
    )
    if text.size >= BY_ALL_CORES:
        with suppress(duckdb.Error):
            if connection.execute(every).fetchone() == (text.lines - 1,):
                return
    connection.execute(one)


@contextmanager
def _in_order(connection: DuckDBPyConnection) -> Iterator[None]:
    """A row's place in the copy is its place in the file."""
    connection.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        connection.execute("SET preserve_insertion_order = false")


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
