"""Real Enterprise Agreement files: no digit is lost, and what is amortised is not billed."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.delivery import Period
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
