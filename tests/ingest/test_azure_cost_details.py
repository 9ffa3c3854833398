"""Azure cost details of an Enterprise Agreement: which file a line is taken from, and what its columns become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.delivery import Period
from tests.mapped import JANUARY, Row, focus_rows, write_csv

RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/o-1/reservations/R-1"
PLAN = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/o-2/savingsPlans/P-1"
LINE = {
    "AccountOwnerId": "owner@example.com",
    "BillingAccountId": "70000042",
    "BillingAccountName": "Example",
    "BillingCurrencyCode": "EUR",
    "BillingPeriodStartDate": "01/01/2026",
    "SubscriptionId": "sub-1",
    "SubscriptionName": "shop",
    "Date": "01/31/2026",
    "MeterCategory": "Virtual Machines",
    "MeterName": "B2s",
    "MeterId": "m-1",
    "PartNumber": "P-1",
    "ResourceLocation": "US East",
    "ResourceId": "/subscriptions/sub-1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1",
    "ResourceName": "VM1",
    "ConsumedService": "Microsoft.Compute",
    "UnitOfMeasure": "1 Hour",
    "Quantity": "10",
    "UnitPrice": "0.5",
    "PayGPrice": "0.6",
    "CostInBillingCurrency": "5",
    "ChargeType": "Usage",
    "PricingModel": "OnDemand",
    "Frequency": "UsageBased",
    "Tags": "",
    "benefitId": "",
    "PublisherType": "Azure",
    "PublisherName": "Microsoft",
}
Mapper = Callable[..., list[Row]]


def line(**changes: str) -> dict[str, str]:
    return {**LINE, **changes}


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    def run(
        amortized: Sequence[dict[str, str]] = (),
        actual: Sequence[dict[str, str]] = (),
        basis: str = "amortized",
        period: Period = JANUARY,
    ) -> list[Row]:
        given = [("amortized", amortized), ("actual", actual)]
        files = [(write_csv(tmp_path / f"{role}.csv", lines), role) for role, lines in given if lines]
        return focus_rows(files, tmp_path, basis=basis, period=period)

    return run


COMMITTED = {"PricingModel": "Reservation", "benefitId": RESERVATION}
PLANNED = {"PricingModel": "SavingsPlan", "benefitId": PLAN}
# (role, changes) -> (category, class, billed, effective, commitment status); None where the line is not taken
CHARGES: list[tuple[str, dict[str, str], tuple[Any, ...] | None]] = [
    ("amortized", {}, ("Usage", None, 5, 5, None)),
    ("amortized", {"PricingModel": "Spot"}, ("Usage", None, 5, 5, None)),
    ("amortized", {"PricingModel": ""}, ("Usage", None, 5, 5, None)),
    ("amortized", COMMITTED, ("Usage", None, 0, 5, "Used")),
    ("amortized", PLANNED, ("Usage", None, 0, 5, "Used")),
    ("amortized", COMMITTED | {"PricingModel": ""}, ("Usage", None, 0, 5, "Used")),
    ("amortized", COMMITTED | {"ChargeType": "UnusedReservation"}, ("Usage", None, 0, 5, "Unused")),
    ("amortized", PLANNED | {"ChargeType": "UnusedSavingsPlan"}, ("Usage", None, 0, 5, "Unused")),
    ("amortized", {"ChargeType": "UnusedReservation", "PricingModel": ""}, ("Usage", None, 0, 5, None)),
    ("amortized", COMMITTED | {"ChargeType": "Purchase"}, None),
    ("amortized", {"ChargeType": "Purchase"}, ("Purchase", None, 5, 5, None)),
    ("amortized", {"ChargeType": "Refund"}, ("Purchase", "Correction", 5, 5, None)),
    ("amortized", {"ChargeType": "RoundingAdjustment", "PricingModel": ""}, ("Adjustment", None, 5, 5, None)),
    ("amortized", {"ChargeType": "SomethingNew"}, ("Adjustment", None, 5, 5, None)),
    ("amortized", {"ChargeType": "Tax"}, ("Tax", None, 5, 5, None)),
    ("amortized", {"ChargeType": "Credit"}, ("Credit", None, 5, 5, None)),
    ("actual", {}, None),
    ("actual", COMMITTED, None),
    ("actual", COMMITTED | {"ChargeType": "Purchase"}, ("Purchase", None, 5, 0, None)),
    ("actual", PLANNED | {"ChargeType": "Refund"}, ("Purchase", "Correction", 5, 0, None)),
    ("actual", {"ChargeType": "Purchase"}, None),
]


@pytest.mark.parametrize(("role", "changes", "expected"), CHARGES)
def test_each_charge_is_taken_once(
    mapper: Mapper, role: str, changes: dict[str, str], expected: tuple[Any, ...] | None
) -> None:
    rows = mapper(**{role: [line(**changes)]})
    names = ("ChargeCategory", "ChargeClass", "BilledCost", "EffectiveCost", "CommitmentDiscountStatus")
    assert [tuple(row[name] for name in names) for row in rows] == ([expected] if expected else [])


def test_billed_is_the_actual_file_and_effective_the_amortized_one(mapper: Mapper) -> None:
    purchase = line(**COMMITTED, ChargeType="Purchase", CostInBillingCurrency="30", Quantity="1")
    covered = line(**COMMITTED, CostInBillingCurrency="0")
    unused = line(**COMMITTED, ChargeType="UnusedReservation", CostInBillingCurrency="4")
    rows = mapper(actual=[line(), purchase, covered], amortized=[line(), line(**COMMITTED), unused])
    assert sum(row["BilledCost"] for row in rows) == 35
    assert sum(row["EffectiveCost"] for row in rows) == 14


def test_actual_alone_keeps_every_line_and_says_so(mapper: Mapper) -> None:
    purchase = line(**COMMITTED, ChargeType="Purchase")
    rows = mapper(actual=[line(), purchase, line(**COMMITTED, CostInBillingCurrency="0")], basis="actual")
    assert [len(rows), sum(row["BilledCost"] for row in rows), sum(row["EffectiveCost"] for row in rows)] == [3, 10, 10]
    assert {row["x_EffectiveCostBasis"] for row in rows} == {"actual"}


@pytest.mark.parametrize(
    ("changes", "category", "kind", "unit", "quantity"),
    [
        (COMMITTED, "Usage", "Reservation", "Hours", 10),
        (PLANNED, "Spend", "Savings Plan", "EUR", 5),
    ],
)
def test_commitments_are_named_by_their_benefit(
    mapper: Mapper, changes: dict[str, str], category: str, kind: str, unit: str, quantity: int
) -> None:
    (row,) = mapper([line(**changes)])
    assert row["CommitmentDiscountId"] == changes["benefitId"].lower()
    assert (row["CommitmentDiscountCategory"], row["CommitmentDiscountType"]) == (category, kind)
    assert (row["CommitmentDiscountQuantity"], row["CommitmentDiscountUnit"]) == (quantity, unit)
    assert row["PricingCategory"] == "Committed"


@pytest.mark.parametrize(
    ("measure", "unit", "quantity", "price"),
    [
        ("1 Hour", "Hours", "10", "0.5"),
        ("100 Hours", "Hours", "0.1", "50"),
        ("10K", "Units", "0.001", "5000"),
        ("1/Month", "Units/Month", "10", "0.5"),
        ("1 GB/Month", "GB/Month", "10", "0.5"),
        ("10 GB Seconds", "GB-Seconds", "1", "5"),
        ("1M", "Units", "0.00001", "500000"),
        ("7 Widgets", "7 Widgets", "10", "0.5"),
        ("10 Widgets", "Widgets", "1", "5"),
        ("", "Units", "10", "0.5"),
    ],
)
def test_block_sizes_move_between_price_and_quantity(
    mapper: Mapper, measure: str, unit: str, quantity: str, price: str
) -> None:
    (row,) = mapper([line(UnitOfMeasure=measure)])
    assert (row["PricingUnit"], row["ConsumedUnit"]) == (unit, unit)
    assert (row["PricingQuantity"], row["ContractedUnitPrice"]) == (Decimal(quantity), Decimal(price))
    assert row["ConsumedQuantity"] == 10
    assert row["ContractedCost"] == row["ContractedUnitPrice"] * row["PricingQuantity"] == 5
    assert row["ListCost"] == row["ListUnitPrice"] * row["PricingQuantity"] == 6


@pytest.mark.parametrize(
    ("price", "cost", "expected"), [("0", "5", None), ("", "5", None), ("0", "0", 0), ("2", "0", 2)]
)
def test_a_price_of_zero_beside_a_cost_is_missing(mapper: Mapper, price: str, cost: str, expected: int | None) -> None:
    (row,) = mapper([line(PayGPrice=price, UnitPrice=price, CostInBillingCurrency=cost)])
    assert [row["ListUnitPrice"], row["ContractedUnitPrice"]] == [expected] * 2
    assert row["ListCost"] == (None if expected is None else expected * 10)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", None),
        ('"env": "dev","team": "a"', '{"env":"dev","team":"a"}'),
        ('"env": "dev",', '{"env":"dev"}'),
        ('{"env":"dev"}', '{"env":"dev"}'),
        ("env=dev", '{"x_UnreadableTags":"env=dev"}'),
    ],
)
def test_tags_become_json_objects(mapper: Mapper, tags: str, expected: str | None) -> None:
    assert mapper([line(Tags=tags)])[0]["Tags"] == expected


@pytest.mark.parametrize("text", ["01/31/2026", "1/31/2026", "2026-01-31"])
def test_a_day_ends_where_the_next_begins(mapper: Mapper, text: str) -> None:
    (row,) = mapper([line(Date=text)])
    assert row["ChargePeriodStart"] == datetime(2026, 1, 31, tzinfo=UTC)
    assert row["ChargePeriodEnd"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (Period(2026, 1).start, Period(2026, 1).end)


def test_older_and_localised_headers_are_found(mapper: Mapper) -> None:
    renamed = {
        "CostInBillingCurrency": "Cost",
        "BillingCurrencyCode": "BillingCurrency",
        "ResourceId": "Ressource (InstanceId)",
    }
    (row,) = mapper([{renamed.get(name, name): value for name, value in LINE.items()}])
    assert (row["BilledCost"], row["BillingCurrency"], row["ResourceName"]) == (5, "EUR", "VM1")


def test_names_of_the_parties_place_and_resource(mapper: Mapper) -> None:
    (row,) = mapper([line()])
    parties = ("ServiceProviderName", "HostProviderName", "InvoiceIssuerName", "ProviderName", "PublisherName")
    assert {row[name] for name in parties} == {"Microsoft"}
    assert (row["RegionId"], row["RegionName"]) == ("eastus", "East US")
    assert row["ResourceType"] == "microsoft.compute/virtualmachines"
    assert (row["ServiceName"], row["ServiceCategory"]) == ("Virtual Machines", "Compute")


def test_a_marketplace_seller_is_the_service_provider(mapper: Mapper) -> None:
    (row,) = mapper([line(PublisherType="Marketplace", PublisherName="Acme", ChargeType="Purchase", PricingModel="")])
    assert (row["ServiceProviderName"], row["PublisherName"]) == ("Acme", "Acme")
    assert (row["ProviderName"], row["InvoiceIssuerName"]) == ("Microsoft", "Microsoft")
    assert row["ChargeFrequency"] == "One-Time"


def test_an_unknown_service_is_other_and_still_counts(mapper: Mapper) -> None:
    (row,) = mapper([line(MeterCategory="Brand New", ConsumedService="Brand.New", ResourceId="")])
    assert (row["ServiceName"], row["ServiceCategory"], row["BilledCost"]) == ("Brand New", "Other", 5)
    assert row["ResourceId"] is row["ResourceName"] is row["ResourceType"] is None


def test_charges_without_a_sku_carry_no_price(mapper: Mapper) -> None:
    (row,) = mapper([line(ChargeType="Tax")])
    absent = ("SkuId", "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit")
    assert [row[name] for name in (*absent, "PricingCategory", "ConsumedQuantity")] == [None] * 8
    assert (row["ListCost"], row["ContractedCost"]) == (5, 5)


AMOUNTS = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=18, allow_nan=False)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(AMOUNTS, min_size=1, max_size=8))
def test_no_digit_of_money_is_lost(mapper: Mapper, amounts: list[Decimal]) -> None:
    rows = mapper([line(CostInBillingCurrency=f"{amount:f}") for amount in amounts])
    assert sum(row["BilledCost"] for row in rows) == sum(amounts)
