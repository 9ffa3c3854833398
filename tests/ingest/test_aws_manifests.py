"""Manifests of AWS, hostile until parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.aws_manifests import LARGEST, Place, Spot, digest_of, parse, place_of, spot_of
from ledger.delivery import Period
from ledger.faults import Rejected

KEY = "p/e/metadata/BILLING_PERIOD=2026-01/e-Manifest.json"
HOME = "p/e/data/BILLING_PERIOD=2026-01"
LEGACY_KEY = "p/r/20260101-20260201/r-Manifest.json"


def spot(key: str = KEY) -> Spot:
    found = spot_of("bucket", key)
    assert found
    return found


def body(**changes: Any) -> bytes:
    content = {"executionId": "x", "dataFiles": [f"s3://bucket/{HOME}/e-00001.csv.gz"], "columns": []}
    return json.dumps(content | changes).encode()


def legacy(**changes: Any) -> bytes:
    content = {
        "assemblyId": "x",
        "bucket": "bucket",
        "billingPeriod": {"start": "20260101T000000.000Z", "end": "20260201T000000.000Z"},
        "reportKeys": ["p/r/20260101-20260201/x/r-1.csv.gz"],
        "columns": [{"category": "lineItem", "name": "UnblendedCost"}],
    }
    return json.dumps(content | changes).encode()


def refusal(content: bytes, key: str = KEY) -> str:
    with pytest.raises(Rejected) as refused:
        parse(content, spot(key))
    assert all(fault.file == f"s3://bucket/{key}" and fault.advice for fault in refused.value.faults)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "export", "period", "root"),
    [
        (KEY, "e", Period(2026, 1), "p/e/"),
        ("e/metadata/billing_period=2026-12/e-Manifest.json", "e", Period(2026, 12), "e/"),
        ("a/b/My Export/metadata/BILLING_PERIOD=2026-01/my export-manifest.json", "My Export", Period(2026, 1), None),
        (LEGACY_KEY, "r", Period(2026, 1), "p/r/"),
        ("/r/20261201-20270101/r-Manifest.json", "r", Period(2026, 12), "/r/"),
        ("p/r/20160101-20160131/r-Manifest.json", "r", Period(2016, 1), None),
    ],
)
def test_the_current_manifest_of_a_month_is_recognised(key: str, export: str, period: Period, root: str | None) -> None:
    found = spot(key)
    assert (found.export, found.period) == (export, period)
    assert root in (None, found.root)


@pytest.mark.parametrize(
    "key",
    [
        "p/e/metadata/BILLING_PERIOD=2026-01/20260131T000000Z-1/e-Manifest.json",
        "p/r/20260101-20260201/5a7f/r-Manifest.json",
        "p/e/metadata/BILLING_PERIOD=2026-13/e-Manifest.json",
        "p/e/metadata/BILLING_PERIOD=2026-01/other-Manifest.json",
        "p/e/data/BILLING_PERIOD=2026-01/e-Manifest.json",
        "p/e/metadata/DATE=2026-01-01/e-Manifest.json",
        "p/r/20260102-20260201/r-Manifest.json",
        "p/r/20260101-20260301/r-Manifest.json",
        "p/r/20260101-20260201/r-RedshiftManifest.json",
    ],
)
def test_copies_of_executions_and_other_objects_are_no_current_manifest(key: str) -> None:
    assert spot_of("bucket", key) is None


def test_a_location_is_a_bucket_and_a_prefix() -> None:
    assert place_of("s3://bucket") == Place("bucket", "")
    assert place_of("s3://my.bucket-1/a/b") == place_of("s3://my.bucket-1/a/b/") == Place("my.bucket-1", "a/b/")


@pytest.mark.parametrize(
    "text", ["", "bucket", "s3://", "s3://B/x", "s3://bucket/a/../b", "https://bucket/x", "s3://a\n"]
)
def test_what_is_no_location_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="s3://bucket/prefix"):
        place_of(text)


def test_a_manifest_gives_its_files_in_order_its_columns_and_its_digest() -> None:
    files = [f"s3://bucket/{HOME}/e-0000{n}.csv.gz" for n in (2, 1)]
    content = body(dataFiles=files, columns=[{"name": "a", "type": "string"}, {"name": "b"}], unknown={"x": 1})
    found = parse(content, spot())
    assert found.keys == (f"{HOME}/e-00002.csv.gz", f"{HOME}/e-00001.csv.gz")
    assert found.columns == ("a", "b")
    assert found.digest == digest_of(content)


def test_absent_fields_beside_the_files_are_fine() -> None:
    found = parse(json.dumps({"dataFiles": [f"{HOME}/1/e-00001.snappy.parquet"]}).encode(), spot())
    assert (found.keys, found.columns) == ((f"{HOME}/1/e-00001.snappy.parquet",), ())


PARQUET = ["p/r/r/year=2026/month=1/r-00001.snappy.parquet"]


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({}, ("lineItem/UnblendedCost",)),
        ({"columns": [{"name": "UnblendedCost"}]}, ()),
        ({"reportKeys": PARQUET}, ()),
        (
            {"reportKeys": PARQUET, "columns": [{"category": "identity", "name": "identity_line_item_id"}]},
            ("identity_line_item_id",),
        ),
        ({"columns": "none"}, ()),
    ],
)
def test_legacy_columns_are_told_only_where_they_are_certain(changes: Any, columns: tuple[str, ...]) -> None:
    assert parse(legacy(**changes), spot(LEGACY_KEY)).columns == columns


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"[]", b'"text"', b"null"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    assert "the manifest is n" in refusal(content)


def test_a_manifest_of_absurd_size_is_refused_unread() -> None:
    assert "larger than" in refusal(b" " * (LARGEST + 1))


@pytest.mark.parametrize("files", [None, "text", {}, [1], [None], [["x"]]])
def test_files_that_are_no_list_of_names_are_refused(files: Any) -> None:
    assert "dataFiles is not a list of names" in refusal(body(dataFiles=files))


def test_no_files_and_too_many_are_refused() -> None:
    assert "has no files" in refusal(body(dataFiles=[]))
    assert "names 10001 files" in refusal(body(dataFiles=[f"{n}" for n in range(10_001)]))


def test_a_file_listed_twice_is_refused() -> None:
    name = f"s3://bucket/{HOME}/e-00001.csv.gz"
    assert "is listed twice" in refusal(body(dataFiles=[name, f"{HOME}/e-00001.csv.gz"]))


@pytest.mark.parametrize(
    "name",
    [
        "s3://other/p/e/data/x.csv.gz",
        "s3://bucket/p/other/data/x.csv.gz",
        "s3://bucket/p/e/metadata/x.csv.gz",
        "s3://bucket/p/e/data/../../x.csv.gz",
        "s3://bucket/p/e/data/./x.csv.gz",
        "s3://bucket/p/e/data//x.csv.gz",
        "s3://bucket/p/e/data/",
        "s3://bucket/p/e/data/a\nb.csv.gz",
        "s3://bucket/p/e/data/a\\b.csv.gz",
        "s3://bucket/p/e/data/a\ud800b.csv.gz",
        "/etc/passwd",
        "file:///etc/passwd",
        "https://bucket.s3.amazonaws.com/p/e/data/x.csv.gz?X-Amz-Signature=secret",
        "",
    ],
)
def test_a_file_outside_the_exports_own_folder_is_refused(name: str) -> None:
    text = refusal(body(dataFiles=[name]))
    assert "lists files in" in text
    assert "secret" not in text


def test_a_legacy_manifest_of_another_bucket_or_month_is_refused() -> None:
    assert "bucket 'other'" in refusal(legacy(bucket="other"), LEGACY_KEY)
    assert "folder is of 2026-01" in refusal(legacy(billingPeriod={"start": "20260201T000000.000Z"}), LEGACY_KEY)


def test_zip_archives_are_refused_with_what_to_choose_instead() -> None:
    assert "GZIP" in refusal(legacy(reportKeys=["p/r/20260101-20260201/x/r-1.csv.zip"]), LEGACY_KEY)


def test_every_fault_is_told_at_once() -> None:
    assert len(refusal(body(dataFiles=["s3://other/x", "/y", f"{HOME}/e.csv.zip"])).splitlines()) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["dataFiles", "columns", "bucket", "billingPeriod", "reportKeys"])


@given(st.dictionaries(FIELDS, JSON, max_size=5), st.sampled_from([KEY, LEGACY_KEY]))
def test_whatever_it_says_a_manifest_is_parsed_or_refused_and_never_leads_elsewhere(content: Any, key: str) -> None:
    place = spot(key)
    try:
        found = parse(json.dumps(content).encode(), place)
    except Rejected:
        return
    assert all(name.startswith(place.root) and ".." not in name for name in found.keys)
