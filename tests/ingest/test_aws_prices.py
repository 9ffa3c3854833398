"""Units, resources, commitments and prices of AWS lines, where the bill says them and where it does not."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.test_aws import COVERED, RI, SP, kind, rows


@pytest.mark.parametrize(
    ("product", "identifier", "expected"),
    [
        ("AmazonEC2", "i-0a1b", "instance"),
        ("AmazonEC2", "vol-0a1b", "volume"),
        ("AmazonEC2", "brand-new", "resource"),
        ("AmazonEC2", "arn:aws:ec2:us-east-1:1:natgateway/nat-1", "natgateway"),
        ("AmazonS3", "shop-media", "bucket"),
        ("AmazonS3", "arn:aws:s3:::shop-media/a", "bucket"),
        ("AWSBackup", "arn:aws:s3:::shop-media", "bucket"),
        ("AmazonSNS", "arn:aws:sns:us-east-1:1:orders", "topic"),
        ("AmazonRDS", "arn:aws:rds:us-east-1:1:cluster:c-1", "cluster"),
        ("AmazonApiGateway", "arn:aws:apigateway:us-east-1::/restapis/a/stages/b", "resource"),
        ("AmazonTomorrow", "x", "resource"),
        ("AmazonEC2", "", None),
    ],
)
def test_a_resource_has_a_type(product: str, identifier: str, expected: str | None, tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Usage", line_item_product_code=product, line_item_resource_id=identifier))
    assert (row["ResourceId"], row["ResourceType"]) == (identifier or None, expected)


@pytest.mark.parametrize(
    ("usage", "stated", "unit", "source"),
    [
        ("BoxUsage:t3.micro", "Hrs", "Hours", None),
        ("BoxUsage:t3.micro", "", "Hours", "table"),
        ("EU-EBS:VolumeUsage.gp2", "", "GB-Months", "table"),
        ("USE2-USE1-AWS-Out-Bytes", "", "GB", "table"),
        ("Requests-Tier1", None, "Requests", "table"),
        ("BrandNew", "", "Units", "assumed"),
        ("BrandNew", "Widgets", "Widgets", None),
    ],
)
def test_a_blank_unit_is_told_by_the_usage_type(
    usage: str, stated: str | None, unit: str, source: str | None, tmp_path: Path
) -> None:
    [row] = rows(tmp_path, kind("Usage", line_item_usage_type=usage, pricing_unit=stated))
    assert (row["PricingUnit"], row["ConsumedUnit"]) == (unit, unit)
    assert row["x_PriceSource"] == (source and f"PricingUnit: {source}")


def test_what_is_paid_for_a_commitment_or_left_of_it_names_the_commitment(tmp_path: Path) -> None:
    unused = {"reservation_unused_recurring_fee": 0.2, "reservation_unused_quantity": 3.0}
    found = rows(tmp_path, kind("RIFee", 3.0, **RI, **unused), kind("SavingsPlanUpfrontFee", 5.0, **SP))
    assert len(found) == 3
    assert all(row["ResourceId"] == row["CommitmentDiscountId"] for row in found)
    assert {row["ResourceType"] for row in found} == {"reserved-instances", "savingsplan"}


def test_a_commitment_is_counted_in_one_unit(tmp_path: Path) -> None:
    """Hours of a reservation, money of a plan, whatever unit the covered line has."""
    plan = {"savings_plan_total_commitment_to_date": 6.0, "savings_plan_used_commitment": 4.0}
    lines = (
        kind("RIFee", 3.0, **RI),
        kind("DiscountedUsage", 0.0, reservation_effective_cost=1.5, pricing_unit="GB", **RI),
        kind("SavingsPlanRecurringFee", 5.0, **SP, **plan),
        kind("SavingsPlanUpfrontFee", 7.0, **SP),
        COVERED,
    )
    found = rows(tmp_path, *lines)
    counted = {(row["CommitmentDiscountUnit"], row["CommitmentDiscountQuantity"]) for row in found}
    assert counted == {("Hours", 2), ("USD", 6), ("USD", 7), ("USD", 2), ("USD", Decimal("2.5"))}


def test_a_credit_on_a_commitment_is_not_counted_as_its_use(tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Credit", -2.0, **SP))
    assert row["CommitmentDiscountId"] == SP["savings_plan_savings_plan_a_r_n"]
    assert row["CommitmentDiscountQuantity"] is row["CommitmentDiscountUnit"] is row["CommitmentDiscountStatus"] is None


FREE = {"pricing_public_on_demand_cost": 0.0, "pricing_public_on_demand_rate": "0.0000000000"}


@pytest.mark.parametrize(
    ("line", "price"),
    [
        (kind("Usage", 0.0, **FREE), 0),
        (kind("Usage", 1.0, **FREE), None),
        (kind("Usage", 0.0, **{**FREE, "pricing_public_on_demand_rate": ""}), None),
        (kind("Usage", 0.0, **{**FREE, "pricing_public_on_demand_rate": "0.5"}), None),
        (kind("Usage", 0.0, **{**FREE, "pricing_public_on_demand_rate": "0.5"}, line_item_usage_amount=0.0), "0.5"),
        (kind("DiscountedUsage", 0.0, reservation_effective_cost=1.5, **FREE, **RI), None),
    ],
)
def test_a_list_price_of_zero_is_believed_only_of_what_is_free(
    line: dict[str, Any], price: str | int | None, tmp_path: Path
) -> None:
    [row] = rows(tmp_path, line)
    expected = None if price is None else Decimal(price)
    assert (row["ListUnitPrice"], row["ListCost"]) == (expected, None if price is None else 0)


@pytest.mark.parametrize(("rate", "price"), [("1.5", Decimal("1.5")), ("1.4999999", None), ("", None)])
def test_a_fee_s_rate_that_does_not_give_the_fee_is_left_out(rate: str, price: Decimal | None, tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("RIFee", 3.0, line_item_unblended_rate=rate, **RI))
    assert (row["ContractedUnitPrice"], row["ContractedCost"], row["PricingQuantity"]) == (price, 3, 2)


def test_a_fee_without_a_quantity_is_one_fee_and_says_so(tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Fee", 9.0, line_item_usage_amount=0.0))
    assert (row["PricingQuantity"], row["x_PriceSource"]) == (1, "PricingQuantity: assumed")


def test_accounts_without_a_name_are_called_by_their_number(tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Usage"))
    assert (row["BillingAccountName"], row["SubAccountName"]) == ("111122223333", "444455556666")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"product_sku": "S", "pricing_rate_code": "S.T.R"}, "S.T.R"),
        ({"product_sku": "S", "pricing_rate_code": "T.R"}, "S.T.R"),
        ({"product_sku": "S", "pricing_rate_id": "7"}, "S.7"),
        ({"product_sku": "", "pricing_rate_id": "7"}, "AmazonEC2|BoxUsage:t3.micro.7"),
        ({"product_sku": "", "pricing_rate_id": ""}, "AmazonEC2|BoxUsage:t3.micro"),
    ],
)
def test_a_sku_price_belongs_to_one_sku(fields: dict[str, str], expected: str, tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Usage", 1.0, **fields))
    assert row["SkuPriceId"] == expected
    assert expected.startswith(str(row["SkuId"]))


MACHINE = {"vcpu": "2", "memory": "1,952.5 GiB", "operating_system": "Linux"}


@pytest.mark.parametrize(
    ("machine", "product", "details"),
    [
        ("", MACHINE, None),
        ("t3.micro", {}, {"InstanceType": "t3.micro"}),
        ("t3.micro", {"vcpu": "NA", "memory": "NA", "operating_system": "NA"}, {"InstanceType": "t3.micro"}),
        (
            'a"b',
            MACHINE,
            {"InstanceType": 'a"b', "CoreCount": 2, "MemorySize": 1952.5, "OperatingSystem": "Linux"},
        ),
    ],
)
def test_what_a_machine_is_becomes_details_of_its_price(
    machine: str, product: dict[str, str], details: dict[str, object] | None, tmp_path: Path
) -> None:
    [row] = rows(tmp_path, kind("Usage", product_instance_type=machine, product=product))
    assert (json.loads(row["SkuPriceDetails"]) if row["SkuPriceDetails"] else None) == details


def test_a_rate_before_discounts_is_not_the_price_of_a_net_cost(tmp_path: Path) -> None:
    net = {"line_item_net_unblended_cost": 0.9, "line_item_unblended_rate": "0.5"}
    [row] = rows(tmp_path, kind("Usage", 1.0, **net))
    assert (row["ContractedCost"], row["ContractedUnitPrice"]) == (Decimal("0.9"), None)
    [row] = rows(tmp_path, kind("Usage", 1.0, **net, line_item_net_unblended_rate="0.45"))
    assert row["ContractedUnitPrice"] == Decimal("0.45")


def test_a_rate_of_zero_beside_a_cost_is_missing(tmp_path: Path) -> None:
    zero = {"line_item_unblended_rate": "0", "pricing_public_on_demand_rate": "0", "pricing_public_on_demand_cost": 4.0}
    [row] = rows(tmp_path, kind("Usage", 1.0, **zero))
    assert row["ContractedUnitPrice"] is row["ListUnitPrice"] is row["PricingCurrencyListUnitPrice"] is None


def test_a_charge_for_an_instant_lasts_a_second(tmp_path: Path) -> None:
    instant = datetime(2026, 1, 5, 7, 30, 12)
    dates = {"line_item_usage_start_date": instant, "line_item_usage_end_date": instant}
    [row] = rows(tmp_path, kind("Fee", 9.0, **dates))
    assert (row["ChargePeriodEnd"] - row["ChargePeriodStart"]).total_seconds() == 1


def test_a_bill_that_names_no_service_names_it_by_its_product(tmp_path: Path) -> None:
    """A service code would not do: data transfer has one for all products, and so many categories."""
    codes = ("AmazonS3", "AmazonEC2")
    found = rows(tmp_path, *(kind("Usage", line_item_product_code=code, product={}) for code in codes))
    named = {(row["ServiceName"], row["ServiceCategory"]) for row in found}
    assert named == {("AmazonS3", "Storage"), ("AmazonEC2", "Compute")}
