"""A big CUR 2.0 bill: every value is a function of the row number, so a shorter bill is a prefix of a longer one.

13 line item types, 60,000 resources, 4,000 SKUs, 97 accounts; costs are doubles with up to 10 fraction digits.
Of 1,000 lines about 845 are usage, 50 savings plan covered usage with 50 negations, 40 reservation covered usage.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from bench.gen.columns import pick, select_list, when

FILE_ROWS = 1_000_000  # the provider's own chunk size
RESOURCES, SKUS, ACCOUNTS = 60_000, 4_000, 97

# Lines 50 to 99 of a thousand negate lines 0 to 49, so both see the same entity and cost.
ENTITY = """
    SELECT i, i % 1000 AS slot, CASE WHEN i % 1000 BETWEEN 50 AND 99 THEN i - 50 ELSE i END AS n
    FROM range({first}, {last}) AS numbers(i)
"""
KIND = """
    CASE
        WHEN slot < 50 THEN 'SavingsPlanCoveredUsage'
        WHEN slot < 100 THEN 'SavingsPlanNegation'
        WHEN slot < 140 THEN 'DiscountedUsage'
        WHEN slot = 140 THEN [
            'RIFee', 'RIFee', 'Fee', 'SavingsPlanUpfrontFee', 'SavingsPlanRecurringFee',
            'SavingsPlanRecurringFee', 'SavingsPlanRecurringFee', 'Refund', 'Credit', 'Tax'
        ][1 + (i // 1000) % 10]
        WHEN slot < 145 THEN 'EdpDiscount'
        WHEN slot = 145 THEN 'Tax'
        WHEN slot = 146 THEN 'Credit'
        WHEN slot = 147 THEN 'BundledDiscount'
        ELSE 'Usage'
    END
"""
# A SKU has one price, of up to seven fraction digits; an amount used has three, so a cost is exact in ten.
LINE = """
    SELECT *, tenmillionths * thousandths AS units
    FROM (
        SELECT
            *,
            {kind} AS kind,
            resource % {accounts} AS account,
            resource % {skus} AS sku,
            CAST(hash(resource) % 12 AS BIGINT) AS service,
            CAST(hash(resource + 7) % 8 AS BIGINT) AS region,
            1 + CAST(hash(resource % {skus} + 11) % CAST(pow(10, 3 + (resource % {skus}) % 5) AS BIGINT) AS BIGINT)
                AS tenmillionths,
            -- Most lines are an hour or a few thousand requests; 1 in about 9,000 is a thousand times as much.
            CAST(1 + hash(n + 5) % 24000 AS BIGINT) * CASE WHEN size % 9001 = 0 THEN 1000 ELSE 1 END AS thousandths
        FROM (
            SELECT *, CAST(hash(n) % {resources} AS BIGINT) AS resource, hash(n + 1) % 744 AS hour, hash(n + 2) AS size
            FROM ({entity})
        )
    )
"""
# Ten fraction digits, as the provider writes them.
COST = "CAST(CAST(units AS DECIMAL(18, 0)) * CAST('0.0000000001' AS DECIMAL(11, 10)) AS DOUBLE)"
NEGATIVE = "kind IN ('SavingsPlanNegation', 'Refund', 'Credit', 'EdpDiscount', 'BundledDiscount')"
SIGNED = f"CASE WHEN {NEGATIVE} THEN -{COST} ELSE {COST} END"
RATE = "CAST(CAST(tenmillionths AS DECIMAL(18, 0)) * CAST('0.0000001' AS DECIMAL(8, 7)) AS VARCHAR)"
COVERED = "kind IN ('DiscountedUsage', 'SavingsPlanCoveredUsage')"
USED = f"(kind = 'Usage' OR {COVERED})"
SERVICES = (
    "AmazonEC2",
    "AmazonS3",
    "AmazonRDS",
    "AWSLambda",
    "AmazonCloudWatch",
    "AmazonDynamoDB",
    "AmazonVPC",
    "AmazonEKS",
    "AmazonECS",
    "AmazonSNS",
    "AWSQueueService",
    "awskms",
)
INSTANCES = ("m5.large", "t3.medium", "c6g.xlarge", "r5.2xlarge")
UNITS = ("Hrs", "GB-Mo", "Requests", "GB")
ENVIRONMENTS = ("Production", "Development", "Test", "Production")
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-south-1",
    "ap-southeast-2",
    "sa-east-1",
)

START = "TIMESTAMP '2026-01-01' + to_hours(CAST(hour AS INTEGER))"
END = f"{START} + INTERVAL 1 HOUR"
INSTANT = "strftime({}, '%Y-%m-%dT%H:%M:%SZ')"
SERVICE, REGION = pick(SERVICES, "service"), pick(REGIONS, "region")
PLAN = "'arn:aws:savingsplans::111122223333:savingsplan/' || md5(CAST(resource % 40 AS VARCHAR))"
RESERVATION = "'arn:aws:ec2:us-east-1:111122223333:reserved-instances/' || md5(CAST(resource % 90 AS VARCHAR))"

FILLED = {
    "bill_bill_type": "'Anniversary'",
    "bill_billing_entity": "'AWS'",
    "bill_billing_period_start_date": "TIMESTAMP '2026-01-01'",
    "bill_billing_period_end_date": "TIMESTAMP '2026-02-01'",
    "bill_invoicing_entity": "'Amazon Web Services, Inc.'",
    "bill_payer_account_id": "'111122223333'",
    "bill_payer_account_name": "'example-payer'",
    "cost_category": "MAP {'Unit': 'unit-' || (account % 9), 'Product': 'product-' || (account % 23)}",
    "discount": "CASE WHEN slot % 10 = 0 THEN MAP {'EdpDiscount': -0.01} ELSE MAP {} END",
    "identity_line_item_id": "md5(CAST(i AS VARCHAR))",
    "identity_time_interval": f"{INSTANT.format(START)} || '/' || {INSTANT.format(END)}",
    "line_item_availability_zone": f"{REGION} || substr('abc', 1 + resource % 3, 1)",
    "line_item_blended_cost": SIGNED,
    "line_item_blended_rate": RATE,
    "line_item_currency_code": "'USD'",
    "line_item_legal_entity": "'Amazon Web Services, Inc.'",
    "line_item_line_item_description": f"'$' || {RATE} || ' per unit of ' || {SERVICE} || ' meter ' || sku",
    "line_item_line_item_type": "kind",
    "line_item_normalization_factor": "2 ** (resource % 6)",
    "line_item_normalized_usage_amount": "thousandths / 1000 * 2 ** (resource % 6)",
    "line_item_operation": "'Operation' || (sku % 60)",
    "line_item_product_code": SERVICE,
    "line_item_resource_id": when(
        USED, f"'arn:aws:service:' || {REGION} || ':' || (100000000000 + account) || ':resource/r-' || resource"
    ),
    "line_item_tax_type": when("kind = 'Tax'", "'VAT'"),
    "line_item_unblended_cost": when("kind = 'DiscountedUsage'", "0", SIGNED),
    "line_item_unblended_rate": when("kind = 'DiscountedUsage'", "'0.0'", RATE),
    "line_item_usage_account_id": "CAST(100000000000 + account AS VARCHAR)",
    "line_item_usage_account_name": "'account-' || account",
    "line_item_usage_amount": "thousandths / 1000",
    "line_item_usage_start_date": START,
    "line_item_usage_end_date": END,
    "line_item_usage_type": when("slot % 97 = 0 AND kind = 'Usage'", "'SpotUsage:m5.large'", "'Meter' || (sku % 700)"),
    "pricing_currency": "'USD'",
    "pricing_lease_contract_length": when("kind IN ('RIFee', 'DiscountedUsage')", "'1yr'"),
    "pricing_offering_class": when("kind IN ('RIFee', 'DiscountedUsage')", "'standard'"),
    "pricing_public_on_demand_cost": when(USED, COST, "0"),
    "pricing_public_on_demand_rate": when(USED, RATE),
    "pricing_purchase_option": when("kind IN ('RIFee', 'DiscountedUsage')", "'Partial Upfront'"),
    "pricing_rate_code": "'SKU' || lpad(CAST(sku AS VARCHAR), 13, '0') || '.JRTCKXETXF.6YS6EN2CT7'",
    "pricing_rate_id": "CAST(1000000 + sku AS VARCHAR)",
    "pricing_term": when("kind = 'DiscountedUsage'", "'Reserved'", "'OnDemand'"),
    "pricing_unit": pick(UNITS, "sku % 4"),
    "product": f"MAP {{'product_name': 'Product ' || {SERVICE}, 'region': {REGION},"
    " 'sku_group': 'group-' || (sku % 80), 'vcpu': CAST(2 ** (sku % 6) AS VARCHAR)}",
    "product_instance_family": when("service = 0", "'General purpose'"),
    "product_instance_type": when("service = 0", f"{pick(INSTANCES, 'sku % 4')}"),
    "product_location": REGION,
    "product_location_type": "'AWS Region'",
    "product_operation": "'Operation' || (sku % 60)",
    "product_pricing_unit": pick(UNITS, "sku % 4"),
    "product_product_family": "'Family ' || (sku % 30)",
    "product_region_code": REGION,
    "product_servicecode": SERVICE,
    "product_sku": "'SKU' || lpad(CAST(sku AS VARCHAR), 13, '0')",
    "product_usagetype": "'Meter' || (sku % 700)",
    "reservation_amortized_upfront_fee_for_billing_period": when("kind = 'RIFee'", COST, "0"),
    "reservation_effective_cost": when("kind = 'DiscountedUsage'", COST, "0"),
    "reservation_number_of_reservations": when("kind = 'RIFee'", "'2'"),
    "reservation_reservation_a_r_n": when("kind IN ('RIFee', 'DiscountedUsage')", RESERVATION),
    "reservation_unused_amortized_upfront_fee_for_billing_period": when("kind = 'RIFee'", "0.5", "0"),
    "reservation_unused_quantity": when("kind = 'RIFee'", "3", "0"),
    "reservation_unused_recurring_fee": when("kind = 'RIFee'", "0.25", "0"),
    "resource_tags": "CASE WHEN resource % 4 = 0 THEN MAP {} ELSE MAP {"
    f"'user_environment': {pick(ENVIRONMENTS, 'resource % 4')}, 'user_team': 'team-' || (resource % 45), "
    "'user_cost_center': 'cc-' || (resource % 210), 'aws_createdBy': 'role/' || (resource % 17)} END",
    "savings_plan_offering_type": when("starts_with(kind, 'SavingsPlan')", "'ComputeSavingsPlans'"),
    "savings_plan_payment_option": when("starts_with(kind, 'SavingsPlan')", "'No Upfront'"),
    "savings_plan_recurring_commitment_for_billing_period": when("kind = 'SavingsPlanRecurringFee'", COST, "0"),
    "savings_plan_savings_plan_a_r_n": when("starts_with(kind, 'SavingsPlan')", PLAN),
    "savings_plan_savings_plan_effective_cost": when("kind = 'SavingsPlanCoveredUsage'", f"{COST} / 2", "0"),
    "savings_plan_total_commitment_to_date": when("kind = 'SavingsPlanRecurringFee'", COST, "0"),
    "savings_plan_used_commitment": when("kind = 'SavingsPlanRecurringFee'", f"{COST} / 2", "0"),
}


def select(first: int, last: int) -> str:
    """Lines [first, last) of the endless bill."""
    entity = ENTITY.format(first=first, last=last)
    line = LINE.format(kind=KIND, entity=entity, accounts=ACCOUNTS, skus=SKUS, resources=RESOURCES)
    return f"SELECT {select_list(FILLED)} FROM ({line})"


def write(folder: Path, rows: int = FILE_ROWS, row_group: int = 122_880) -> list[Path]:
    """Parquet files of at most a million lines each, in the provider's names; files already there are kept."""
    spans = [(start, min(start + FILE_ROWS, rows)) for start in range(0, rows, FILE_ROWS)]
    return [
        parquet(
            folder / f"bench-{last - first}-{row_group}-{number:05d}.snappy.parquet", select(first, last), row_group
        )
        for number, (first, last) in enumerate(spans, 1)
    ]


def parquet(path: Path, query: str, row_group: int) -> Path:
    """The file, written under another name first: one that is there is whole, and kept."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with duckdb.connect(config={"memory_limit": "2GB", "preserve_insertion_order": False}) as connection:
            connection.execute("SET enable_progress_bar = false")
            options = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {row_group}"
            connection.execute(f"COPY ({query}) TO '{part}' ({options})")
        part.rename(path)
    return path
