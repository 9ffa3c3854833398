"""Small unloads of Snowflake's views, as CSV or with the views' own types as Parquet. Made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from tests.mapped import write_csv

ORGANIZATION: Mapping[str, str] = {
    "ORGANIZATION_NAME": "EXAMPLE",
    "CONTRACT_NUMBER": "9",
    "ACCOUNT_NAME": "PRODUCTION",
    "ACCOUNT_LOCATOR": "XY12345",
    "REGION": "AWS_US_EAST_1",
}
HOUR: Mapping[str, str] = {"START_TIME": "2026-01-24 01:00:00.000 Z", "END_TIME": "2026-01-24 02:00:00.000 Z"}
WAREHOUSE: Mapping[str, str] = {"WAREHOUSE_ID": "7", "WAREHOUSE_NAME": "LOADING"}
# One line of each view, by the table that it fills; an account's own views do not name the account.
VIEWS: Mapping[str, Mapping[str, str]] = {
    "snowflake_rates": {
        "DATE": "2026-01-24",
        **ORGANIZATION,
        "SERVICE_LEVEL": "ENTERPRISE",
        "USAGE_TYPE": "COMPUTE",
        "CURRENCY": "USD",
        "EFFECTIVE_RATE": "3.00",
        "SERVICE_TYPE": "WAREHOUSE_METERING",
        "RATING_TYPE": "COMPUTE",
        "BILLING_TYPE": "CONSUMPTION",
        "IS_ADJUSTMENT": "FALSE",
    },
    "snowflake_metering": {
        "SERVICE_TYPE": "WAREHOUSE_METERING",
        "USAGE_DATE": "2026-01-24",
        "CREDITS_USED_COMPUTE": "70",
        "CREDITS_USED_CLOUD_SERVICES": "8",
        "CREDITS_USED": "78",
        "CREDITS_ADJUSTMENT_CLOUD_SERVICES": "-7",
        "CREDITS_BILLED": "71",
    },
    "snowflake_warehouses": {
        **HOUR,
        **WAREHOUSE,
        "CREDITS_USED": "1.5",
        "CREDITS_USED_COMPUTE": "1.25",
        "CREDITS_USED_CLOUD_SERVICES": "0.25",
        "CREDITS_ATTRIBUTED_COMPUTE_QUERIES": "1",
    },
    "snowflake_queries": {
        "QUERY_ID": "01b",
        **HOUR,
        **WAREHOUSE,
        "QUERY_TAG": "etl",
        "USER_NAME": "LOADER",
        "CREDITS_ATTRIBUTED_COMPUTE": "1e-05",
        "CREDITS_USED_QUERY_ACCELERATION": "",
    },
    "snowflake_tags": {
        "TAG_DATABASE": "GOVERNANCE",
        "TAG_SCHEMA": "TAGS",
        "TAG_ID": "1",
        "TAG_NAME": "COST_CENTER",
        "TAG_VALUE": "42",
        "OBJECT_DATABASE": "",
        "OBJECT_SCHEMA": "",
        "OBJECT_ID": "7",
        "OBJECT_NAME": "LOADING",
        "OBJECT_DELETED": "",
        "DOMAIN": "WAREHOUSE",
        "COLUMN_ID": "",
        "COLUMN_NAME": "",
    },
    "snowflake_storage": {
        "USAGE_DATE": "2026-01-24",
        "STORAGE_BYTES": "1099511627776",
        "STAGE_BYTES": "10",
        "FAILSAFE_BYTES": "20",
        "HYBRID_TABLE_STORAGE_BYTES": "",
    },
    "snowflake_databases": {
        "USAGE_DATE": "2026-01-24",
        "DATABASE_ID": "3",
        "DATABASE_NAME": "SHOP",
        "DELETED": "",
        "AVERAGE_DATABASE_BYTES": "1.5e15",
        "AVERAGE_FAILSAFE_BYTES": "0.6",
        "AVERAGE_HYBRID_TABLE_STORAGE_BYTES": "0",
    },
    "snowflake_contracts": {
        "ORGANIZATION_NAME": "EXAMPLE",
        "CONTRACT_NUMBER": "9",
        "START_DATE": "2025-07-01",
        "END_DATE": "2026-06-30",
        "EXPIRATION_DATE": "2026-06-30",
        "CONTRACT_ITEM": "capacity",
        "CURRENCY": "USD",
        "AMOUNT": "100000.00",
        "CONTRACT_MODIFIED_DATE": "2025-06-15",
    },
    "snowflake_balances": {
        "DATE": "2026-01-24",
        "ORGANIZATION_NAME": "EXAMPLE",
        "CONTRACT_NUMBER": "9",
        "CURRENCY": "USD",
        "FREE_USAGE_BALANCE": "0.00",
        "CAPACITY_BALANCE": "61234.56",
        "ON_DEMAND_CONSUMPTION_BALANCE": "-12.34",
        "ROLLOVER_BALANCE": "5.00",
    },
}
TYPES: Mapping[str, str] = {
    **dict.fromkeys(("DATE", "USAGE_DATE", "START_DATE", "END_DATE", "EXPIRATION_DATE"), "DATE"),
    **dict.fromkeys(("START_TIME", "END_TIME", "DELETED", "OBJECT_DELETED"), "TIMESTAMPTZ"),
    **dict.fromkeys(("AVERAGE_DATABASE_BYTES", "AVERAGE_FAILSAFE_BYTES", "CREDITS_ATTRIBUTED_COMPUTE"), "DOUBLE"),
    **dict.fromkeys(("CREDITS_USED", "CREDITS_USED_COMPUTE", "CREDITS_USED_CLOUD_SERVICES"), "DECIMAL(38, 9)"),
    **dict.fromkeys(("EFFECTIVE_RATE", "USAGE_IN_CURRENCY", "AMOUNT", "CAPACITY_BALANCE"), "DECIMAL(38, 2)"),
    **dict.fromkeys(("WAREHOUSE_ID", "DATABASE_ID", "OBJECT_ID", "STORAGE_BYTES"), "DECIMAL(38, 0)"),
    "IS_ADJUSTMENT": "BOOLEAN",
    "CONTRACT_MODIFIED_DATE": "DATE",
    "USAGE": "DECIMAL(38, 3)",
}


def view(path: Path, table: str, *changes: Mapping[str, str], drop: tuple[str, ...] = ()) -> Path:
    """An unload of the view that fills that table: its line, once for each way in which it is changed."""
    lines = [{**VIEWS[table], **change} for change in changes or ({},)]
    kept = [{name: value for name, value in line.items() if name not in drop} for line in lines]
    return write_csv(path, kept) if path.suffix == ".csv" else write_parquet(path, kept)


def write_parquet(path: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    """The same lines with the views' types; blank is null."""
    names = list(lines[0])
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        kinds = ", ".join(f'"{name}" {TYPES.get(name, "VARCHAR")}' for name in names)
        connection.execute(f"CREATE TABLE unload ({kinds})")
        for line in lines:
            values = [str(value).replace(" Z", "+00") or None for value in line.values()]
            connection.execute(f"INSERT INTO unload VALUES ({', '.join('?' * len(values))})", values)
        connection.execute(f"COPY unload TO '{path}' (FORMAT parquet)")
    return path
