"""The big bill of `cur2` as a legacy Cost and Usage Report: the same lines in the flat columns of its Parquet files.

A map is a column a key there, and a report has only the columns that were used in its month.
"""

from __future__ import annotations

from pathlib import Path

from bench.gen import cur2
from bench.gen.columns import columns

# What CUR 2.0 brought, and columns of features that this bill does not use.
ABSENT = ("bill_payer_account_name", "line_item_usage_account_name", "line_item_iam_principal")
ABSENT_PREFIXES = ("split_line_item_", "discount_")
NET = "_net_"
# Legacy name -> SQL over the CUR 2.0 line.
FLAT = {
    "product_product_name": "coalesce(product['product_name'], '')",
    "product_region": "coalesce(product['region'], '')",
    "product_group": "coalesce(product['sku_group'], '')",
    "product_vcpu": "coalesce(product['vcpu'], '')",
    "product_purchase_option": "''",
    "resource_tags_aws_created_by": "coalesce(resource_tags['aws_createdBy'], '')",
    "resource_tags_user_cost_center": "coalesce(resource_tags['user_cost_center'], '')",
    "resource_tags_user_environment": "coalesce(resource_tags['user_environment'], '')",
    "resource_tags_user_team": "coalesce(resource_tags['user_team'], '')",
    "cost_category_product": "coalesce(cost_category['Product'], '')",
    "cost_category_unit": "coalesce(cost_category['Unit'], '')",
    "discount_edp_discount": "discount['EdpDiscount']",
}


def select(first: int, last: int) -> str:
    """Lines [first, last) of the endless bill."""
    flat = (f"{value} AS {name}" for name, value in FLAT.items())
    return f"SELECT {', '.join([*_kept(), *flat])} FROM ({cur2.select(first, last)})"


def write(folder: Path, rows: int = cur2.FILE_ROWS, row_group: int = 122_880) -> Path:
    """One Parquet file of that many lines; a file already there is kept."""
    return cur2.parquet(folder / f"legacy-{rows}-{row_group}.snappy.parquet", select(0, rows), row_group)


def _kept() -> list[str]:
    return [
        name
        for name, kind in columns()
        if not (kind.startswith("MAP") or name in ABSENT or name.startswith(ABSENT_PREFIXES) or NET in name)
    ]
