"""A source of Snowflake and a small month of its usage, for tests that ask a stand-in through the real connector."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.delivery import Period
from tests.servers.snowflake import Account

MONTH = Period(2026, 1)
NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
USAGE = "ORGANIZATION_USAGE.USAGE_IN_CURRENCY_DAILY"
RATES = "ORGANIZATION_USAGE.RATE_SHEET_DAILY"
METERING = "ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY"
QUERIES = "ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY"
WHO: Mapping[str, str] = {
    "ORGANIZATION_NAME": "EXAMPLE", "CONTRACT_NUMBER": "90000042", "ACCOUNT_NAME": "PRODUCTION",
    "ACCOUNT_LOCATOR": "XY12345", "REGION": "AWS_US_EAST_1", "SERVICE_LEVEL": "ENTERPRISE",
}  # fmt: skip
COMPUTE: Mapping[str, Any] = {
    **WHO, "USAGE_DATE": "2026-01-24", "USAGE_TYPE": "COMPUTE", "USAGE": "70.000", "CURRENCY": "USD",
    "USAGE_IN_CURRENCY": "210.00", "BALANCE_SOURCE": "CAPACITY", "BILLING_TYPE": "CONSUMPTION",
    "RATING_TYPE": "COMPUTE", "SERVICE_TYPE": "WAREHOUSE_METERING", "IS_ADJUSTMENT": "FALSE",
}  # fmt: skip
RATE: Mapping[str, Any] = {
    **WHO, "DATE": "2026-01-24", "USAGE_TYPE": "COMPUTE", "CURRENCY": "USD", "EFFECTIVE_RATE": "3.00",
    "SERVICE_TYPE": "WAREHOUSE_METERING", "RATING_TYPE": "COMPUTE", "BILLING_TYPE": "CONSUMPTION",
    "IS_ADJUSTMENT": "FALSE",
}  # fmt: skip
HOUR: Mapping[str, Any] = {
    "START_TIME": "2026-01-24 01:00:00+00", "WAREHOUSE_ID": "7", "WAREHOUSE_NAME": "LOADING", "CREDITS_USED": "1.5",
    "CREDITS_USED_COMPUTE": "1.25", "CREDITS_USED_CLOUD_SERVICES": "0.25",
}  # fmt: skip
SOURCE = """
[sources.main]
provider = "snowflake"
location = "snowflake:"
account_identifier = "{account}"
user = "LEDGER"
role = "LEDGER"
warehouse = "LEDGER_WH"
auth = "{auth}"
{more}
"""


def usage(**other: Any) -> dict[str, Any]:
    return {**COMPUTE, **other}


def insert(account: Account, view: str, *rows: Mapping[str, Any]) -> None:
    for row in rows:
        values = ", ".join(f"'{value}' AS \"{name}\"" for name, value in row.items())
        account.run(f"INSERT INTO SNOWFLAKE.{view} BY NAME SELECT {values}")


def settings(path: Path, account: Account, more: str = "", auth: str = "password") -> Path:
    path.write_text(SOURCE.format(account=account.name, auth=auth, more=more), encoding="utf-8")
    return path
