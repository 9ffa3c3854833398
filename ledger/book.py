"""A Delta table of the ledger: whole (source, billing period) partitions replaced atomically, every version readable.

Data files come first and one log entry makes them count: a writer that dies on the way leaves the last version whole.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.delivery import Part, Period, SourceRef
from ledger.faults import Missing, Transient
from ledger.store import ObjectStore

if TYPE_CHECKING:
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.transaction import AddAction

TABLE, COMMITMENTS = "cost_and_usage", "contract_commitment"
# A data file as `replace` names it: after a delivery and a run, so that none is ever written twice.
DATA_FILE = re.compile(
    rf"({TABLE}|{COMMITMENTS})/x_SourceName=[^/]+/x_BillingPeriod=[^/]+/[0-9a-f]{{16}}-[^/]+-\d{{5}}\.parquet"
)
PARTITION_BY = ("x_SourceName", "x_BillingPeriod")
PLACE = [("#file", "VARCHAR"), ("#row", "BIGINT")]
TIME_COLUMN = "ChargePeriodStart"
DIGEST_LENGTH = 16
ATTEMPTS = 8

# The table outlives Delta's defaults (30 days of log, 7 of replaced files): commitments, and questions about them,
# run for three years.
KEPT = {f"delta.{what}RetentionDuration": "interval 1100 days" for what in ("log", "deletedFile")}

DELTA_TYPES = {
    "VARCHAR": "string",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BIGINT": "long",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """What one (source, billing period) holds; `digest` is the head of its delivery's digest."""

    source: str
    period: Period
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, order=True)
class BookFile:
    """One active data file; `name` is the store's, `local` a readable copy, `written` when its run wrote it (UTC)."""

    name: str
    source: str
    period: Period
    rows: int
    local: Path
    written: datetime


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    source: str
    period: Period
    path: str
    rows: int
    written: datetime

    @property
    def digest(self) -> str:
        return self.path.rpartition("/")[2][:DIGEST_LENGTH]


def wait_a_little(attempt: int) -> None:
    """Up to 0.2 s, longer each time and never the same for two writers."""
    time.sleep(random.uniform(0.01, 0.025 * (attempt + 1)))


class Book:
    """`schema` is (column, DuckDB type) in order, without the partition columns.

    `pause` is called with the attempt's number before a lost race is run again.
    """

    def __init__(
        self,
        store: ObjectStore,
        schema: Sequence[tuple[str, str]],
        pause: Callable[[int], None] = wait_a_little,
        table: str = TABLE,
    ) -> None:
        self._store = store
        self._schema = tuple(schema)
        self._pause = pause
        self._name = table

    def version(self) -> int | None:
        """The newest version; None for a book that was never written."""
        table = self._open()
        return None if table is None else table.version()

    def digest_of(self, source: str, period: Period) -> str | None:
        """The first 16 digits of the current delivery's digest; None when the partition holds no file."""
        held = (part.digest for part in self.partitions() if (part.source, part.period) == (source, period))
        return next(held, None)

    def partitions(self) -> list[Partition]:
        grouped = groupby(self._entries(None), key=lambda entry: (entry.source, entry.period, entry.digest))
        return [Partition(*key[:2], sum(entry.rows for entry in held), key[2]) for key, held in grouped]

    def identity(self) -> str | None:
        """The table's own id, which it keeps when it moves; None for a book that was never written."""
        table = self._open()
        return None if table is None else str(table.metadata().id)

    def files(
        self, version: int | None = None, wanted: Callable[[str, Period], bool] = lambda _source, _period: True
    ) -> list[BookFile]:
        """The data files of a version (the newest when None), fetched; Missing for a version that is not there."""
        return [self._fetched(entry) for entry in self._entries(version) if wanted(entry.source, entry.period)]

    def relation_sql(self, files: Sequence[BookFile], *, located: bool = False) -> str:
        """A query for the files' rows: the schema's columns in order, then the two partition columns as text.

        Files written before a column existed read as null there; no files read as no rows of the same types. Located
        rows have #file (a path) and #row (from 1) too.
        """
        columns = [*self._schema, *((name, "VARCHAR") for name in PARTITION_BY)]
        columns += PLACE if located else []
        names = ", ".join(_quoted(name) for name, _ in columns)
        typed = ", ".join(f"CAST(NULL AS {kind}) AS {_quoted(name)}" for name, kind in columns)
        nothing = f"SELECT {typed} WHERE false"
        return f"SELECT {names} FROM ({nothing} UNION ALL BY NAME {_read(files)})" if files else nothing

    def replace(self, source: SourceRef, period: Period, digest: str, parts: Sequence[Part], run_id: str) -> int:
        """The new version, whose partition holds exactly these parts; the local part files may be gone afterwards.

        Safe against other processes, also into an empty partition or table: the last to commit wins whole. Transient
        when too many races were lost or the storage fails; then nothing has changed.
        """
        folder = f"{PARTITION_BY[0]}={source.name}/{PARTITION_BY[1]}={period}"
        names = [f"{folder}/{digest[:DIGEST_LENGTH]}-{run_id}-{number:05d}.parquet" for number in range(len(parts))]
        actions = [self._uploaded(name, part, source, period) for name, part in zip(names, parts, strict=True)]
        run = {"run": run_id, "delivery": digest, "source": source.name, "period": str(period)}
        version = first_won(lambda: self._committed(source, period, actions, run), self._pause)
        if version is None:
            raise Transient(f"{source.name} {period}: lost {ATTEMPTS} races against other writers of {self._store.url}")
        return version

    def _uploaded(self, name: str, part: Part, source: SourceRef, period: Period) -> AddAction:
        from deltalake.transaction import AddAction

        modified = Path(part.path).stat().st_mtime_ns // 1_000_000
        self._store.put_file(f"{self._name}/{name}", Path(part.path))
        values = dict(zip(PARTITION_BY, (source.name, str(period)), strict=True))
        return AddAction(name, part.size, values, modified, True, stats_of(part))

    def _committed(
        self, source: SourceRef, period: Period, actions: Sequence[AddAction], run: dict[str, str]
    ) -> int | None:
        """The version made; None when another writer came first and the table must be read again."""
        from deltalake import CommitProperties, Transaction
        from deltalake.exceptions import CommitFailedError

        table = self._open() or self._created()
        if self._holds(table, source, period, actions):
            return table.version()
        stream = f"{source.name}/{period}"
        # Delta sees no conflict between two writers that both found the partition empty. The numbered transaction makes
        # them collide, and without retries inside the library every commit replaces what its own reading showed.
        number = (table.transaction_version(stream) or 0) + 1
        properties = CommitProperties(dict(run), max_commit_retries=0, app_transactions=[Transaction(stream, number)])
        try:
            with self._delta_faults():
                self._overwrite(table, source, period, actions, properties)
        except CommitFailedError:
            return None
        # The open table does not move with its own commit; without retries that was the very next version.
        return table.version() + 1

    def _overwrite(
        self, table: DeltaTable, source: SourceRef, period: Period, actions: Sequence[AddAction], run: CommitProperties
    ) -> None:
        table.create_write_transaction(
            list(actions),
            mode="overwrite",
            schema=delta_schema(self._schema),
            partition_by=list(PARTITION_BY),
            partition_filters=list(zip(PARTITION_BY, ("=", "="), (source.name, str(period)), strict=True)),
            commit_properties=run,
        )

    def _holds(self, table: DeltaTable, source: SourceRef, period: Period, actions: Sequence[AddAction]) -> bool:
        """True after a commit whose success was lost on the way and looked like a conflict."""
        held = {entry.path for entry in _entries(table) if (entry.source, entry.period) == (source.name, period)}
        return bool(actions) and held == {action.path for action in actions}

    def _open(self) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        uri, options = self._place()
        try:
            return DeltaTable(uri, storage_options=options)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            # The store names its faults exactly, and knows whether there is a log at all.
            if not self._store.names(f"{self._name}/_delta_log/"):
                return None
            raise self._unusable(error) from error

    def _created(self) -> DeltaTable:
        """Two creators may race; whoever loses finds the winner's table."""
        from deltalake import CommitProperties, DeltaTable
        from deltalake.exceptions import DeltaError

        uri, options = self._place()
        # A retry inside the library would create the winner's table once more, as a further version.
        once = CommitProperties(max_commit_retries=0)
        try:
            return DeltaTable.create(
                uri,
                delta_schema(self._schema),
                "ignore",
                list(PARTITION_BY),
                configuration=dict(KEPT),
                storage_options=options,
                commit_properties=once,
            )
        except (DeltaError, OSError) as error:
            if table := self._open():
                return table
            raise self._unusable(error) from error

    def _place(self) -> tuple[str, dict[str, str] | None]:
        return self._store.table_uri(self._name), dict(self._store.table_options()) or None

    def _entries(self, version: int | None) -> list[_Entry]:
        table = self._open()
        if version is not None:
            table = self._at(table, version)
        return [] if table is None else _entries(table)

    def _at(self, table: DeltaTable | None, version: int) -> DeltaTable:
        if table is None or not 0 <= version <= table.version():
            raise Missing(f"version {version} of {self._store.url}")
        with self._delta_faults():
            table.load_as_version(version)
        return table

    def _fetched(self, entry: _Entry) -> BookFile:
        name = f"{self._name}/{entry.path}"
        return BookFile(name, entry.source, entry.period, entry.rows, self._store.fetch(name), entry.written)

    @contextmanager
    def _delta_faults(self) -> Iterator[None]:
        from deltalake.exceptions import CommitFailedError, DeltaError

        try:
            yield
        except CommitFailedError:
            raise
        except (DeltaError, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> Transient:
        # The library's text holds request addresses, and those may hold a signature.
        return Transient(f"the table at {self._store.url} cannot be used now: {type(error).__name__}")


def first_won(race: Callable[[], int | None], pause: Callable[[int], None]) -> int | None:
    """The first race's result that is not None, of so many as are run; None when all are lost."""
    for attempt in range(ATTEMPTS):
        result = race()
        if result is not None:
            return result
        pause(attempt)
    return None


def delta_schema(columns: Sequence[tuple[str, str]]) -> Schema:
    """The table's Delta schema: the columns, then the partition columns."""
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    types = [*((name, delta_type(kind)) for name, kind in columns), *((name, "string") for name in PARTITION_BY)]
    return Schema([Field(name, PrimitiveType(kind)) for name, kind in types])


def delta_type(duckdb_type: str) -> str:
    """Delta's word for a DuckDB type; KeyError for one the ledger does not use."""
    return duckdb_type.lower() if duckdb_type.startswith("DECIMAL(") else DELTA_TYPES[duckdb_type]


def stats_of(part: Part) -> str:
    """A file's statistics as Delta's JSON: rows, and the span of ChargePeriodStart widened to whole milliseconds."""
    if not part.first:
        return json.dumps({"numRecords": part.rows})
    first, last = _millisecond(part.first, 0), _millisecond(part.last, 999)
    return json.dumps(
        {"numRecords": part.rows, "minValues": {TIME_COLUMN: first}, "maxValues": {TIME_COLUMN: last}, "nullCount": {}}
    )


def _millisecond(moment: str, widened: int) -> str:
    at = datetime.fromisoformat(moment).astimezone(UTC) + timedelta(microseconds=widened)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entries(table: DeltaTable) -> list[_Entry]:
    """The active files in the order of source, period and name."""
    actions = table.get_add_actions(flatten=True)
    columns = [f"partition.{PARTITION_BY[0]}", f"partition.{PARTITION_BY[1]}", "path", "num_records"]
    rows = zip(*(actions.column(name).to_pylist() for name in (*columns, "modification_time")), strict=True)
    return sorted(_Entry(source, Period.parse(month), path, n, _moment(at)) for source, month, path, n, at in rows)


def _moment(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _read(files: Sequence[BookFile]) -> str:
    paths = ", ".join(_literal(str(file.local)) for file in files)
    types = ", ".join(f"{_literal(name)}: VARCHAR" for name in PARTITION_BY)
    options = f"hive_partitioning = true, hive_types = {{{types}}}, union_by_name = true"
    place = 'filename AS "#file", file_row_number + 1 AS "#row"'
    return f"SELECT *, {place} FROM read_parquet([{paths}], {options}, filename = true, file_row_number = true)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
