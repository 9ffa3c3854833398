"""Faults to plant in a conformant 1.2 file of 200 rows: the rule each breaks, its row, and the cells to change.

By the plan of the generator rows 43 to 99 and 143 to 199 are plain usage; row 0 buys a commitment, 1 uses it, 15 is
what was not used; 25 is tax, 26 a credit, 28 a correction, 29 a subscription, 30 unused capacity.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROWS = 200


class Fault(NamedTuple):
    """Cells of one row, by column; an empty text is null in a CSV file."""

    rule: str
    row: int
    cells: dict[str, str]


VALUES = (
    Fault("ChargeCategory-C-003-M", 43, {"ChargeCategory": "Bogus"}),
    Fault("ChargeClass-C-005-C", 44, {"ChargeClass": "correction"}),
    Fault("ChargeFrequency-C-003-M", 45, {"ChargeFrequency": "Daily"}),
    Fault("ChargeFrequency-C-004-C", 29, {"ChargeFrequency": "Usage-Based"}),
    Fault("PricingCategory-C-007-M", 46, {"PricingCategory": "Spot"}),
    Fault("ServiceCategory-C-003-M", 47, {"ServiceCategory": "Servers", "ServiceName": "Only here"}),
    Fault("ServiceSubcategory-C-003-M", 48, {"ServiceSubcategory": "Bogus", "ServiceName": "Here only"}),
    Fault("ServiceSubcategory-C-004-M", 49, {"ServiceCategory": "Web", "ServiceName": "Elsewhere"}),
    Fault("ServiceName-C-005-C", 50, {"ServiceName": "Metrics", "ServiceCategory": "Mobile"}),
    Fault("ServiceName-C-008-C", 51, {"ServiceName": "Disks", "ServiceSubcategory": "Other (Storage)"}),
    Fault("CommitmentDiscountCategory-C-005-M", 1, {"CommitmentDiscountCategory": "Money"}),
    Fault("CommitmentDiscountStatus-C-005-M", 2, {"CommitmentDiscountStatus": "Active"}),
    Fault("CapacityReservationStatus-C-006-M", 31, {"CapacityReservationStatus": "Reserved"}),
    Fault("ListUnitPrice-C-008-M", 52, {"ListUnitPrice": "-1", "ListCost": "-1", "PricingQuantity": "1"}),
    Fault("ContractedUnitPrice-C-009-C", 53, {"ContractedUnitPrice": "-1"}),
    Fault("PricingCurrencyListUnitPrice-C-008-M", 54, {"PricingCurrencyListUnitPrice": "-1"}),
    Fault("ListUnitPrice-C-010-C", 55, {"ListCost": "123456.5"}),
    Fault("ListCost-C-009-C", 56, {"ListCost": "654321.5"}),
    Fault("ContractedUnitPrice-C-011-C", 57, {"ContractedCost": "123456.5"}),
    Fault("BilledCost-C-005-C", 58, {"InvoiceIssuerName": "Somebody Else"}),
    Fault("EffectiveCost-C-005-C", 0, {"EffectiveCost": "1"}),
    Fault("EffectiveCost-C-010-C", 26, {"EffectiveCost": "1"}),
    Fault("ListCost-C-008-C", 126, {"ListCost": "1"}),
    Fault("SkuPriceId-C-008-M", 6, {"SkuId": "SKU-999999", "SkuMeter": "Another"}),
    Fault("BillingCurrency-C-006-M", 60, {"BillingCurrency": "EURO"}),
    Fault("PricingUnit-C-003-O", 61, {"PricingUnit": "hrs"}),
    Fault("ConsumedUnit-C-003-O", 62, {"ConsumedUnit": "gigabytes"}),
)
NULLS = (
    Fault("BilledCost-C-003-M", 43, {"BilledCost": ""}),
    Fault("BillingAccountId-C-001-M", 44, {"BillingAccountId": ""}),
    Fault("BillingAccountName-C-003-C", 45, {"BillingAccountName": ""}),
    Fault("BillingAccountType-C-005-C", 46, {"BillingAccountType": ""}),
    Fault("BillingCurrency-C-004-M", 47, {"BillingCurrency": ""}),
    Fault("BillingPeriodStart-C-003-M", 48, {"BillingPeriodStart": ""}),
    Fault("BillingPeriodEnd-C-003-M", 49, {"BillingPeriodEnd": ""}),
    Fault("ChargeCategory-C-002-M", 50, {"ChargeCategory": ""}),
    Fault("ChargeFrequency-C-002-M", 51, {"ChargeFrequency": ""}),
    Fault("ChargePeriodStart-C-003-M", 52, {"ChargePeriodStart": ""}),
    Fault("ChargePeriodEnd-C-003-M", 53, {"ChargePeriodEnd": ""}),
    Fault("ChargeDescription-C-003-O", 54, {"ChargeDescription": ""}),
    Fault("CommitmentDiscountName-C-004-C", 55, {"CommitmentDiscountName": "A plan"}),
    Fault("CommitmentDiscountType-C-004-C", 56, {"CommitmentDiscountType": "Plan"}),
    Fault("CommitmentDiscountType-C-005-C", 1, {"CommitmentDiscountType": ""}),
    Fault("CommitmentDiscountCategory-C-003-C", 57, {"CommitmentDiscountCategory": "Usage"}),
    Fault("CommitmentDiscountCategory-C-004-C", 2, {"CommitmentDiscountCategory": ""}),
    Fault("CommitmentDiscountStatus-C-003-C", 58, {"CommitmentDiscountStatus": "Used"}),
    Fault("CommitmentDiscountStatus-C-004-C", 3, {"CommitmentDiscountStatus": ""}),
    Fault("CommitmentDiscountQuantity-C-005-C", 4, {"CommitmentDiscountQuantity": "", "CommitmentDiscountUnit": ""}),
    Fault(
        "CommitmentDiscountQuantity-C-007-C", 59, {"CommitmentDiscountQuantity": "1", "CommitmentDiscountUnit": "Hours"}
    ),
    Fault("CommitmentDiscountUnit-C-005-C", 60, {"CommitmentDiscountUnit": "Hours"}),
    Fault("CommitmentDiscountUnit-C-006-C", 5, {"CommitmentDiscountUnit": ""}),
    Fault("CapacityReservationStatus-C-003-C", 61, {"CapacityReservationStatus": "Used"}),
    Fault("CapacityReservationStatus-C-004-C", 31, {"CapacityReservationStatus": ""}),
    Fault("CapacityReservationId-C-005-C", 30, {"CapacityReservationId": ""}),
    Fault("ConsumedQuantity-C-004-C", 15, {"ConsumedQuantity": "1", "ConsumedUnit": "Hours"}),
    Fault("ConsumedQuantity-C-006-C", 62, {"ConsumedQuantity": "", "ConsumedUnit": ""}),
    Fault("ConsumedUnit-C-005-C", 63, {"ConsumedQuantity": ""}),
    Fault("ConsumedUnit-C-006-C", 64, {"ConsumedUnit": ""}),
    Fault("ContractedCost-C-003-M", 65, {"ContractedCost": ""}),
    Fault("ContractedUnitPrice-C-005-C", 25, {"ContractedUnitPrice": "1"}),
    Fault("ContractedUnitPrice-C-006-C", 66, {"ContractedUnitPrice": ""}),
    Fault("EffectiveCost-C-003-M", 67, {"EffectiveCost": ""}),
    Fault("InvoiceIssuerName-C-003-M", 68, {"InvoiceIssuerName": ""}),
    Fault("ListCost-C-003-M", 69, {"ListCost": ""}),
    Fault("ListUnitPrice-C-004-C", 125, {"ListUnitPrice": "1"}),
    Fault("ListUnitPrice-C-005-C", 70, {"ListUnitPrice": ""}),
    Fault("PricingCategory-C-003-C", 25, {"PricingCategory": "Standard"}),
    Fault("PricingCategory-C-004-C", 71, {"PricingCategory": ""}),
    Fault("PricingCurrency-C-004-M", 72, {"PricingCurrency": ""}),
    Fault("PricingCurrencyEffectiveCost-C-003-M", 73, {"PricingCurrencyEffectiveCost": ""}),
    Fault("PricingCurrencyListUnitPrice-C-004-C", 25, {"PricingCurrencyListUnitPrice": "1"}),
    Fault("PricingCurrencyListUnitPrice-C-005-C", 74, {"PricingCurrencyListUnitPrice": ""}),
    Fault("PricingQuantity-C-004-C", 125, {"PricingQuantity": "1", "PricingUnit": "Hours"}),
    Fault("PricingQuantity-C-005-C", 75, {"PricingQuantity": "", "PricingUnit": ""}),
    Fault("PricingUnit-C-005-C", 76, {"PricingQuantity": ""}),
    Fault("PricingUnit-C-006-C", 77, {"PricingUnit": ""}),
    Fault("ProviderName-C-003-M", 78, {"ProviderName": ""}),
    Fault("PublisherName-C-003-M", 79, {"PublisherName": ""}),
    Fault("RegionName-C-004-C", 80, {"RegionId": ""}),
    Fault("RegionName-C-005-C", 81, {"RegionName": ""}),
    Fault("ResourceType-C-004-C", 82, {"ResourceId": "", "ResourceName": ""}),
    Fault("ResourceType-C-005-C", 83, {"ResourceType": ""}),
    Fault("ServiceCategory-C-002-M", 84, {"ServiceCategory": ""}),
    Fault("ServiceName-C-003-M", 85, {"ServiceName": ""}),
    Fault("ServiceSubcategory-C-002-M", 86, {"ServiceSubcategory": ""}),
    Fault("SkuId-C-004-C", 25, {"SkuId": "SKU-000001"}),
    Fault("SkuId-C-005-C", 87, {"SkuId": "", "SkuMeter": "", "SkuPriceId": "", "SkuPriceDetails": ""}),
    Fault("SkuMeter-C-004-C", 88, {"SkuId": "", "SkuPriceId": "", "SkuPriceDetails": ""}),
    Fault("SkuMeter-C-005-C", 89, {"SkuMeter": ""}),
    Fault("SkuPriceDetails-C-004-C", 90, {"SkuPriceId": ""}),
    Fault("SkuPriceId-C-004-C", 25, {"SkuPriceId": "PRICE-000001"}),
    Fault("SkuPriceId-C-005-C", 91, {"SkuPriceId": "", "SkuPriceDetails": ""}),
    Fault("SubAccountName-C-004-C", 192, {"SubAccountId": "", "SubAccountType": ""}),
    Fault("SubAccountName-C-005-C", 193, {"SubAccountName": ""}),
    Fault("SubAccountType-C-004-C", 196, {"SubAccountId": "", "SubAccountName": ""}),
    Fault("SubAccountType-C-005-C", 195, {"SubAccountType": ""}),
)
# One odd cell changes how the official validator reads the whole column, so these have a file of their own.
FORMATS = (
    Fault("BilledCost-C-002-M", 43, {"BilledCost": "1,5"}),
    Fault("ListCost-C-002-M", 44, {"ListCost": "$1"}),
    Fault("BillingPeriodStart-C-002-M", 45, {"BillingPeriodStart": "2025-09-01"}),
    Fault("ChargePeriodStart-C-002-M", 46, {"ChargePeriodStart": "2025-09-01 00:00:00"}),
    Fault("ChargePeriodEnd-C-002-M", 47, {"ChargePeriodEnd": "2025-10-01T00:00:00+02:00"}),
    Fault("Tags-C-001-M", 48, {"Tags": "team=blue"}),
    Fault("SkuPriceDetails-C-001-M", 49, {"SkuPriceDetails": '{"a":{"b":1}}'}),
    Fault("BillingCurrency-C-006-M", 50, {"BillingCurrency": "€"}),
)
# No fault at all: ids may be of digits only.
DIGITS = tuple(
    Fault("", row, {"BillingAccountId": "100200300", "BillingAccountName": "Account"}) for row in range(ROWS)
)
FILES = {"sound": (), "values": VALUES, "nulls": NULLS, "formats": FORMATS, "digits": DIGITS}


def plant(faults: Iterable[Fault], sound: Path, target: Path) -> Path:
    """A copy of a CSV file with the faults in it."""
    with sound.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for fault in faults:
        rows[fault.row].update(fault.cells)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return target
