"""A record on a real folder, fresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance.record import Record


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def record(store: FolderStore) -> Record:
    return Record(store)
