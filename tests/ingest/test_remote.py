"""Deliveries in a bucket of AWS, from the manifest to the ledger, over HTTP: restated, shrunk, broken, repaired."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping

import duckdb
import pytest

from tests.bucket_export import Export, columns_of
from tests.bucket_export import export as export
from tests.exports import export as focus_export


def test_chunks_of_one_manifest_are_one_delivery(export: Export) -> None:
    export.deliver(export.chunk(1.25, 2.0), export.chunk(4.0))
    [run] = export.ledger.ingest(export.location).document["runs"]
    assert (run["outcome"], run["raw_rows"], export.ledger.total()) == ("committed", 3, "7.25")
    assert [file["file"].rpartition("/")[2] for file in run["files"]] == [
        "main-00001.snappy.parquet",
        "main-00002.snappy.parquet",
    ]
    assert len(run["manifest"]) == 64


def test_an_unchanged_manifest_is_no_work(export: Export) -> None:
    export.deliver(export.chunk(1.25))
    export.ledger.ingest(export.location)
    again = export.ledger.ingest(export.location)
    assert again.outcomes == ["unchanged"]
    assert "sha256" not in again.document["runs"][0]["files"][0]  # told by the manifest: nothing was downloaded


@pytest.mark.parametrize("create_new", [False, True])
def test_a_restated_and_shrunk_export_replaces_the_month(export: Export, create_new: bool) -> None:
    export.deliver(export.chunk(1.0), export.chunk(2.0), export.chunk(3.0), create_new=create_new)
    export.ledger.ingest(export.location)
    export.deliver(export.chunk(0.5), create_new=create_new, lists_surplus=not create_new)
    assert export.ledger.ingest(export.location).outcomes == ["committed"]
    assert export.ledger.total() == "0.50"


def test_partition_folders_may_be_in_lower_case(export: Export) -> None:
    export.deliver(export.chunk(1.0), lower=True)
    assert export.ledger.ingest(export.location).outcomes == ["committed"]


def test_every_month_is_taken_and_one_may_be_asked_for(export: Export) -> None:
    february = {"bill_billing_period_start_date": "2026-02-01"}
    export.deliver(export.chunk(1.0))
    export.deliver(export.chunk(2.0, **february), period="2026-02")
    one = export.ledger.ingest(export.location, "--period", "2026-02")
    assert [run["period"] for run in one.document["runs"]] == ["2026-02"]
    both = export.ledger.ingest(export.location)
    assert [(run["period"], run["outcome"]) for run in both.document["runs"]] == [
        ("2026-01", "committed"),
        ("2026-02", "unchanged"),
    ]


def _empty(export: Export) -> None:
    export.deliver(b"", b"")


def _headers_only(export: Export) -> None:
    export.deliver(export.chunk(1.0, line_item_line_item_type="Usage").parent / _nothing(export))


def _nothing(export: Export) -> str:
    path, source = export.folder / "nothing.parquet", export.chunk(9.0)
    duckdb.sql(f"COPY (FROM '{source}' WHERE false) TO '{path}' (FORMAT parquet)")
    return path.name


def _other_columns(export: Export) -> None:
    export.deliver(export.chunk(1.0), columns=["bill_payer_account_id", "something_else"])


def _another_month(export: Export) -> None:
    export.deliver(export.chunk(1.0, bill_billing_period_start_date="2026-02-01"))


def _twice(export: Export) -> None:
    export.deliver(export.chunk(1.0), export.chunk(1.0))


def _half_written(export: Export) -> None:
    body = export.chunk(1.0).read_bytes()
    export.deliver(body[: len(body) // 2], columns=columns_of([export.chunk(1.0)]))


def _half_zipped(export: Export) -> None:
    body = gzip.compress(b"bill/PayerAccountId,lineItem/UnblendedCost\n" * 500)
    export.deliver(body[: len(body) // 2])


FAULTS: Mapping[str, tuple[Callable[[Export], None], str]] = {
    "only empty chunks": (_empty, "no-rows"),
    "headers without rows": (_headers_only, "no-rows"),
    "other columns than the manifest": (_other_columns, "manifest-columns"),
    "rows of another month": (_another_month, "manifest-period"),
    "the same data under two names": (_twice, "same-data-twice"),
    "half a Parquet file": (_half_written, "unreadable-parquet"),
    "half a gzip file": (_half_zipped, "unreadable-gzip"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_delivery_changes_nothing_and_the_next_repairs(export: Export, name: str) -> None:
    spoil, rule = FAULTS[name]
    export.deliver(export.chunk(7.0))
    export.ledger.ingest(export.location)
    before = export.ledger.figures()
    spoil(export)
    refused = export.ledger.ingest(export.location)
    assert (refused.code, {fault["rule"] for fault in refused.document["faults"]}) == (2, {rule})
    assert all(f"s3://{export.bucket}/" in fault["file"] and fault["advice"] for fault in refused.document["faults"])
    assert export.ledger.figures() == before
    export.deliver(export.chunk(3.0))
    assert (export.ledger.ingest(export.location).outcomes, export.ledger.total()) == (["committed"], "3.00")


def test_a_month_that_is_being_written_waits_and_the_others_go_on(export: Export) -> None:
    export.deliver(export.chunk(1.0))
    export.deliver(export.chunk(2.0, bill_billing_period_start_date="2026-02-01"), period="2026-02")
    _later(lambda: export.put(1, export.chunk(5.0).read_bytes()))
    outcome = export.ledger.ingest(export.location)
    assert (outcome.code, [run["period"] for run in outcome.document["runs"]]) == (3, ["2026-02"])
    [reason] = outcome.document["later"]
    assert "2026-01" in reason


def _later(act: Callable[[], None]) -> None:
    """S3 tells times in whole seconds."""
    import time

    time.sleep(1.1)
    act()


def test_two_exports_of_one_month_are_not_added_up(export: Export) -> None:
    export.deliver(export.chunk(1.0))
    export.deliver(export.chunk(2.0), name="other")
    both = export.ledger.ingest(export.location)
    assert (both.code, both.fault["rule"]) == (2, "several-exports")
    assert export.ledger.ingest(f"{export.location}/other").outcomes == ["committed"]
    assert export.ledger.total() == "2.00"


def test_a_month_that_vanishes_stays_in_the_ledger(export: Export) -> None:
    february = {"bill_billing_period_start_date": "2026-02-01"}
    export.deliver(export.chunk(1.0))
    export.deliver(export.chunk(2.0, **february), period="2026-02")
    export.ledger.ingest(export.location)
    client = export.moto.client("s3")
    client.delete_object(Bucket=export.bucket, Key="bills/main/metadata/BILLING_PERIOD=2026-01/main-Manifest.json")
    assert [run["period"] for run in export.ledger.ingest(export.location).document["runs"]] == ["2026-02"]
    assert export.ledger.total() == "3.00"


def test_a_focus_export_is_taken_in_like_a_bill(export: Export) -> None:
    path = focus_export(export.folder / "focus.parquet", "aws_1_2")
    export.deliver(path)
    outcome = export.ledger.ingest(export.location)
    assert (outcome.outcomes, outcome.document["runs"][0]["shape"]) == (["committed"], "focus_cost_and_usage")


def test_a_bill_of_an_account_that_the_source_does_not_claim_is_refused(export: Export) -> None:
    export.ledger.config.write_text(
        f'[sources.main]\nprovider = "aws"\naccounts = ["999999999999"]\nlocation = "{export.location}"\n'
    )
    export.deliver(export.chunk(1.0))
    refused = export.ledger.ingest(export.location, "--source", "main")
    assert (refused.code, refused.fault["rule"]) == (2, "account")


def test_months_before_the_source_s_first_are_left_alone(export: Export) -> None:
    export.ledger.config.write_text(
        f'[sources.main]\nprovider = "aws"\nsince = "2026-02"\nlocation = "{export.location}"\n'
    )
    export.deliver(export.chunk(1.0))
    outcome = export.ledger.ingest(export.location, "--source", "main")
    assert (outcome.code, outcome.outcomes) == (0, [])
