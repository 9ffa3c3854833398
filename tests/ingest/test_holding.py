"""No bill is lost and none is doubled, whatever names and copies the files come under."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.bills import Ledger, azure, cur2, snowflake
from tests.ingest.test_aws import RI, SP, kind

OTHER = {"ORGANIZATION_NAME": "OTHER", "CONTRACT_NUMBER": "10"}


def test_one_source_for_several_providers_is_refused_in_one_call(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(cur2(tmp_path / "a.parquet"), snowflake(tmp_path / "b.csv"), "--source", "all")
    assert (answer.code, answer.fault["rule"]) == (2, "source-of-another-provider")
    assert ledger.figures()["currencies"] == {}


def test_one_source_for_several_providers_is_refused_in_two_calls(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.ingest(cur2(tmp_path / "a.parquet"), "--source", "mine").outcomes == ["committed"]
    answer = ledger.ingest(snowflake(tmp_path / "b.csv"), "--source", "mine")
    assert (answer.code, answer.fault["rule"]) == (2, "source-of-another-provider")
    assert ledger.total("USD") == "1.00"


def test_a_second_account_does_not_push_out_the_first(ledger: Ledger, tmp_path: Path) -> None:
    first, second = snowflake(tmp_path / "a.csv"), snowflake(tmp_path / "b.csv", OTHER)
    assert ledger.ingest(first, "--source", "both").outcomes == ["committed"]
    answer = ledger.ingest(second, "--source", "both")
    assert (answer.code, answer.fault["rule"]) == (2, "account-would-be-lost")
    assert ledger.ingest(first, second, "--source", "both").outcomes == ["committed"]
    assert ledger.total("USD") == "420.00"


def test_a_bill_is_not_taken_in_under_a_second_name(ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "a.csv")
    assert ledger.ingest(bill).outcomes == ["committed"]
    answer = ledger.ingest(bill, "--source", "another")
    assert (answer.code, answer.fault["rule"]) == (2, "bill-in-another-source")
    assert ledger.total("USD") == "210.00"


def test_neither_is_one_whose_ids_are_written_in_another_case(ledger: Ledger, tmp_path: Path) -> None:
    first, again = (azure(tmp_path / f"{one}.csv", {"SubscriptionId": one}) for one in ("sub-1", "SUB-1"))
    assert ledger.ingest(first, "--basis", "actual").outcomes == ["committed"]
    answer = ledger.ingest(again, "--basis", "actual", "--source", "another")
    assert (answer.code, answer.fault["rule"]) == (2, "bill-in-another-source")
    assert ledger.ingest(again, "--basis", "actual").outcomes == ["committed"]
    assert ledger.total() == "5.00"


def test_a_currency_is_one_however_it_is_written(ledger: Ledger, tmp_path: Path) -> None:
    lines: list[dict[str, str]] = [{}, {"BillingCurrencyCode": "usd", "MeterName": "B4s"}]
    assert ledger.ingest(azure(tmp_path / "a.csv", *lines), "--basis", "actual").outcomes == ["committed"]
    assert (list(ledger.figures()["currencies"]), ledger.total()) == (["USD"], "10.00")


def test_exports_of_two_subscriptions_may_have_a_source_each(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("sub-1", "sub-2"):
        bill = azure(tmp_path / f"actual-{name}.csv", {"SubscriptionId": name})
        assert ledger.ingest(bill, "--source", name, "--basis", "actual").outcomes == ["committed"]
    assert ledger.total("USD") == "10.00"


@pytest.mark.parametrize("packed", [True, False])
def test_a_copy_of_a_bill_is_not_added(packed: bool, ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "a.csv")
    copy = tmp_path / ("a.csv.gz" if packed else "b.csv")
    copy.write_bytes(gzip.compress(bill.read_bytes())) if packed else shutil.copy(bill, copy)
    ledger.ingest(tmp_path)
    assert ledger.total("USD") == "210.00"


def test_two_executions_of_one_export_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    days: list[dict[str, str]] = [
        {"Date": f"01/{day:02d}/2026", "CostInBillingCurrency": f"{day}"} for day in range(1, 9)
    ]
    for role in ("actual", "amortized"):
        azure(tmp_path / f"{role}.csv", *days)
        azure(tmp_path / f"{role}_run2.csv", *days, {"Date": "01/09/2026"})
    answer = ledger.ingest(tmp_path)
    assert answer.code == 2
    assert {fault["rule"] for fault in answer.document["faults"]} == {"overlapping-files"}
    assert ledger.figures()["currencies"] == {}


def days(first: int, last: int, **more: str) -> list[dict[str, str]]:
    meters = ("B2s", "B4s", "Disk")
    return [
        {"Date": f"01/{day:02d}/2026", "MeterName": one, **more} for day in range(first, last + 1) for one in meters
    ]


@pytest.mark.parametrize("amount", ["5", "4"], ids=["as it was", "told again"])
def test_ranges_of_days_that_overlap_are_not_added_up(amount: str, ledger: Ledger, tmp_path: Path) -> None:
    other = days(1, 14, SubscriptionId="sub-2")
    for role in ("actual", "amortized"):
        azure(tmp_path / f"{role}-1.csv", *days(1, 20), *other)
        azure(tmp_path / f"{role}-2.csv", *days(19, 31, CostInBillingCurrency=amount))
    answer = ledger.ingest(tmp_path)
    faults = answer.document["faults"]
    assert (answer.code, {fault["rule"] for fault in faults}) == (2, {"overlapping-files"})
    assert all("2026-01-19 to 2026-01-20" in fault["message"] for fault in faults)


def test_ranges_that_meet_and_parts_that_share_days_are_added_up(ledger: Ledger, tmp_path: Path) -> None:
    whole = [{**line, "ResourceName": f"VM{vm}"} for vm in range(4) for line in days(1, 20)]
    for role in ("actual", "amortized"):
        azure(tmp_path / f"{role}-1.csv", *whole[:100])
        azure(tmp_path / f"{role}-2.csv", *whole[100:])
        azure(tmp_path / f"{role}-3.csv", *days(21, 31))
    assert (ledger.ingest(tmp_path).outcomes, ledger.total()) == (["committed"], "1365.00")


@pytest.mark.parametrize(
    "line",
    [
        kind("DiscountedUsage", 0.0, **RI),
        kind("SavingsPlanCoveredUsage", 4.0, **SP),
        kind("SavingsPlanRecurringFee", 1.0, **SP),
    ],
    ids=lambda line: str(line["line_item_line_item_type"]),
)
def test_a_missing_effective_cost_is_not_zero(line: dict[str, Any], ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(cur2(tmp_path / "a.parquet", {}, line))
    assert (answer.code, answer.fault["rule"], answer.fault["column"]) == (2, "missing-cost", "EffectiveCost")


def test_several_files_of_one_half_all_wait(ledger: Ledger, tmp_path: Path) -> None:
    def half(role: str, day: int) -> Path:
        return azure(tmp_path / f"{role}-{day}.csv", {"Date": f"01/{day:02d}/2026", "CostInBillingCurrency": f"{day}"})

    assert ledger.ingest(half("actual", 1), half("actual", 2)).outcomes == ["waiting"]
    assert ledger.ingest(half("amortized", 1), half("amortized", 2)).outcomes == ["committed"]
    assert ledger.total("USD") == "3.00"


@pytest.mark.parametrize(
    "names",
    [
        ("amortized/actual.csv", "amortized/amortized.csv"),
        ("actual/part_0.csv", "amortised/part_0.csv"),
        ("actual-and-amortized/actual/a.csv", "actual-and-amortized/amortized/a.csv"),
        ("actual/1/amortized/x.csv", "actual/1/x.csv"),
    ],
    ids=lambda names: str(names[0]),
)
def test_the_name_nearest_to_the_rows_tells_the_report(names: tuple[str, str], ledger: Ledger, tmp_path: Path) -> None:
    for name, quantity in zip(names, ("10", "11"), strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        azure(tmp_path / name, {"Quantity": quantity})
    assert ledger.ingest(*(tmp_path / name for name in names)).outcomes == ["committed"]


def test_halves_of_two_accounts_complete_each_other(ledger: Ledger, tmp_path: Path) -> None:
    lines = [{"BillingAccountId": account, "SubscriptionId": account} for account in ("7", "8")]
    assert ledger.ingest(azure(tmp_path / "actual.csv", *lines)).outcomes == ["waiting", "waiting"]
    assert ledger.ingest(azure(tmp_path / "amortized.csv", *lines)).outcomes == ["committed", "committed"]
    assert ledger.total("USD") == "10.00"


def test_blanks_around_account_and_currency_do_not_count(ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "a.csv", {}, {"CURRENCY": "USD ", "ORGANIZATION_NAME": "EXAMPLE ", "USAGE": "7"})
    assert ledger.ingest(bill).outcomes == ["committed"]
    assert ledger.total("USD") == "420.00"


def test_a_report_lost_in_a_crash_is_made_good(ledger: Ledger, tmp_path: Path) -> None:
    """Without it nobody knows whose bill the partition holds."""
    bill = snowflake(tmp_path / "a.csv")
    assert ledger.ingest(bill).outcomes == ["committed"]
    shutil.rmtree(Path(ledger.store) / "runs")
    assert [ledger.ingest(bill).outcomes for _ in range(2)] == [["unchanged"], ["unchanged"]]
    assert len(list((Path(ledger.store) / "runs").rglob("*.json"))) == 1
    assert ledger.ingest(bill, "--source", "another").fault["rule"] == "bill-in-another-source"


def test_one_account_of_an_organisation_does_not_take_the_place_of_all(ledger: Ledger, tmp_path: Path) -> None:
    lines = [{"ACCOUNT_LOCATOR": f"AC{number}"} for number in range(5)]
    assert ledger.ingest(snowflake(tmp_path / "all.csv", *lines)).outcomes == ["committed"]
    part = snowflake(tmp_path / "part.csv", *lines[1:], lines[1] | {"USAGE_TYPE": "SNOWPIPE", "SERVICE_TYPE": "PIPE"})
    answer = ledger.ingest(part)
    assert (answer.code, answer.fault["rule"], ledger.total()) == (2, "scope-would-be-lost", "1050.00")
    assert "AC0.AWS_US_EAST_1" in answer.fault["message"]
    assert ledger.ingest(part, "--period", "2026-01").outcomes == ["committed"]
