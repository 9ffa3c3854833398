"""The reference scenario's Snowflake bill: one day of compute, cloud services, and the part that compute includes."""

from __future__ import annotations

from decimal import Decimal

RATE = Decimal("3.00")
COLUMNS = [
    "ORGANIZATION_NAME",
    "CONTRACT_NUMBER",
    "ACCOUNT_NAME",
    "ACCOUNT_LOCATOR",
    "REGION",
    "SERVICE_LEVEL",
    "USAGE_DATE",
    "USAGE_TYPE",
    "USAGE",
    "CURRENCY",
    "USAGE_IN_CURRENCY",
    "BALANCE_SOURCE",
    "BILLING_TYPE",
    "RATING_TYPE",
    "SERVICE_TYPE",
    "IS_ADJUSTMENT",
]
# (usage type, credits, service type, adjustment); the adjustment is 10 % of the day's compute credits.
LINES = (
    ("COMPUTE", "70.000", "WAREHOUSE_METERING", "FALSE"),
    ("CLOUD SERVICES", "22.000", "CLOUD_SERVICES", "FALSE"),
    ("ADJ FOR INCL CLOUD SERVICES", "-7.000", "CLOUD_SERVICES", "TRUE"),
)


def daily() -> list[list[str]]:
    """Header and lines of USAGE_IN_CURRENCY_DAILY."""
    return [COLUMNS, *(_line(*line) for line in LINES)]


def _line(usage_type: str, credits: str, service: str, adjustment: str) -> list[str]:
    place = ["EXAMPLE", "90000042", "PRODUCTION", "XY12345", "AWS_US_EAST_1", "ENTERPRISE", "2026-01-24"]
    money = f"{(Decimal(credits) * RATE):.2f}"
    return [*place, usage_type, credits, "USD", money, "CAPACITY", "CONSUMPTION", "COMPUTE", service, adjustment]
