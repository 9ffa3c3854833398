"""The reference scenario's AWS bill: one month of daily CUR 2.0 lines, prices times quantities exact."""

from __future__ import annotations

from pathlib import Path

from bench.gen.columns import select_list

# One line a usage type: `full_days` days of `full_day` units, then one day of `rest` units unless that is 0.
# 45.80 of instances, 4.20 of data transfer, 12.15 of S3, 18.50 of RDS.
METERS = Path(__file__).parent / "aws_meters.csv"
COST = "CAST(rate AS DECIMAL(18, 10)) * CAST(quantity AS DECIMAL(18, 6))"
START = "TIMESTAMP '2026-01-01' + to_days(CAST(day AS INTEGER))"
END = f"{START} + INTERVAL 1 DAY"
INSTANT = "strftime({}, '%Y-%m-%dT%H:%M:%SZ')"
FILLED = {
    "bill_bill_type": "'Anniversary'",
    "bill_billing_entity": "'AWS'",
    "bill_billing_period_start_date": "TIMESTAMP '2026-01-01'",
    "bill_billing_period_end_date": "TIMESTAMP '2026-02-01'",
    "bill_invoice_id": "'1000000042'",
    "bill_invoicing_entity": "'Amazon Web Services, Inc.'",
    "bill_payer_account_id": "'111122223333'",
    "bill_payer_account_name": "'example-payer'",
    "identity_line_item_id": "md5(sku || day)",
    "identity_time_interval": f"{INSTANT.format(START)} || '/' || {INSTANT.format(END)}",
    "line_item_blended_cost": COST,
    "line_item_blended_rate": "rate",
    "line_item_currency_code": "'USD'",
    "line_item_legal_entity": "'Amazon Web Services, Inc.'",
    "line_item_line_item_description": "description",
    "line_item_line_item_type": "'Usage'",
    "line_item_operation": "operation",
    "line_item_product_code": "code",
    "line_item_resource_id": "resource",
    "line_item_unblended_cost": COST,
    "line_item_unblended_rate": "rate",
    "line_item_usage_account_id": "'444455556666'",
    "line_item_usage_account_name": "'example-shop'",
    "line_item_usage_amount": "quantity",
    "line_item_usage_start_date": START,
    "line_item_usage_end_date": END,
    "line_item_usage_type": "usage_type",
    "pricing_currency": "'USD'",
    "pricing_public_on_demand_cost": COST,
    "pricing_public_on_demand_rate": "rate",
    "pricing_rate_code": "sku || '.JRTCKXETXF.6YS6EN2CT7'",
    "pricing_rate_id": "CAST(1000000 + CAST(meter AS INTEGER) AS VARCHAR)",
    "pricing_term": "'OnDemand'",
    "pricing_unit": "unit",
    "product": "MAP {'product_name': product_name, 'region': 'us-east-1', 'servicename': product_name}",
    "product_instance_type": "coalesce(instance, '')",
    "product_location": "'US East (N. Virginia)'",
    "product_location_type": "'AWS Region'",
    "product_operation": "operation",
    "product_pricing_unit": "unit",
    "product_product_family": "family",
    "product_region_code": "'us-east-1'",
    "product_servicecode": "service",
    "product_sku": "sku",
    "product_usagetype": "usage_type",
    "resource_tags": "MAP {'user_environment': environment, 'user_team': 'shop'}",
}


def select() -> str:
    """The bill as one SELECT of all CUR 2.0 columns."""
    return f"""
        WITH meters AS (FROM read_csv('{METERS}', header=true, all_varchar=true)),
        line AS (
            SELECT *, CASE WHEN day < CAST(full_days AS INTEGER) THEN full_day ELSE rest END AS quantity
            FROM meters, range(31) AS calendar(day)
            WHERE day < CAST(full_days AS INTEGER) OR (day = CAST(full_days AS INTEGER) AND rest <> '0')
        )
        SELECT {select_list(FILLED)} FROM line ORDER BY CAST(meter AS INTEGER), day
    """
