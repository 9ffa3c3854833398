"""Snowflake usage in currency: nothing is filtered, unknown things pass through, missing prices stay missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mapped import Row, focus_rows, write_csv

LINE = {
    "ORGANIZATION_NAME": "EXAMPLE",
    "CONTRACT_NUMBER": "42",
    "ACCOUNT_NAME": "PROD",
    "ACCOUNT_LOCATOR": "XY1",
    "REGION": "AWS_US_EAST_1",
    "SERVICE_LEVEL": "ENTERPRISE",
    "USAGE_DATE": "2026-01-24",
    "USAGE_TYPE": "COMPUTE",
    "USAGE": "28.408",
    "CURRENCY": "USD",
    "USAGE_IN_CURRENCY": "56.82",
    "BALANCE_SOURCE": "CAPACITY",
    "BILLING_TYPE": "CONSUMPTION",
    "RATING_TYPE": "COMPUTE",
    "SERVICE_TYPE": "WAREHOUSE_METERING",
    "IS_ADJUSTMENT": "FALSE",
}
Mapper = Callable[..., list[Row]]


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    def run(*changes: dict[str, str]) -> list[Row]:
        path = write_csv(tmp_path / "usage.csv", [LINE | change for change in changes or ({},)])
        return focus_rows([(path, "")], tmp_path)

    return run


def test_the_included_cloud_services_stay_in_the_bill(mapper: Mapper) -> None:
    adjustment = {
        "USAGE_TYPE": "ADJ FOR INCL CLOUD SERVICES",
        "USAGE": "-7",
        "USAGE_IN_CURRENCY": "-21.00",
        "IS_ADJUSTMENT": "TRUE",
    }
    rows = mapper({"USAGE_IN_CURRENCY": "66.00"}, adjustment)
    assert sum(row["BilledCost"] for row in rows) == 45
    assert {row["ChargeCategory"] for row in rows} == {"Usage"}
    assert min(row["ConsumedQuantity"] for row in rows) == -7


@pytest.mark.parametrize(
    ("region", "host"),
    [("AWS_US_EAST_1", "AWS"), ("AZURE_WESTEUROPE", "Microsoft"), ("GCP_US_CENTRAL1", "Google"), ("", None)],
)
def test_the_host_is_the_cloud_of_the_account(mapper: Mapper, region: str, host: str | None) -> None:
    (row,) = mapper({"REGION": region})
    assert row["HostProviderName"] == host
    assert row["ServiceProviderName"] == row["InvoiceIssuerName"] == "Snowflake"


def test_an_account_and_a_currency_are_one_however_they_are_spelt(mapper: Mapper) -> None:
    respelt = {"ACCOUNT_LOCATOR": " xy1", "REGION": "aws_us_east_1", "CURRENCY": "usd ", "USAGE": "1"}
    rows = mapper({}, respelt, {**respelt, "ACCOUNT_NAME": ""})
    assert {row["SubAccountId"] for row in rows} == {"XY1.AWS_US_EAST_1"}
    assert {row["SubAccountName"] for row in rows} == {"PROD", "XY1.AWS_US_EAST_1"}
    assert {row[name] for row in rows for name in ("BillingCurrency", "PricingCurrency")} == {"USD"}


@pytest.mark.parametrize("rate", ["", "0", "0.00"])
def test_without_a_rate_there_is_no_price_and_no_cost_at_a_price(mapper: Mapper, rate: str) -> None:
    (row,) = mapper({"EFFECTIVE_RATE": rate})
    missing = ("ContractedUnitPrice", "ContractedCost", "ListUnitPrice", "ListCost", "x_PriceSource")
    assert [row[name] for name in missing] == [None] * 5


@pytest.mark.parametrize("usage", ["", "0"])
def test_a_fee_without_a_quantity_is_one_fee_and_says_so(mapper: Mapper, usage: str) -> None:
    (row,) = mapper({"BILLING_TYPE": "PRIORITY_SUPPORT", "RATING_TYPE": "COMPUTE", "USAGE": usage})
    assert (row["PricingQuantity"], row["x_PriceSource"]) == (1, "PricingQuantity: assumed")
    assert row["ContractedUnitPrice"] is row["ConsumedQuantity"] is None


def test_a_unit_that_no_rating_type_gives_is_assumed_and_says_so(mapper: Mapper) -> None:
    (row,) = mapper({"RATING_TYPE": ""})
    assert (row["PricingUnit"], row["x_PriceSource"]) == ("Credits", "PricingUnit: assumed")


def test_a_rate_gives_the_unrounded_product(mapper: Mapper) -> None:
    (row,) = mapper({"EFFECTIVE_RATE": "2.00"})
    assert f"{row['ContractedCost'].normalize()} {row['BilledCost'].normalize()}" == "56.816 56.82"


@pytest.mark.parametrize(
    ("kind", "category", "frequency"),
    [
        ("CONSUMPTION", "Usage", "Usage-Based"),
        ("consumption", "Usage", "Usage-Based"),
        ("REBATE", "Credit", "One-Time"),
        ("support_credit", "Credit", "One-Time"),
        ("priority support", "Purchase", "Recurring"),
        ("VPS_DEPLOYMENT_FEE", "Purchase", "Recurring"),
        ("", "Usage", "Usage-Based"),
    ],
)
def test_billing_types_become_categories(mapper: Mapper, kind: str, category: str, frequency: str) -> None:
    (row,) = mapper({"BILLING_TYPE": kind})
    assert (row["ChargeCategory"], row["ChargeFrequency"]) == (category, frequency)
    assert (row["SkuPriceId"] is None) == (category == "Credit")


@pytest.mark.parametrize(
    ("rating", "usage_type", "unit"),
    [
        ("COMPUTE", "COMPUTE", "Credits"),
        ("ai_inference", "AI", "Credits"),
        ("STORAGE", "STORAGE", "TB"),
        ("", "overage-storage", "TB"),
        ("", "overage-compute", "Credits"),
        ("BRAND_NEW", "X", "Units"),
    ],
)
def test_units_follow_the_rating_type(mapper: Mapper, rating: str, usage_type: str, unit: str) -> None:
    (row,) = mapper({"RATING_TYPE": rating, "USAGE_TYPE": usage_type})
    assert (row["PricingUnit"], row["ConsumedUnit"]) == (unit, unit)


def test_an_unknown_service_passes_as_other(mapper: Mapper) -> None:
    (row,) = mapper({"SERVICE_TYPE": "BRAND_NEW"})
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("Other", "Other (Other)")
    assert row["ServiceName"] == "Snowflake BRAND_NEW"
    assert f"{row['BilledCost'].normalize()}" == "56.82"


def test_older_exports_name_the_service_by_its_usage_type(mapper: Mapper) -> None:
    (row,) = mapper({"SERVICE_TYPE": "", "USAGE_TYPE": "overage-automatic clustering"})
    assert row["ServiceName"] == "Snowflake Automatic Clustering"


def test_sku_and_account_are_told_apart_by_region(mapper: Mapper) -> None:
    (row,) = mapper()
    assert row["SkuId"] == "WAREHOUSE_METERING|COMPUTE"
    assert row["SkuPriceId"] == "WAREHOUSE_METERING|COMPUTE|AWS_US_EAST_1|ENTERPRISE|CAPACITY"
    assert row["SubAccountId"] == "XY1.AWS_US_EAST_1"
    assert row["x_ServiceCode"] == row["x_Provider"] == "Snowflake"
