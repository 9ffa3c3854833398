"""A running app: the production worker library over this run's storage emulator, with settings of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

import wiring
from governance.model import Event
from governance.record import Record
from tests.host.front import Front
from tests.host.functions_host import ROOT, FunctionsHost, hosted
from tests.host.pump import Pump
from tests.servers.azurite import Azurite, Unavailable, node, script, shared
from tests.servers.fixtures import unique_name as unique_name

KEY = "function-key-of-the-test"
ALERTS = f"/api/alerts/budget?code={KEY}"


Hosting = Callable[..., AbstractContextManager[FunctionsHost]]


@pytest.fixture(scope="session")
def hosting() -> Hosting:
    """`hosted`, where the worker library exists."""
    if find_spec("azure_functions_runtime") is None:
        pytest.skip("the production worker library exists for Python 3.13 and newer only")
    return hosted


@pytest.fixture(scope="session")
def sample_values() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    return values


@pytest.fixture(scope="session")
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """An emulator of this process's own: the app's queue names are fixed, so two tests must not share them at once."""
    try:
        node(), script()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with shared(tmp_path_factory.mktemp("host-storage")) as server:
        yield server


@pytest.fixture
def storage(_emulator: Azurite) -> Azurite:
    """The storage account, with every queue of earlier tests gone."""
    client = QueueServiceClient.from_connection_string(_emulator.connection_string)
    for queue in client.list_queues():
        client.get_queue_client(queue.name).clear_messages()
    return _emulator


@dataclass(frozen=True, slots=True)
class Service:
    """The app, running, and the ways into it."""

    host: FunctionsHost
    front: Front
    pump: Pump
    env: dict[str, str]

    @property
    def record(self) -> Record:
        return wiring.record(wiring.store(self.env["LEDGER_STORE"], self.env))

    def events(self, prefix: str) -> list[Event]:
        """The record's events of all streams below the prefix."""
        return [event for stream in self.record.streams(prefix) for event in self.record.events(stream)]


Start = Callable[..., AbstractContextManager[Service]]


@pytest.fixture
def start(hosting: Hosting, storage: Azurite, sample_values: dict[str, str], unique_name: str, tmp_path: Path) -> Start:
    """start(toml, **settings): the app with that ledger.toml, over a blob container of the test's own."""
    config = tmp_path / "ledger.toml"

    @contextmanager
    def starting(toml: str = "", **settings: str) -> Iterator[Service]:
        config.write_text(toml)
        env = {**sample_values, **storage.env, "LEDGER_STORE": f"az://{unique_name}", "LEDGER_CONFIG": str(config)}
        env |= settings
        with hosting(ROOT, env) as host:
            pump = Pump(host, storage.connection_string)
            yield Service(host, Front(host, frozenset({KEY})), pump, env)

    return starting
