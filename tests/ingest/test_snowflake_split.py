"""Money of Snowflake split to warehouses, query tags, users and databases: who takes what, and what stays whole."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ingest.split_bills import (
    CLOUD,
    COMPUTE,
    INCLUDED,
    STORAGE,
    Views,
    attributed,
    by_resource,
    element,
    metered,
    split,
    tagged,
)

WAREHOUSES = (
    metered("1", "LOAD", "30", "1"),
    metered("2", "BI", "10", "2"),
    metered("0", "CLOUD_SERVICES_ONLY", "0", "1"),
)


def test_compute_goes_by_credits_of_compute_and_cloud_services_by_their_own(tmp_path: Path) -> None:
    rows = split(tmp_path, [COMPUTE, CLOUD, INCLUDED], Views(WAREHOUSES))
    by_method = {method: [row for row in rows if row["AllocatedMethodId"] == method] for method in {row["AllocatedMethodId"] for row in rows}}
    assert by_resource(by_method["snowflake-warehouse-compute-credits-1"]) == {"1": Decimal("157.5"), "2": Decimal("52.5")}
    cloud = by_method["snowflake-warehouse-cloud-services-credits-1"]
    assert by_resource(row for row in cloud if row["BilledCost"] > 0) == {"1": Decimal("16.5"), "2": 33, "0": Decimal("16.5")}
    assert by_resource(row for row in cloud if row["BilledCost"] < 0) == {"1": Decimal("-5.25"), "2": Decimal("-10.5"), "0": Decimal("-5.25")}


def test_without_the_setting_nothing_is_split(tmp_path: Path) -> None:
    (row,) = split(tmp_path, [COMPUTE], Views(WAREHOUSES), allocation="")
    assert [row[name] for name in row if name.startswith("Allocated")] == [None] * 5
