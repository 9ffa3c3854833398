"""What must not happen to a bucket's deliveries: a bill twice, an old one over a new one, half of one for all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.aws_session import clients
from ingest.sources.aws import AwsExports
from ledger.faults import Rejected, Transient
from tests.bucket_export import Export
from tests.bucket_export import export as export


def reports(export: Export) -> list[Path]:
    return sorted(Path(export.ledger.store, "runs").rglob("*.json"))


def test_a_report_lost_in_a_crash_is_written_again_so_that_no_other_source_gets_the_bill(export: Export) -> None:
    export.deliver(export.chunk(1.0))
    export.ledger.ingest(export.location, "--source", "one")
    [report] = reports(export)
    report.unlink()
    assert export.ledger.ingest(export.location, "--source", "one").outcomes == ["unchanged"]
    assert len(reports(export)) == 1
    refused = export.ledger.ingest(export.location, "--source", "two")
    assert (refused.code, refused.fault["rule"]) == (2, "bill-in-another-source")


def test_exports_of_one_name_in_two_folders_are_two_exports(export: Export) -> None:
    export.deliver(export.chunk(1.0), prefix="bills/old")
    export.deliver(export.chunk(2.0), prefix="bills/new")
    export.deliver(export.chunk(4.0, bill_billing_period_start_date="2026-02-01"), period="2026-02", prefix="bills/new")
    outcome = export.ledger.ingest(export.location)
    assert (outcome.code, outcome.fault["rule"], outcome.outcomes) == (2, "several-exports", ["committed"])
    assert export.ledger.total() == "4.00"


def test_a_bill_without_a_choice_of_metrics_is_unchanged_whatever_basis_is_asked(export: Export) -> None:
    export.deliver(export.chunk(1.0))
    export.ledger.ingest(export.location, "--basis", "actual")
    again = export.ledger.ingest(export.location, "--basis", "actual")
    assert again.outcomes == ["unchanged"]
    assert "sha256" not in again.document["runs"][0]["files"][0]


def test_two_payers_in_one_delivery_need_one_source(export: Export) -> None:
    export.deliver(export.chunk(1.0), export.chunk(2.0, bill_payer_account_id="999999999999"))
    refused = export.ledger.ingest(export.location)
    assert (refused.code, refused.fault["rule"], refused.outcomes) == (2, "accounts", [])
    assert export.ledger.ingest(export.location, "--source", "both").outcomes == ["committed"]


def test_a_place_that_fails_whole_does_not_hide_what_another_did(export: Export) -> None:
    export.deliver(export.chunk(1.0))
    outcome = export.ledger.ingest(export.location, f"s3://{export.bucket}/nothing-here")
    assert (outcome.code, outcome.outcomes) == (2, ["committed"])
    assert outcome.fault["rule"] == "no-such-export"


@pytest.mark.parametrize(("days", "fault"), [(1, Transient), (3, Rejected)])
def test_a_manifest_that_never_follows_its_files_is_given_up(export: Export, days: int, fault: type[Exception]) -> None:
    export.deliver(export.chunk(1.0))
    client = export.moto.client("s3")
    [manifest] = [key for key in _keys(export) if key.endswith("Manifest.json")]
    [chunk] = [key for key in _keys(export) if key.endswith(".parquet")]
    body = client.get_object(Bucket=export.bucket, Key=chunk)["Body"].read()
    _wait_a_second()
    client.put_object(Bucket=export.bucket, Key=chunk, Body=body)
    now = datetime.now(UTC) + timedelta(days=days)
    [offer] = AwsExports(clients(export.moto.env), export.location, lambda: now).offers()
    assert isinstance(offer.fault, fault) and manifest in offer.manifest


def _keys(export: Export) -> list[str]:
    found = export.moto.client("s3").list_objects_v2(Bucket=export.bucket).get("Contents", [])
    return [str(entry["Key"]) for entry in found]


def _wait_a_second() -> None:
    """S3 tells times in whole seconds."""
    import time

    time.sleep(1.1)
