"""Fixtures over the loopback servers; a test folder's conftest.py imports what it needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import azurite as azurite_server
from tests.servers import moto as moto_server
from tests.servers import snowflake as snowflake_stand_in
from tests.servers.azurite import Azurite, Unavailable, node, script
from tests.servers.moto import Moto
from tests.servers.snowflake import Account, Snowflake


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """The run's storage emulator. It is shared: name containers and queues with `unique_name`."""
    try:
        node(), script()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with azurite_server.shared(_run_folder(tmp_path_factory) / "azurite") as server:
        yield server


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """The run's stand-in for AWS. It is shared: name buckets with `unique_name`."""
    try:
        moto_server.installed()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with moto_server.shared(_run_folder(tmp_path_factory) / "moto") as server:
        yield server


@pytest.fixture
def bucket(moto: Moto, unique_name: str) -> str:
    """An empty bucket that no other test uses."""
    moto.client("s3").create_bucket(Bucket=unique_name)
    return unique_name


@pytest.fixture(scope="session")
def snowflake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snowflake]:
    """The run's stand-in for Snowflake. It is shared: open accounts of your own, or take `snowflake`."""
    try:
        snowflake_stand_in.installed()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with snowflake_stand_in.shared(_run_folder(tmp_path_factory) / "fakesnow") as server:
        yield server


@pytest.fixture
def snowflake(snowflake_server: Snowflake) -> Iterator[Account]:
    """An account with empty views that no other test uses."""
    account = snowflake_server.open(f"ORG{uuid.uuid4().hex[:12]}-PRODUCTION")
    yield account
    account.close()


def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pytest-xdist gives each worker a folder of its own below the run's."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture
def unique_name() -> str:
    """A name no other test uses, valid for containers, queues and buckets."""
    return f"test-{uuid.uuid4().hex[:20]}"
