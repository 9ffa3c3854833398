"""Anybody's FOCUS files opened for checking: Parquet as it is, text as Parquet with every flaw of the text noted."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from focus.conformance import Rows
from focus.fields import Field, described
from focus.file_rules import Flaw
from focus.versions import column_entries, dataset_names
from ingest.delimited import CHUNK, compression, header, open_text
from ingest.engine import reading
from ingest.mapping import literal, quoted
from ingest.records import RECORD_LIMIT
from ingest.staging import LocalFile, is_parquet, plainly_named
from ledger.faults import reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACE = 'filename AS "#file", file_row_number + 1 AS "#row"'
TAKEN = ("#file", "#row", "filename", "file_row_number")  # names the place of a row is read by
NUMBERS = ("decimal", "double")
REJECTED = {
    "MISSING COLUMNS": "uneven-row",
    "TOO MANY COLUMNS": "uneven-row",
    "INVALID ENCODING": "encoding",
}
SHOWN = 60  # characters of a row that could not be read
MOST_REJECTED = 100_000
UNREADABLE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Opened:
    """A file ready to check. `skipped` are the data rows that could not be read, in order: later ones moved up."""

    path: Path
    label: str
    fields: tuple[Field, ...]
    flaws: tuple[Flaw, ...] = ()
    skipped: tuple[int, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.fields)

    def row(self, kept: int) -> int:
        """The data row of the file that is the `kept`-th of those that could be read."""
        for skipped in self.skipped:
            kept += skipped <= kept
        return kept


@dataclass(frozen=True, slots=True)
class Together:
    """Files of one dataset as one relation."""

    files: tuple[Opened, ...]
    rows: Rows
    flaws: tuple[Flaw, ...] = field(default_factory=tuple)

    def place(self, file: str, row: int | None) -> tuple[str, int | None]:
        """What the person calls the file, and the row in it."""
        found = next((one for one in self.files if str(one.path) == file), None)
        return (found.label, found.row(row) if row else row) if found else (file, row)


def open_file(connection: DuckDBPyConnection, file: LocalFile, workspace: Path) -> Opened:
    """Rejected when the file is no Parquet and no delimited text with a header."""
    if file.path.stat().st_size == 0:
        raise reject("the file is empty", "Download it again.", "empty-file", file=file.label)
    path = plainly_named(file.path, workspace)
    if not is_parquet(path):
        return _open_text(connection, path, file.label, workspace)
    with reading(file.label):
        rows = connection.execute(f"DESCRIBE FROM {_parquet([path])}").fetchall()
        empty = connection.execute(f"SELECT count(*) = 0 FROM {_parquet([path])}").fetchone() == (True,)
        path = _without_taken(connection, path, [str(row[0]) for row in rows], workspace)
    return Opened(path, file.label, described(rows), tuple(_no_rows(file.label, empty)))


def _without_taken(connection: DuckDBPyConnection, path: Path, names: Sequence[str], workspace: Path) -> Path:
    """The file, or a copy in which columns that would hide a row's place have other names; no rule asks about them."""
    taken = [f"{quoted(name)} AS {quoted(_kept_as(name))}" for name in names if _kept_as(name) != name]
    if not taken:
        return path
    target = _next_file(workspace)
    source = f"SELECT * RENAME ({', '.join(taken)}) FROM {_parquet([path])}"
    connection.execute(f"COPY ({source}) TO {literal(str(target))} (FORMAT parquet, PRESERVE_ORDER true)")
    return target


def _kept_as(name: str) -> str:
    """The engine ignores case: a column in the wrong case would be read in place of the right one."""
    known = _known()
    return f"#as {name}" if name.lower() in TAKEN or known.get(name.lower(), name) != name else name


@cache
def _known() -> dict[str, str]:
    """Columns of the specification by their names in lower case."""
    versions = ((version, dataset) for version in ("1.2", "1.3") for dataset in dataset_names(version))
    return {str(one["id"]).lower(): str(one["id"]) for pair in versions for one in column_entries(*pair)}


def _next_file(workspace: Path) -> Path:
    return workspace / f"check-{len(list(workspace.iterdir())):05d}.parquet"


def together(files: Sequence[Opened]) -> Together:
    """One relation over all; a column that differs in type from file to file is read as text."""
    fields = _common_fields(files)
    types: dict[str, set[str]] = {}
    for one in (one for opened in files for one in opened.fields):
        types.setdefault(one.name, set()).add(one.type)
    mixed = {name for name, found in types.items() if len(found) > 1}
    labels = files[0].label if len(files) == 1 else f"{files[0].label} and {len(files) - 1} more"
    flaws = tuple(flaw for one in files for flaw in one.flaws)
    partly = frozenset(one.name for one in fields) - frozenset.intersection(*(one.names for one in files))
    return Together(tuple(files), Rows(_relation(files, mixed), fields, labels, partly), flaws)


def _relation(files: Sequence[Opened], mixed: set[str]) -> str:
    if not mixed:
        return f"SELECT *, {PLACE} FROM {_parquet([one.path for one in files], placed=True)}"
    parts = []
    for one in files:
        texts = [f"{_as_text(each)} AS {quoted(each.name)}" for each in one.fields if each.name in mixed]
        kept = f"* REPLACE ({', '.join(texts)})" if texts else "*"
        parts.append(f"SELECT {kept}, {PLACE} FROM {_parquet([one.path], placed=True)}")
    return " UNION ALL BY NAME ".join(parts)


def _as_text(one: Field) -> str:
    """As the specification writes it: what is sound in its own type is sound as text."""
    name = quoted(one.name)
    if one.kind == "nested":
        return f"CAST(to_json({name}) AS VARCHAR)"
    if one.kind in ("instant", "naive"):
        utc = f"{name} AT TIME ZONE 'UTC'" if one.kind == "instant" else name
        return f"strftime({utc}, '%Y-%m-%dT%H:%M:%SZ')"
    text = f"CAST({name} AS VARCHAR)"
    return f"replace(upper({text}), '+', '')" if one.kind in NUMBERS else text


def _common_fields(files: Sequence[Opened]) -> tuple[Field, ...]:
    found: dict[str, Field] = {}
    for one in (one for opened in files for one in opened.fields):
        same = found.setdefault(one.name, one)
        found[one.name] = one if same.type == one.type else Field(one.name, "VARCHAR")
    return tuple(found.values())


def _parquet(paths: Sequence[Path], *, placed: bool = False) -> str:
    listed = ", ".join(literal(str(path)) for path in paths)
    place = ", filename=true, file_row_number=true" if placed else ""
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false{place})"


def _open_text(connection: DuckDBPyConnection, path: Path, label: str, workspace: Path) -> Opened:
    """The text as Parquet of texts. Rows that cannot be read are left out and noted."""
    with path.open("rb") as stream:
        if stream.read(4).startswith(UNREADABLE_MARKS):
            raise reject("the text is UTF-16, not UTF-8", "Save it as CSV in UTF-8.", "encoding", file=label)
    with _text_refused(label):
        headers, delimiter = header(path, label)
        flaws = [*_doubled(headers, label), *_nul_bytes(path, label)]
    kept = {name: index for index, name in reversed(list(enumerate(headers)))}
    target = _next_file(workspace)
    with reading(label), _one_thread(connection):
        rows = _staged(connection, path, (headers, delimiter), dict(sorted(kept.items(), key=lambda e: e[1])), target)
        rejected = _rejected(connection, label)
    skipped = tuple(flaw.row for flaw in rejected if flaw.row is not None)
    fields = tuple(Field(name, "VARCHAR") for name in dict.fromkeys(headers))
    return Opened(target, label, fields, (*flaws, *rejected, *_no_rows(label, rows == 0)), skipped)


@contextmanager
def _text_refused(label: str) -> Iterator[None]:
    """A file whose header is no text, or whose compression is damaged, cannot be checked at all."""
    try:
        yield
    except UnicodeDecodeError as fault:
        advice = "Give CSV in UTF-8, CSV.gz or Parquet."
        raise reject("the file is neither Parquet nor text in UTF-8", advice, "unreadable-file", file=label) from fault
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        raise reject(f"the file is damaged: {fault}", "Download it again.", "unreadable-file", file=label) from fault


def _staged(
    connection: DuckDBPyConnection,
    path: Path,
    shape: tuple[Sequence[str], str],
    kept: dict[str, int],
    target: Path,
) -> int:
    """The rows written; what could not be read is in the engine's own table of rejects."""
    headers, delimiter = shape
    positions = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(headers)))
    names = ", ".join(f"c{index} AS {quoted(_kept_as(name))}" for name, index in kept.items())
    connection.execute("DROP TABLE IF EXISTS text_rejects; DROP TABLE IF EXISTS text_scans")
    source = f"""read_csv({literal(str(path))}, auto_detect=false, header=true, delim={literal(delimiter)}, quote='"',
        escape='"', columns={{{positions}}}, max_line_size={RECORD_LIMIT}, buffer_size={RECORD_LIMIT},
        compression={literal(compression(path))},
        allow_quoted_nulls=false, store_rejects=true, rejects_table='text_rejects', rejects_scan='text_scans',
        rejects_limit={MOST_REJECTED})"""
    options = "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 61440"
    done = connection.execute(f"COPY (SELECT {names} FROM {source}) TO {literal(str(target))} ({options})").fetchone()
    return int(done[0]) if done else 0


@contextmanager
def _one_thread(connection: DuckDBPyConnection) -> Iterator[None]:
    """Text is staged by one thread: a second is barely quicker, as the rows stay in order, and takes 700 MB more."""
    found = connection.execute("SELECT current_setting('threads')").fetchone()
    connection.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.execute(f"SET threads = {found[0] if found else 1}")


def _rejected(connection: DuckDBPyConnection, label: str) -> list[Flaw]:
    """A flaw for every row that could not be read; the engine counts the header as line 1."""
    sql = """SELECT line, any_value(error_type::VARCHAR), any_value(csv_line), any_value(error_message)
        FROM text_rejects GROUP BY line ORDER BY line"""
    return [
        Flaw(REJECTED.get(kind, "open-quote"), label, int(line) - 1, {"row": text[:SHOWN], "why": why[:SHOWN]})
        for line, kind, text, why in connection.execute(sql).fetchall()
    ]


def _nul_bytes(path: Path, label: str) -> Iterator[Flaw]:
    """The rows with a NUL byte; the engine reads it as any other character."""
    with open_text(path) as stream:
        found = any(b"\x00" in chunk for chunk in iter(lambda: stream.read(CHUNK), b""))
    for row in dict.fromkeys(_nul_rows(path)) if found else ():
        yield Flaw("nul-byte", label, row, {})


def _nul_rows(path: Path) -> Iterator[int]:
    """Rows with a NUL byte, the header as 0; a line break within quotes ends no row."""
    row, within = 0, False
    with open_text(path) as stream:
        while chunk := stream.read(CHUNK):
            for index, part in enumerate(chunk.split(b'"')):
                within ^= index > 0
                if b"\x00" in part:
                    yield row + (0 if within else part.count(b"\n", 0, part.index(b"\x00")))
                row += 0 if within else part.count(b"\n")


def _doubled(headers: Sequence[str], label: str) -> Iterator[Flaw]:
    for name in dict.fromkeys(headers):
        if headers.count(name) > 1:
            yield Flaw("doubled-column", label, None, {"column": name})


def _no_rows(label: str, empty: bool) -> Iterator[Flaw]:
    if empty:
        yield Flaw("no-rows", label, None, {})
