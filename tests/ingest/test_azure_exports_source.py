"""Exports in a container as deliveries: what is offered, what is not ready, and what is brought to disk."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient, ContentSettings

import wiring.sources as sources
from ingest.offers import Offer
from ingest.sources.azure_exports import AzureExports
from ledger.faults import Rejected, Transient
from tests.azure_export import container as container
from tests.servers.azure_runs import write_run
from tests.servers.azurite import Azurite

BIG = bytes(range(256)) * 200_000  # more than comes in one answer
TEXT = b"a,b\n1,2\n"
Source = Callable[..., AzureExports]
Write = Callable[..., str]


@pytest.fixture
def source(azurite: Azurite, container: ContainerClient) -> Source:
    """The source below a prefix of this test's container, over the client that the product makes."""

    def made(prefix: str = "p", *, later: timedelta = timedelta(0), **options: Any) -> AzureExports:
        location = f"az://{container.container_name}/{prefix}"
        return AzureExports(
            lambda one: sources.blobs(one, azurite.env), location, lambda: datetime.now(UTC) + later, **options
        )

    return made


@pytest.fixture
def write(container: ContainerClient) -> Write:
    def run(*chunks: bytes, period: str = "2026-01", export: str = "e", kind: str = "FocusCost", **options: Any) -> str:
        return write_run(container, options.pop("root", "p"), export, kind, period, chunks or (TEXT,), **options)

    return run


def told(offers: list[Offer]) -> list[tuple[str, str, list[tuple[str, str, int, int | None]]]]:
    """Export, month and files (name, role, size, rows) of each offer that is ready."""
    assert [offer.fault for offer in offers if offer.fault] == []
    return [
        (
            *(one.export, str(one.period)),
            [(file.label.rpartition("/")[2], file.role, file.size, file.rows) for file in one.files],
        )
        for one in offers
    ]


ONE = ("part_0_0001.csv", "", 8, 1)


def test_an_export_is_offered_by_month_with_exactly_its_files(
    source: Source, write: Write, container: ContainerClient
) -> None:
    write(period="2026-02")
    name = write(TEXT, b"a,b\n1,2\n3,4\n")
    container.upload_blob(name.replace("manifest.json", "stray.csv"), b"x")
    offers = source().offers()
    assert told(offers) == [("e", "2026-01", [ONE, ("part_0_0002.csv", "", 12, 2)]), ("e", "2026-02", [ONE])]
    assert offers[0].manifest == f"az://{container.container_name}/{name}"
    assert datetime.now(UTC) - offers[0].delivered < timedelta(minutes=2)


@pytest.mark.parametrize("prefix", ["", "p", "p/", "p/e", "p/e/20260101-20260131", "MANIFEST"])
def test_the_location_may_be_above_or_at_the_run(source: Source, write: Write, prefix: str) -> None:
    name = write()
    assert told(source(name if prefix == "MANIFEST" else prefix).offers()) == [("e", "2026-01", [ONE])]


def test_of_runs_in_folders_of_their_own_the_newest_counts(source: Source, write: Write) -> None:
    write(b"a\n1\n2\n", create_new=True)
    write(create_new=True, named_with_container=True)
    assert told(source().offers()) == [("e", "2026-01", [ONE])]


def test_a_pair_has_its_roles(source: Source, write: Write) -> None:
    write(export="a", kind="ActualCost")
    write(export="m", kind="AmortizedCost")
    [offer] = source().offers()
    files = [("part_0_0001.csv", "actual", 8, 1), ("part_0_0001.csv", "amortized", 8, 1)]
    assert told([offer]) == [("a + m", "2026-01", files)]
    [alone] = source(basis="actual").offers()
    assert told([alone]) == [("a", "2026-01", files[:1])]


def test_the_digest_is_the_delivery(source: Source, write: Write) -> None:
    write(export="a", kind="ActualCost")
    write(export="m", kind="AmortizedCost")
    [first], [again] = source().offers(), source().offers()
    write(export="m", kind="AmortizedCost")
    [restated] = source().offers()
    assert first == again and restated.digest != first.digest


def test_price_sheets_stand_beside_the_bill_and_the_rest_is_told(source: Source, write: Write) -> None:
    write()
    write(export="prices", kind="PriceSheet")
    write(export="bought", kind="ReservationTransactions")
    reader = source()
    [offer] = reader.offers()
    assert [(file.label.rpartition("/")[2], file.role) for file in offer.prices] == [("part_0_0001.csv", "PriceSheet")]
    assert told([offer]) == [("e", "2026-01", [ONE])]
    [ignored] = reader.ignored
    assert "of type ReservationTransactions" in ignored


def test_a_price_sheet_is_waited_for_and_a_broken_one_is_told(
    source: Source, write: Write, container: ContainerClient
) -> None:
    write()
    blob = write(export="prices", kind="PriceSheet").replace("manifest.json", "part_0_0001.csv")
    container.delete_blob(blob)
    [soon], reader = source().offers(), source(later=timedelta(hours=1))
    assert isinstance(soon.fault, Transient)
    [late] = reader.offers()
    assert (late.fault, late.prices, len(late.files)) == (None, (), 1)
    assert "which is not there" in reader.ignored[0]


def test_a_scope_is_chosen(source: Source, write: Write) -> None:
    write(scope="/subscriptions/a", export="a")
    write(scope="/subscriptions/b", export="b")
    assert told(source(scope="/subscriptions/B").offers()) == [("b", "2026-01", [ONE])]


def test_a_run_that_is_being_written_over_waits_and_is_refused_when_it_stays_so(
    source: Source, write: Write, container: ContainerClient
) -> None:
    name = write(TEXT, TEXT)
    write(period="2026-02")
    later(lambda: container.upload_blob(name.replace("manifest.json", "part_0_0002.csv"), TEXT, overwrite=True))
    january, february = source().offers()
    assert isinstance(january.fault, Transient) and "another run is under way" in str(january.fault)
    assert told([february])
    stale, _ = source(later=timedelta(days=3)).offers()
    assert isinstance(stale.fault, Rejected)


def later(act: Callable[[], object]) -> None:
    """The service tells times in whole seconds."""
    time.sleep(1.1)
    act()


def test_a_file_that_is_not_there_is_waited_for_and_then_told(
    source: Source, write: Write, container: ContainerClient
) -> None:
    container.delete_blob(write(TEXT, TEXT).replace("manifest.json", "part_0_0002.csv"))
    [soon], [late] = source().offers(), source(later=timedelta(hours=1)).offers()
    assert isinstance(soon.fault, Transient) and isinstance(late.fault, Rejected)
    assert "part_0_0002.csv" in str(late.fault)


def test_sizes_are_held_against_the_manifest(source: Source, write: Write, container: ContainerClient) -> None:
    container.upload_blob("elsewhere/part.csv", TEXT)
    blob = {"blobName": "elsewhere/part.csv", "byteCount": 9}
    write(blobs=[blob], byteCount=9, dataRowCount=None)
    [offer] = source().offers()
    assert "the file has 8 bytes, its manifest says 9" in str(offer.fault)
    write(blobs=[blob | {"byteCount": 8}], byteCount=8, dataRowCount=None)
    assert told(source().offers()) == [("e", "2026-01", [("part.csv", "", 8, None)])]


def test_a_broken_manifest_is_its_months_fault_alone(source: Source, write: Write, container: ContainerClient) -> None:
    name = write()
    write(period="2026-02")
    container.upload_blob(name, b"{", overwrite=True)
    broken, whole = source().offers()
    assert isinstance(broken.fault, Rejected) and str(broken.period) == "2026-01"
    assert told([whole])


def test_a_month_without_a_manifest_is_told_and_its_files_are_not_added_up(
    source: Source, write: Write, container: ContainerClient
) -> None:
    container.delete_blob(write())
    write(period="2026-02")
    bare, whole = source().offers()
    assert isinstance(bare.fault, Transient) and str(bare.period) == "2026-01"
    assert told([whole])
    old, _ = source(later=timedelta(days=1)).offers()
    assert isinstance(old.fault, Rejected) and old.fault.faults[0].rule == "no-manifest"


def test_an_empty_place_says_where_to_point(source: Source, container: ContainerClient) -> None:
    container.upload_blob("p/readme.txt", b"x")
    with pytest.raises(Rejected, match="no manifest") as refused:
        source().offers()
    assert refused.value.faults[0].rule == "no-such-export"


def test_a_container_that_does_not_exist_is_named(azurite: Azurite) -> None:
    reader = AzureExports(
        lambda one: sources.blobs(one, azurite.env), "az://no-such-container/p", lambda: datetime.now(UTC)
    )
    with pytest.raises(Rejected, match="no such container: no-such-container"):
        reader.offers()


def test_files_are_downloaded_as_they_are_stored(
    source: Source, write: Write, container: ContainerClient, tmp_path: Path
) -> None:
    packed = gzip.compress(TEXT)
    container.upload_blob("f/big", BIG)
    container.upload_blob("f/none", b"")
    container.upload_blob("f/packed", packed, content_settings=ContentSettings(content_encoding="gzip"))
    names = ["f/big", "f/none", "f/packed"]
    write(blobs=[{"blobName": name} for name in names], blobCount=3, byteCount=None, dataRowCount=None)
    reader = source()
    [offer] = reader.offers()
    for number, file in enumerate(offer.files):
        reader.download(file, tmp_path / f"{number}")
    assert [(tmp_path / f"{number}").read_bytes() for number in range(3)] == [BIG, b"", packed]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_file_restated_or_removed_since_it_was_offered_is_not_taken(
    source: Source, write: Write, container: ContainerClient, tmp_path: Path
) -> None:
    name = write()
    reader = source()
    [offer] = reader.offers()
    write()
    with pytest.raises(Transient, match="restated while it was being read"):
        reader.download(offer.files[0], tmp_path / "chunk")
    container.delete_blob(name.replace("manifest.json", "part_0_0001.csv"))
    with pytest.raises(Transient, match=r"not there any more|restated"):
        reader.download(offer.files[0], tmp_path / "chunk")
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_not_those_of_the_md5_are_not_taken(
    source: Source, write: Write, container: ContainerClient, tmp_path: Path
) -> None:
    name = write().replace("manifest.json", "part_0_0001.csv")
    right, wrong = (hashlib.md5(body, usedforsecurity=False).digest() for body in (TEXT, b"other"))
    blob = container.get_blob_client(name)
    for md5 in (right, wrong):
        blob.set_http_headers(ContentSettings(content_md5=bytearray(md5)))
        manifest = name.replace("part_0_0001.csv", "manifest.json")
        container.upload_blob(manifest, container.download_blob(manifest).readall(), overwrite=True)
        reader = source()
        [offer] = reader.offers()
        if md5 == right:
            reader.download(offer.files[0], tmp_path / "chunk")
    with pytest.raises(Transient, match="MD5"):
        reader.download(offer.files[0], tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["chunk"]


def test_an_identity_without_rights_is_told_the_role(azurite: Azurite, container: ContainerClient) -> None:
    wrong = azurite.env["AzureWebJobsStorage"].replace("AccountKey=E", "AccountKey=A")
    location = f"az://{container.container_name}/p"
    reader = AzureExports(
        lambda one: sources.blobs(one, {"AzureWebJobsStorage": wrong}), location, lambda: datetime.now(UTC)
    )
    with pytest.raises(Rejected, match="Storage Blob Data Reader"):
        reader.offers()
