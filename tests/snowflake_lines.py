"""One month of Snowflake with every kind of line, and the views beside it. Made up, like real statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bills import SNOWFLAKE
from tests.mapped import write_csv
from tests.snowflake_views import view

Line = Mapping[str, str]
CREDITS: Line = {"RATING_TYPE": "COMPUTE"}
OVERAGE: Line = {"BALANCE_SOURCE": "OVERAGE"}


def line(usage_type: str, service: str, usage: str, money: str, *more: Line) -> Line:
    """A line of that service, changed."""
    merged: dict[str, str] = {**SNOWFLAKE, "USAGE_TYPE": usage_type, "SERVICE_TYPE": service}
    merged |= {"USAGE": usage, "USAGE_IN_CURRENCY": money}
    for one in more:
        merged |= one
    return merged


EVERY_KIND: Sequence[Line] = (
    line("COMPUTE", "WAREHOUSE_METERING", "28.408", "53.98"),
    line("overage-compute", "WAREHOUSE_METERING", "74.129", "148.26", OVERAGE),
    line(
        "compute",
        "warehouse_metering",
        "1.000",
        "1.90",
        {"BILLING_TYPE": "consumption", "RATING_TYPE": "compute"},
        {"USAGE_DATE": "2026-01-26"},
    ),
    line("CLOUD SERVICES", "CLOUD_SERVICES", "0.068", "0.13"),
    line("ADJ FOR INCL CLOUD SERVICES", "WAREHOUSE_METERING", "-0.068", "-0.13", {"IS_ADJUSTMENT": "TRUE"}),
    line("SNOWPIPE", "PIPE", "0.001", "0.00"),
    line("STORAGE", "STORAGE", "0.138", "5.50", {"RATING_TYPE": "STORAGE"}),
    line("DATA TRANSFER", "DATA_TRANSFER", "0.020", "0.40", {"RATING_TYPE": "DATA_TRANSFER"}),
    line(
        "AI INFERENCE", "AI_INFERENCE", "3.000", "6.00", {"RATING_TYPE": "AI_INFERENCE", "BALANCE_SOURCE": "FREE USAGE"}
    ),
    line("reader compute", "WAREHOUSE_METERING", "2.000", "3.80", {"ACCOUNT_NAME": "READER", "ACCOUNT_LOCATOR": "RD1"}),
    line("SOMETHING NEW", "SOMETHING_NEW", "1.000", "2.00", {"RATING_TYPE": "QUANTUM", "BALANCE_SOURCE": "ROLLOVER"}),
    line(
        "PRIORITY SUPPORT",
        "PRIORITY_SUPPORT",
        "0",
        "500.00",
        {"BILLING_TYPE": "PRIORITY SUPPORT", "RATING_TYPE": "OTHER"},
    ),
    line("VPS DEPLOYMENT FEE", "", "1", "1000.00", {"BILLING_TYPE": "VPS_DEPLOYMENT_FEE", "RATING_TYPE": "OTHER"}),
    line("REBATE", "WAREHOUSE_METERING", "0", "-10.00", {"BILLING_TYPE": "REBATE", "BALANCE_SOURCE": "REBATE"}),
    line("SUPPORT CREDIT", "SUPPORT_CREDIT", "0", "-25.00", {"BILLING_TYPE": "SUPPORT_CREDIT"}),
    line(
        "COMPUTE",
        "WAREHOUSE_METERING",
        "4.000",
        "9.20",
        {"ACCOUNT_NAME": "GOV", "ACCOUNT_LOCATOR": "GV1", "REGION": "AZURE_USGOVVIRGINIA"},
    ),
    line("COMPUTE", "WAREHOUSE_METERING", "5.000", "11.50", {"ACCOUNT_NAME": "EU", "REGION": "GCP_EUROPE_WEST2"}),
    line("overage-automatic clustering", "", "0.500", "1.00", OVERAGE, {"RATING_TYPE": "", "BILLING_TYPE": ""}),
)
RATES: Sequence[Line] = (
    {"EFFECTIVE_RATE": "1.90"},
    {"EFFECTIVE_RATE": "2.00", "USAGE_TYPE": "overage-compute"},
    {"EFFECTIVE_RATE": "1.90", "USAGE_TYPE": "CLOUD SERVICES", "SERVICE_TYPE": "CLOUD_SERVICES"},
    {"EFFECTIVE_RATE": "1.90", "USAGE_TYPE": "ADJ FOR INCL CLOUD SERVICES", "IS_ADJUSTMENT": "TRUE"},
    {"EFFECTIVE_RATE": "40.00", "USAGE_TYPE": "STORAGE", "SERVICE_TYPE": "STORAGE", "RATING_TYPE": "STORAGE"},
    {"EFFECTIVE_RATE": "2.30", "ACCOUNT_LOCATOR": "GV1", "REGION": "AZURE_USGOVVIRGINIA"},
)


def every_kind(folder: Path) -> tuple[Path, list[Path]]:
    """The bill, and its rate sheet and contract."""
    beside = [view(folder / "rates.csv", "snowflake_rates", *RATES), view(folder / "items.csv", "snowflake_contracts")]
    return write_csv(folder / "usage.csv", EVERY_KIND), beside
