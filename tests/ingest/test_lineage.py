"""Raw columns behind a FOCUS column are read off the mapping's SQL, through its CTEs, views and aliases."""

from __future__ import annotations

import duckdb
import pytest

from focus.schema import ledger_columns
from ingest.lineage import origins
from ingest.mappings import text
from ingest.shapes import shape_named, shapes

NAMES = [shape.name for shape in shapes()]
EXPECTED = {
    ("aws_cur2", "BilledCost"): {"line_item_net_unblended_cost", "line_item_unblended_cost"},
    ("aws_cur2", "ListUnitPrice"): {"pricing_public_on_demand_rate"},
    ("aws_cur2", "ChargePeriodStart"): {"line_item_usage_start_date"},
    ("aws_cur2", "ServiceCategory"): set(),  # from a lookup table
    ("aws_cur2", "BillingPeriodStart"): set(),  # from a variable
    ("aws_cur2", "AllocatedMethodDetails"): set(),  # a constant
    ("aws_cur_legacy_csv", "BilledCost"): {"line_item_net_unblended_cost", "line_item_unblended_cost"},
    ("azure_cost_details_ea", "ChargeCategory"): set(),
    ("azure_cost_details_ea", "BilledCost"): {"CostInBillingCurrency"},
    ("snowflake_usage_in_currency", "EffectiveCost"): {"USAGE_IN_CURRENCY"},
    ("focus_cost_and_usage", "BilledCost"): {"BilledCost"},
    ("focus_cost_and_usage", "ServiceCategory"): {"ServiceCategory"},
    ("focus_snowflake_view", "ListUnitPrice"): {"ListUnitPrice"},
}


@pytest.mark.parametrize("place", EXPECTED, ids="-".join)
def test_a_column_is_traced_to_the_raw_columns_that_may_give_its_value(place: tuple[str, str]) -> None:
    shape, column = place
    with duckdb.connect() as connection:
        assert set(origins(connection, shape_named(shape))[column]) == EXPECTED[place]


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_the_ledger_is_traced_to_columns_of_the_shape(name: str) -> None:
    shape = shape_named(name)
    known = {column.name for column in shape.columns} | {entry.name for entry in shape.maps}
    with duckdb.connect() as connection:
        found = origins(connection, shape)
    assert {column.name for column in ledger_columns()} <= set(found)
    assert {raw for raws in found.values() for raw in raws} <= known


@pytest.mark.parametrize("name", NAMES)
def test_the_last_select_of_a_mapping_ends_with_its_table(name: str) -> None:
    """Raw columns are put beside the row in front of it."""
    last = text(shape_named(name).select_sql).rpartition("\nFROM ")[2].split()
    assert len(last) == 1
