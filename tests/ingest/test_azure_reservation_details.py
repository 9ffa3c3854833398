"""ReservationDetails exports beside the bill of their scope and month: hours held against it, quantities filled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.azure_export import AzureExport
from tests.azure_export import azure_export as azure_export
from tests.azure_export import container as container
from tests.azure_lines import Line, bought, line, pair, reserved
from tests.bills import Ledger, Outcome
from tests.ingest.test_azure_commitments import held
from tests.mapped import write_csv

NAME = "used + unused hours = reserved hours"
DETAIL: Mapping[str, str] = {
    "InstanceFlexibilityGroup": "B Series",
    "InstanceFlexibilityRatio": "1",
    "InstanceId": "/subscriptions/sub-1/resourcegroups/shop/providers/microsoft.compute/virtualmachines/vm1",
    "Kind": "Microsoft.Compute",
    "ReservationId": "R-1",
    "ReservationOrderId": "O-1",
    "ReservedHours": "48",
    "SkuName": "Standard_B2s",
    "TotalReservedQuantity": "2",
    "UsageDate": "2026-01-05",
    "UsedHours": "10",
}
USED, UNUSED = reserved("5", Quantity="20"), reserved("7", "UnusedReservation", Quantity="28")
OTHER = {"InstanceId": "vm2"}  # another machine of the same day, in whose row the reserved hours stand again
AFTER = {"CostInBillingCurrency": "1", "Date": "01/31/2026"}  # the bill goes to the end of the month


def details(path: Path, *changes: Mapping[str, str]) -> Path:
    rows = [{**DETAIL, **change} for change in changes or ({}, OTHER)]
    made = write_csv(path.with_suffix(".csv"), rows, "utf-8-sig")
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM read_csv('{made}')) TO '{path}' (FORMAT parquet)")
        return path
    return made


def taken(
    ledger: Ledger, folder: Path, *others: Path, more: tuple[Line, ...] = (), purchase: Line | None = None
) -> Any:
    last = {**USED, **AFTER, "ResourceName": "VM9", "Quantity": "0"}
    actual = [line("5"), purchase or line("1"), reserved("0", Quantity="20")]
    files = pair(folder, actual, [line("5"), *([] if purchase else [line("1")]), USED, UNUSED, last, *more])
    outcome = ledger.ingest(*files, *others)
    assert outcome.outcomes == ["committed"], outcome.document["faults"]
    return outcome.document["runs"][0]


def hours(run: Mapping[str, Any]) -> Any:
    [found] = [one for one in run["identities"] if one["name"] == NAME]
    return found


@pytest.mark.parametrize("name", ["details.csv", "details.parquet"])
def test_unused_hours_of_the_bill_are_those_that_the_details_leave(name: str, ledger: Ledger, tmp_path: Path) -> None:
    found = hours(taken(ledger, tmp_path, details(tmp_path / name)))
    assert (found["currency"], found["per"], found["holds"], found["groups"]) == ("Hours", "reservation", True, 1)
    assert [Decimal(found[side]) for side in ("left", "right")] == [48, 48]
    assert {side: Decimal(value) for side, value in found["figures"].items()} == {"used": 20, "unused": 28}


def test_a_difference_is_told_and_the_bill_is_taken(ledger: Ledger, tmp_path: Path) -> None:
    found = hours(taken(ledger, tmp_path, details(tmp_path / "details.csv", {"UsedHours": "12.5"}, OTHER)))
    [one] = found["lines"]
    assert (found["holds"], found["broken"], Decimal(one["difference"])) == (False, 1, Decimal("2.5"))
    assert one["key"].endswith("/reservations/r-1")


@pytest.mark.parametrize(
    ("change", "left", "exceptions"),
    [
        ({"UsageDate": "01/05/2026"}, 48, []),
        ({"RIUsedHours": "5", "UsedHours": "99"}, 38, []),
        ({"ReservationId": "/providers/microsoft.capacity/reservationorders/o-1/reservations/R-1"}, 48, []),
        ({"UsageDate": "2025-12-05"}, None, []),
        ({"ReservationId": "other"}, 0, ["does not name it", "do not tell of it"]),
    ],
    ids=["slashes", "in-own-hours", "whole-id", "another-month", "another"],
)
def test_what_is_compared(
    change: Mapping[str, str], left: int | None, exceptions: list[str], ledger: Ledger, tmp_path: Path
) -> None:
    run = taken(ledger, tmp_path, details(tmp_path / "details.csv", change, {**change, **OTHER}))
    if left is None:
        assert NAME not in {one["name"] for one in run["identities"]}
        return
    found = hours(run)
    assert Decimal(found["left"]) == left
    assert [
        one["reason"][-len(told) :] for one, told in zip(found["exceptions"], exceptions, strict=True)
    ] == exceptions


def test_the_last_day_of_a_month_to_date_is_not_compared(ledger: Ledger, tmp_path: Path) -> None:
    files = pair(tmp_path, [line("5"), reserved("0", Quantity="20")], [line("5"), USED])
    [run] = ledger.ingest(*files, details(tmp_path / "details.csv")).document["runs"]
    assert (hours(run)["groups"], hours(run)["exceptions"][0]["count"]) == (0, 1)


@pytest.mark.parametrize(
    ("unit", "beside", "quantity"),
    [("1", True, 2 * 8760), ("1", False, None), ("1 Hour", True, 3 * 8760)],
    ids=["by-the-details", "not-told", "by-the-purchase"],
)
def test_how_much_was_bought_is_told_by_the_details_where_the_purchase_does_not(
    unit: str, beside: bool, quantity: int | None, ledger: Ledger, tmp_path: Path
) -> None:
    purchase = bought("120", UnitOfMeasure=unit, Quantity="3")
    given = [details(tmp_path / "details.csv")] if beside else []
    taken(ledger, tmp_path, *given, purchase=purchase)
    [found] = held(ledger).values()
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentCost"]) == (quantity, 120)
    assert found["ContractCommitmentPeriodStart"] == datetime(2026, 1, 5, tzinfo=UTC)


def delivered(export: AzureExport, *, change: Mapping[str, str] | None = None, **options: Any) -> str:
    path = details(export.folder / "details.csv", change or {}, {**(change or {}), **OTHER})
    return export.run("details", "ReservationDetails", path, **options)


def bill(export: AzureExport) -> None:
    common = {"CostInBillingCurrency": "1", "Date": "01/31/2026"}
    export.actual(export.lines({**reserved("0", Quantity="20"), "ResourceName": "A"}, common))
    export.amortized(export.lines({**USED, "ResourceName": "A"}, {**UNUSED, "ResourceName": ""}, common))


def ingested(export: AzureExport) -> Outcome:
    return export.ledger.ingest(export.location, "--source", "main")


def test_an_export_of_details_goes_with_the_bill_of_its_scope_and_month(azure_export: AzureExport) -> None:
    bill(azure_export)
    delivered(azure_export)
    delivered(azure_export, period="2025-12", change={"UsageDate": "2025-12-05"})
    first = ingested(azure_export)
    assert first.outcomes == ["committed"], first.document["faults"]
    assert hours(first.document["runs"][0])["exceptions"] == []
    assert first.document["ignored"] == []
    assert ingested(azure_export).outcomes == ["unchanged"]
    delivered(azure_export, change={"UsedHours": "9"})
    [run] = ingested(azure_export).document["runs"]
    assert (run["outcome"], hours(run)["holds"]) == ("committed", False)


@pytest.mark.parametrize("options", [{"period": "2025-12"}, {"scope": "/subscriptions/other"}], ids=["month", "scope"])
def test_details_of_another_month_or_scope_are_told_and_left(
    azure_export: AzureExport, options: dict[str, Any]
) -> None:
    bill(azure_export)
    delivered(azure_export, **options)
    found = ingested(azure_export)
    assert NAME not in {one["name"] for one in found.document["runs"][0]["identities"]}
    assert "of type ReservationDetails, no bill" in found.document["ignored"][0]


def test_rows_of_details_are_held_against_their_manifest(azure_export: AzureExport) -> None:
    bill(azure_export)
    path = details(azure_export.folder / "details.csv")
    azure_export.put("bills/d.csv", path.read_bytes())
    listed = [{"blobName": "bills/d.csv", "byteCount": path.stat().st_size, "dataRowCount": 3}]
    azure_export.run("details", "ReservationDetails", blobs=listed, blobCount=1, byteCount=None, dataRowCount=3)
    refused = ingested(azure_export)
    assert (refused.code, refused.fault["rule"]) == (2, "manifest-rows")
    listed[0] |= {"byteCount": 1, "dataRowCount": 2}
    azure_export.run("details", "ReservationDetails", blobs=listed, blobCount=1, byteCount=None, dataRowCount=2)
    told = ingested(azure_export)
    assert told.outcomes == ["committed"] and "its manifest says 1" in told.document["ignored"][0]
