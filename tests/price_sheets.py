"""Small price sheets in the columns of both agreements. Made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.mapped import write_csv

METER = "00000000-0000-0000-0000-000000000001"
COMMON: Mapping[str, str] = {
    "MeterName": "B2s",
    "MeterType": "1 Compute Hour",
    "MeterCategory": "Virtual Machines",
    "MeterSubCategory": "B Series",
    "ServiceFamily": "Compute",
    "Product": "Virtual Machines B Series - B2s",
    "MeterRegion": "EU West",
    "UnitOfMeasure": "1 Hour",
    "EffectiveStartDate": "2026-01-01T00:00:00.0000000Z",
    "EffectiveEndDate": "2026-01-31T23:59:59.0000000Z",
    "UnitPrice": "0.09",
    "BasePrice": "0.11",
    "MarketPrice": "0.12",
    "Term": "",
    "PriceType": "Consumption",
}
EA: Mapping[str, str] = {
    "EnrollmentNumber": "70000042",
    "MeterID": METER,
    "SkuID": "0015",
    "ProductID": "DZH318Z0BQF7",
    "PartNumber": "AAH-1",
    "CurrencyCode": "USD",
    "IncludedQuantity": "0",
    "OfferID": "MS-AZR-0017P",
    **COMMON,
}
MCA: Mapping[str, str] = {
    "BillingAccountId": "70000042",
    "BillingAccountName": "Example",
    "BillingProfileId": "AAAA-BBBB",
    "BillingProfileName": "Example",
    "ProductId": "DZH318Z0BQF7",
    "SkuId": "0015",
    "MeterId": METER,
    "TierMinimumUnits": "0",
    "Currency": "USD",
    "BillingCurrency": "USD",
    **COMMON,
}


def price_sheet(path: Path, *changes: Mapping[str, str], base: Mapping[str, str] = EA) -> Path:
    """A sheet with one line for each way in which the base line is changed."""
    return write_csv(path, [{**base, **change} for change in changes or ({},)], "utf-8-sig")
