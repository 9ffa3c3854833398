"""Snowflake's billing views for one month: the bill, its rates, balances and contract, and what the money was used for.

An organization of many accounts in several regions and clouds, of which some are reader accounts. Its capacity is used
up in the month: later usage is overage, at the higher rate. The credits of the bill are those of the warehouses, cloud
services are billed beyond a tenth of the day's compute, and every line keeps the arithmetic of the real views: USAGE of
three decimals, money and rate of two, rounded half up. `restated` tells some usage of the last days late.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).parent
ORGANIZATION, CONTRACT, CURRENCY = "EXAMPLE", "90000042", "USD"
LINES = 13  # of an account and day
SUPPORT_FEE, REBATE, CAPACITY = "25.00", "-12.50", "500000.00"
WHO = f"'{ORGANIZATION}' AS ORGANIZATION_NAME, '{CONTRACT}' AS CONTRACT_NUMBER"
PLACE = "account_name AS ACCOUNT_NAME, locator AS ACCOUNT_LOCATOR, region AS REGION"
NAMED = f"'{ORGANIZATION}' AS ORGANIZATION_NAME, {PLACE}"
CREDITS = "CAST(CAST({} AS DECIMAL(28, 0)) * CAST('0.000000001' AS DECIMAL(10, 9)) AS DECIMAL(38, 9))"
COMPUTE, CLOUD, ATTRIBUTED = (CREDITS.format(name) for name in ("compute", "cloud", "attributed"))
# A warehouse runs 24 hours a day; the first hour has what does not divide.
HOUR = "{0} // 24 + CASE hour WHEN 0 THEN {0} % 24 ELSE 0 END"

USAGE = f"""
    SELECT {WHO}, {PLACE}, service_level AS SERVICE_LEVEL, date AS USAGE_DATE, usage_type AS USAGE_TYPE,
        CAST(usage AS DECIMAL(38, 3)) AS USAGE, '{CURRENCY}' AS CURRENCY, money AS USAGE_IN_CURRENCY,
        balance AS BALANCE_SOURCE, billing_type AS BILLING_TYPE, rating_type AS RATING_TYPE,
        service_type AS SERVICE_TYPE, is_adjustment AS IS_ADJUSTMENT
    FROM billed
    UNION ALL BY NAME
    SELECT {WHO}, {PLACE}, service_level AS SERVICE_LEVEL, date AS USAGE_DATE, usage_type AS USAGE_TYPE,
        CAST(0 AS DECIMAL(38, 3)) AS USAGE, '{CURRENCY}' AS CURRENCY, CAST(fee AS DECIMAL(38, 2)) AS USAGE_IN_CURRENCY,
        balance AS BALANCE_SOURCE, billing_type AS BILLING_TYPE, 'OTHER' AS RATING_TYPE, service AS SERVICE_TYPE,
        false AS IS_ADJUSTMENT
    FROM account, calendar, (VALUES
        ('PRIORITY SUPPORT', '{SUPPORT_FEE}', 'CAPACITY', 'PRIORITY SUPPORT', 'SUPPORT'),
        ('REBATE', '{REBATE}', 'REBATE', 'REBATE', 'REBATE')
    ) AS fees(usage_type, fee, balance, billing_type, service)
    WHERE account = 0 AND (usage_type = 'PRIORITY SUPPORT' OR day = {{days}} - 1)
    ORDER BY USAGE_DATE, ACCOUNT_NAME, REGION, USAGE_TYPE, BALANCE_SOURCE"""

RATES = f"""
    SELECT date AS DATE, {WHO}, {PLACE}, service_level AS SERVICE_LEVEL, usage_type AS USAGE_TYPE,
        '{CURRENCY}' AS CURRENCY, CAST(rate AS DECIMAL(38, 2)) AS EFFECTIVE_RATE, service_type AS SERVICE_TYPE,
        rating_type AS RATING_TYPE, billing_type AS BILLING_TYPE, is_adjustment AS IS_ADJUSTMENT
    FROM billed ORDER BY DATE, ACCOUNT_NAME, REGION, USAGE_TYPE"""

BALANCES = f"""
    SELECT date AS DATE, {WHO}, '{CURRENCY}' AS CURRENCY, CAST(0 AS DECIMAL(38, 2)) AS FREE_USAGE_BALANCE,
        CAST({CAPACITY} - sum(drawn) OVER days AS DECIMAL(38, 2)) AS CAPACITY_BALANCE,
        CAST(-sum(due) OVER days AS DECIMAL(38, 2)) AS ON_DEMAND_CONSUMPTION_BALANCE,
        CAST(sum(rolled) OVER () - sum(rolled) OVER days AS DECIMAL(38, 2)) AS ROLLOVER_BALANCE
    FROM (
        SELECT date, coalesce(sum(money) FILTER (balance = 'CAPACITY'), 0) AS drawn,
            coalesce(sum(money) FILTER (balance = 'OVERAGE'), 0) AS due,
            coalesce(sum(money) FILTER (balance = 'ROLLOVER'), 0) AS rolled
        FROM billed GROUP BY date
    ) WINDOW days AS (ORDER BY date) ORDER BY DATE"""

CONTRACT_ITEMS = f"""
    SELECT {WHO}, CAST(DATE '{{start}}' - INTERVAL 5 MONTH AS DATE) AS START_DATE,
        CAST(DATE '{{start}}' + INTERVAL 7 MONTH AS DATE) AS END_DATE, END_DATE AS EXPIRATION_DATE,
        item AS CONTRACT_ITEM, '{CURRENCY}' AS CURRENCY, CAST(amount AS DECIMAL(38, 2)) AS AMOUNT,
        START_DATE AS CONTRACT_MODIFIED_DATE
    FROM (VALUES ('CAPACITY', '{CAPACITY}'), ('FREE USAGE', '400.00')) AS items(item, amount)
    ORDER BY CONTRACT_ITEM"""

METERING = f"""
    SELECT 'WAREHOUSE_METERING' AS SERVICE_TYPE, {NAMED}, date AS USAGE_DATE,
        {CREDITS.format("1000000 * compute")} AS CREDITS_USED_COMPUTE,
        {CREDITS.format("1000000 * cloud")} AS CREDITS_USED_CLOUD_SERVICES,
        CREDITS_USED_COMPUTE + CREDITS_USED_CLOUD_SERVICES AS CREDITS_USED,
        {CREDITS.format("1000000 * included")} AS CREDITS_ADJUSTMENT_CLOUD_SERVICES,
        CREDITS_USED + CREDITS_ADJUSTMENT_CLOUD_SERVICES AS CREDITS_BILLED
    FROM total JOIN account USING (account) ORDER BY USAGE_DATE, ACCOUNT_NAME, REGION"""

WAREHOUSES = f"""
    SELECT {{time}} AS START_TIME, {{time}} + INTERVAL {{hours}} HOUR AS END_TIME, {NAMED},
        CAST(warehouse_id AS BIGINT) AS WAREHOUSE_ID, warehouse_name AS WAREHOUSE_NAME,
        {CREDITS.format("compute + cloud")} AS CREDITS_USED, {COMPUTE} AS CREDITS_USED_COMPUTE,
        {CLOUD} AS CREDITS_USED_CLOUD_SERVICES, {ATTRIBUTED} AS CREDITS_ATTRIBUTED_COMPUTE_QUERIES
    FROM ({{source}}) JOIN account USING (account) ORDER BY START_TIME, ACCOUNT_NAME, REGION, WAREHOUSE_ID"""
HOURLY = (
    "SELECT * REPLACE ("
    + ", ".join(f"{HOUR.format(name)} AS {name}" for name in ("compute", "cloud", "attributed"))
    + ") FROM warehouse_day, (SELECT hour FROM range(24) AS numbers(hour))"
)

# Each warehouse has three kinds of queries; the last takes what is left, so that they sum to the attributed credits.
QUERIES = f"""
    SELECT 'q-' || account || '-' || day || '-' || w || '-' || kind AS QUERY_ID, {PLACE},
        CAST(warehouse_id AS BIGINT) AS WAREHOUSE_ID, warehouse_name AS WAREHOUSE_NAME,
        ['nightly', 'dashboard', ''][1 + kind] AS QUERY_TAG, ['LOADER', 'ANALYST', 'ANALYST'][1 + kind] AS USER_NAME,
        timezone('UTC', CAST(date AS TIMESTAMP)) + INTERVAL (6 + kind) HOUR AS START_TIME,
        START_TIME + INTERVAL 5 MINUTE AS END_TIME,
        CAST(CASE kind WHEN 2 THEN attributed - attributed // 2 - attributed // 5 WHEN 1 THEN attributed // 5
            ELSE attributed // 2 END AS DOUBLE) / 1e9 AS CREDITS_ATTRIBUTED_COMPUTE,
        CAST(0 AS DOUBLE) AS CREDITS_USED_QUERY_ACCELERATION
    FROM warehouse_day JOIN account USING (account), (SELECT kind FROM range(3) AS numbers(kind))
    WHERE attributed > 0 ORDER BY START_TIME, ACCOUNT_NAME, REGION, WAREHOUSE_ID, QUERY_ID"""

TAGS = f"""
    SELECT 'GOVERNANCE' AS TAG_DATABASE, 'TAGS' AS TAG_SCHEMA, tag_id AS TAG_ID, tag AS TAG_NAME, value AS TAG_VALUE,
        CAST(id AS BIGINT) AS OBJECT_ID, name AS OBJECT_NAME, CAST(NULL AS TIMESTAMPTZ) AS OBJECT_DELETED,
        domain AS DOMAIN, {PLACE}
    FROM (
        SELECT account, account * 10 + w + 1 AS id, ['ETL_WH', 'BI_WH', 'ADHOC_WH', 'ML_WH'][1 + w] AS name,
            'WAREHOUSE' AS domain, 1 AS tag_id, 'ENVIRONMENT' AS tag,
            CASE WHEN w = 2 THEN 'Development' ELSE 'Production' END AS value
        FROM account, (SELECT CAST(w AS INTEGER) AS w FROM range(4) AS numbers(w))
        UNION ALL SELECT account, account * 10 + 1, 'ETL_WH', 'WAREHOUSE', 2, 'TEAM', 'data' FROM account
        UNION ALL SELECT account, account * 10 + d, 'DB_' || d, 'DATABASE', 1, 'ENVIRONMENT', 'Production'
            FROM account, range(2) AS numbers(d)
    ) JOIN account USING (account) ORDER BY ACCOUNT_NAME, REGION, DOMAIN, OBJECT_ID, TAG_NAME"""

STORAGE = f"""
    SELECT date AS USAGE_DATE, {PLACE}, CAST(bytes * 9 // 10 AS BIGINT) AS STORAGE_BYTES,
        CAST(bytes - bytes * 9 // 10 - bytes // 50 AS BIGINT) AS STAGE_BYTES,
        CAST(bytes // 50 AS BIGINT) AS FAILSAFE_BYTES,
        CAST(0 AS BIGINT) AS HYBRID_TABLE_STORAGE_BYTES
    FROM stored JOIN account USING (account) ORDER BY USAGE_DATE, ACCOUNT_NAME, REGION"""

# Less than the account's storage: what clones retain belongs to no database.
DATABASES = f"""
    SELECT date AS USAGE_DATE, {PLACE}, CAST(account * 10 + d AS BIGINT) AS DATABASE_ID, 'DB_' || d AS DATABASE_NAME,
        CAST(NULL AS TIMESTAMPTZ) AS DELETED, CAST(bytes * (d + 3) // 10 AS BIGINT) AS AVERAGE_DATABASE_BYTES,
        CAST(bytes // 200 AS BIGINT) AS AVERAGE_FAILSAFE_BYTES, CAST(0 AS BIGINT) AS AVERAGE_HYBRID_TABLE_STORAGE_BYTES
    FROM stored JOIN account USING (account), range(2) AS numbers(d)
    ORDER BY USAGE_DATE, ACCOUNT_NAME, REGION, DATABASE_ID"""

ORGANIZATION_VIEWS = {
    "USAGE_IN_CURRENCY_DAILY": USAGE,
    "RATE_SHEET_DAILY": RATES,
    "REMAINING_BALANCE_DAILY": BALANCES,
    "CONTRACT_ITEMS": CONTRACT_ITEMS,
    "METERING_DAILY_HISTORY": METERING,
}
# Told by an account about itself, without saying which it is; files say so.
ACCOUNT_VIEWS = {
    "WAREHOUSE_METERING_HISTORY": WAREHOUSES,
    "QUERY_ATTRIBUTION_HISTORY": QUERIES,
    "TAG_REFERENCES": TAGS,
    "STORAGE_USAGE": STORAGE,
    "DATABASE_STORAGE_USAGE_HISTORY": DATABASES,
}
VIEWS = ORGANIZATION_VIEWS | ACCOUNT_VIEWS


@dataclass(frozen=True, slots=True)
class Month:
    """At least `rows` lines of the bill. The capacity ends on day `turn`, counted from 0; a late one: never."""

    rows: int = 1_000
    year: int = 2026
    month: int = 1
    turn: int = 20
    seed: int = 0
    restated: bool = False

    @property
    def days(self) -> int:
        return calendar.monthrange(self.year, self.month)[1]

    @property
    def accounts(self) -> int:
        return -(-self.rows // (LINES * self.days))

    @property
    def placeholders(self) -> Mapping[str, Any]:
        facts = {"accounts": self.accounts, "days": self.days, "turn": self.turn, "seed": self.seed}
        return facts | {"start": date(self.year, self.month, 1), "restated": str(self.restated).lower()}


@contextmanager
def generated(month: Month) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with what happened in the month; `select` reads it."""
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
        kinds = "{'capacity_rate': 'DECIMAL(6, 2)', 'overage_rate': 'DECIMAL(6, 2)'}"
        connection.execute(
            f"CREATE TEMP TABLE slots AS FROM read_csv('{HERE / 'snowflake_lines.csv'}', types = {kinds})"
        )
        connection.execute((HERE / "snowflake_views.sql").read_text(encoding="utf-8").format(**month.placeholders))
        yield connection


def select(view: str, month: Month, *, hourly: bool = False) -> str:
    """The view's rows in the order of their keys. Metering is summed up by day unless `hourly`."""
    midnight = "timezone('UTC', CAST(date AS TIMESTAMP))"
    time = f"{midnight} + to_hours(CAST(hour AS INTEGER))" if hourly else midnight
    source = HOURLY if hourly else "FROM warehouse_day"
    return VIEWS[view].format(time=time, hours=1 if hourly else 24, source=source, **month.placeholders)


def write(folder: Path, month: Month, *, form: str = "parquet", hourly: bool = False) -> dict[str, Path]:
    """A file a view, as an unload by hand has them; they name the account where the view does not."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {view: folder / f"{view.lower()}.{form}" for view in VIEWS}
    with generated(month) as connection:
        for view, path in files.items():
            connection.execute(f"COPY ({select(view, month, hourly=hourly)}) TO '{path}' (FORMAT {form})")
    return files


def tables(month: Month, *, hourly: bool = True) -> dict[str, Any]:
    """Arrow tables by SCHEMA.VIEW, as the first account sees them: ACCOUNT_USAGE is about itself alone."""
    own = "SELECT * EXCLUDE (ACCOUNT_LOCATOR, REGION, ACCOUNT_NAME) FROM ({}) WHERE ACCOUNT_NAME = 'PRODUCTION'"
    with generated(month) as connection:
        found = {
            f"ORGANIZATION_USAGE.{view}": connection.sql(select(view, month, hourly=hourly)).to_arrow_table()
            for view in (*ORGANIZATION_VIEWS, "WAREHOUSE_METERING_HISTORY")
        }
        for view in ACCOUNT_VIEWS:
            asked = own.format(select(view, month, hourly=hourly))
            if view == "WAREHOUSE_METERING_HISTORY":
                asked = asked.replace("EXCLUDE (", "EXCLUDE (ORGANIZATION_NAME, ")
            found[f"ACCOUNT_USAGE.{view}"] = connection.sql(asked).to_arrow_table()
    return found
