"""A record on a real folder and the story of one machine over it, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from adapters.folder import FolderStore
from governance.record import Record
from tests.governance.control import Control
from tests.governance.scene import machine


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def record(store: FolderStore) -> Record:
    return Record(store)


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """In memory where the system has such a folder: else thousands of durable writes would be all that is measured."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def control(record: Record) -> Control:
    return Control(record, machine("a"))
