"""Snowflake's usage views as deliveries: one month of them, asked for in one session, each view whole in one file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.offers import Offer, RemoteFile
from ingest.plan import SnowflakeAccess
from ingest.snowflake_views import ACCOUNT_SQL, OWN, Account, View, account_of, described, query, wanted
from ingest.sources.snowflake_faults import RULE, snowflake_faults
from ledger.delivery import Period
from ledger.faults import Missing, NotYet, reject

if TYPE_CHECKING:
    from pyarrow import Table  # type: ignore[import-untyped]  # ships no types
    from snowflake.connector import SnowflakeConnection

PLACE = "snowflake:"
ROWS = 65_536  # of a row group, whatever the size of what arrives: the same rows are the same file
GRANTS = (
    "Grant the role what docs/snowflake.md lists. Whoever buys Snowflake from a reseller cannot read these views: "
    "there the reseller unloads them, and the files are taken in by hand."
)

Connect = Callable[[], "SnowflakeConnection"]
Progress = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A view's rows of the month; `digest` is the SHA-256 of the file, empty where there are no rows and no file."""

    view: View
    path: Path
    rows: int
    digest: str


class SnowflakeViews:
    """A DeliverySource of one month. The session ends before anything is mapped: rows lie in `folder` until then.

    `left_out` tells, after `offers`, which views there is nothing of, each with the reason.
    """

    def __init__(
        self,
        connect: Connect,
        access: SnowflakeAccess,
        period: Period,
        folder: Path,
        now: Callable[[], datetime],
        progress: Progress,
        allocation: str = "",
    ) -> None:
        self._connect, self._access, self._period, self._folder = connect, access, period, folder
        self._now, self._progress, self._views = now, progress, wanted(access.view, allocation)
        self._account: Account | None = None
        self._files: dict[str, Fetched] = {}
        self.left_out: tuple[str, ...] = ()

    def offers(self) -> list[Offer]:
        """One, of what the views say now. Faults: Transient, Rejected."""
        self.left_out = ()
        with self._session() as session:
            found = [one for view in self._views if (one := self._fetched(view, session))]
        self._refuse_too_early(found[0])
        self._files = {self._label(one.view): one for one in found}
        bill = tuple(self._file(one) for one in found if one.view.is_bill)
        beside = tuple(self._file(one) for one in found if not one.view.is_bill)
        label = f"{PLACE} {self._access.account} {self._period}"
        return [Offer("usage views", self._period, label, "", (), bill, self._now(), beside=beside)]

    def _refuse_too_early(self, bill: Fetched) -> None:
        """A month has no rows until its first day is over and has arrived."""
        begun = self._period.start + timedelta(days=1, hours=bill.view.latency)
        if not bill.rows and self._now() < begun:
            text = f"{bill.view.name} has no rows of {self._period} yet, which means unknown, not zero"
            raise NotYet(f"{text}: they come up to {bill.view.latency} hours late")

    def download(self, file: RemoteFile, target: Path) -> None:
        """What `offers` fetched, also a second time."""
        source = self._files[file.label].path
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target)

    @contextmanager
    def _session(self) -> Iterator[SnowflakeConnection]:
        with snowflake_faults(f"{PLACE} {self._access.account}"):
            session = self._connect()
        try:
            yield session
        finally:
            _left(session)

    def _fetched(self, view: View, session: SnowflakeConnection) -> Fetched | None:
        """A view that is no bill may be missing: that is told, and the bill is taken without it."""
        reasons = []
        for schema in view.schemas:
            try:
                return self._asked(view, schema, session)
            except Missing as fault:
                reasons.append(str(fault))
        if view.is_bill:
            raise reject("; ".join(reasons), GRANTS, RULE)
        self.left_out = (*self.left_out, "; ".join(reasons))
        return None

    def _asked(self, view: View, schema: str, session: SnowflakeConnection) -> Fetched:
        """Missing also where it is no bill and has no rows: another schema may have some."""
        what = f"{schema}.{view.name}"
        with snowflake_faults(what), session.cursor() as cursor:
            columns = [one.name for one in cursor.describe(described(view, schema)) or ()]
            if lacks := view.lacks(schema, columns):
                raise Missing(f"{what}: {_listed(lacks)} not there")
            own = self._own(session) if schema == OWN else None
            cursor.execute(query(view, schema, columns, self._period, own))
            path = self._folder / f"{view.name.lower()}.parquet"
            rows = write(cursor.fetch_arrow_batches(force_microsecond_precision=True), path, what)
        self._progress("query", {"view": what, "period": str(self._period), "rows": f"{rows} rows"})
        if not rows and not view.is_bill:
            raise Missing(f"{what}: no rows of {self._period}")
        return Fetched(view, path, rows, _digest(path) if rows else "")

    def _own(self, session: SnowflakeConnection) -> Account:
        if self._account is None:
            with session.cursor() as cursor:
                found = cursor.execute(ACCOUNT_SQL).fetchone()
            self._account = account_of(found if isinstance(found, tuple) else None)
        return self._account

    def _file(self, one: Fetched) -> RemoteFile:
        size = one.path.stat().st_size if one.rows else 0
        return RemoteFile(self._label(one.view), size, one.digest, rows=one.rows)

    def _label(self, view: View) -> str:
        return f"{PLACE} {self._access.account} {self._period} {view.name}"


def write(tables: Iterable[Table], path: Path, what: str) -> int:
    """Rows of the file; no file where there are none. No more than a row group and what arrives is held at once."""
    from pyarrow.parquet import ParquetWriter  # type: ignore[import-untyped]  # ships no types

    rows, writer = 0, None
    path.unlink(missing_ok=True)  # what is linked to it stays as it is
    try:
        for group in groups(tables):
            _refuse_floats(group, what)
            writer = writer or ParquetWriter(path, group.schema, compression="zstd")
            writer.write_table(group, row_group_size=ROWS)
            rows += group.num_rows
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        if writer:
            writer.close()
    return rows


def groups(tables: Iterable[Table]) -> Iterator[Table]:
    """The same rows in tables of ROWS rows, the last of which may be shorter; without what a column says of itself."""
    from pyarrow import concat_tables

    held: list[Table] = []
    for table in tables:
        held.append(table.replace_schema_metadata(None).cast(_plain(table)))
        while sum(one.num_rows for one in held) >= ROWS:
            whole = concat_tables(held)
            yield whole.slice(0, ROWS).combine_chunks()
            held = [whole.slice(ROWS)]
    if sum(one.num_rows for one in held):
        yield concat_tables(held).combine_chunks()


def _plain(table: Table) -> object:
    """The wire's integers are as wide as a batch's values; instants are of UTC, whatever zone they are shown in."""
    from pyarrow import int64, schema, timestamp, types

    def kind(found: Any) -> Any:
        instant = types.is_timestamp(found) and found.tz
        return int64() if types.is_integer(found) else timestamp("us", "UTC") if instant else found

    return schema([(one.name, kind(one.type)) for one in table.schema])


def _refuse_floats(table: Table, what: str) -> None:
    from pyarrow import types

    if loose := [one.name for one in table.schema if types.is_floating(one.type)]:
        text = f"{what}: {_listed(loose)} floating point, which does not hold money exactly"
        raise reject(text, "This should not happen: report it with the name of the view.", "snowflake-float")


def _listed(names: list[str]) -> str:
    return f"column {names[0]} is" if len(names) == 1 else f"columns {', '.join(names)} are"


def _left(session: SnowflakeConnection) -> None:
    """A session that cannot be ended any more ends by itself."""
    from snowflake.connector.errors import Error

    try:
        session.close()
    except Error:
        return


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
