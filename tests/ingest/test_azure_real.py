"""Real cost details: no digit is lost, nothing amortised is billed, quantities are of the block of the price."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.shapes import shape_named, sniff
from ledger.delivery import Period
from tests.bills import Ledger
from tests.mapped import focus_rows

SEPTEMBER = Period(2023, 9)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_actual_file_alone_is_billed_to_the_last_digit(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "azure/ea_actual_2023-09.csv"
    rows = focus_rows([(path, "actual")], tmp_path, period=SEPTEMBER, basis="actual")
    assert sum(row["BilledCost"] for row in rows) == sum(Decimal(line["Cost"]) for line in lines(path))
    assert len(rows) == 11


def test_reservations_are_effective_but_not_billed_again(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "azure/ea_amortized_2023-09_even.csv"
    rows = focus_rows([(path, "amortized")], tmp_path, period=SEPTEMBER)
    covered = sum(Decimal(line["Cost"]) for line in lines(path) if line["PricingModel"] == "Reservation")
    assert covered > 0
    assert sum(row["EffectiveCost"] - row["BilledCost"] for row in rows) == covered
    assert sum(row["EffectiveCost"] for row in rows) == sum(Decimal(line["Cost"]) for line in lines(path))


def test_real_tags_are_all_readable(real_data: Path, tmp_path: Path) -> None:
    rows = focus_rows(
        [(real_data / "azure/ea_actual_2023-09.csv", "actual")], tmp_path, period=SEPTEMBER, basis="actual"
    )
    assert [row["Tags"] for row in rows if "x_UnreadableTags" in (row["Tags"] or "")] == []
    assert any("env" in (row["Tags"] or "") for row in rows)


@pytest.mark.parametrize(
    ("name", "role", "basis"),
    [("ea_actual_2023-09.csv", "actual", "actual"), ("ea_amortized_2023-09_even.csv", "amortized", "amortized")],
)
def test_quantities_in_blocks_of_ten_thousand_are_whole_operations(
    name: str, role: str, basis: str, real_data: Path, tmp_path: Path
) -> None:
    """Which is why a quantity is read as blocks: 0.1351 of '10K' is 1,351 operations, not a seventh of one."""
    rows = focus_rows([(real_data / "azure" / name, role)], tmp_path, period=SEPTEMBER, basis=basis)
    counted = [row["ConsumedQuantity"] for row in rows if row["PricingUnit"] == "10000 Units"]
    assert len(counted) >= 2
    assert [count for count in counted if count != int(count)] == []


def stated(real_data: Path, name: str) -> Decimal:
    """A sample's total as its index tells it."""
    index = json.loads((real_data / "INDEX.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in index if entry["file"] == f"azure/{name}")
    [amount] = next(iter(entry["totals"].values())).values()
    return Decimal(amount)


# file, role and basis; the two of the Enterprise Agreement are of different resources and do not pair
REAL = {
    "ea_actual_2023-09.csv": ("actual", "actual", SEPTEMBER),
    "ea_amortized_2023-09_even.csv": ("amortized", "amortized", SEPTEMBER),
    "mca_camel_2023-08_even.csv": ("amortized", "amortized", Period(2023, 8)),
}


@pytest.mark.parametrize("name", REAL)
def test_effective_costs_add_up_to_the_total_of_the_sample(name: str, real_data: Path, tmp_path: Path) -> None:
    role, basis, period = REAL[name]
    rows = focus_rows([(real_data / "azure" / name, role)], tmp_path, period=period, basis=basis)
    assert sum(row["EffectiveCost"] for row in rows) == stated(real_data, name)


@pytest.mark.parametrize("name", REAL)
def test_a_quantity_at_its_effective_price_is_the_cost(name: str, real_data: Path) -> None:
    """Quantity and price are of the same block, whatever the unit says; the bill rounds a quantity to eight digits."""
    for line in lines(real_data / "azure" / name):
        told = {key.lower(): value for key, value in line.items()}
        cost = Decimal(told.get("costinbillingcurrency") or told["cost"])
        price, quantity = Decimal(told["effectiveprice"]), Decimal(told["quantity"])
        assert abs(price * quantity - cost) <= price * Decimal("1e-8")


def test_a_customer_agreement_is_billed_to_its_profile(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "azure/mca_camel_2023-08_even.csv"
    rows = focus_rows([(file, "amortized")], tmp_path, period=Period(2023, 8))
    assert {row["BillingAccountType"] for row in rows} == {"Billing Profile"}
    assert {row["PricingCurrency"] for row in rows} == {"USD"}
    assert sorted((row["PricingUnit"], row["ConsumedQuantity"]) for row in rows)[0] == ("10000 Units", 10)
    assert all(row["ListCost"] == row["ListUnitPrice"] * row["PricingQuantity"] for row in rows)


@pytest.mark.parametrize(
    ("name", "shape", "period", "cost"),
    [
        ("Enterprise", "ea", "2021-05", "0"),
        ("EnterpriseCamel", "csp", "2021-02", "0.012"),
        ("PayAsYouGo", "payg", "2021-02", "0.075"),
    ],
)
def test_headers_of_other_agreements_are_read(
    name: str, shape: str, period: str, cost: str, real_data: Path, tmp_path: Path
) -> None:
    role = "" if shape == "payg" else "amortized"
    file = real_data / f"azure/header_variants/{name}.csv"
    (row,) = focus_rows([(file, role)], tmp_path, period=Period.parse(period))
    assert row["EffectiveCost"] == Decimal(cost)
    assert sniff(list(lines(file)[0]), "csv") == shape_named(f"azure_cost_details_{shape}")


def test_hours_are_counted_one_by_one_whatever_their_block(real_data: Path, tmp_path: Path) -> None:
    """The same meter costs 0.025 in '100 Hours' of one file and in '1 Hour' of another."""
    payg = focus_rows([(real_data / "azure/header_variants/PayAsYouGo.csv", "")], tmp_path, period=Period(2021, 2))
    file = real_data / "azure/ea_amortized_2023-09_even.csv"
    rows = focus_rows([(file, "amortized")], tmp_path, period=SEPTEMBER)
    rules = [row for row in (*payg, *rows) if "LB Rules" in row["SkuMeter"]]
    assert [(row["PricingUnit"], row["ContractedUnitPrice"]) for row in rules] == [("Hours", Decimal("0.025"))] * 2
    assert [row["ConsumedQuantity"] for row in rules] == [3, 1]


def test_an_export_without_currency_is_refused_with_what_it_lacks(real_data: Path, ledger: Ledger) -> None:
    fault = ledger.ingest(real_data / "azure/export_anonymised_2021-02.csv").fault
    assert fault["rule"] == "unknown-shape"
    assert "BillingCurrencyCode" in fault["message"]
