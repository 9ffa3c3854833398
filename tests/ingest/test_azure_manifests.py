"""Manifests of Cost Management exports, hostile until parsed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.azure_manifests import (
    LARGEST,
    Part,
    Place,
    Run,
    Spot,
    dated_folder,
    is_manifest,
    month_of_folder,
    parse,
    place_of,
)
from ledger.delivery import Period
from ledger.faults import Rejected

PLACE = Place("", "costs", "bills/")
FOLDER = "bills/daily/20260101-20260131/202601150300/run"
WRITTEN = datetime(2026, 1, 15, 4, tzinfo=UTC)
SPOT = Spot(PLACE, f"{FOLDER}/manifest.json", WRITTEN)
RESOURCE = "/subscriptions/S-1/providers/Microsoft.CostManagement/exports/daily"
CONFIG = {"exportName": "daily", "resourceId": RESOURCE, "dataVersion": "2024-08-01", "type": "ActualCost"}
INFO = {
    "submittedTime": "2026-01-15T03:00:00.1234567Z",
    "runId": "run",
    "startDate": "2026-01-01T00:00:00",
    "endDate": "2026-01-31T00:00:00",
}
BLOB = {"blobName": f"{FOLDER}/part_0_0001.csv", "byteCount": 10, "dataRowCount": 2, "headerRowCount": 1}


def body(**changes: Any) -> bytes:
    content = {
        "manifestVersion": "2024-04-01",
        "byteCount": 10,
        "blobCount": 1,
        "dataRowCount": 2,
        "exportConfig": CONFIG,
        "deliveryConfig": {"partitionData": True},
        "runInfo": INFO,
        "blobs": [BLOB],
    }
    return json.dumps({**content, **changes}).encode()


def blobs(*changes: dict[str, Any], **fields: Any) -> bytes:
    """A manifest of these files, without totals."""
    listed = [{key: value for key, value in {**BLOB, **one}.items() if value is not ...} for one in changes]
    return body(**{"blobs": listed, "byteCount": None, "blobCount": None, "dataRowCount": None, **fields})


def brief(value: object) -> str:
    """A test's name in place of a whole manifest."""
    return value if isinstance(value, str) else "manifest"


def fault_of(content: bytes) -> str:
    """What keeps the run's files from being taken, while it is known what the run is of."""
    run = parse(content, SPOT)
    assert run.fault and not run.parts
    assert all(fault.file == f"az://costs/{SPOT.name}" and fault.advice for fault in run.fault.faults)
    return str(run.fault)


def test_a_whole_manifest() -> None:
    run = parse(body(unknown={"more": 1}), SPOT)
    assert (run.type, run.export, run.scope, run.version) == ("ActualCost", "daily", "subscriptions/s-1", "2024-08-01")
    assert (run.first, run.last) == (date(2026, 1, 1), date(2026, 1, 31))
    assert run.submitted == datetime(2026, 1, 15, 3, 0, 0, 123456, tzinfo=UTC)
    assert run.parts == (Part(BLOB["blobName"], 10, 2),)  # type: ignore[arg-type]  # a text
    assert len(run.digest) == 64


def test_an_old_manifest_may_lack_what_is_not_needed() -> None:
    content = {
        "exportConfig": {"type": "actualcost"},
        "runInfo": {"startDate": "2026-01-01", "endDate": "2026-01-31"},
        "blobs": [{"blobName": BLOB["blobName"]}],
    }
    run = parse(json.dumps(content).encode(), SPOT)
    assert (run.type, run.export, run.scope, run.submitted) == ("ActualCost", "daily", "", WRITTEN)
    assert run.parts == (Part(str(BLOB["blobName"]), None, None),)


def test_what_is_no_bill_needs_no_days() -> None:
    run = parse(body(exportConfig=CONFIG | {"type": "ReservationRecommendations"}, runInfo=None), SPOT)
    assert (run.type, run.first, run.last) == ("ReservationRecommendations", WRITTEN.date(), WRITTEN.date())


def test_a_mark_of_byte_order_is_no_fault() -> None:
    assert parse(b"\xef\xbb\xbf" + body(), SPOT).parts


@pytest.mark.parametrize("told", ["2099-01-01T00:00:00Z", "not a time", 7, None, "9999-12-31T23:59:59-14:00"])
def test_a_run_was_not_asked_for_after_its_manifest_was_written(told: object) -> None:
    assert parse(body(runInfo=INFO | {"submittedTime": told}), SPOT).submitted == WRITTEN


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (f"{FOLDER}/part.csv", f"{FOLDER}/part.csv"),
        (f"costs/{FOLDER}/part.csv", f"{FOLDER}/part.csv"),
        ("elsewhere/part.csv", "elsewhere/part.csv"),
    ],
)
def test_a_name_may_hold_the_containers_name_first(name: str, told: str) -> None:
    assert parse(blobs({"blobName": name}), SPOT).parts[0].name == told


def test_a_folder_may_bear_the_containers_name() -> None:
    spot = Spot(PLACE, "costs/daily/run/manifest.json", WRITTEN)
    assert parse(blobs({"blobName": "costs/daily/run/part.csv"}), spot).parts[0].name == "costs/daily/run/part.csv"
    assert parse(blobs({"blobName": "costs/costs/daily/run/p.csv"}), spot).parts[0].name == "costs/daily/run/p.csv"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        body() + b" " * LARGEST,
        body(exportConfig=None),
        body(exportConfig=CONFIG | {"type": ""}),
        body(exportConfig=CONFIG | {"type": ["ActualCost"]}),
        body(exportConfig=CONFIG | {"exportName": "a\x1b[2J"}),
        body(exportConfig=CONFIG | {"resourceId": "\ud800"}),
        body(exportConfig=CONFIG | {"exportName": "x" * 2001}),
        body(runInfo=None),
        body(runInfo=INFO | {"startDate": "soon"}),
        body(runInfo=INFO | {"startDate": "0001-01-01"}),
        body(runInfo=INFO | {"endDate": None}),
        body(runInfo=INFO | {"endDate": "2025-12-31"}),
    ],
    ids=brief,
)
def test_a_manifest_that_does_not_say_what_it_is_of_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        parse(content, SPOT)
    [fault] = refused.value.faults
    assert (fault.rule, fault.file) == ("azure-manifest", f"az://costs/{SPOT.name}")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (body(blobs=None), "not a list"),
        (body(blobs=[1]), "not a list"),
        (body(blobs=[]), "unknown, not zero"),
        (body(blobs=[BLOB] * 10_001), "more than 10000"),
        (blobs({"blobName": "../other/part.csv"}), "outside the container"),
        (blobs({"blobName": "bills/./part.csv"}), "outside the container"),
        (blobs({"blobName": "/bills/part.csv"}), "outside the container"),
        (blobs({"blobName": "bills\\part.csv"}), "outside the container"),
        (blobs({"blobName": "bills//part.csv"}), "outside the container"),
        (blobs({"blobName": "part\ud800.csv"}), "outside the container"),
        (blobs({"blobName": "https://other.blob.core.windows.net/c/part.csv?sig=abc"}), "outside the container"),
        (blobs({"blobName": ""}), "no name of a file"),
        (blobs({"blobName": "bills/"}), "no name of a file"),
        (blobs({"blobName": 7}), "no name of a file"),
        (blobs({"byteCount": -1}), "no count"),
        (blobs({"byteCount": True}), "no count"),
        (blobs({"byteCount": "10"}), "no count"),
        (blobs({"dataRowCount": 1.5}), "no count"),
        (blobs({"dataRowCount": 2**60}), "no count"),
        (blobs({"headerRowCount": 0}), "has no header"),
        (blobs({}, {}), "listed twice"),
        (blobs({}, {"blobName": f"costs/{BLOB['blobName']}"}), "listed twice"),
        (body(blobCount=2), "blobCount is 2, but 1"),
        (body(byteCount=11), "byteCount is 11, but the files' add up to 10"),
        (body(dataRowCount=3), "dataRowCount is 3, but the files' add up to 2"),
        (body(dataRowCount="2"), "dataRowCount is no count: '2'"),
    ],
    ids=brief,
)
def test_what_is_wrong_with_its_files_is_told_with_the_runs_name(content: bytes, told: str) -> None:
    assert told in fault_of(content)
    assert "sig=" not in fault_of(content)


def test_parquet_needs_no_header() -> None:
    assert parse(blobs({"blobName": "p.snappy.parquet", "headerRowCount": 0}), SPOT).parts


def test_totals_are_not_held_against_files_that_tell_nothing() -> None:
    assert parse(blobs({}, {"blobName": "b.csv", "byteCount": ...}, byteCount=99), SPOT).parts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("exportConfig", "runInfo", "blobs", "byteCount", "blobCount", "dataRowCount")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_a_run(content: bytes) -> None:
    only_refuses(content)


@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_the_place_of_a_field_is_refused_or_a_run(field: str, value: object) -> None:
    only_refuses(json.dumps(json.loads(body()) | {field: value}).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(["exportConfig", "runInfo"]), st.sampled_from([*CONFIG, *INFO]), JSON)
def test_any_value_inside_a_section_is_refused_or_a_run(section: str, field: str, value: object) -> None:
    content = json.loads(body())
    content[section][field] = value
    only_refuses(json.dumps(content).encode())


@given(st.lists(st.fixed_dictionaries({}, optional={key: JSON | st.just(value) for key, value in BLOB.items()})))
def test_any_list_of_files_is_refused_or_inside_the_container(listed: list[dict[str, Any]]) -> None:
    run = only_refuses(body(blobs=listed))
    for part in run.parts if run else ():
        assert not part.name.startswith("/") and ".." not in part.name.split("/")
        assert part.size is None or part.size >= 0


def only_refuses(content: bytes) -> Run | None:
    """Nothing but Rejected ever comes out, and its text can be printed."""
    try:
        run = parse(content, SPOT)
    except Rejected as refusal:
        str(refusal).encode()
        return None
    str(run.fault).encode()
    return run


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("az://costs", Place("", "costs", "")),
        ("az://costs/", Place("", "costs", "")),
        ("az://costs/a/b", Place("", "costs", "a/b/")),
        ("az://costs/a%20b/", Place("", "costs", "a%20b/")),
        ("az://costs/a/manifest.json", Place("", "costs", "a/manifest.json")),
        ("https://acct.blob.core.windows.net/costs/a", Place("acct", "costs", "a/")),
    ],
)
def test_a_location(location: str, place: Place) -> None:
    assert place_of(location) == place
    assert place_of(str(place)) == place


@pytest.mark.parametrize(
    "location",
    [
        "https://acct.blob.core.windows.net/costs/a?sv=2024&sig=SECRET",
        "az://costs/a?sig=SECRET",
        "https://acct.blob.core.windows.net/costs/a#SECRET",
        "https://user:SECRET@acct.blob.core.windows.net/costs",
        "https://acct.blob.core.windows.net.evil.example/SECRET",
        "https://acct.blob.core.windows.net/costs/SECRET%2e%2e",
        "https://acct.blob.core.windows.net/",
        "http://acct.blob.core.windows.net/costs/SECRET",
        "az://SECRET_/a",
        "az://costs/../SECRET",
        "az://costs/a//SECRET",
        "az://costs/SECRET\n",
        "s3://SECRET",
        "",
    ],
)
def test_a_location_that_is_none_is_not_repeated(location: str) -> None:
    with pytest.raises(Rejected) as refused:
        place_of(location)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "manifest", "folder", "month"),
    [
        (SPOT.name, True, "bills/daily/20260101-20260131/", Period(2026, 1)),
        ("20260201-20260228/_Manifest.JSON", True, "20260201-20260228/", Period(2026, 2)),
        ("manifest.json", True, "", None),
        ("a/my-manifest.json", False, "", None),
        ("a/manifest.json/part.csv", False, "", None),
        ("a/20261301-20261331/x", False, "a/20261301-20261331/", None),
        ("a/20260101-20260131", False, "", None),
    ],
)
def test_what_a_name_tells(name: str, manifest: bool, folder: str, month: Period | None) -> None:
    assert (is_manifest(name), dated_folder(name), month_of_folder(name)) == (manifest, folder, month)


def test_of_a_single_file_the_counts_of_the_whole_are_the_files() -> None:
    alone = {"dataRowCount": ..., "byteCount": ...}
    [part] = parse(blobs(alone, dataRowCount=3, byteCount=10), SPOT).parts
    assert (part.size, part.rows) == (10, 3)
    two = parse(blobs(alone, {**alone, "blobName": f"{FOLDER}/part_0_0002.csv"}, dataRowCount=3), SPOT).parts
    assert [part.rows for part in two] == [None, None]


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (({"dataRowCount": ..., "byteCount": ...}, {"dataRowCount": ..., "byteCount": ...}), (99, 3)),
        (({"dataRowCount": 1, "byteCount": ...}, {"dataRowCount": ...}), (99, 3)),
        (({"dataRowCount": 1, "byteCount": 90}, {"dataRowCount": 2, "byteCount": 9}), (None, None)),
    ],
    ids=["neither", "one", "both"],
)
def test_counts_of_several_files_together(entries: tuple[dict[str, Any], ...], told: tuple[int | None, ...]) -> None:
    first, second = entries
    whole = blobs(first, {**second, "blobName": f"{FOLDER}/part_0_0002.csv"}, dataRowCount=3, byteCount=99)
    run = parse(whole, SPOT)
    assert (run.size, run.rows) == told and len(run.parts) == 2


def test_counts_of_the_whole_are_counts() -> None:
    assert "dataRowCount is no count" in str(parse(blobs({"dataRowCount": ...}, dataRowCount="3"), SPOT).fault)
