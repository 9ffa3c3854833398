"""Laws of a delivery: replace, never add; order and repetition change nothing; a pair is whole or waits."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bills import Ledger, azure, cur2, snowflake

RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/o-1/reservations/R-1"
COMMITTED = {"PricingModel": "Reservation", "benefitId": RESERVATION}
BOUGHT = {**COMMITTED, "ChargeType": "Purchase", "CostInBillingCurrency": "30", "Quantity": "1"}
COVERED = {**COMMITTED, "CostInBillingCurrency": "20", "Date": "01/06/2026"}
UNUSED = {**COMMITTED, "ChargeType": "UnusedReservation", "CostInBillingCurrency": "10", "Date": "01/07/2026"}


def actual(folder: Path, name: str = "actual.csv") -> Path:
    return azure(folder / name, {}, BOUGHT, {**COVERED, "CostInBillingCurrency": "0"})


def amortized(folder: Path, name: str = "amortized.csv") -> Path:
    return azure(folder / name, {}, COVERED, UNUSED)


def held(ledger: Ledger) -> list[str]:
    root = Path(ledger.store) / "waiting"
    return sorted(path.name.partition("-")[0] for path in root.rglob("*") if path.is_file()) if root.exists() else []


def test_the_same_delivery_twice_is_unchanged(ledger: Ledger, tmp_path: Path) -> None:
    path = cur2(tmp_path / "a.parquet", {}, {"line_item_unblended_cost": 0.1})
    assert ledger.ingest(path).outcomes == ["committed"]
    before = ledger.figures()
    renamed = tmp_path / "another name.bin"
    shutil.copyfile(path, renamed)
    assert ledger.ingest(renamed).outcomes == ["unchanged"]
    assert ledger.figures() == before
    assert before["currencies"]["USD"]["total"] == "1.10"


def test_a_redelivery_replaces_and_never_adds(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(cur2(tmp_path / "a.parquet", {}, {}))
    assert ledger.ingest(cur2(tmp_path / "b.parquet", {"line_item_unblended_cost": 7.25})).outcomes == ["committed"]
    assert ledger.total() == "7.25"
    assert ledger.figures()["version"] == 2


def test_order_and_repetition_of_files_change_nothing(ledger: Ledger, tmp_path: Path) -> None:
    one, two = cur2(tmp_path / "1.parquet"), cur2(tmp_path / "2.parquet", {"line_item_unblended_cost": 2.5})
    twin = tmp_path / "twin.parquet"
    shutil.copyfile(one, twin)
    assert ledger.ingest(one, two).outcomes == ["committed"]
    assert ledger.ingest(two, one).outcomes == ["unchanged"]
    assert ledger.ingest(twin, two, one, one).outcomes == ["unchanged"]
    assert ledger.total() == "3.50"


def test_a_csv_given_twice_counts_once(ledger: Ledger, tmp_path: Path) -> None:
    path, twin = snowflake(tmp_path / "1.csv"), snowflake(tmp_path / "2.csv")
    assert ledger.ingest(path, twin).outcomes == ["committed"]
    assert ledger.total() == "210.00"


def test_two_payers_and_two_months_in_one_file_become_partitions_that_add_up(ledger: Ledger, tmp_path: Path) -> None:
    from datetime import datetime

    other, month = {"bill_payer_account_id": "999"}, {"bill_billing_period_start_date": datetime(2026, 2, 1)}
    costs = [{"line_item_unblended_cost": cost} for cost in (1.5, 20.25, 300.125, 4000.0625)]
    path = cur2(tmp_path / "a.parquet", costs[0], costs[1] | other, costs[2] | month, costs[3] | other | month)
    runs = ledger.ingest(path).document["runs"]
    assert {(run["source"], run["period"], run["balances"][0]["mapped"].rstrip("0")) for run in runs} == {
        ("aws-111122223333", "2026-01", "1.5"),
        ("aws-999", "2026-01", "20.25"),
        ("aws-111122223333", "2026-02", "300.125"),
        ("aws-999", "2026-02", "4000.0625"),
    }
    assert ledger.total() == "4321.9375"


def test_two_payers_under_one_name_are_one_partition_with_each_row_once(ledger: Ledger, tmp_path: Path) -> None:
    path = cur2(tmp_path / "a.parquet", {}, {"bill_payer_account_id": "999"})
    assert ledger.ingest(path, path, "--source", "group").outcomes == ["committed"]
    assert ledger.total() == "2.00"


def test_organisations_that_differ_in_punctuation_only_keep_apart(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(snowflake(tmp_path / "1.csv", {"ORGANIZATION_NAME": "A_B"}))
    ledger.ingest(snowflake(tmp_path / "2.csv", {"ORGANIZATION_NAME": "A-B"}))
    assert ledger.total() == "420.00"


@pytest.mark.parametrize("first", ["actual", "amortized"])
def test_a_half_waits_and_its_pair_completes_it(first: str, ledger: Ledger, tmp_path: Path) -> None:
    halves = {"actual": actual(tmp_path), "amortized": amortized(tmp_path)}
    other = next(name for name in halves if name != first)
    answer = ledger.ingest(halves[first])
    assert (answer.code, answer.outcomes, answer.document["runs"][0]["missing"]) == (0, ["waiting"], other)
    assert ledger.figures()["version"] is None and held(ledger) == [first]
    assert ledger.ingest(halves[first]).outcomes == ["waiting"]
    assert ledger.ingest(halves[other]).outcomes == ["committed"]
    assert held(ledger) == []
    figures = ledger.figures()["currencies"]["USD"]
    assert (figures["total"], figures["effective"]) == ("35.00", "35.00")


def test_both_halves_together_and_again_in_another_order(ledger: Ledger, tmp_path: Path) -> None:
    one, two = actual(tmp_path, "x.csv"), amortized(tmp_path, "y.csv")
    assert ledger.ingest(two, one, one).outcomes == ["committed"]
    assert ledger.ingest(one, two).outcomes == ["unchanged"]
    assert ledger.total() == "35.00"


def test_halves_given_twice_count_once(ledger: Ledger, tmp_path: Path) -> None:
    again = [actual(tmp_path, "actual (1).csv"), amortized(tmp_path, "amortized (1).csv")]
    assert ledger.ingest(actual(tmp_path), amortized(tmp_path), *again).outcomes == ["committed"]
    assert ledger.total() == "35.00"


def test_without_commitments_both_halves_may_be_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    pair = [azure(tmp_path / name) for name in ("actual.csv", "amortized.csv")]
    assert pair[0].read_bytes() == pair[1].read_bytes()
    assert ledger.ingest(*pair).outcomes == ["committed"]
    assert ledger.total() == "5.00"


def test_the_same_bytes_in_two_calls_pair_by_their_names(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.ingest(azure(tmp_path / "actual.csv")).outcomes == ["waiting"]
    assert ledger.ingest(azure(tmp_path / "amortized.csv")).outcomes == ["committed"]
    assert held(ledger) == []


def test_a_file_that_tells_nothing_is_not_its_own_pair(ledger: Ledger, tmp_path: Path) -> None:
    path = azure(tmp_path / "costs.csv")
    assert ledger.ingest(path).outcomes == ["waiting"]
    assert ledger.ingest(path).outcomes == ["waiting"]
    assert ledger.ingest(path, path).outcomes == ["waiting"]


def test_a_newer_half_takes_the_place_of_the_waiting_one(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(azure(tmp_path / "actual.csv", BOUGHT | {"CostInBillingCurrency": "99"}))
    ledger.ingest(actual(tmp_path))
    assert held(ledger) == ["actual"]
    assert ledger.ingest(amortized(tmp_path)).outcomes == ["committed"]


def test_halves_of_different_months_both_wait(ledger: Ledger, tmp_path: Path) -> None:
    other = {"BillingPeriodStartDate": "02/01/2026", "Date": "02/05/2026"}
    later = azure(tmp_path / "amortized.csv", COVERED | other)
    assert ledger.ingest(actual(tmp_path), later).outcomes == ["waiting", "waiting"]
    assert ledger.figures()["version"] is None


def test_halves_of_different_scopes_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    other = azure(tmp_path / "amortized.csv", {"CostInBillingCurrency": "5.01"}, COVERED)
    answer = ledger.ingest(actual(tmp_path), other)
    assert (answer.code, answer.fault["rule"]) == (2, "unpaired")
    assert ledger.figures()["version"] is None


@pytest.mark.parametrize("together", [True, False])
def test_halves_of_two_accounts_under_one_name_are_refused(together: bool, ledger: Ledger, tmp_path: Path) -> None:
    """Even where the sums would agree."""
    mine, theirs = azure(tmp_path / "actual.csv"), azure(tmp_path / "amortized.csv", {"BillingAccountId": "8"})
    if not together:
        assert ledger.ingest(mine, "--source", "s").outcomes == ["waiting"]
    answer = ledger.ingest(*([mine, theirs] if together else [theirs]), "--source", "s")
    assert (answer.code, answer.fault["rule"]) == (2, "accounts")


def test_a_file_with_rows_of_both_metrics_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(azure(tmp_path / "all.csv", {}, BOUGHT, COVERED, UNUSED))
    assert (answer.code, answer.fault["rule"]) == (2, "mixed-metrics")


def test_the_actual_file_alone_is_marked_and_a_pair_replaces_it(ledger: Ledger, tmp_path: Path) -> None:
    from tests.mapped import focus_rows

    path = actual(tmp_path)
    answer = ledger.ingest(path, "--basis", "actual")
    assert (answer.outcomes, answer.document["runs"][0]["basis"]) == (["committed"], "actual")
    assert {row["x_EffectiveCostBasis"] for row in focus_rows([(path, "actual")], tmp_path, basis="actual")} == {
        "actual"
    }
    assert ledger.total() == "35.00"
    assert ledger.ingest(path, amortized(tmp_path)).outcomes == ["committed"]
    assert ledger.total() == "35.00"


def test_an_amortized_file_alone_has_no_actual_basis(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(amortized(tmp_path), "--basis", "actual")
    assert (answer.code, answer.fault["rule"]) == (2, "basis")


def test_what_else_lies_in_a_folder_is_listed(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "inner").mkdir(parents=True)
    snowflake(folder / "inner/bill.csv")
    (folder / "README.md").write_text("no bill")
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "_SUCCESS").write_text("")
    answer = ledger.ingest(folder)
    assert (answer.code, answer.outcomes) == (0, ["committed"])
    assert answer.document["ignored"] == [str(folder / "README.md"), f"{folder / 'other.csv'} (no known bill)"]


def test_a_folder_without_bills_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    answer = ledger.ingest(tmp_path / "empty")
    assert (answer.code, answer.fault["rule"]) == (2, "no-data")


def test_one_bad_file_stops_the_good_ones_beside_it(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(cur2(tmp_path / "a.parquet"), snowflake(tmp_path / "b.csv", {"USAGE_IN_CURRENCY": "x"}))
    assert (answer.code, answer.fault["rule"]) == (2, "not-a-number")
    assert ledger.figures()["version"] is None


def test_the_report_names_totals_by_rule(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(actual(tmp_path), amortized(tmp_path)).document["runs"]
    [line] = run["balances"]
    parts = [Decimal(line["mapped"]), *map(Decimal, line["excluded"].values()), *map(Decimal, line["refused"].values())]
    assert Decimal(line["raw"]) == sum(parts) + Decimal(line["rounded"]) == Decimal(70)
    assert {name: Decimal(value) for name, value in line["excluded"].items()} == {
        "azure-actual-row-taken-from-amortized": Decimal(5),
        "azure-commitment-usage-billed-zero": Decimal(30),
    }
    [report] = (Path(ledger.store) / "runs/azure-70000042/2026-01").iterdir()
    assert report.stem == run["id"]


def test_totals_of_more_than_28_digits_stay_exact(ledger: Ledger, tmp_path: Path) -> None:
    """Python's own decimal context would round them and the money would not balance. No price is of that size."""
    ledger.config.write_text('[conformance]\ngate = "report"\n', encoding="utf-8")
    texts = ["12345678901234.123456789012345678901234", "1.000000000000000000000001"]
    lines = [{"USAGE_IN_CURRENCY": text, "USAGE_DATE": f"2026-01-0{day}"} for day, text in enumerate(texts, 1)]
    files = [snowflake(tmp_path / f"{line['USAGE_DATE']}.csv", line) for line in lines]
    assert ledger.ingest(*files).outcomes == ["committed"]
    assert ledger.total() == "12345678901235.123456789012345678901235"


@pytest.mark.parametrize("text", ["1.2345678901234565e-9", "0.1234567890123456789012345", "1e-30", "5E-25"])
def test_amounts_of_more_than_24_decimals_are_rounded_and_counted(text: str, ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(snowflake(tmp_path / "a.csv", {"USAGE_IN_CURRENCY": text})).document["runs"]
    assert (run["outcome"], run["rounded_rows"]) == ("committed", 1)
    rounded = Decimal(text).quantize(Decimal("1e-24"), "ROUND_HALF_EVEN")
    assert Decimal(run["balances"][0]["mapped"]) == rounded


def test_doubles_of_more_than_24_decimals_are_rounded_and_counted(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", {"line_item_unblended_cost": 1.234567890123456e-12})).document[
        "runs"
    ]
    assert (run["outcome"], run["rounded_rows"]) == ("committed", 1)
