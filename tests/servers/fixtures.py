"""Fixtures over the loopback servers; a test folder's conftest.py imports what it needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.servers.azurite import Azurite, Unavailable, node, script, shared


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The run's storage emulator. It is shared: name containers and queues with `unique_name`."""
    try:
        node(), script()
    except Unavailable as missing:
        pytest.skip(str(missing))
    base = tmp_path_factory.getbasetemp()
    # pytest-xdist gives each worker a folder of its own below the run's.
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with shared(run / "azurite") as server:
        yield server


@pytest.fixture
def unique_name() -> str:
    """A name no other test uses, valid for containers and queues."""
    return f"test-{uuid.uuid4().hex[:20]}"
