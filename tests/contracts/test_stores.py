"""One suite over every ObjectStore: what holds for a folder holds for a container."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

import wiring
from adapters.blob import BlobStore
from adapters.folder import STAGING, FolderStore
from adapters.storage_account import account_from
from ingest.sources.folder import collect
from ledger.book import DATA_FILE
from ledger.faults import Conflict, Missing, Rejected, Transient
from ledger.store import ObjectStore
from tests.servers.azurite import Azurite

DATA = "cost_and_usage/x_SourceName=a/x_BillingPeriod=2026-01/0123456789abcdef-run-1-00000.parquet"
LOG = "cost_and_usage/_delta_log/00000000000000000000.json"
PARENTS = ["/", "/absolute", "..", "a/../b", "a/..", "./a"]
ODD_NAMES = ["", *PARENTS, "a//b", "a/", "back\\slash", "line\nbreak", "dot.", "n" * 901]


@pytest.fixture(params=["folder", "blob", "blob-prefix"])
def another(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> Callable[[], ObjectStore]:
    """Opens the same place again, as a second process would."""
    if request.param == "folder":
        return lambda: FolderStore(tmp_path / "store")
    server: Azurite = request.getfixturevalue("azurite")
    prefix = "some/where" if request.param == "blob-prefix" else ""
    return lambda: BlobStore(account_from(server.env), unique_name, prefix, tmp_path / "cache")


@pytest.fixture
def store(another: Callable[[], ObjectStore]) -> ObjectStore:
    return another()


def local(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "local.bin"
    path.write_bytes(body)
    return path


def test_an_object_reads_back_whole_elsewhere(store: ObjectStore, another: Callable[[], ObjectStore]) -> None:
    store.create("record/a/000001.json", b'{"kind": "received"}')
    store.create("empty", b"")
    assert another().read("record/a/000001.json") == b'{"kind": "received"}'
    assert another().read("empty") == b""


def test_a_second_create_conflicts_and_changes_nothing(store: ObjectStore) -> None:
    store.create("a/b", b"first")
    with pytest.raises(Conflict):
        store.create("a/b", b"second")
    assert store.read("a/b") == b"first"


def test_of_twenty_creators_exactly_one_wins(another: Callable[[], ObjectStore]) -> None:
    def attempt(number: int) -> int | None:
        try:
            another().create("race/winner", b"%d" % number)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(20) as pool:
        winners = [number for number in pool.map(attempt, range(20)) if number is not None]
    assert len(winners) == 1
    assert another().read("race/winner") == b"%d" % winners[0]
    assert another().names() == ["race/winner"]


@pytest.mark.parametrize("name", ["never/written", "a", "a/b/c", DATA])
def test_what_is_absent_is_missing(store: ObjectStore, name: str) -> None:
    with pytest.raises(Missing):
        store.read(name)
    store.create("a/b", b"")
    with pytest.raises(Missing):
        store.read(name)
    with pytest.raises(Missing):
        store.fetch(name)


def test_an_unwritten_store_has_no_names(store: ObjectStore) -> None:
    assert store.names() == []
    assert store.names("record/") == []


def test_names_are_sorted_and_begin_with_the_prefix(store: ObjectStore) -> None:
    for name in ("b/2", "b/10", "b-c", "a", "b/1/x", "bb", "ü", "B"):
        store.create(name, b"")
    assert store.names() == ["B", "a", "b-c", "b/1/x", "b/10", "b/2", "bb", "ü"]
    assert store.names("b/") == ["b/1/x", "b/10", "b/2"]
    assert store.names("b/1") == ["b/1/x", "b/10"]
    assert store.names("b") == ["b-c", "b/1/x", "b/10", "b/2", "bb"]
    assert store.names("c") == store.names("b/1/x/") == store.names("nowhere/at/all") == []


def test_names_with_odd_but_legal_characters_round_trip(store: ObjectStore) -> None:
    names = sorted(["a b", "a%20b", "a#b", "a?b", "a+b", "a'b", "..c", "x=1/y&2", "é/ß"])
    for name in names:
        store.create(name, name.encode())
    assert store.names() == names
    assert [store.read(name).decode() for name in names] == names


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_that_leave_the_root_or_fit_no_store_are_refused(store: ObjectStore, tmp_path: Path, name: str) -> None:
    path = local(tmp_path, b"kept")
    calls: list[Callable[[], object]] = [
        lambda: store.read(name),
        lambda: store.create(name, b""),
        lambda: store.put_file(name, path),
        lambda: store.fetch(name),
        lambda: store.delete(name),
        lambda: store.table_uri(name),
    ]
    for call in calls:
        with pytest.raises(Rejected):
            call()
    assert path.read_bytes() == b"kept"
    assert store.names() == []


@pytest.mark.parametrize("prefix", ["/", "/etc", "../", "..", "a/../", "a//", "a\\b"])
def test_prefixes_that_leave_the_root_are_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(Rejected):
        store.names(prefix)


@pytest.mark.parametrize("name", [DATA, "record/large"])
def test_a_file_goes_in_and_comes_out(store: ObjectStore, tmp_path: Path, name: str) -> None:
    body = bytes(range(256)) * 40_000
    store.put_file(name, local(tmp_path, body))
    fetched = store.fetch(name)
    assert fetched.read_bytes() == store.read(name) == body
    # Partition columns are read from the path, so that a local copy must keep the name's folders.
    assert fetched.as_posix().endswith(f"/{name}")
    assert store.fetch(name) == fetched
    assert store.names() == [name]


@pytest.mark.parametrize("name", ["waiting/file", DATA, LOG])
def test_a_replaced_file_is_fetched_anew(store: ObjectStore, tmp_path: Path, name: str) -> None:
    for body in (b"old", b"new and longer"):
        store.put_file(name, local(tmp_path, body))
        assert store.fetch(name).read_bytes() == body


def test_deleting_is_final_and_may_be_repeated(store: ObjectStore) -> None:
    store.delete("a/b")
    store.create("a/b", b"1")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("a")
    assert store.names() == []
    store.create("a/b", b"2")
    assert store.read("a/b") == b"2"


def test_what_is_printed_holds_no_secret(azurite: Azurite, unique_name: str, tmp_path: Path) -> None:
    account = account_from(azurite.env)
    store = BlobStore(account, unique_name, "p", tmp_path)
    assert store.url == f"az://{unique_name}/p"
    assert azurite.key not in f"{store.url} {store!r} {account!r} {account} {store.table_uri('cost_and_usage')}"


def test_a_wrong_key_is_for_a_person_to_mend(azurite: Azurite, unique_name: str, tmp_path: Path) -> None:
    account = dataclasses.replace(account_from(azurite.env), key="d3Jvbmc=")
    store = BlobStore(account, unique_name, cache=tmp_path)
    for call in (lambda: store.read("a"), lambda: store.create("a", b""), store.names):
        with pytest.raises(Rejected) as refused:
            call()
        assert "d3Jvbmc=" not in str(refused.value)


def test_a_storage_that_does_not_answer_is_transient(tmp_path: Path) -> None:
    with socket.socket() as taken:
        # Bound but not listening: the port refuses, and nobody else can take it meanwhile.
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}/acc"
        text = f"AccountName=acc;AccountKey=a2V5;BlobEndpoint={endpoint}"
        store = BlobStore(account_from({"AzureWebJobsStorage": text}), "container", cache=tmp_path)
        with ThreadPoolExecutor(3) as pool:
            calls: list[Callable[[], object]] = [lambda: store.read("a"), lambda: store.create("a", b""), store.names]
            faults = [future.exception() for future in [pool.submit(call) for call in calls]]
    assert [type(fault) for fault in faults] == [Transient] * 3


def test_reading_never_makes_a_container(azurite: Azurite, unique_name: str, tmp_path: Path) -> None:
    account = account_from(azurite.env)
    store = BlobStore(account, unique_name, cache=tmp_path)
    assert store.names() == []
    store.delete("a")
    assert not account.blobs().get_container_client(unique_name).exists()
    store.create("a", b"")
    assert account.blobs().get_container_client(unique_name).exists()


@pytest.mark.parametrize("container", ["", "ab", "Upper", "a_b", "-ab", "a--b", "a" * 64, "a/b"])
def test_container_names_are_checked_before_any_call(container: str, tmp_path: Path) -> None:
    account = account_from({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    with pytest.raises(Rejected):
        BlobStore(account, container, cache=tmp_path)


def test_drafts_of_a_folder_are_neither_listed_nor_named(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.create("a", b"1")
    (tmp_path / STAGING / "left-by-a-crash").write_bytes(b"half")
    assert store.names() == store.names("") == ["a"]
    with pytest.raises(Rejected):
        store.read(f"{STAGING}/left-by-a-crash")


def test_a_folder_in_the_way_of_a_file_is_refused_not_retried(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.create("a", b"1")
    with pytest.raises(Rejected):
        store.create("a/b", b"2")


@pytest.mark.parametrize("mark", ["%20", "#", "?", "\\"])
def test_a_place_where_a_table_cannot_live_is_refused(tmp_path: Path, mark: str) -> None:
    account = account_from({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    with pytest.raises(Rejected):
        FolderStore(tmp_path / f"a{mark}b")
    with pytest.raises(Rejected):
        BlobStore(account, "container", f"a{mark}b", tmp_path)


def test_a_data_file_of_the_ledger_is_asked_for_once(azurite: Azurite, unique_name: str, tmp_path: Path) -> None:
    store = BlobStore(account_from(azurite.env), unique_name, cache=tmp_path / "cache", lasting=DATA_FILE)
    store.put_file(DATA, local(tmp_path, b"whole"))
    first = store.fetch(DATA)
    store.delete(DATA)
    assert store.fetch(DATA) == first
    assert first.read_bytes() == b"whole"


@pytest.mark.parametrize("name", [DATA, LOG, "cost_and_usage/export.csv"])
def test_files_of_others_are_asked_for_each_time(azurite: Azurite, unique_name: str, tmp_path: Path, name: str) -> None:
    """A customer may name an export as the ledger names its own files."""
    store = wiring.opener(azurite.env)(f"az://{unique_name}")
    for body in (b"first export", b"corrected export"):
        store.put_file(name, local(tmp_path, body))
        assert store.fetch(name).read_bytes() == body


@pytest.mark.parametrize("name", [LOG, "cost_and_usage/export.csv", "record/a/000001.json", f"copy/{DATA}"])
def test_of_the_ledger_only_data_files_last(azurite: Azurite, unique_name: str, tmp_path: Path, name: str) -> None:
    store = wiring.store(f"az://{unique_name}/prefix", azurite.env)
    for body in (b"first", b"second"):
        store.put_file(name, local(tmp_path, body))
        assert store.fetch(name).read_bytes() == body


SECRET = "sv=2024&sig=c2VjcmV0%3D&se=2030"
FOREIGN = ["s3://b/x", "https://acc.blob.core.windows.net/c/p", "abfss://c@acc/p", "file:///x", "AZ://c/p", "s3:/b/x"]


@pytest.mark.parametrize("url", [*FOREIGN, *(f"{url}?{SECRET}" for url in FOREIGN)])
def test_an_address_of_another_kind_is_no_folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for opened in (partial(wiring.store, env={}), wiring.opener({})):
        with pytest.raises(Rejected, match=r"az://container/prefix") as refused:
            opened(url)
        assert url.partition("?")[0] in str(refused.value)
        assert "c2VjcmV0" not in str(refused.value) and "?" not in str(refused.value)


@pytest.mark.parametrize("url", [f"az://container?{SECRET}", f"az://container/p?{SECRET}", f"folder?{SECRET}"])
def test_a_signature_in_an_address_is_not_repeated(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        wiring.store(url, {"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize("location", [f"az://container/p?{SECRET}", f"https://acc/c/b.csv?{SECRET}", f"a?{SECRET}"])
def test_nor_in_the_place_of_a_bill(location: str, azurite: Azurite) -> None:
    with pytest.raises(Rejected) as refused:
        collect([location], wiring.opener(azurite.env))
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize("given", ["ledger", "./ledger", "../ledger", "~/ledger", "a b/c:d"])
def test_a_folder_is_named_as_it_was_given(given: str) -> None:
    assert FolderStore(given).url == wiring.store(given, {}).url == given
