"""Snowflake's own FOCUS view: what it spells its own way or leaves out is repaired, and its figures are kept."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.bills import Ledger
from tests.export_lines import Line
from tests.exports import changed, export
from tests.mapped import Row, focus_rows

VIEW = "snowflake_1_3_view"


def row_of(folder: Path, suffix: str = ".csv", **values: str) -> Row:
    """The first row of the view, changed."""
    made = export(folder / f"view{suffix}", VIEW, changed(VIEW, values))
    rows = focus_rows([(made, "")], folder)
    return next(row for row in rows if row["BilledCost"] == Decimal(values.get("BilledCost", "6")))


@pytest.mark.parametrize(
    ("told", "region", "host"),
    [
        ("Aws", "aws_us_east_1", "AWS"),
        ("Azure", "azure_westeurope", "Microsoft"),
        ("Gcp", "gcp_us_central1", "Google"),
        ("", "AZURE_USGOVVIRGINIA", "Microsoft"),
        ("", "", None),
    ],
)
def test_the_cloud_has_its_own_name(told: str, region: str, host: str | None, tmp_path: Path) -> None:
    row = row_of(tmp_path, HostProviderName=told, RegionId=region)
    assert row["HostProviderName"] == host


def test_parties_accounts_and_subcategories_that_the_view_lacks_are_filled(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    parties = ("ServiceProviderName", "ProviderName", "PublisherName", "InvoiceIssuerName")
    assert {row[name] for name in parties} == {"Snowflake"}
    assert (row["BillingAccountType"], row["SubAccountType"]) == ("Organization", "Account")
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == ("Databases", "Data Warehouses")


def test_a_sku_is_made_of_what_the_view_tells(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    assert row["SkuId"] == "Snowflake Warehouse|Credits"
    assert row["SkuPriceId"] == "Snowflake Warehouse|Credits|aws_us_east_1|ENTERPRISE|CAPACITY"
    assert row["SkuMeter"] == "Snowflake Warehouse"


def test_prices_are_in_the_currency_of_the_bill(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    assert row["PricingCurrency"] == row["BillingCurrency"] == "USD"
    assert row["PricingCurrencyContractedUnitPrice"] == row["ContractedUnitPrice"] == 3
    assert row["PricingCurrencyListUnitPrice"] == row["ListUnitPrice"] == 3
    assert row["PricingCurrencyEffectiveCost"] == row["EffectiveCost"] == 6


STORAGE: Line = {
    "ServiceName": "Snowflake Storage",
    "ServiceCategory": "Storage",
    "ConsumedQuantity": "0.310000000",
    "ConsumedUnit": "TiB-Days",
    "PricingQuantity": "0.010",
    "PricingUnit": "TiB-Months",
    "ListUnitPrice": "23.00",
    "ContractedUnitPrice": "23.00",
    "ListCost": "0.23",
    "ContractedCost": "0.23",
    "EffectiveCost": "0.23",
    "BilledCost": "0.23",
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_storage_is_consumed_by_the_day_and_priced_by_the_month(suffix: str, tmp_path: Path) -> None:
    row = row_of(tmp_path, suffix, **STORAGE)
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == (Decimal("0.31"), "TiB-Days")
    assert (row["PricingQuantity"], row["PricingUnit"]) == (Decimal("0.01"), "TiB-Months")
    assert row["ConsumedQuantity"] == 31 * row["PricingQuantity"]
    assert row["ServiceSubcategory"] == "Storage Platforms"


def test_what_the_view_has_nothing_of_stays_null(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    lacking = (
        *("ResourceId", "ResourceName", "ResourceType", "Tags", "CommitmentDiscountId", "CommitmentDiscountQuantity"),
        *("AllocatedMethodId", "AllocatedResourceId", "AllocatedTags"),
    )
    assert {row[name] for name in lacking} == {None}


def test_what_is_drawn_from_capacity_and_the_view_s_own_columns_stay(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    assert '"x_BalanceSource":"CAPACITY"' in row["ContractApplied"] and '"ContractId":"9"' in row["ContractApplied"]
    assert row["x_Operation"] == "CAPACITY"
    assert '"x_ServiceLevel":"ENTERPRISE"' in row["x_SourceColumns"]


def test_the_rows_keep_every_rule(ledger: Ledger, tmp_path: Path) -> None:
    lines = [*changed(VIEW, {}), {**changed(VIEW, STORAGE)[0]}]
    assert ledger.ingest(export(tmp_path / "view.parquet", VIEW, lines)).outcomes == ["committed"]
    assert ledger.broken_rules() == {}
