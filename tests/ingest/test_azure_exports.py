"""Exports in a container, from the manifest to the ledger: pairs, restated, shrunk, packed, broken, repaired."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.azure_export import COMMITTED, AzureExport
from tests.azure_export import azure_export as azure_export
from tests.azure_export import container as container
from tests.bills import Ledger, Outcome, cur2
from tests.exports import export as focus_file
from tests.price_sheets import price_sheet
from tests.servers.azure_runs import packed


def test_actual_and_amortized_of_one_scope_are_one_delivery(azure_export: AzureExport) -> None:
    purchase = {**COMMITTED, "ChargeType": "Purchase", "CostInBillingCurrency": "30", "Quantity": "1"}
    azure_export.actual(azure_export.lines({}, purchase, {**COMMITTED, "CostInBillingCurrency": "0"}))
    azure_export.amortized(azure_export.lines({}, {**COMMITTED, "CostInBillingCurrency": "12"}))
    outcome = azure_export.ledger.ingest(azure_export.location)
    [run] = outcome.document["runs"]
    assert (run["outcome"], run["raw_rows"], azure_export.ledger.total()) == ("committed", 5, "35.00")
    assert sorted(file["role"] for file in run["files"]) == ["actual", "amortized"]
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["unchanged"]


@pytest.mark.parametrize("create_new", [False, True])
def test_a_restated_and_shrunk_pair_replaces_the_month(azure_export: AzureExport, create_new: bool) -> None:
    chunks = [azure_export.costs("1"), azure_export.costs("2", "3")]
    azure_export.pair(*chunks, create_new=create_new)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "6.00"
    azure_export.pair(azure_export.costs("0.5"), create_new=create_new)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "0.50"


def test_files_may_be_packed(azure_export: AzureExport) -> None:
    azure_export.pair(packed(azure_export.costs("1", "2")))
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "3.00"


def test_files_may_be_parquet(azure_export: AzureExport) -> None:
    text = azure_export.costs("1", "2.5")
    parquet = text.with_suffix(".parquet")
    duckdb.execute(f"COPY (FROM read_csv('{text}', all_varchar=true)) TO '{parquet}' (COMPRESSION snappy)")
    azure_export.pair(parquet)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "3.50"


def test_a_focus_export_needs_no_pair(azure_export: AzureExport) -> None:
    azure_export.focus("1.25")
    azure_export.focus("2.5", period="2026-02")
    outcome = azure_export.ledger.ingest(azure_export.location)
    assert [(run["period"], run["outcome"]) for run in outcome.document["runs"]] == [
        ("2026-01", "committed"),
        ("2026-02", "committed"),
    ]
    assert azure_export.ledger.total() == "3.75"


def test_a_half_waits_for_the_other_or_is_taken_alone(azure_export: AzureExport) -> None:
    azure_export.actual(azure_export.costs("1", "2"))
    outcome = azure_export.ledger.ingest(azure_export.location)
    assert (outcome.code, outcome.document["runs"]) == (3, [])
    assert "the AmortizedCost export of the same scope is missing" in outcome.document["later"][0]
    assert azure_export.ledger.ingest(azure_export.location, "--basis", "actual").outcomes == ["committed"]
    assert azure_export.ledger.total() == "3.00"


def test_a_folder_of_plain_files_stays_one(azure_export: AzureExport) -> None:
    azure_export.put("bills/actual.csv", azure_export.costs("1").read_bytes())
    azure_export.put("bills/amortized.csv", azure_export.costs("1").read_bytes())
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]


@pytest.mark.parametrize("inside", ["", "/actual", "/actual/20260101-20260131"])
def test_runs_without_a_manifest_are_never_added_up(azure_export: AzureExport, inside: str) -> None:
    for run in ("one", "two"):
        azure_export.put(f"bills/actual/20260101-20260131/{run}/part.csv", azure_export.costs("1", run).read_bytes())
    outcome = azure_export.ledger.ingest(f"{azure_export.location}{inside}")
    assert (outcome.code, outcome.document["runs"]) == (3, [])
    assert "without a manifest.json" in outcome.document["later"][0]


def test_one_file_of_a_run_may_be_given_by_its_name(azure_export: AzureExport) -> None:
    for name in ("actual", "amortized"):
        azure_export.put(f"bills/{name}/20260101-20260131/run/part.csv", azure_export.costs("1").read_bytes())
    halves = [f"{azure_export.location}/{name}/20260101-20260131/run/part.csv" for name in ("actual", "amortized")]
    assert azure_export.ledger.ingest(*halves).outcomes == ["committed"]


def test_two_bills_of_one_month_are_not_added_up_and_one_is_chosen_by_name(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1"))
    azure_export.focus("2")
    both = azure_export.ledger.ingest(azure_export.location)
    assert (both.code, both.fault["rule"]) == (2, "several-exports")
    named = f'[sources.main]\nprovider = "azure"\nlocation = "{azure_export.location}"\n'
    azure_export.ledger.config.write_text(f'{named}export = ["actual", "amortized"]\n')
    assert azure_export.ledger.ingest(azure_export.location, "--source", "main").outcomes == ["committed"]
    assert azure_export.ledger.total() == "1.00"


def test_a_place_of_a_source_is_taken_under_its_name(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1"))
    source = '[sources.{}]\nprovider = "azure"\nlocation = "{}"\n'
    outer = source.format("outer", f"az://{azure_export.container.container_name}")
    azure_export.ledger.config.write_text(outer + source.format("main", azure_export.location))
    [run] = azure_export.ledger.ingest(f"{azure_export.location}/").document["runs"]
    assert (run["source"], run["outcome"]) == ("main", "committed")
    [again] = azure_export.ledger.ingest(azure_export.location, "--source", "main").document["runs"]
    assert again["outcome"] == "unchanged"


def test_a_place_of_two_sources_is_taken_for_the_one_that_is_named(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1"))
    azure_export.focus("2")
    source = '[sources.{}]\nprovider = "azure"\nlocation = "{}"\nexport = {}\n'
    pair = source.format("pair", azure_export.location, '["actual", "amortized"]')
    azure_export.ledger.config.write_text(pair + source.format("focus", azure_export.location, '"focus"'))
    refused = azure_export.ledger.ingest(azure_export.location)
    assert (refused.code, refused.fault["rule"]) == (2, "which-source")
    assert "pair, focus" in refused.fault["message"]
    [run] = azure_export.ledger.ingest(azure_export.location, "--source", "focus").document["runs"]
    assert (run["source"], run["outcome"], azure_export.ledger.total()) == ("focus", "committed", "2.00")


def test_what_is_no_bill_is_listed_as_ignored(azure_export: AzureExport) -> None:
    azure_export.focus("1")
    azure_export.run("details", "ReservationDetails", b"a,b\n1,2\n")
    [ignored] = azure_export.ledger.ingest(azure_export.location).document["ignored"]
    assert "of type ReservationDetails" in ignored


def test_rows_are_held_against_the_manifest(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1"))
    azure_export.ledger.ingest(azure_export.location)
    before = azure_export.ledger.figures()
    cut = azure_export.costs("5", "6")
    blob = azure_export.actual(cut).replace("manifest.json", "part_0_0001.csv")
    size = cut.stat().st_size
    listed = [{"blobName": blob, "byteCount": size, "dataRowCount": 3, "headerRowCount": 1}]
    azure_export.actual(cut, blobs=listed, dataRowCount=3)
    azure_export.amortized(cut)
    refused = azure_export.ledger.ingest(azure_export.location)
    assert (refused.code, refused.fault["rule"]) == (2, "manifest-rows")
    assert azure_export.ledger.figures() == before
    azure_export.pair(cut)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    assert azure_export.ledger.total() == "11.00"


def test_the_report_shows_the_rows_that_were_read_beside_those_of_the_manifest(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1"), azure_export.costs("2", "3"))
    [run] = azure_export.ledger.ingest(azure_export.location).document["runs"]
    counted = run["identities"][0]
    assert (counted["name"], counted["holds"]) == ("rows read = rows of the manifest", True)
    assert (counted["left"], counted["right"], counted["groups"]) == ("6", "6", 4)
    assert [file["manifest_rows"] for file in run["files"]] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        (4, 0, "2 files hold 3 rows, the manifest says 4 of them together"),
        (3, 1, "the manifest says"),
    ],
    ids=["rows", "bytes"],
)
def test_files_are_held_against_what_the_manifest_says_of_all(
    azure_export: AzureExport, rows: int, more: int, message: str
) -> None:
    one, two = azure_export.costs("1"), azure_export.costs("2", "3")
    names = {"bills/one.csv": one.read_bytes(), "bills/two.csv": two.read_bytes()}
    for name, body in names.items():
        azure_export.put(name, body)
    listed = [{"blobName": name} for name in names]
    size = sum(map(len, names.values()))

    def ingested(rows: int, size: int) -> Outcome:
        azure_export.actual(blobs=listed, blobCount=2, byteCount=size, dataRowCount=rows)
        return azure_export.ledger.ingest(azure_export.location, "--basis", "actual")

    refused = ingested(rows, size + more)
    assert refused.code == 2 and message in refused.fault["message"]
    assert refused.fault["file"].endswith("manifest.json")
    assert ingested(3, size).outcomes == ["committed"]


@pytest.mark.parametrize("nothing", [b"", gzip.compress(b"", mtime=0)])
def test_an_empty_file_that_was_promised_rows_is_refused(azure_export: AzureExport, nothing: bytes) -> None:
    rest = azure_export.costs("1")
    azure_export.put("bills/rest.csv", rest.read_bytes())
    azure_export.put("bills/nothing.csv.gz", nothing)
    listed = [
        {"blobName": "bills/rest.csv", "dataRowCount": 1},
        {"blobName": "bills/nothing.csv.gz", "dataRowCount": 4},
    ]
    azure_export.actual(blobs=listed, blobCount=2, byteCount=None, dataRowCount=5)
    refused = azure_export.ledger.ingest(azure_export.location, "--basis", "actual")
    assert (refused.code, refused.fault["rule"]) == (2, "manifest-rows")
    assert "holds 0 rows, its manifest says 4" in refused.fault["message"]


def test_a_file_with_rows_of_another_month_is_refused(azure_export: AzureExport) -> None:
    azure_export.pair(azure_export.costs("1", month="2026-02"))
    refused = azure_export.ledger.ingest(azure_export.location)
    assert refused.code == 2
    assert {fault["rule"] for fault in refused.document["faults"]} == {"manifest-period"}


def test_a_run_of_several_months_says_what_to_do(azure_export: AzureExport) -> None:
    days = {"startDate": "2026-01-01", "endDate": "2026-03-31"}
    azure_export.focus("1", runInfo=days)
    refused = azure_export.ledger.ingest(azure_export.location)
    assert (refused.code, len(refused.document["faults"])) == (2, 3)
    assert "BillingMonthToDate" in refused.document["faults"][0]["advice"]


def test_an_address_with_a_signature_is_refused_and_not_repeated(azure_export: AzureExport) -> None:
    refused = azure_export.ledger.ingest("https://acct.blob.core.windows.net/costs/bills?sv=2024&sig=SECRET")
    assert refused.code == 2 and "Storage Blob Data Reader" in refused.fault["advice"]
    assert "SECRET" not in str(refused.document) + refused.errors


def test_the_own_account_may_be_given_by_its_address(azure_export: AzureExport) -> None:
    azure_export.focus("1")
    address = f"https://devstoreaccount1.blob.core.windows.net/{azure_export.container.container_name}/bills"
    assert azure_export.ledger.ingest(address).outcomes == ["committed"]


@pytest.mark.parametrize(
    ("kind", "name", "period", "total"),
    [
        ("ActualCost", "ea_actual_2023-09", "2023-09", "8.5450077867419368"),
        ("FocusCost", "focus_1_0_sandbox_2024_even", "2024-09", "1.81354239318"),
    ],
)
def test_a_real_bill_delivered_as_an_export_is_billed_to_the_last_digit(
    azure_export: AzureExport, real_data: Path, kind: str, name: str, period: str, total: str
) -> None:
    azure_export.run("real", kind, real_data / f"azure/{name}.csv", period=period)
    outcome = azure_export.ledger.ingest(azure_export.location, "--basis", "actual")
    [run] = outcome.document["runs"]
    assert (run["outcome"], run["period"]) == ("committed", period)
    assert [Decimal(line["mapped"]) for line in run["balances"]] == [Decimal(total)]


def test_a_price_sheet_of_the_scope_tells_what_the_bill_leaves_out(azure_export: AzureExport, tmp_path: Path) -> None:
    azure_export.run("focus", "FocusCost", focus_file(tmp_path / "focus.parquet", "azure_1_2_preview"))
    azure_export.run("prices", "PriceSheet", price_sheet(tmp_path / "sheet.csv"))
    [run] = azure_export.ledger.ingest(azure_export.location).document["runs"]
    assert (run["outcome"], run["assumed"]["a price came from the price sheet"]) == ("committed", 2)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["unchanged"]
    azure_export.run("prices", "PriceSheet", price_sheet(tmp_path / "other.csv", {"UnitPrice": "0.08"}))
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]


def test_a_report_without_rows_beside_one_that_has_some_is_a_question(azure_export: AzureExport) -> None:
    costs = azure_export.costs("5")
    header = costs.read_bytes().split(b"\n")[0] + b"\n"
    azure_export.actual(costs)
    azure_export.amortized(header)
    refused = azure_export.ledger.ingest(azure_export.location)
    assert (refused.code, refused.fault["rule"], refused.outcomes) == (2, "no-rows", [])
    assert "the amortized report of 2026-01" in refused.fault["message"]
    azure_export.amortized(costs)
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]


def test_late_usage_that_is_billed_with_the_next_month_stays_with_its_day(azure_export: AzureExport) -> None:
    late = {"Date": "01/31/2026", "BillingPeriodStartDate": "02/01/2026", "CostInBillingCurrency": "2"}
    azure_export.pair(azure_export.lines({"CostInBillingCurrency": "1"}, late))
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
    held = f"read_parquet('{azure_export.ledger.store}/cost_and_usage/*/x_BillingPeriod=2026-01/*.parquet')"
    months = "strftime(BillingPeriodStart, '%m-%d'), strftime(BillingPeriodEnd, '%m-%d'), CAST(BilledCost AS INTEGER)"
    rows = duckdb.execute(f"SELECT {months} FROM {held} ORDER BY ALL").fetchall()
    assert rows == [("01-01", "02-01", 1), ("02-01", "03-01", 2)]
    [report] = Path(azure_export.ledger.store, "runs").rglob("*.json")
    told = json.loads(report.read_text(encoding="utf-8"))["assumed"]
    assert told["usage of one month is billed with another: it is in the month that was delivered"] == 1


def test_files_of_aws_in_a_container_are_no_exports_of_azure(azure_export: AzureExport, tmp_path: Path) -> None:
    azure_export.put("aws/20260101-20260201/report-1.snappy.parquet", cur2(tmp_path / "a.parquet").read_bytes())
    place = f"az://{azure_export.container.container_name}/aws"
    azure_export.ledger.config.write_text(f'[sources.main]\nprovider = "aws"\nlocation = "{place}"\n', encoding="utf-8")
    assert azure_export.ledger.ingest(place).outcomes == ["committed"]


def test_a_file_at_hand_is_a_file_also_of_a_source_that_names_an_export(ledger: Ledger, tmp_path: Path) -> None:
    ledger.config.write_text('[sources.main]\nprovider = "aws"\nexport = "daily"\n', encoding="utf-8")
    assert ledger.ingest(cur2(tmp_path / "a.parquet"), "--source", "main").outcomes == ["committed"]
