"""The reference scenario's Azure bill: a development machine that ran 40 of 64 hours, its disk and its address."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

SUBSCRIPTION = "00000000-0000-4000-8000-000000000de5"
GROUP = "rg-development"
FIRST_DAY = date(2026, 1, 22)
COLUMNS = [
    "InvoiceSectionName",
    "AccountName",
    "AccountOwnerId",
    "SubscriptionId",
    "SubscriptionName",
    "ResourceGroup",
    "ResourceLocation",
    "Date",
    "ProductName",
    "MeterCategory",
    "MeterSubCategory",
    "MeterId",
    "MeterName",
    "MeterRegion",
    "UnitOfMeasure",
    "Quantity",
    "EffectivePrice",
    "CostInBillingCurrency",
    "CostCenter",
    "ConsumedService",
    "ResourceId",
    "Tags",
    "OfferId",
    "AdditionalInfo",
    "ServiceInfo1",
    "ServiceInfo2",
    "ResourceName",
    "ReservationId",
    "ReservationName",
    "UnitPrice",
    "ProductOrderId",
    "ProductOrderName",
    "Term",
    "PublisherType",
    "PublisherName",
    "ChargeType",
    "Frequency",
    "PricingModel",
    "AvailabilityZone",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrencyCode",
    "BillingPeriodStartDate",
    "BillingPeriodEndDate",
    "BillingProfileId",
    "BillingProfileName",
    "InvoiceSectionId",
    "IsAzureCreditEligible",
    "PartNumber",
    "PayGPrice",
    "PlanName",
    "ServiceFamily",
    "CostAllocationRuleName",
    "benefitId",
    "benefitName",
    "AccountId",
    "ResourceLocationNormalized",
]


@dataclass(frozen=True, slots=True)
class Meter:
    """One line of azure_meters.csv: a meter of one resource, burning `hours` from midnight of the first day."""

    category: str
    subcategory: str
    name: str
    product: str
    family: str
    meter_id: str
    part: str
    kind: str
    resource: str
    price: str
    hours: str


SAME_EVERYWHERE = {
    "InvoiceSectionName": "Engineering",
    "AccountName": "Example Engineering",
    "AccountOwnerId": "owner@example.com",
    "SubscriptionId": SUBSCRIPTION,
    "SubscriptionName": "example-development",
    "ResourceGroup": GROUP,
    "ResourceLocation": "EastUS",
    "ResourceLocationNormalized": "eastus",
    "MeterRegion": "US East",
    "UnitOfMeasure": "1 Hour",
    "CostCenter": "ENG-1",
    # Enterprise Agreement files carry tags without the braces.
    "Tags": '"environment": "Development","team": "platform"',
    "OfferId": "MS-AZR-0017P",
    "PublisherType": "Azure",
    "PublisherName": "Microsoft",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "BillingAccountId": "70000042",
    "BillingAccountName": "Example Company",
    "BillingCurrencyCode": "USD",
    "BillingPeriodStartDate": "01/01/2026",
    "BillingPeriodEndDate": "01/31/2026",
    "BillingProfileId": "70000042",
    "BillingProfileName": "Example Company",
    "InvoiceSectionId": "70001",
    "IsAzureCreditEligible": "True",
    "AccountId": "70002",
}


def meters() -> list[Meter]:
    with (Path(__file__).parent / "azure_meters.csv").open(encoding="utf-8", newline="") as file:
        return [Meter(**row) for row in csv.DictReader(file)]


def actual() -> list[list[str]]:
    """Header and lines, resource by resource."""
    return [COLUMNS, *(_values(line) for meter in meters() for line in _lines(meter))]


def amortized() -> list[list[str]]:
    """The same lines, day by day: without commitments both metrics hold the same money."""
    lines = sorted((line for meter in meters() for line in _lines(meter)), key=lambda line: line["Date"])
    return [COLUMNS, *(_values(line) for line in lines)]


def _lines(meter: Meter) -> list[dict[str, str]]:
    hours = int(meter.hours)
    return [_line(meter, FIRST_DAY + timedelta(hours=start), min(24, hours - start)) for start in range(0, hours, 24)]


def _line(meter: Meter, day: date, hours: int) -> dict[str, str]:
    provider = meter.kind.split("/")[0]
    return SAME_EVERYWHERE | {
        "Date": f"{day:%m/%d/%Y}",
        "ProductName": meter.product,
        "MeterCategory": meter.category,
        "MeterSubCategory": meter.subcategory,
        "MeterId": meter.meter_id,
        "MeterName": meter.name,
        "Quantity": str(hours),
        "EffectivePrice": meter.price,
        "UnitPrice": meter.price,
        "PayGPrice": meter.price,
        "CostInBillingCurrency": f"{(hours * Decimal(meter.price)).normalize():f}",
        "ConsumedService": provider,
        "ResourceId": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{meter.kind}/{meter.resource}",
        "ResourceName": meter.resource,
        "PartNumber": meter.part,
        "ServiceFamily": meter.family,
    }


def _values(line: dict[str, str]) -> list[str]:
    return [line.get(name, "") for name in COLUMNS]
