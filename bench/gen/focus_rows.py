"""Big conformant FOCUS files, 1.2 or 1.3, CSV or Parquet: every value is a function of the row number.

Of 100 rows: 25 belong to two commitment discounts (bought, used, unused), 5 are tax, credit, adjustment, correction and
a marketplace subscription, 4 a capacity reservation, 3 draw on contract commitments, 4 are one charge split among
workloads, 2 were paid through a marketplace; the rest is plain usage. Every product of price and quantity is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from focus.schema import Column, columns

BLOCK = 100
ACCOUNTS, SKUS, RESOURCES, CONTRACT_COMMITMENTS = 97, 2_000, 60_000, 40
SERVICES = (
    ("Elastic Servers", "Compute", "Virtual Machines"),
    ("Object Store", "Storage", "Object Storage"),
    ("Managed SQL", "Databases", "Relational Databases"),
    ("Edge Delivery", "Networking", "Content Delivery"),
    ("Functions", "Compute", "Serverless Compute"),
    ("Queue Service", "Integration", "Messaging"),
    ("Key Vaults", "Security", "Secret Management"),
    ("Model Hosting", "AI and Machine Learning", "AI Platforms"),
    ("Log Search", "Analytics", "Search"),
    ("Metrics", "Management and Governance", "Observability"),
    ("Disks", "Storage", "Block Storage"),
    ("Warehouse", "Databases", "Data Warehouses"),
)
UNITS = ("Hours", "GB-Months", "Requests", "GB")
REGIONS = (("eu-central-1", "Frankfurt"), ("eu-west-1", "Ireland"), ("us-east-1", "Virginia"), ("ap-south-1", "Mumbai"))
CURRENCIES = (("USD", "1.00"), ("EUR", "0.92"), ("GBP", "0.79"))

# What a row is, by its place among a hundred. A block that the end of the file cuts off is plain usage throughout.
KIND = """
    CASE
        WHEN NOT whole THEN 'usage'
        WHEN slot IN (0, 16) THEN 'commitment bought'
        WHEN slot BETWEEN 1 AND 14 OR slot BETWEEN 17 AND 23 THEN 'commitment used'
        WHEN slot IN (15, 24) THEN 'commitment unused'
        WHEN slot = 25 THEN 'tax'
        WHEN slot = 26 THEN 'credit'
        WHEN slot = 27 THEN 'adjustment'
        WHEN slot = 28 THEN 'correction'
        WHEN slot = 29 THEN 'subscription'
        WHEN slot = 30 THEN 'capacity unused'
        WHEN slot BETWEEN 31 AND 33 THEN 'capacity used'
        WHEN slot BETWEEN 34 AND 36 THEN 'contract'
        WHEN slot BETWEEN 37 AND 40 THEN 'split'
        WHEN slot BETWEEN 41 AND 42 THEN 'third party'
        ELSE 'usage'
    END
"""
ROWS = """
    SELECT i, i % {block} AS slot, i // {block} AS block, (i // {block} + 1) * {block} <= {rows} AS whole
    FROM range({rows}) AS numbers(i)
"""
# The rows of one split charge share an entity: account, sku, resource, hour; those of a commitment account and sku.
ENTITY = """
    SELECT
        *,
        kind LIKE 'commitment%' AS committed,
        kind NOT IN ('tax', 'credit', 'adjustment') AS priced,
        kind NOT IN ('tax', 'credit', 'adjustment', 'commitment bought', 'subscription') AS used,
        CASE WHEN kind LIKE 'commitment%' THEN slot // 16 ELSE 2 END AS plan,
        CASE WHEN kind = 'split' THEN block * {block} + 37 ELSE i END AS entity
    FROM (SELECT *, {kind} AS kind FROM ({rows}))
"""
FACTS = """
    SELECT
        *,
        CAST(CASE WHEN committed THEN block ELSE entity END % {accounts} AS BIGINT) AS account,
        CAST(hash(entity) % {resources} AS BIGINT) AS resource,
        CAST(hash(entity + 1) % 720 AS BIGINT) AS hour,
        CASE
            WHEN kind = 'commitment bought' THEN 10000 + block % 50 * 2 + plan
            WHEN committed THEN 20000 + block % 50 * 2 + plan
            WHEN kind = 'subscription' THEN 30000 + block % 20
            WHEN kind = 'third party' THEN 40000 + block % 20
            ELSE CAST(hash(hash(entity) % {resources}) % {skus} AS BIGINT)
        END AS sku,
        -- 14 used rows and an unused one, or 7 and one: what is bought is their sum.
        CAST(CASE
            WHEN kind = 'commitment bought' AND plan = 0 THEN (1 + block % 20) * 15 + 105 * 0.125
            WHEN kind = 'commitment bought' THEN (1 + block % 20) * 8 + 28 * 0.125
            WHEN kind = 'commitment used' THEN 1 + block % 20 + (slot - plan * 16) * 0.125
            WHEN kind = 'commitment unused' THEN 1 + block % 20
            WHEN kind = 'correction' THEN CAST(-1 - CAST(hash(i) % 9000 AS BIGINT) AS DECIMAL(18, 0)) * 0.001
            WHEN kind = 'subscription' THEN 1
            WHEN kind = 'split' THEN 2.5
            ELSE CAST(1 + hash(i) % 24000 AS DECIMAL(18, 0)) * 0.001
        END AS DECIMAL(18, 3)) AS quantity
    FROM ({entity})
"""
PRICES = """
    SELECT
        *,
        CASE WHEN sku < 10000 THEN sku % {services} WHEN sku < 40000 THEN 0 ELSE {services} - 1 END AS service,
        CASE WHEN sku < 10000 THEN sku % {units} ELSE 0 END AS unit,
        CAST(hash(resource) % {regions} AS BIGINT) AS region,
        CASE WHEN account % 10 < 7 THEN 0 WHEN account % 10 < 9 THEN 1 ELSE 2 END AS currency,
        -- What a commitment costs is priced as what it covers.
        CAST(1 + hash(sku % 10000) % 99999 AS DECIMAL(18, 0)) * 0.0001 AS dollars,
        CAST(1 - account % 10 * 0.01 AS DECIMAL(3, 2)) AS negotiated
    FROM ({facts})
"""
AMOUNTS = """
    SELECT
        *,
        CAST(CASE WHEN kind = 'commitment bought' THEN 0.60 ELSE negotiated END AS DECIMAL(3, 2)) AS contracted,
        CAST(dollars * {rate} AS DECIMAL(18, 6)) AS list_price,
        -- Amounts without a price: two decimals, and what lowers a bill is negative.
        CAST(hash(i + 1) % 90000 AS DECIMAL(18, 0)) * CASE WHEN kind = 'tax' THEN 0.01 ELSE -0.01 END AS flat_dollars,
        flat_dollars * {rate} AS flat,
        -- A split charge's workloads share a cluster of their own, so that no two charges meet on one machine and hour.
        CASE WHEN kind = 'split' THEN 'cluster-' || block ELSE 'vm-' || lpad(CAST(resource AS VARCHAR), 6, '0') END
            AS machine,
        'plan-' || lpad(CAST(block AS VARCHAR), 7, '0') || '-' || plan AS commitment,
        'commitment-' || lpad(CAST(block % {contracts} AS VARCHAR), 3, '0') AS contract_commitment,
        'contract-' || lpad(CAST(block % {contracts} // 5 AS VARCHAR), 3, '0') AS contract,
        -- Every third commitment is one of usage, the others of spend: see write_commitments.
        block % {contracts} % 3 = 0 AS by_quantity
    FROM ({prices})
"""
MONTH = "TIMESTAMP '2025-09-01 00:00:00'"
NEXT_MONTH = "TIMESTAMP '2025-10-01 00:00:00'"
HOURLY = "kind NOT IN ('tax', 'credit', 'adjustment', 'commitment bought', 'subscription')"
TAGS = """CASE account % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE
    '{"team":"team-' || resource % 45 || '","environment":"' || ['prod', 'test', 'dev'][1 + resource % 3] || '"}' END"""
SKU_DETAILS = """'{"InstanceType":"m' || sku % 9 || '.large","CoreCount":' || (1 << sku % 6) ||
    ',"OperatingSystem":"Linux","x_Generation":' || sku % 7 || '}'"""
SPLIT_DETAILS = """'{"Elements":[{"AllocatedRatio":0.25,"UsageUnit":"Hours","UsageQuantity":' || quantity || '}]}'"""
APPLIED = """'{"Elements":[{"ContractId":"' || contract || '","ContractCommitmentId":"' || contract_commitment ||
    CASE WHEN by_quantity
    THEN '","ContractCommitmentAppliedCost":null,"ContractCommitmentAppliedQuantity":' || quantity ||
        ',"ContractCommitmentAppliedUnit":"Hours"}]}'
    ELSE '","ContractCommitmentAppliedCost":' || CAST(dollars * contracted * quantity AS DECIMAL(18, 9)) ||
        ',"ContractCommitmentAppliedQuantity":null,"ContractCommitmentAppliedUnit":null}]}' END"""


def _pick(values: tuple[str, ...], index: str) -> str:
    return f"[{', '.join(repr(value) for value in values)}][1 + {index}]"


def _when(condition: str, value: str, otherwise: str = "NULL") -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE {otherwise} END"


def _column_of(table: tuple[tuple[str, ...], ...], place: int, index: str) -> str:
    return _pick(tuple(row[place] for row in table), index)


RATE = f"CAST({_column_of(CURRENCIES, 1, 'currency')} AS DECIMAL(3, 2))"
PRICE = "CAST(list_price * contracted AS DECIMAL(18, 8))"
COMMITTED_PRICE = "CAST(list_price * 0.60 AS DECIMAL(18, 8))"
LIST_COST = _when("priced", "list_price * quantity", "flat")
CONTRACTED_COST = _when("priced", f"{PRICE} * quantity", "flat")
PAID_ELSEWHERE = "kind IN ('commitment used', 'commitment unused', 'third party')"
EFFECTIVE = (
    f"CASE WHEN kind = 'commitment bought' THEN 0 WHEN committed THEN {COMMITTED_PRICE} * quantity"
    f" ELSE {CONTRACTED_COST} END"
)
RESOURCE = "CASE WHEN kind IN ('commitment bought', 'commitment unused') THEN commitment WHEN used THEN machine END"
CAPACITY = "kind IN ('capacity used', 'capacity unused')"
CATEGORY = """CASE WHEN kind IN ('commitment bought', 'subscription') THEN 'Purchase' WHEN kind = 'tax' THEN 'Tax'
    WHEN kind = 'credit' THEN 'Credit' WHEN kind = 'adjustment' THEN 'Adjustment' ELSE 'Usage' END"""
FREQUENCY = """CASE WHEN kind = 'commitment bought' THEN 'One-Time' WHEN kind = 'subscription' THEN 'Recurring'
    WHEN priced THEN 'Usage-Based' ELSE 'One-Time' END"""
SELLER = _when("kind = 'third party'", "'Snowflake'", _when("kind = 'subscription'", "'Seller Ltd'", "'Cloud One'"))
PROVIDER = _when("kind = 'third party'", "'Snowflake'", "'Cloud One'")
CONSUMED = "used AND kind <> 'commitment unused'"
ALLOCATED = "kind = 'split' AND slot < 40"

FILLED: Mapping[str, str] = {
    "AllocatedMethodId": _when("kind = 'split'", "'by-request-hours'"),
    "AllocatedMethodDetails": _when("kind = 'split'", SPLIT_DETAILS),
    "AllocatedResourceId": _when(ALLOCATED, "'workload-' || slot"),
    "AllocatedResourceName": _when(ALLOCATED, "'Workload ' || slot"),
    "AllocatedTags": _when(ALLOCATED, """'{"namespace":"space-' || slot || '"}'"""),
    "AvailabilityZone": _when("used AND service = 0", f"{_column_of(REGIONS, 0, 'region')} || 'a'"),
    "BilledCost": _when(PAID_ELSEWHERE, "0", CONTRACTED_COST),
    "BillingAccountId": "'account-' || lpad(CAST(account // 10 AS VARCHAR), 3, '0')",
    "BillingAccountName": "'Division ' || account // 10",
    "BillingAccountType": "'Billing Account'",
    "BillingCurrency": _column_of(CURRENCIES, 0, "currency"),
    "BillingPeriodEnd": NEXT_MONTH,
    "BillingPeriodStart": MONTH,
    "CapacityReservationId": _when(CAPACITY, "'capacity-' || block % 500"),
    "CapacityReservationStatus": _when(CAPACITY, _when("kind = 'capacity used'", "'Used'", "'Unused'")),
    "ChargeCategory": CATEGORY,
    "ChargeClass": _when("kind = 'correction'", "'Correction'"),
    "ChargeDescription": "kind || ' of meter ' || sku % 700",
    "ChargeFrequency": FREQUENCY,
    "ChargePeriodEnd": _when(HOURLY, f"{MONTH} + to_hours(hour + 1)", NEXT_MONTH),
    "ChargePeriodStart": _when(HOURLY, f"{MONTH} + to_hours(hour)", MONTH),
    "CommitmentDiscountCategory": _when("committed", _pick(("Usage", "Spend"), "plan")),
    "CommitmentDiscountId": _when("committed", "commitment"),
    "CommitmentDiscountName": _when("committed", "'Plan ' || block || ' ' || plan"),
    "CommitmentDiscountQuantity": _when("committed", "quantity"),
    "CommitmentDiscountStatus": _when(
        "kind = 'commitment used'", "'Used'", _when("kind = 'commitment unused'", "'Unused'")
    ),
    "CommitmentDiscountType": _when("committed", _pick(("Reservation", "Savings Plan"), "plan")),
    "CommitmentDiscountUnit": _when("committed", "'Hours'"),
    "ConsumedQuantity": _when(CONSUMED, "quantity"),
    "ConsumedUnit": _when(CONSUMED, _pick(UNITS, "unit")),
    "ContractApplied": _when("kind = 'contract'", APPLIED),
    "ContractedCost": CONTRACTED_COST,
    "ContractedUnitPrice": _when("priced", PRICE),
    "EffectiveCost": EFFECTIVE,
    "HostProviderName": "'Cloud One'",
    "InvoiceId": "'INV-202509-' || account // 10",
    "InvoiceIssuerName": "'Cloud One'",
    "ListCost": LIST_COST,
    "ListUnitPrice": _when("priced", "list_price"),
    "PricingCategory": _when(
        "priced", _when("committed AND used", "'Committed'", _when("sku % 11 = 0", "'Dynamic'", "'Standard'"))
    ),
    "PricingCurrency": "'USD'",
    "PricingCurrencyContractedUnitPrice": _when("priced", "dollars * contracted"),
    "PricingCurrencyEffectiveCost": """CASE WHEN kind = 'commitment bought' THEN 0
        WHEN committed THEN dollars * 0.60 * quantity WHEN priced THEN dollars * contracted * quantity
        ELSE flat_dollars END""",
    "PricingCurrencyListUnitPrice": _when("priced", "dollars"),
    "PricingQuantity": _when("priced", "quantity"),
    "PricingUnit": _when("priced", _pick(UNITS, "unit")),
    "ProviderName": PROVIDER,
    "PublisherName": SELLER,
    "RegionId": _when("used", _column_of(REGIONS, 0, "region")),
    "RegionName": _when("used", _column_of(REGIONS, 1, "region")),
    "ResourceId": RESOURCE,
    "ResourceName": _when("used OR committed", f"'Name of ' || ({RESOURCE})"),
    "ResourceType": _when(
        "used OR committed", _when("kind IN ('commitment bought', 'commitment unused')", "'Plan'", "'Machine'")
    ),
    "ServiceCategory": _column_of(SERVICES, 1, "service"),
    "ServiceName": _column_of(SERVICES, 0, "service"),
    "ServiceProviderName": SELLER,
    "ServiceSubcategory": _column_of(SERVICES, 2, "service"),
    "SkuId": _when("priced", "'SKU-' || lpad(CAST(sku AS VARCHAR), 6, '0')"),
    "SkuMeter": _when("priced", "'Meter ' || sku % 700"),
    "SkuPriceDetails": _when("priced", SKU_DETAILS),
    "SkuPriceId": _when("priced", "'PRICE-' || lpad(CAST(sku AS VARCHAR), 6, '0')"),
    "SubAccountId": _when("account % 9 > 0", "'sub-' || lpad(CAST(account AS VARCHAR), 4, '0')"),
    "SubAccountName": _when("account % 9 > 0", "'Team ' || account"),
    "SubAccountType": _when("account % 9 > 0", "'Sub Account'"),
    "Tags": TAGS,
}
# Narrow enough for 64-bit integers: prices have up to 8 fraction digits, quantities 3, so a product has at most 11.
DECIMALS = {"Price": "DECIMAL(18, 8)", "Cost": "DECIMAL(18, 11)", "Quantity": "DECIMAL(18, 3)"}

COMMITMENTS = {
    "BillingCurrency": _when("n % 3 > 0", "'USD'"),
    "ContractCommitmentCategory": _when("n % 3 = 0", "'Usage'", "'Spend'"),
    "ContractCommitmentCost": _when("n % 3 > 0", "CAST(10000 + n AS DECIMAL(18, 2))"),
    "ContractCommitmentDescription": "'Commitment ' || n",
    "ContractCommitmentId": "'commitment-' || lpad(CAST(n AS VARCHAR), 3, '0')",
    "ContractCommitmentPeriodEnd": "TIMESTAMP '2026-01-01 00:00:00'",
    "ContractCommitmentPeriodStart": "TIMESTAMP '2025-01-01 00:00:00'",
    "ContractCommitmentQuantity": _when("n % 3 = 0", "CAST(5000 + n AS DECIMAL(18, 3))"),
    "ContractCommitmentType": _when("n % 3 = 0", "'Capacity'", "'Spend Agreement'"),
    "ContractCommitmentUnit": _when("n % 3 = 0", "'Hours'"),
    "ContractId": "'contract-' || lpad(CAST(n // 5 AS VARCHAR), 3, '0')",
    "ContractPeriodEnd": "TIMESTAMP '2027-01-01 00:00:00'",
    "ContractPeriodStart": "TIMESTAMP '2025-01-01 00:00:00'",
}


def select(rows: int, version: str = "1.3", *, text_dates: bool = False) -> str:
    """The rows of a conformant CostAndUsage dataset; dates as instants or in the text form that FOCUS asks for."""
    entity = ENTITY.format(kind=KIND, block=BLOCK, rows=ROWS.format(block=BLOCK, rows=rows))
    facts = FACTS.format(entity=entity, accounts=ACCOUNTS, resources=RESOURCES, skus=SKUS)
    prices = PRICES.format(facts=facts, services=len(SERVICES), units=len(UNITS), regions=len(REGIONS))
    amounts = AMOUNTS.format(prices=prices, rate=RATE, contracts=CONTRACT_COMMITMENTS)
    names = columns("CostAndUsage", version)
    return f"SELECT {_select_list(names, FILLED, text_dates)} FROM ({amounts})"


def write_focus(path: Path, rows: int, version: str = "1.3", format: str = "parquet") -> Path:
    """A CostAndUsage file of `version` with `rows` rows as `parquet` or `csv`; a file already there is kept."""
    return _write(path, select(rows, version, text_dates=format == "csv"), format)


def write_commitments(path: Path, format: str = "parquet") -> Path:
    """The ContractCommitment file that the rows' ContractApplied points to."""
    chosen = _select_list(columns("ContractCommitment"), COMMITMENTS, format == "csv")
    return _write(path, f"SELECT {chosen} FROM range({CONTRACT_COMMITMENTS}) AS numbers(n)", format)


def _select_list(names: tuple[Column, ...], filled: Mapping[str, str], text_dates: bool) -> str:
    return ",\n".join(f"{_cast(column, filled[column.name], text_dates)} AS {column.name}" for column in names)


def _cast(column: Column, expression: str, text_dates: bool) -> str:
    if column.data_type == "Date/Time":
        return f"strftime({expression}, '%Y-%m-%dT%H:%M:%SZ')" if text_dates else f"({expression}) AT TIME ZONE 'UTC'"
    if column.data_type == "Decimal":
        kind = next(kind for ending, kind in DECIMALS.items() if column.name.endswith(ending))
        return f"CAST({expression} AS {kind})"
    return f"({expression})"


def _write(path: Path, query: str, format: str) -> Path:
    if not path.exists():
        part = path.with_name(path.name + ".part")
        options = "FORMAT csv, HEADER" if format == "csv" else "FORMAT parquet, ROW_GROUP_SIZE 122880"
        with duckdb.connect(config={"memory_limit": "3GB", "preserve_insertion_order": False}) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"COPY ({query}) TO '{part}' ({options})")
        part.rename(path)
    return path
