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
    ("measure", "unit", "consumed_unit", "consumed"),
    [
        ("1 Hour", "Hours", "Hours", 10),
        ("100 Hours", "Hours", "Hours", 10),
        ("10 Hours", "Hours", "Hours", 10),
        ("10K", "10000 Units", "Units", 100_000),
        ("1/Month", "Units/Month", "Units/Month", 10),
        ("1 GB/Month", "GB/Month", "GB/Month", 10),
        ("10 GB Seconds", "10 GB-Seconds", "GB-Seconds", 100),
        ("1M", "1000000 Units", "Units", 10_000_000),
        ("7 Widgets", "7 Widgets", "Widgets", 70),
        ("7,000 Widgets", "7,000 Widgets", "7,000 Widgets", 10),
        ("10 Widgets", "10 Widgets", "Widgets", 100),
        ("", "Units", "Units", 10),
    ],
)
def test_a_quantity_counts_blocks_and_a_price_is_that_of_a_block(
    mapper: Mapper, measure: str, unit: str, consumed_unit: str, consumed: int
) -> None:
    (row,) = mapper([line(UnitOfMeasure=measure)])
    assert (row["PricingQuantity"], row["PricingUnit"], row["ContractedUnitPrice"]) == (10, unit, Decimal("0.5"))
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (consumed, consumed_unit)
    assert row["ContractedCost"] == row["ContractedUnitPrice"] * row["PricingQuantity"] == 5
    assert row["ListCost"] == row["ListUnitPrice"] * row["PricingQuantity"] == 6
    assert row["x_PriceSource"] == (None if measure else "PricingUnit: assumed")


def test_four_operations_at_the_list_price_of_ten_thousand(mapper: Mapper) -> None:
    """As real bills have it: 0.0004 of '10K' at 0.1 cost 0.00004."""
    counted = line(UnitOfMeasure="10K", Quantity="0.0004", UnitPrice="0.1", CostInBillingCurrency="0.00004")
    (row,) = mapper([counted])
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (4, "Units")
    assert row["ContractedCost"] == row["BilledCost"] == Decimal("0.00004")


@pytest.mark.parametrize("quantity", ["", "0"])
def test_a_fee_without_a_quantity_is_one_fee_and_says_so(mapper: Mapper, quantity: str) -> None:
    (row,) = mapper([line(ChargeType="Purchase", PricingModel="", Quantity=quantity)])
    assert (row["PricingQuantity"], row["x_PriceSource"]) == (1, "PricingQuantity: assumed")
    assert row["ContractedUnitPrice"] is row["ContractedCost"] is None


@pytest.mark.parametrize(("quantity", "priced"), [("-10", True), ("10", False), ("", False)])
def test_a_refund_has_a_price_only_where_it_can_be_true(mapper: Mapper, quantity: str, priced: bool) -> None:
    (row,) = mapper([line(ChargeType="Refund", CostInBillingCurrency="-5", Quantity=quantity)])
    names = ("SkuPriceId", "PricingQuantity", "PricingUnit", "PricingCategory", "ContractedUnitPrice")
    assert {row[name] is not None for name in names} == {priced}
    assert (row["BilledCost"], row["ContractedCost"], row["ListCost"]) == (-5, -5, -6 if priced else -5)


@pytest.mark.parametrize(
    ("charge", "role"), [("UnusedReservation", "amortized"), ("Purchase", "actual"), ("Refund", "actual")]
)
def test_what_is_paid_for_a_commitment_or_left_of_it_names_the_commitment(
    mapper: Mapper, charge: str, role: str
) -> None:
    (row,) = mapper(**{role: [line(**COMMITTED, ChargeType=charge, benefitName="RI_1")]})
    assert row["ResourceId"] == row["CommitmentDiscountId"] == RESERVATION.lower()
    assert (row["ResourceName"], row["ResourceType"]) == ("RI_1", "microsoft.capacity/reservationorders")


def test_what_is_unused_of_a_nameless_commitment_consumed_nothing(mapper: Mapper) -> None:
    (row,) = mapper([line(ChargeType="UnusedReservation", PricingModel="")])
    assert (row["CommitmentDiscountStatus"], row["ConsumedQuantity"]) == (None, 0)


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
        ('"env": "a","env": "b"', '{"x_UnreadableTags":"\\"env\\": \\"a\\",\\"env\\": \\"b\\""}'),
        ('{"env":{"a":1}}', '{"x_UnreadableTags":"{\\"env\\":{\\"a\\":1}}"}'),
        ('{"env":["a"]}', '{"x_UnreadableTags":"{\\"env\\":[\\"a\\"]}"}'),
        ('{"env":"{[a]}"}', '{"env":"{[a]}"}'),
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


BALANCER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/b"


@pytest.mark.parametrize("meter", ["", "Brand New"])
@pytest.mark.parametrize(
    ("provider", "resource", "service", "category"),
    [
        ("Microsoft.Storage", "", "Storage", "Storage"),
        ("Microsoft.Network", BALANCER, "Load Balancer", "Networking"),
        ("", BALANCER.upper(), "Load Balancer", "Networking"),
        ("", BALANCER.replace("loadBalancers", "brandNew"), "Virtual Network", "Networking"),
    ],
)
def test_a_resource_names_the_service_of_a_meter_that_is_unknown(
    meter: str, provider: str, resource: str, service: str, category: str, mapper: Mapper
) -> None:
    (row,) = mapper([line(MeterCategory=meter, ConsumedService=provider, ResourceId=resource)])
    assert (row["ServiceName"], row["ServiceCategory"]) == (service, category)
    assert row["x_ServiceCode"] == (meter or provider or "Azure")


def test_what_is_sold_in_the_marketplace_is_not_the_service_it_runs_on(mapper: Mapper) -> None:
    (row,) = mapper([line(MeterCategory="Their Firewall", PublisherType="Marketplace", PublisherName="Somebody")])
    assert (row["ServiceName"], row["ServiceCategory"]) == ("Their Firewall", "Other")


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
