"""The one place that builds real adapters from settings, lazily: nothing heavy is imported until a job arrives."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings, load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from governance.model import Fleet, Message, Queue
    from governance.record import Record
    from ingest.flow import Progress
    from ingest.intake import Desk, Intake, Request
    from ledger.book import Book
    from ledger.store import ObjectStore

Env = Mapping[str, str]


def settings(env: Env, path: Path | None = None) -> Settings:
    return load(path, env)


def store(url: str, env: Env) -> ObjectStore:
    """A folder, or a blob container with a prefix for az://container/prefix."""
    if not url.startswith("az://"):
        from adapters.folder import FolderStore

        return FolderStore(Path(url))
    from adapters.blob import open_blob_store

    return open_blob_store(url, env)


def book(at: ObjectStore) -> Book:
    from focus.schema import ledger_types
    from ledger.book import Book

    return Book(at, ledger_types())


def record(at: ObjectStore) -> Record:
    from governance.record import Record

    return Record(at)


def queue(env: Env) -> Queue:
    from adapters.queue import AzureQueue

    return AzureQueue(env)


def fleet(env: Env) -> Fleet:
    """Azure virtual machines with the service's own identity; LEDGER_ARM_URL points at another control plane."""
    from adapters.identity import credential
    from governance.actions.azure_vm import AzureVirtualMachines

    url, trust = env.get("LEDGER_ARM_URL"), env.get("LEDGER_ARM_CA")
    return AzureVirtualMachines(credential(env), base_url=url, verify=trust or True)


@contextmanager
def engine(found: Settings) -> Iterator[DuckDBPyConnection]:
    """A DuckDB session in memory that spills to a scratch folder of its own."""
    import duckdb

    from ingest.flow import prepare

    with tempfile.TemporaryDirectory(prefix="ledger-spill-") as spill, duckdb.connect() as connection:
        connection.execute("SET temp_directory = ?", [spill])
        if found.memory_limit:
            connection.execute("SET memory_limit = ?", [found.memory_limit])
        connection.execute(f"SET threads = {found.threads or os.cpu_count() or 1}")
        prepare(connection)
        yield connection


@contextmanager
def desk(found: Settings, env: Env, progress: Progress) -> Iterator[Desk]:
    """Everything an intake needs, with a scratch folder that goes when it is done."""
    from ingest.flow import Tuning
    from ingest.intake import Desk

    at = store(found.store_url, env)
    with tempfile.TemporaryDirectory(prefix="ledger-work-") as work, engine(found) as connection:
        tuning = Tuning(row_group_size=found.row_group_size)
        yield Desk(connection, book(at), at, Path(work), progress, new_id, tuning)


def new_id() -> str:
    return secrets.token_hex(4)


def take_in(
    locations: Sequence[str], request: Request, found: Settings, env: Env, now: datetime, progress: Progress
) -> Intake:
    """The whole money story for these locations."""
    from ingest.intake import take_in
    from ingest.sources.folder import collect

    collected = collect(locations, opener(env))
    with desk(found, env, progress) as hands:
        return take_in(collected, request, hands, now)


def opener(env: Env) -> Callable[[str], ObjectStore]:
    return lambda url: store(url, env)


def summary(found: Settings, env: Env) -> dict[str, object]:
    """The summary document of the ledger as it stands."""
    from ledger.summary import facts, facts_sql, summarise

    at = store(found.store_url, env)
    ledger = book(at)
    with engine(found) as connection:
        relation = ledger.relation_sql(ledger.files())
        rows = connection.execute(facts_sql(relation, found.classification)).fetchall()
    return summarise(facts(rows), at.url, ledger.version())


def quiet(_event: str, _fields: Mapping[str, object]) -> None:
    """Progress that nobody watches."""
