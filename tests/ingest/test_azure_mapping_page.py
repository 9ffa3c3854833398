"""The page about Azure's charges, held against what the mapping makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.mappings import table_rows
from tests.azure_bills import mca
from tests.mapped import Row, focus_rows

PAGE = (Path(__file__).parents[2] / "docs/azure-mapping.md").read_text(encoding="utf-8")
COMMITTED = ("Reservation", "SavingsPlan", "Savings Plan")
RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/o-1/reservations/R-1"


def charges() -> list[list[str]]:
    """The cells of the table of charges."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line[:2] == "| "]
    first = next(place for place, cells in enumerate(rows) if cells[0] == "charge type")
    return [cells for cells in rows[first + 2 :] if len(cells) == len(rows[first])]


def money(row: Row, name: str) -> str:
    return "0" if row[name] == 0 else "cost"


@pytest.mark.parametrize("cells", charges(), ids=lambda cells: " ".join(cells[:2]))
def test_a_charge_becomes_what_the_page_says(cells: list[str], tmp_path: Path) -> None:
    kind, model = cells[:2]
    line = {"chargeType": kind, "pricingModel": model, "benefitId": RESERVATION if model in COMMITTED else ""}
    line |= {"costInBillingCurrency": "-1"} if kind == "Refund" else {}
    files = [(mca(tmp_path / f"{role}.csv", line | {"meterName": role}), role) for role in ("actual", "amortized")]
    (row,) = focus_rows(files, tmp_path)
    names = ("ChargeCategory", "ChargeClass", "PricingCategory", "CommitmentDiscountStatus")
    category, change, pricing, status = (row[name] or "" for name in names)
    costs = money(row, "BilledCost"), money(row, "EffectiveCost")
    assert [row["x_UsageType"], category, change, *costs, pricing, status] == cells[2:]


def test_the_page_tells_of_every_charge_type_and_pricing_model_of_the_tables() -> None:
    told = {(place, cells[place].lower().replace(" ", "")) for cells in charges() for place in (0, 1)}
    known = {(0, row["charge_type"]) for row in table_rows("azure_charge_types")}
    known |= {(1, row["pricing_model"]) for row in table_rows("azure_pricing_models")}
    assert known - told == set()
