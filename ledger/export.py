"""The ledger's rows as FOCUS data files with their metadata: written aside, read back, checked, then put in place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from focus.metadata import Generator, Metadata, documents, instant
from focus.metadata_links import check_metadata
from focus.schema import VERSION
from focus.versions import dataset_names
from ledger import export_sql as sql
from ledger.book import Book, BookFile
from ledger.delivered import DataFile, Delivered, Total, added, difference, instances, listing, totals
from ledger.delivery import Period
from ledger.export_place import KIND, LIST, Place
from ledger.export_slices import Slice, commitment_slices, cost_slices
from ledger.faults import Fault, Rejected, Transient, reject
from ledger.metadata_files import FOLDER, write_metadata
from ledger.sectors import SETTLED_AFTER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OWN = "focus-governance-ledger"
Progress = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be exported; no periods or sources means all of them, no `as_of` the newest version."""

    version: str = VERSION
    dataset: str = sql.COSTS
    format: str = "parquet"
    periods: tuple[Period, ...] = ()
    sources: tuple[str, ...] = ()
    as_of: int | None = None
    custom: bool = True
    settled_after: timedelta = SETTLED_AFTER


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an export works with; `row_group_size` is the memory knob, a file of `file_size` is followed by the next.

    `book` is the table of the dataset that is asked for.
    """

    book: Book
    connection: DuckDBPyConnection
    generator: Generator
    progress: Progress
    row_group_size: int = 20_480
    file_size: str = "256MB"


def export(place: Place, request: Request, shop: Workshop, now: datetime) -> dict[str, object]:
    """Write the chosen rows and their metadata to the place, whole or not at all; the list of what was written.

    Rejected when there is nothing to write, the place holds something else, or a check of the result fails.
    """
    _refuse_dataset(request)
    earlier = place.earlier()
    version = shop.book.version() if request.as_of is None else request.as_of
    chosen = _chosen(request, shop.book, version)
    identity = str(shop.book.identity())
    out = _output(request, shop, chosen)
    with place.draft() as draft:
        delivered = [_deliver(one, out, place, draft, shop) for one in _slices(request, shop, chosen)]
        found = _metadata(delivered, out, request, identity, shop, now, earlier)
        _refuse_findings(found, out, _headers(draft, delivered, out, shop.connection))
        write_metadata(draft / FOLDER, found)
        listed = _listed(delivered, found, request, version, identity, now)
        (draft / LIST).write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        shop.progress("publish", {"files": len(listed["files"]), "rows": sum(one["rows"] for one in listed["totals"])})
        place.publish(draft)
    return listed


def own() -> Generator:
    """This program, with its version where it is installed as a package."""
    try:
        return Generator(OWN, metadata.version(OWN))
    except metadata.PackageNotFoundError:
        return Generator(OWN, "")


def _refuse_dataset(request: Request) -> None:
    if request.dataset not in dataset_names(request.version):
        advice = f"Nothing was written. Export it as FOCUS {VERSION}, or leave --dataset out."
        raise reject(f"FOCUS {request.version} has no dataset {request.dataset}", advice, "export-dataset")


def _chosen(request: Request, book: Book, version: int | None) -> list[BookFile]:
    def wanted(source: str, period: Period) -> bool:
        return source in (request.sources or (source,)) and period in (request.periods or (period,))

    files = [file for file in book.files(version, wanted) if file.rows] if version is not None else []
    held = {file.source for file in files} | {str(file.period) for file in files}
    asked = [*request.sources, *map(str, request.periods)]
    absent = [one for one in asked if one not in held]
    if absent or not files:
        advice = "See `ledger summary` for what there is; nothing was written."
        missing = ", ".join(absent or asked) or "it has none"
        raise reject(f"the ledger has no such rows of {request.dataset}: {missing}", advice, "export-empty")
    return files


def _slices(request: Request, shop: Workshop, chosen: Sequence[BookFile]) -> list[Slice]:
    """Cost rows by source and billing period; commitments, which are no time series, by source."""
    if request.dataset == sql.COSTS:
        return cost_slices(shop.book, chosen)
    newest = sql.newest_sql(shop.book.relation_sql(chosen))
    with _engine(request.dataset):
        rows = shop.connection.execute(f"SELECT DISTINCT x_SourceName FROM ({newest})").fetchall()
    return commitment_slices(shop.book, chosen, {str(row[0]) for row in rows})


def _output(request: Request, shop: Workshop, chosen: Sequence[BookFile]) -> sql.Output:
    if request.dataset != sql.COSTS:
        return sql.commitment_output(request.version, request.format, custom=request.custom)
    keys: list[str] = []
    if request.custom:
        with _engine("the columns of the sources"):
            rows = shop.connection.execute(sql.keys_sql(shop.book.relation_sql(chosen))).fetchall()
        keys = [str(row[0]) for row in rows]
    return sql.output(request.version, request.format, keys, custom=request.custom)


def _deliver(one: Slice, out: sql.Output, place: Place, draft: Path, shop: Workshop) -> Delivered:
    label = f"{one.source} {one.period}"
    shop.progress("export", {"partition": label, "rows": sum(file.rows for file in one.files)})
    folder = draft / one.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    rows = sql.rows_sql(one.relation, out, one.source, str(one.period))
    labels = {"FocusVersion": out.version, "FocusDatasetId": out.dataset, "x_SourceName": one.source}
    with _engine(label):
        shop.connection.execute(sql.copy_sql(rows, str(folder), out, (shop.row_group_size, shop.file_size), labels))
        paths = _named(folder, out, place.stamp)
        provider, ledger = _ledger_totals(one.relation, shop.connection, out.dataset)
        # One file at a time: of several text files the engine holds the buffers of all.
        back = [row for path in paths for row in shop.connection.execute(sql.written_sql(str(path), out)).fetchall()]
    delivered = _read_back(one, provider, draft, paths, back, out)
    if faults := difference(one.source, one.period, ledger, delivered.totals):
        raise Rejected(faults)
    return delivered


def _named(folder: Path, out: sql.Output, stamp: str) -> list[Path]:
    """The engine counts from 0 and without leading zeros."""
    numbers = sorted(int(path.name.split(".")[0].rpartition("-")[2]) for path in folder.iterdir())
    return [
        (folder / f"part-{number}.{out.format}").rename(folder / f"{stamp}part-{number + 1:05d}.{out.format}")
        for number in numbers
    ]


def _ledger_totals(relation: str, connection: DuckDBPyConnection, dataset: str) -> tuple[str, list[Total]]:
    rows = connection.execute(sql.totals_sql(relation, dataset)).fetchall()
    return str(rows[0][0]), list(added(Total(*row[1:]) for row in rows))


def _read_back(
    one: Slice,
    provider: str,
    draft: Path,
    paths: Sequence[Path],
    back: Sequence[tuple[Any, ...]],
    out: sql.Output,
) -> Delivered:
    """From the rows of written_sql."""
    lengths = [max(column or 0 for column in columns) for columns in zip(*(row[7:] for row in back), strict=True)]
    return Delivered(
        one.source,
        one.period,
        provider,
        one.written,
        files=tuple(_file(path, draft, sum(row[2] for row in back if Path(row[0]) == path)) for path in paths),
        totals=added(Total(*row[1:5]) for row in back),
        # A term that no bill tells spans nothing.
        first=min((row[5] for row in back if row[5]), default=one.written),
        last=max((row[6] for row in back if row[6]), default=one.written),
        longest=dict(zip(sql.text_columns(out), lengths, strict=True)),
    )


def _file(path: Path, draft: Path, rows: int) -> DataFile:
    with path.open("rb") as body:
        digest = hashlib.file_digest(body, "sha256").hexdigest()
    return DataFile(path.relative_to(draft).as_posix(), rows, path.stat().st_size, digest)


def _metadata(
    delivered: Sequence[Delivered],
    out: sql.Output,
    request: Request,
    identity: str,
    shop: Workshop,
    now: datetime,
    earlier: Mapping[str, object],
) -> Metadata:
    """Ids follow from the table's own, so that they stay when the ledger moves."""

    def guid(text: str) -> str:
        return str(uuid5(UUID(identity), text))

    described = instances(delivered, out, request.dataset, request.settled_after, guid)
    return documents(described, shop.generator, request.version, now, guid, _creation_dates(earlier))


def _creation_dates(earlier: Mapping[str, object]) -> dict[str, str]:
    """CreationDate per SchemaId of the export that is replaced."""
    listed = earlier.get("Schema")
    schemas = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("SchemaId")): str(one.get("CreationDate")) for one in schemas}


def _headers(
    draft: Path, delivered: Sequence[Delivered], out: sql.Output, connection: DuckDBPyConnection
) -> set[tuple[str, ...]]:
    """The columns of the files, as their own bytes say: one header, unless something is wrong."""
    paths = [str(draft / file.path) for one in delivered for file in one.files]
    found = [connection.execute(sql.header_sql(path, out)).fetchall() for path in paths]
    return {tuple(str(row[0]) for row in rows) for rows in found}


def _refuse_findings(found: Metadata, out: sql.Output, headers: set[tuple[str, ...]]) -> None:
    """The metadata is held to its own rules, and to the files."""
    findings = [finding for header in sorted(headers) for finding in check_metadata(found, out.version, header)]
    advice = "Nothing was put in place; please report it."
    faults = [Fault(f"{one.path} {one.message}", advice, one.rule) for one in dict.fromkeys(findings)]
    if faults:
        raise Rejected(faults)


def _listed(
    delivered: Sequence[Delivered],
    found: Metadata,
    request: Request,
    version: int | None,
    identity: str,
    now: datetime,
) -> dict[str, Any]:
    described: Any = found["Schema"]
    sources = sorted({one.source for one in delivered})
    schemas = {source: one["SchemaId"] for source, one in zip(sources, described, strict=True)}
    ids = {source: one["DatasetInstanceId"] for source, one in zip(sources, described, strict=True)}
    return {
        "kind": KIND,
        "created": instant(now),
        "dataset": request.dataset,
        "focus_version": request.version,
        "format": request.format,
        "ledger": {"id": identity, "version": version},
        "totals": totals(delivered, request.dataset),
        "files": listing(delivered, schemas, ids),
    }


@contextmanager
def _engine(label: str) -> Iterator[None]:
    """An engine that stops is told as what it is: a full machine passes, anything else needs a person."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        shown = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error):
            raise Transient(f"memory or disk ran out while exporting {label}: {shown}") from error
        advice = "Nothing was put in place; please report it."
        raise reject(f"{label} cannot be exported: {shown}", advice, "export-engine") from error
