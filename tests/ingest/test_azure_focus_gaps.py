"""Known gaps of Azure's FOCUS exports: repaired where the row says enough, else null, never 0."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export_lines import Line
from tests.exports import export, lines
from tests.mapped import Row, focus_rows

NAMES = ("azure_1_0", "azure_1_0r2", "azure_1_2_preview")
USED, COVERED, UNUSED, ROUNDING = range(4)  # the lines of such an export
UNPRICED = dict.fromkeys(("ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice"), "0")
# Ten thousand operations at 0.05, of which 3 were used, as exported until late 2024: divided by 10,000 twice.
SPLIT: Line = {
    **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost"), "0.000015"),
    **dict.fromkeys(("ListUnitPrice", "ContractedUnitPrice"), "0.05"),
    "ContractedCost": "0.0000000015",
    "PricingQuantity": "0.00000003",
    "ConsumedQuantity": "0.0003",
}


def rows_of(folder: Path, name: str, number: int, *changes: Mapping[str, str]) -> list[Row]:
    """The ledger rows of one line of an export, a row for each way in which it is changed."""
    line = {**lines(name)[number], "SubAccountId": "s"}
    bill = [{**line, **change, "SubAccountName": str(n)} for n, change in enumerate(changes)]
    found = focus_rows([(export(folder / "bill.csv", name, bill), "")], folder)
    return sorted(found, key=lambda row: int(row["SubAccountName"]))


def row_of(folder: Path, name: str, number: int, changes: Mapping[str, str]) -> Row:
    [found] = rows_of(folder, name, number, changes)
    return found


def figures(row: Row, *names: str) -> list[object]:
    return [row[name] for name in names]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [USED, COVERED])
def test_zero_beside_a_cost_is_a_missing_price(name: str, number: int, tmp_path: Path) -> None:
    row = row_of(tmp_path, name, number, UNPRICED)
    assert figures(row, *UNPRICED, "x_PriceSource") == [None] * 5
    assert row["EffectiveCost"] > 0


def test_a_marketplace_purchase_of_nothing_but_a_cost(tmp_path: Path) -> None:
    """Enterprise Agreements tell neither prices nor service of it: the seller stands in."""
    bare = {"ServiceName": "", "x_SkuMeterCategory": "", "x_SkuMeterSubcategory": "", "PublisherName": "Example GmbH"}
    row = row_of(tmp_path, "azure_1_0r2", USED, {**UNPRICED, **bare, "ChargeCategory": "Purchase"})
    assert figures(row, *UNPRICED) == [None] * 4
    assert figures(row, "ServiceName", "ServiceProviderName", "PublisherName") == ["Example GmbH"] * 3


def test_a_quantity_divided_by_its_block_size_twice_is_set_right(tmp_path: Path) -> None:
    told = ({**SPLIT, "x_PricingBlockSize": block} for block in ("10000", ""))
    for row in rows_of(tmp_path, "azure_1_0", USED, *told):
        right = [Decimal("0.0003"), Decimal("0.000015"), Decimal("0.000015")]
        assert figures(row, "PricingQuantity", "ListCost", "ContractedCost") == right
        assert row["x_PriceSource"] == "PricingQuantity: block; ContractedCost: block"


def test_what_was_used_in_single_units_does_not_hide_the_block(tmp_path: Path) -> None:
    row = row_of(tmp_path, "azure_1_0", USED, {**SPLIT, "x_PricingBlockSize": "10000", "ConsumedQuantity": "3"})
    assert figures(row, "PricingQuantity", "ConsumedQuantity") == [Decimal("0.0003"), 3]


LEFT_ALONE = {
    "right already": {"PricingQuantity": "0.0003", "x_PricingBlockSize": "10000"},
    "used in single units": {"PricingQuantity": "0.0003", "x_PricingBlockSize": "", "ConsumedQuantity": "3"},
    "another block": {"PricingQuantity": "0.00000003", "x_PricingBlockSize": "100"},
    "nothing": {"PricingQuantity": "0", "x_PricingBlockSize": "10000"},
}


def test_a_quantity_is_left_alone_where_the_row_does_not_prove_it_wrong(tmp_path: Path) -> None:
    changes = [{**SPLIT, **change} for change in LEFT_ALONE.values()]
    for row, change in zip(rows_of(tmp_path, "azure_1_0r2", USED, *changes), changes, strict=True):
        assert (row["PricingQuantity"], row["x_PriceSource"]) == (Decimal(change["PricingQuantity"]), None)
        assert row["ListCost"] == Decimal("0.000015")


def test_usage_that_a_commitment_covers_is_committed(tmp_path: Path) -> None:
    told = ({"PricingCategory": given, "CommitmentDiscountStatus": ""} for given in ("Standard", "", "Committed"))
    for row in rows_of(tmp_path, "azure_1_0", COVERED, *told):
        assert figures(row, "PricingCategory", "CommitmentDiscountStatus") == ["Committed", "Used"]
        assert row["CommitmentDiscountId"] == row["CommitmentDiscountId"].lower()


def test_a_purchase_of_a_commitment_stays_standard(tmp_path: Path) -> None:
    bought = {"ChargeCategory": "Purchase", "PricingCategory": "Standard"}
    assert row_of(tmp_path, "azure_1_0", COVERED, bought)["PricingCategory"] == "Standard"


@pytest.mark.parametrize("name", NAMES)
def test_what_lies_unused_has_words_a_publisher_and_no_zone(name: str, tmp_path: Path) -> None:
    row = row_of(tmp_path, name, UNUSED, {})
    assert figures(row, "ChargeDescription", "PublisherName", "CommitmentDiscountStatus", "AvailabilityZone") == [
        *("Unused Reservation VM_RI", "Microsoft", "Unused", None)
    ]
    assert row["SkuId"] and row["SkuPriceId"]


def test_services_of_what_is_no_usage_come_from_the_meter(tmp_path: Path) -> None:
    told = {"x_SkuMeterSubcategory": "Azure Savings Plan", "x_SkuMeterCategory": "Compute"}
    names = [
        row_of(tmp_path, "azure_1_0", number, {**told, "ServiceName": "", **changes})["ServiceName"]
        for number, changes in ((ROUNDING, {}), (USED, {"ChargeCategory": "Purchase"}), (USED, {}))
    ]
    assert names == ["Azure Savings Plan", "Azure Savings Plan", "Compute"]


@pytest.mark.parametrize("name", NAMES)
def test_details_of_a_machine_say_what_the_columns_do_not(name: str, tmp_path: Path) -> None:
    idle = "/subscriptions/s/providers/Microsoft.Compute/capacityReservations/C"
    text = f'{{"ServiceType":"Standard_D4s_v5","VCPUs":4,"RINormalizationRatio":2,"VMCapacityReservationId":"{idle}"}}'
    row = row_of(tmp_path, name, COVERED, {"x_SkuDetails": text, "ConsumedQuantity": "10"})
    assert row["SkuPriceDetails"] == '{"InstanceType":"Standard_D4s_v5","CoreCount":4}'
    assert figures(row, "CapacityReservationId", "CapacityReservationStatus") == [idle.lower(), "Used"]
    assert figures(row, "CommitmentDiscountQuantity", "CommitmentDiscountUnit") == [20, "Normalized Hours"]
    unused = row_of(tmp_path, name, USED, {"x_SkuDetails": text, "ResourceId": idle})
    assert unused["CapacityReservationStatus"] == "Unused"


HOSTILE = (
    *("no json", "{", '"text"', "[1, 2]", "null", "{}", "0", '{"ServiceType":', "\\u0000"),
    '{"ServiceType":["Standard_D4s_v5"],"VCPUs":{"a":4},"RINormalizationRatio":"much","VMCapacityReservationId":7}',
    '{"ServiceType":null,"VCPUs":-1,"RINormalizationRatio":0,"VMCapacityReservationId":""}',
    '{"VCPUs":1e400,"vCores":99999999999999999999,"RINormalizationRatio":1e300,"VMCapacityReservationId":" "}',
)


def test_details_that_tell_nothing_change_nothing(tmp_path: Path) -> None:
    told = ({"x_SkuDetails": text} for text in ("", *HOSTILE))
    plain, *found = [
        {name: value for name, value in row.items() if name not in ("SubAccountName", "x_SourceColumns")}
        for row in rows_of(tmp_path, "azure_1_2_preview", COVERED, *told)
    ]
    assert found == [plain] * len(HOSTILE)


def test_details_with_quotes_stay_one_json_text(tmp_path: Path) -> None:
    row = row_of(tmp_path, "azure_1_0r2", USED, {"x_SkuDetails": r'{"ServiceType":"a\"},{\"b","vCores":"8"}'})
    assert row["SkuPriceDetails"] == r'{"InstanceType":"a\"},{\"b","CoreCount":8}'


AMOUNTS = st.sampled_from(["0", "0.000015", "1.5", "-2", "1e-9", "12345.678"])
PRICES = st.sampled_from(["", "0", "0.05", "0.1", "3"])
CHANGES = st.fixed_dictionaries(
    {
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), AMOUNTS),
        **dict.fromkeys(("ListUnitPrice", "ContractedUnitPrice"), PRICES),
        "PricingQuantity": st.sampled_from(["", "0", "0.00000003", "0.0003", "10"]),
        "ConsumedQuantity": st.sampled_from(["", "0", "0.0003", "3"]),
        "x_PricingBlockSize": st.sampled_from(["", "0", "1", "100", "10000"]),
        "PricingCategory": st.sampled_from(["", "Standard", "Committed"]),
        "ChargeCategory": st.sampled_from(["Usage", "Purchase", "Credit", "Adjustment"]),
        "x_SkuDetails": st.sampled_from(["", *HOSTILE]),
    }
)


@settings(max_examples=6)
@given(st.sampled_from(NAMES), st.lists(st.tuples(st.integers(0, 3), CHANGES), min_size=20, max_size=40))
def test_no_repair_touches_what_is_billed_and_no_cost_is_made_0(name: str, drawn: list[tuple[int, Line]]) -> None:
    bill = [{**lines(name)[number], **changes, "SubAccountName": str(n)} for n, (number, changes) in enumerate(drawn)]
    for line in bill:
        line["SubAccountId"] = "s"
    with tempfile.TemporaryDirectory() as folder:
        found = focus_rows([(export(Path(folder) / "bill.csv", name, bill), "")], Path(folder))
    assert len(found) == len(bill)
    for row in found:
        line = bill[int(row["SubAccountName"])]
        assert figures(row, "BilledCost", "EffectiveCost") == [
            Decimal(line["BilledCost"]),
            Decimal(line["EffectiveCost"]),
        ]
        paid = row["BilledCost"] != 0 or row["EffectiveCost"] != 0
        for kind in ("List", "Contracted"):
            cost, price = row[f"{kind}Cost"], row[f"{kind}UnitPrice"]
            stated = {Decimal(line[f"{kind}Cost"]), row["BilledCost"]}
            assert not paid or 0 not in (cost, price)
            assert cost is None or cost in stated or cost == price * row["PricingQuantity"]
