"""Laws of the upgrade: money is what the export says, to the last digit, whatever the row is."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export_lines import Line
from tests.exports import export, lines
from tests.mapped import focus_rows

AMOUNTS = st.decimals(Decimal("-1e9"), Decimal("1e9"), allow_nan=False, places=15)
TEXTS = st.one_of(AMOUNTS.map(lambda amount: f"{amount:f}"), AMOUNTS.map(lambda amount: f"{amount:e}"))
KEYED = ("ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingCategory", "SkuPriceDetails")
BLANKS = {
    "PricingQuantity",
    "ConsumedQuantity",
    "SkuId",
    "SkuPriceId",
    "ListCost",
    "ContractedCost",
    "RegionId",
    "Tags",
}


@st.composite
def exported(draw: st.DrawFn) -> tuple[str, list[Line]]:
    """An export whose rows have any costs and lack any of the columns that may be blank."""
    name = draw(st.sampled_from(["aws_1_0", "azure_1_2_preview", "snowflake_1_3_view"]))
    rows = draw(st.lists(st.sampled_from(lines(name)), min_size=1, max_size=30))
    return name, [{**row, **draw(_costs()), **draw(_blanks(row))} for row in rows]


def _costs() -> st.SearchStrategy[Line]:
    return st.fixed_dictionaries({"BilledCost": TEXTS, "EffectiveCost": TEXTS})


def _blanks(row: Line) -> st.SearchStrategy[Line]:
    return st.sets(st.sampled_from(sorted(row.keys() & BLANKS))).map(lambda names: dict.fromkeys(names, ""))


@settings(max_examples=8)
@given(exported())
def test_costs_are_the_export_s_and_nothing_missing_becomes_zero(bill: tuple[str, list[Line]]) -> None:
    name, rows = bill
    with tempfile.TemporaryDirectory() as folder:
        found = focus_rows([(export(Path(folder) / "bill.csv", name, rows), "")], Path(folder))
    assert sorted((row["BilledCost"], row["EffectiveCost"]) for row in found) == sorted(
        (Decimal(row["BilledCost"]), Decimal(row["EffectiveCost"])) for row in rows
    )
    for row in found:
        paid = row["BilledCost"] != 0 or row["EffectiveCost"] != 0
        assert not (paid and 0 in (row["ListUnitPrice"], row["ContractedUnitPrice"]))
        assert not (paid and 0 in (row["ListCost"], row["ContractedCost"]) and row["PricingQuantity"] is None)
        assert bool(row["SkuPriceId"]) or row["ChargeCategory"] not in ("Usage", "Purchase")
        assert row["SkuPriceId"] or not any(row[column] for column in KEYED)
        assert (row["PricingQuantity"] is None) == (row["PricingUnit"] is None)
        assert (row["ConsumedQuantity"] is None) == (row["ConsumedUnit"] is None)
