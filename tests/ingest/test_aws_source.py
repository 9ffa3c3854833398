"""Exports in a bucket as deliveries: what is offered, what is not ready, and what is brought to disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.aws_session import clients
from ingest.offers import Offer
from ingest.sources.aws import AwsExports
from ledger.faults import Rejected, Transient
from tests.servers.moto import Moto
from tests.servers.s3_exports import write_export, write_legacy

BIG = bytes(range(256)) * 20_000
Source = Callable[..., AwsExports]


@pytest.fixture
def s3(moto: Moto) -> Any:
    return moto.client("s3")


@pytest.fixture
def source(moto: Moto, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The source below a prefix of this test's bucket, over the clients that the product makes."""
    for name, value in moto.env.items():
        monkeypatch.setenv(name, value)

    def made(prefix: str = "p", *, later: timedelta = timedelta(0), **options: str) -> AwsExports:
        # botocore reads the endpoint from the process environment.
        return AwsExports(clients(moto.env), f"s3://{bucket}/{prefix}", lambda: datetime.now(UTC) + later, **options)

    return made


def told(offers: list[Offer]) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """Export, month and files (name, size) of each offer that is ready."""
    assert [offer.fault for offer in offers if offer.fault] == []
    return [
        (one.export, str(one.period), [(file.label.rpartition("/")[2], file.size) for file in one.files])
        for one in offers
    ]


def test_an_overwritten_export_is_offered_by_month_with_exactly_its_files(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-02", [b"PAR1a"], columns=["bill_bill_type"])
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1ab", b"PAR1abc"])
    s3.put_object(Bucket=bucket, Key="p/e/data/BILLING_PERIOD=2026-01/stray.parquet", Body=b"x")
    offers = source().offers()
    assert told(offers) == [
        ("e", "2026-01", [("e-00001.snappy.parquet", 6), ("e-00002.snappy.parquet", 7)]),
        ("e", "2026-02", [("e-00001.snappy.parquet", 5)]),
    ]
    assert offers[1].columns == ("bill_bill_type",)
    assert datetime.now(UTC) - offers[0].delivered < timedelta(minutes=2)


def test_of_executions_in_folders_of_their_own_the_newest_counts(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1old"], create_new=True)
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1newer"], create_new=True)
    assert told(source().offers()) == [("e", "2026-01", [("e-00001.snappy.parquet", 9)])]


def test_partitions_in_lower_case_are_found(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"text"], lower=True)
    assert told(source().offers()) == [("e", "2026-01", [("e-00001.csv.gz", 4)])]


@pytest.mark.parametrize("overwrite", [False, True])
def test_legacy_reports_of_both_layouts_are_found(s3: Any, bucket: str, source: Source, overwrite: bool) -> None:
    columns = [("lineItem", "UnblendedCost"), ("resourceTags", "user:Name")]
    write_legacy(s3, bucket, "p", "r", "2026-01", [b"old"], overwrite=overwrite)
    write_legacy(s3, bucket, "p", "r", "2026-01", [b"newer"], overwrite=overwrite, columns=columns)
    [offer] = source().offers()
    assert told([offer]) == [("r", "2026-01", [("r-1.csv.gz", 5)])]
    assert offer.columns == ("lineItem/UnblendedCost", "resourceTags/user:Name")


@pytest.mark.parametrize("prefix", ["", "a", "a/b/", "a/b/e", "a/b/e/metadata/BILLING_PERIOD=2026-01/e-Manifest.json"])
def test_the_location_may_be_above_or_at_the_export(s3: Any, bucket: str, source: Source, prefix: str) -> None:
    write_export(s3, bucket, "a/b", "e", "2026-01", [b"PAR1"])
    assert told(source(prefix).offers()) == [("e", "2026-01", [("e-00001.snappy.parquet", 4)])]


def test_an_export_is_chosen_by_its_name(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "cur", "2026-01", [b"PAR1"])
    write_export(s3, bucket, "p", "focus", "2026-01", [b"PAR1"])
    assert [offer.export for offer in source().offers()] == ["cur", "focus"]
    assert [offer.export for offer in source(export="focus").offers()] == ["focus"]


def test_the_digest_is_the_delivery(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1"])
    [first], [again] = source().offers(), source().offers()
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1"])
    [restated] = source().offers()
    assert first == again
    assert restated.digest != first.digest


@pytest.mark.parametrize("listed", [False, True])
def test_a_delivery_that_shrank_leaves_empty_chunks(s3: Any, bucket: str, source: Source, listed: bool) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a", b"PAR1b"])
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1c"], lists_surplus=listed)
    files = [("e-00001.snappy.parquet", 5), ("e-00002.snappy.parquet", 0)]
    assert told(source().offers()) == [("e", "2026-01", files if listed else files[:1])]


def test_a_month_that_is_being_written_waits_and_the_others_do_not(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a", b"PAR1b"])
    write_export(s3, bucket, "p", "e", "2026-02", [b"PAR1a"])
    time.sleep(1.1)  # S3 tells times in whole seconds
    s3.put_object(Bucket=bucket, Key="p/e/data/BILLING_PERIOD=2026-01/e-00002.snappy.parquet", Body=b"PAR1next")
    january, february = source().offers()
    assert isinstance(january.fault, Transient)
    assert "another delivery is under way" in str(january.fault)
    assert january.digest
    assert told([february])


def test_a_file_that_is_not_there_is_waited_for_and_then_told(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a", b"PAR1b"])
    s3.delete_object(Bucket=bucket, Key="p/e/data/BILLING_PERIOD=2026-01/e-00002.snappy.parquet")
    [soon], [later] = source().offers(), source(later=timedelta(hours=1)).offers()
    assert isinstance(soon.fault, Transient)
    assert isinstance(later.fault, Rejected)
    assert "e-00002.snappy.parquet" in str(later.fault)


def test_a_month_without_its_manifest_is_told(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"], create_new=True)
    s3.delete_object(Bucket=bucket, Key="p/e/metadata/BILLING_PERIOD=2026-01/e-Manifest.json")
    [offer] = source().offers()
    assert (str(offer.period), offer.digest) == ("2026-01", "")
    assert "e-Manifest.json: there is no such object" in str(offer.fault)


def test_a_broken_manifest_is_its_months_fault_alone(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"])
    write_export(s3, bucket, "p", "e", "2026-02", [b"PAR1a"])
    s3.put_object(Bucket=bucket, Key="p/e/metadata/BILLING_PERIOD=2026-01/e-Manifest.json", Body=b"{")
    broken, whole = source().offers()
    assert isinstance(broken.fault, Rejected)
    assert told([whole])


def test_a_report_and_an_export_of_one_name_are_not_added(s3: Any, bucket: str, source: Source) -> None:
    write_legacy(s3, bucket, "p", "e", "2026-01", [b"text"])
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"])
    [offer] = source().offers()
    assert isinstance(offer.fault, Rejected)
    assert "20260101-20260201/e-Manifest.json" in str(offer.fault)


def test_an_export_whose_format_changed_is_the_newer_one(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"text"], lower=True)
    time.sleep(1.1)
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1"])
    assert told(source().offers()) == [("e", "2026-01", [("e-00001.snappy.parquet", 4)])]


@pytest.mark.usefixtures("source")
def test_folders_of_data_are_never_listed(s3: Any, bucket: str, moto: Moto) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1"], create_new=True)
    write_legacy(s3, bucket, "q", "r", "2026-01", [b"text"])
    asked: list[str] = []

    def watched(service: str, region: str) -> Any:
        client = clients(moto.env)(service, region)
        client.meta.events.register(
            "provide-client-params.s3.ListObjectsV2", lambda params, **_: asked.append(params["Prefix"])
        )
        return client

    offers = AwsExports(watched, f"s3://{bucket}", lambda: datetime.now(UTC)).offers()
    assert len(offers) == 2
    assert len(asked) > 4
    assert [prefix for prefix in asked if "/data/" in prefix or prefix.count("/") > 4] == []


def test_an_empty_place_says_where_to_point(s3: Any, bucket: str, source: Source) -> None:
    s3.put_object(Bucket=bucket, Key="p/other/readme.txt", Body=b"x")
    with pytest.raises(Rejected, match="no manifest") as refused:
        source().offers()
    assert refused.value.faults[0].rule == "no-such-export"


@pytest.mark.usefixtures("source")
def test_a_bucket_that_does_not_exist_is_named(moto: Moto) -> None:
    with pytest.raises(Rejected, match="there is no such bucket"):
        AwsExports(clients(moto.env), "s3://no-such-bucket-anywhere/p", lambda: datetime.now(UTC)).offers()


def test_files_come_whole_and_under_their_name_only_then(s3: Any, bucket: str, source: Source, tmp_path: Path) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [BIG, b""])
    reader = source()
    [offer] = reader.offers()
    for number, file in enumerate(offer.files):
        reader.download(file, tmp_path / f"{number}")
    assert (tmp_path / "0").read_bytes() == BIG
    assert (tmp_path / "1").read_bytes() == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_a_file_restated_since_it_was_offered_is_not_taken(
    s3: Any, bucket: str, source: Source, tmp_path: Path
) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"])
    reader = source()
    [offer] = reader.offers()
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1b"])
    with pytest.raises(Transient, match="restated while it was being read"):
        reader.download(offer.files[0], tmp_path / "chunk")
    assert list(tmp_path.iterdir()) == []


def test_a_file_removed_since_it_was_offered_is_not_taken(s3: Any, bucket: str, source: Source, tmp_path: Path) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"])
    reader = source()
    [offer] = reader.offers()
    s3.delete_object(Bucket=bucket, Key=offer.files[0].label.removeprefix(f"s3://{bucket}/"))
    with pytest.raises(Transient, match="restated while it was being read"):
        reader.download(offer.files[0], tmp_path / "chunk")


def test_a_file_in_the_bucket_of_somebody_else_is_not_read(s3: Any, bucket: str, source: Source) -> None:
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1a"])
    manifest = {"dataFiles": ["s3://other-bucket/p/e/data/BILLING_PERIOD=2026-01/e-00001.snappy.parquet"]}
    key = "p/e/metadata/BILLING_PERIOD=2026-01/e-Manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    [offer] = source().offers()
    assert "lists files in the bucket 'other-bucket'" in str(offer.fault)


@pytest.mark.usefixtures("source")
def test_every_request_names_the_account_that_has_to_own_the_bucket(
    s3: Any, bucket: str, moto: Moto, tmp_path: Path
) -> None:
    """The stand-in does not check the owner, so what is sent is what can be seen."""
    write_export(s3, bucket, "p", "e", "2026-01", [b"PAR1"])
    owners: list[str | None] = []

    def watched(service: str, region: str) -> Any:
        client = clients(moto.env)(service, region)
        event = "provide-client-params.s3"
        client.meta.events.register(event, lambda params, **_: owners.append(params.get("ExpectedBucketOwner")))
        return client

    reader = AwsExports(watched, f"s3://{bucket}/p", lambda: datetime.now(UTC), owner="210987654321")
    [offer] = reader.offers()
    reader.download(offer.files[0], tmp_path / "chunk")
    assert len(owners) > 4
    assert set(owners) == {"210987654321"}
