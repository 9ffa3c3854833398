"""The record and its audit over every store: what is changed in the store's own way is found in each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.blob import BlobStore
from adapters.folder import FolderStore
from adapters.storage_account import account_from
from governance import anchors, streams
from governance.audit import audit
from governance.record import Record
from ledger.store import ObjectStore
from tests.governance.control import Control
from tests.governance.scene import NOW, machine
from tests.servers.azurite import Azurite


@pytest.fixture(params=["folder", "blob-prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    server: Azurite = request.getfixturevalue("azurite")
    return BlobStore(account_from(server.env), unique_name, "some/where", tmp_path / "cache")


@pytest.fixture
def stream(store: ObjectStore) -> str:
    """That of an order carried out, read back and anchored."""
    control = Control(Record(store), machine("a"))
    order = control.first()
    control.settle(control.order(order))
    assert anchors.anchor(control.record, NOW)
    return streams.order_stream(str(order.body["order"]))


def problems(store: ObjectStore) -> list[tuple[str, str]]:
    with ThreadPoolExecutor(8) as pool:
        found = audit(Record(store), NOW, unfinished_after=timedelta(hours=1), each=pool.map)
    return [(one.rule, one.place) for one in found.problems]


def replaced(store: ObjectStore, name: str, body: bytes) -> None:
    store.delete(name)
    store.create(name, body)


def test_what_was_left_alone_is_whole(store: ObjectStore, stream: str) -> None:
    assert problems(store) == [] and store.names(f"record/{stream}/")


def test_a_changed_byte_is_found(store: ObjectStore, stream: str) -> None:
    name = store.names(f"record/{stream}/")[1]
    replaced(store, name, store.read(name).replace(b"running", b"stopped"))
    assert ("chain", stream) in problems(store)


@pytest.mark.parametrize(("number", "rule"), [(1, "chain"), (-1, "anchor")])
def test_a_removed_event_is_found(store: ObjectStore, stream: str, number: int, rule: str) -> None:
    store.delete(store.names(f"record/{stream}/")[number])
    assert (rule, stream) in problems(store)


def test_swapped_events_are_found(store: ObjectStore, stream: str) -> None:
    one, other = store.names(f"record/{stream}/")[1:3]
    first, second = store.read(one), store.read(other)
    replaced(store, one, second)
    replaced(store, other, first)
    assert ("chain", stream) in problems(store)


def test_an_added_event_is_found(store: ObjectStore, stream: str) -> None:
    Record(store).append(stream, "waiting", {}, NOW)
    assert ("order", stream) in problems(store)
