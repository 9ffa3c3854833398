"""Where an export goes: whole or not at all, in place of an earlier one, and never over anything else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.blob import BlobStore
from adapters.folder import FolderStore
from adapters.storage_account import account_from
from focus.schema import ledger_types
from ledger.book import Book
from ledger.export_place import StorePlace
from ledger.faults import Rejected
from ledger.store import ObjectStore
from tests.ledger.rows import NOW, documents, exported, fill, names
from tests.servers.azurite import Azurite


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(FolderStore(tmp_path / "store"), ledger_types())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_an_export_replaces_the_one_before_and_keeps_what_stayed(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    fill(book, tmp_path, source="leaves")
    exported(book, out)
    first = documents(out)
    listed = exported(book, out, NOW + timedelta(days=1), sources=("mine",))
    again = documents(out)
    assert [file["source"] for file in listed["files"]] == ["mine"]
    assert not list(out.rglob("leaves"))
    assert again["DatasetInstance"] == [
        one for one in first["DatasetInstance"] if one["DatasetInstanceName"][:4] == "mine"
    ]
    assert again["Schema"] == [one for one in first["Schema"] if one in again["Schema"]] and len(again["Schema"]) == 1
    assert [path.name for path in out.parent.glob(".*")] == []


def test_a_folder_with_anything_else_is_left_alone(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    out.mkdir()
    exported(book, out)
    for name, body in (("export.json", "{}"), ("notes.txt", "mine")):
        other = tmp_path / f"other-{name}"
        other.mkdir()
        (other / name).write_text(body)
        with pytest.raises(Rejected, match="something else"):
            exported(book, other)
        assert names(other) == [name]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Rejected):
        exported(book, tmp_path / "file")
    with pytest.raises(Rejected):
        exported(book, tmp_path / "store")


def test_a_fault_on_the_way_leaves_the_earlier_export(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    exported(book, out)
    before = {name: (out / name).read_bytes() for name in names(out)}
    fill(book, tmp_path, {"x_SourceColumns": "no JSON"})
    with pytest.raises(Rejected) as refused:
        exported(book, out)
    assert refused.value.faults[0].rule == "export-engine"
    assert {name: (out / name).read_bytes() for name in names(out)} == before
    assert [path.name for path in out.parent.glob(".*")] == []


def test_a_place_that_cannot_be_written_is_told(book: Book, tmp_path: Path) -> None:
    fill(book, tmp_path)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Rejected) as refused:
        exported(book, tmp_path / "file" / "out")
    assert refused.value.faults[0].rule == "export-place"


@pytest.fixture(params=["folder", "blob"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "elsewhere")
    server: Azurite = request.getfixturevalue("azurite")
    account = account_from({"AzureWebJobsStorage": server.connection_string})
    return BlobStore(account, unique_name, "exports/focus", tmp_path / "cache")


def test_a_store_takes_an_export_and_the_next_one(book: Book, elsewhere: ObjectStore, tmp_path: Path) -> None:
    """Data under new names; what the last list does not name is gone."""
    fill(book, tmp_path)
    store = elsewhere
    first = exported(book, StorePlace(store, "first-"))
    assert set(store.names()) > {file["path"] for file in first["files"]}
    schema = store.read("metadata/schema.json")
    second = exported(book, StorePlace(store, "second-"), NOW + timedelta(days=1))
    assert [file["path"] for file in second["files"]] == ["CostAndUsage/mine/2026-01/second-part-00001.parquet"]
    assert store.read("metadata/schema.json") == schema
    assert not set(store.names()) & {file["path"] for file in first["files"]}
    store.delete("export.json")
    with pytest.raises(Rejected, match="something else"):
        exported(book, StorePlace(store, "third-"))


def test_a_schema_is_new_when_its_columns_are(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    exported(book, out)
    [first] = documents(out)["Schema"]
    fill(book, tmp_path, {"x_SourceColumns": '{"x_New":"1"}'})
    exported(book, out, NOW + timedelta(days=1))
    [second] = documents(out)["Schema"]
    assert second["SchemaId"] != first["SchemaId"]
    assert second["CreationDate"] == "2026-02-21T12:00:00Z"
    assert second["DatasetInstanceId"] == first["DatasetInstanceId"]
