"""A record on a real folder and the story of one machine over it, fresh for each test."""

from __future__ import annotations

from pathlib import Path

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
def control(record: Record) -> Control:
    return Control(record, machine("a"))
