"""Real adapters, the ledger's book and the engine, each built from settings when it is asked for."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings, load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from governance.model import Queue
    from governance.record import Record
    from ingest.flow import Progress
    from ingest.intake import Desk
    from ledger.book import Book
    from ledger.store import ObjectStore

Env = Mapping[str, str]


def settings(env: Env, path: Path | None = None) -> Settings:
    return load(path, env)


def store(url: str, env: Env) -> ObjectStore:
    """The ledger's own: a folder, or a blob container with a prefix for az://container/prefix."""
    from ledger.book import DATA_FILE

    return _opened(url, env, DATA_FILE)


def place(url: str, env: Env) -> str:
    """Where a store is, for a person: a folder in full, or a container with its account. Neither holds a secret."""
    from adapters.names import BLOBS, checked_url

    if not checked_url(url).startswith(BLOBS):
        return str(Path(url).resolve())
    from adapters.storage_account import account_from

    return f"{url} in storage account {account_from(env).name}"


def opener(env: Env) -> Callable[[str], ObjectStore]:
    """Opens what others write: there no name says what is in it, so a file is asked for each time."""
    return lambda url: _opened(url, env, None)


def _opened(url: str, env: Env, lasting: re.Pattern[str] | None) -> ObjectStore:
    from adapters.names import BLOBS, checked_url

    if not checked_url(url).startswith(BLOBS):
        from adapters.folder import FolderStore

        return FolderStore(url)
    from adapters.blob import BlobStore
    from adapters.storage_account import account_from

    container, _, prefix = url.removeprefix(BLOBS).partition("/")
    return BlobStore(account_from(env), container, prefix.rstrip("/"), lasting=lasting)


def book(at: ObjectStore) -> Book:
    from focus.schema import ledger_types
    from ledger.book import Book

    return Book(at, ledger_types())


def commitments(at: ObjectStore) -> Book:
    """The table of ContractCommitment rows, beside that of cost rows."""
    from focus.schema import commitment_types
    from ledger.book import COMMITMENTS, Book

    return Book(at, commitment_types(), table=COMMITMENTS)


def record(at: ObjectStore) -> Record:
    from governance.record import Record

    return Record(at)


def queue(env: Env) -> Queue:
    from adapters.queue import AzureQueue
    from adapters.storage_account import account_from

    return AzureQueue(account_from(env))


@contextmanager
def engine(found: Settings) -> Iterator[DuckDBPyConnection]:
    """A DuckDB session in memory that spills to a scratch folder of its own."""
    import duckdb

    from ingest.inspection import prepare

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
        tuning = Tuning(row_group_size=found.row_group_size, gate=found.gate)
        yield Desk(connection, book(at), at, Path(work), progress, new_id, tuning, terms=commitments(at))


def waiting(progress: Progress) -> Callable[[int], None]:
    """Waits so many seconds, and tells so: nobody should think that it hangs."""

    def wait(seconds: int) -> None:
        progress("wait", {"seconds": seconds})
        time.sleep(seconds)

    return wait


def new_id() -> str:
    return secrets.token_hex(4)


def quiet(_event: str, _fields: Mapping[str, object]) -> None:
    """Progress that nobody watches."""
