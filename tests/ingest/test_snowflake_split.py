"""Money of Snowflake split to warehouses, query tags, users and databases: who takes what, and what stays whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ingest.split_bills import (
    CLOUD,
    COMPUTE,
    HEADERS,
    INCLUDED,
    PLACE,
    STORAGE,
    Views,
    attributed,
    by_resource,
    element,
    metered,
    split,
    tagged,
)
from tests.mapped import Row, focus_rows, write_csv

WAREHOUSES = (
    metered("1", "LOAD", "30", "1"),
    metered("2", "BI", "10", "2"),
    metered("0", "CLOUD_SERVICES_ONLY", "0", "1"),
)
QUERIES = (
    attributed("q1", "1", "etl", "ANNA", "18"),
    attributed("q2", "1", "", "BEN", "6"),
    attributed("q3", "2", "report", "BEN", "5"),
)
COMPUTE_METHOD = "snowflake-warehouse-compute-credits-1"
CLOUD_METHOD = "snowflake-warehouse-cloud-services-credits-1"


def of_method(rows: Sequence[Row], method: str) -> list[Row]:
    return [row for row in rows if row["AllocatedMethodId"] == method]


def test_compute_goes_by_credits_of_compute_and_cloud_services_by_their_own(tmp_path: Path) -> None:
    rows = split(tmp_path, [COMPUTE, CLOUD, INCLUDED], Views(WAREHOUSES))
    cloud = of_method(rows, CLOUD_METHOD)
    assert by_resource(of_method(rows, COMPUTE_METHOD)) == {"1": Decimal("157.5"), "2": Decimal("52.5")}
    assert by_resource(row for row in cloud if row["BilledCost"] > 0) == {"1": 16.5, "2": 33, "0": 16.5}
    assert by_resource(row for row in cloud if row["BilledCost"] < 0) == {"1": -5.25, "2": -10.5, "0": -5.25}
    assert {row["AllocatedResourceName"] for row in cloud} == {"LOAD", "BI", "CLOUD_SERVICES_ONLY"}


def test_a_part_says_by_what_it_was_taken(tmp_path: Path) -> None:
    part, _ = sorted(split(tmp_path, [COMPUTE], Views(WAREHOUSES)), key=lambda row: str(row["AllocatedResourceId"]))
    assert part["AllocatedResourceId"] == "XY1.AWS_US_EAST_1.1"
    assert element(part) == {"AllocatedRatio": Decimal("0.75"), "UsageUnit": "Credits", "UsageQuantity": 30}
    assert (part["PricingQuantity"], part["ConsumedQuantity"]) == (Decimal("52.5"), Decimal("52.5"))
    assert (part["ContractedUnitPrice"], part["ContractedCost"], part["EffectiveCost"]) == (3, 157.5, 157.5)


def test_capacity_and_overage_of_a_day_go_by_the_same_shares(tmp_path: Path) -> None:
    overage = COMPUTE | {"USAGE_TYPE": "overage-compute", "BALANCE_SOURCE": "OVERAGE", "USAGE_IN_CURRENCY": "8.00"}
    rows = split(tmp_path, [COMPUTE, overage], Views(WAREHOUSES))
    assert by_resource(row for row in rows if row["x_Operation"] == "OVERAGE") == {"1": 6, "2": 2}


def test_without_the_setting_nothing_is_split(tmp_path: Path) -> None:
    (row,) = split(tmp_path, [COMPUTE], Views(WAREHOUSES), allocation="")
    assert [row[name] for name in row if name.startswith("Allocated")] == [None] * 5


@pytest.mark.parametrize(
    "line",
    [
        COMPUTE | {"SERVICE_TYPE": "AUTO_CLUSTERING", "USAGE_TYPE": "AUTO CLUSTERING"},
        COMPUTE | {"BILLING_TYPE": "REBATE"},
        COMPUTE | {"USAGE_TYPE": "READER COMPUTE"},
        COMPUTE | {"SERVICE_TYPE": "WAREHOUSE_METERING_READER"},
    ],
    ids=["other service", "rebate", "reader", "reader by service"],
)
def test_what_no_warehouse_of_the_account_was_metered_for_is_not_split(line: dict[str, str], tmp_path: Path) -> None:
    (row,) = split(tmp_path, [line], Views(WAREHOUSES))
    assert [row[name] for name in row if name.startswith("Allocated")] == [None] * 5


@pytest.mark.parametrize(
    "views", [Views(), Views((metered("1", "LOAD", "30", day="2026-01-23"),))], ids=["none", "day"]
)
def test_a_day_without_metering_stays_one_row_that_says_so(views: Views, tmp_path: Path) -> None:
    (row,) = split(tmp_path, [COMPUTE], views)
    assert (row["BilledCost"], row["AllocatedMethodId"]) == (210, COMPUTE_METHOD)
    assert [row[f"AllocatedResource{name}"] for name in ("Id", "Name")] == [row["AllocatedTags"], None] == [None, None]
    assert element(row) == {"AllocatedRatio": 1, "x_Part": "unmetered"}


def test_query_tags_share_what_was_attributed_and_the_rest_is_idle(tmp_path: Path) -> None:
    rows = split(tmp_path, [COMPUTE], Views(WAREHOUSES, QUERIES), "query-tag")
    found = {
        (row["AllocatedResourceName"], row["AllocatedTags"], element(row).get("x_Part")): row["BilledCost"]
        for row in rows
    }
    assert found == {
        ("LOAD", '{"snowflake:query_tag":"etl"}', None): Decimal("94.5"),
        ("LOAD", None, None): Decimal("31.5"),
        ("LOAD", None, "idle"): Decimal("31.5"),
        ("BI", '{"snowflake:query_tag":"report"}', None): Decimal("26.25"),
        ("BI", None, "idle"): Decimal("26.25"),
    }
    assert {row["AllocatedMethodId"] for row in rows} == {"snowflake-query-tag-compute-credits-1"}


@pytest.mark.parametrize("allocation", ["query-tag", "user"])
def test_parts_of_a_warehouse_add_up_to_what_it_takes_as_a_whole(allocation: str, tmp_path: Path) -> None:
    bill = [COMPUTE, CLOUD]
    whole = by_resource(split(tmp_path, bill, Views(WAREHOUSES)))
    assert by_resource(split(tmp_path, bill, Views(WAREHOUSES, QUERIES), allocation)) == whole


def test_more_attributed_than_metered_leaves_nothing_idle_and_takes_no_more(tmp_path: Path) -> None:
    queries = [attributed("q1", "2", "a", "ANNA", "30"), attributed("q2", "2", "b", "BEN", "10")]
    rows = split(tmp_path, [COMPUTE], Views(WAREHOUSES, queries), "user")
    users = {row["AllocatedTags"]: row["BilledCost"] for row in rows if row["AllocatedResourceName"] == "BI"}
    assert users == {'{"snowflake:user":"ANNA"}': Decimal("39.375"), '{"snowflake:user":"BEN"}': Decimal("13.125")}


def test_tags_of_a_user_come_before_those_of_the_warehouse(tmp_path: Path) -> None:
    tags = [
        tagged("WAREHOUSE", "1", "LOAD", "ENVIRONMENT", "Production"),
        tagged("WAREHOUSE", "1", "LOAD", "TEAM", "data"),
        tagged("USER", "77", "ANNA", "TEAM", 'anna "and" co'),
        tagged("DATABASE", "1", "LOAD", "WRONG", "domain"),
        tagged("WAREHOUSE", "9", "LOAD", "WRONG", "warehouse"),
    ]
    rows = split(tmp_path, [COMPUTE], Views(WAREHOUSES, QUERIES, tags), "user")
    loaded = [json.loads(row["AllocatedTags"]) for row in rows if row["AllocatedResourceName"] == "LOAD"]
    common = {"ENVIRONMENT": "Production", "TEAM": "data"}
    assert sorted(loaded, key=str) == sorted(
        [
            {"ENVIRONMENT": "Production", "TEAM": 'anna "and" co', "snowflake:user": "ANNA"},
            {**common, "snowflake:user": "BEN"},
            common,
        ],
        key=str,
    )


def test_storage_goes_to_databases_by_bytes_and_what_none_of_them_holds_stays(tmp_path: Path) -> None:
    views = Views(
        storage=[("2026-01-24", "600", "200", "200")],
        databases=[("2026-01-24", "5", "SALES", "400", "100"), ("2026-01-24", "6", "HR", "250", "0")],
        tags=[tagged("DATABASE", "5", "SALES", "TEAM", "sales")],
    )
    rows = split(tmp_path, [STORAGE], views)
    assert by_resource(rows) == {"database.5": Decimal("2.75"), "database.6": Decimal("1.375"), None: Decimal("1.375")}
    assert {row["AllocatedMethodId"] for row in rows} == {"snowflake-database-bytes-1"}
    (rest,) = (row for row in rows if row["AllocatedResourceId"] is None)
    assert element(rest) == {
        "AllocatedRatio": Decimal("0.25"), "UsageUnit": "B", "UsageQuantity": 250, "x_Part": "residual"
    }  # fmt: skip
    assert [row["AllocatedTags"] for row in rows if row["AllocatedResourceName"] == "SALES"] == ['{"TEAM":"sales"}']


def test_databases_that_hold_more_than_the_account_share_all_of_it(tmp_path: Path) -> None:
    views = Views(storage=[("2026-01-24", "1", "0", "0")], databases=[("2026-01-24", "5", "SALES", "400", "100")])
    assert by_resource(split(tmp_path, [STORAGE], views)) == {"database.5": Decimal("5.5")}


def test_warehouses_of_one_number_in_two_accounts_are_two(tmp_path: Path) -> None:
    other = COMPUTE | {"ACCOUNT_LOCATOR": "XY2", "USAGE_IN_CURRENCY": "9.00"}
    rows = split(tmp_path, [COMPUTE, other], Views(WAREHOUSES))
    unmetered = [row for row in rows if row["AllocatedResourceId"] is None]
    assert [(row["SubAccountId"], row["BilledCost"]) for row in unmetered] == [("XY2.AWS_US_EAST_1", 9)]


def test_what_is_applied_of_a_contract_is_split_too(tmp_path: Path) -> None:
    views = Views(
        WAREHOUSES,
        contracts=[
            ("EXAMPLE", "42", "2026-01-01", "2026-12-31", "2026-12-31", "capacity", "USD", "5000", "2026-01-01")
        ],
    )
    rows = split(tmp_path, [COMPUTE], views)
    taken = [
        json.loads(row["ContractApplied"], parse_float=Decimal, parse_int=Decimal)["Elements"][0][
            "ContractCommitmentAppliedCost"
        ]
        for row in rows
    ]
    assert sorted(taken) == sorted(row["BilledCost"] for row in rows) == [Decimal("52.5"), Decimal("157.5")]


def test_no_additive_figure_is_left_out_of_the_split(tmp_path: Path) -> None:
    rows = split(tmp_path, [COMPUTE | {"EFFECTIVE_RATE": "3.00"}], Views(WAREHOUSES))
    additive = [name for name in rows[0] if name.endswith(("Cost", "Quantity"))]
    assert {name: sum(row[name] for row in rows) for name in additive if rows[0][name] is not None} == {
        "BilledCost": 210,
        "ConsumedQuantity": 70,
        "ContractedCost": 210,
        "EffectiveCost": 210,
        "ListCost": 210,
        "PricingCurrencyEffectiveCost": 210,
        "PricingQuantity": 70,
    }


def test_what_hybrid_tables_hold_takes_none_of_the_other_storage(tmp_path: Path) -> None:
    bill = write_csv(tmp_path / "usage.csv", [STORAGE])
    columns = ("USAGE_DATE", "DATABASE_ID", "DATABASE_NAME", "AVERAGE_DATABASE_BYTES", "AVERAGE_FAILSAFE_BYTES")
    rows = [("5", "SALES", "100", "0"), ("6", "ORDERS", "0", "100")]
    views = [
        dict(zip(columns, (STORAGE["USAGE_DATE"], id, name, held, "0"), strict=True))
        | {"AVERAGE_HYBRID_TABLE_STORAGE_BYTES": hybrid}
        for id, name, held, hybrid in rows
    ]
    databases = write_csv(tmp_path / "databases.csv", views)
    [row] = focus_rows([(bill, "")], tmp_path, options={"allocation": "warehouse"}, companions=[databases])
    assert (row["AllocatedResourceName"], row["BilledCost"]) == ("SALES", Decimal("5.50"))


def test_what_has_no_id_takes_its_share_under_its_name(tmp_path: Path) -> None:
    views = Views(warehouses=[metered("1", "LOAD", 1), metered("", "BI", 3)])
    found = by_resource(split(tmp_path, [COMPUTE], views))
    assert found == {"1": Decimal("52.50"), "BI": Decimal("157.50")}


def test_a_renamed_warehouse_has_the_name_of_each_day(tmp_path: Path) -> None:
    later = COMPUTE | {"USAGE_DATE": "2026-01-25"}
    hours = (metered("1", "ZULU", "5"), metered("1", "ALPHA", "5", day="2026-01-25"))
    rows = split(tmp_path, [COMPUTE, later], Views(hours))
    named = {str(row["ChargePeriodStart"])[:10]: row["AllocatedResourceName"] for row in rows}
    assert named == {"2026-01-24": "ZULU", "2026-01-25": "ALPHA"}
    assert {row["AllocatedResourceId"] for row in rows} == {"XY1.AWS_US_EAST_1.1"}


def test_an_hour_under_two_names_is_one_warehouse_with_the_credits_of_both(tmp_path: Path) -> None:
    hours = (metered("1", "ALPHA", "3"), metered("1", "ZULU", "5"), metered("2", "BI", "8"))
    rows = split(tmp_path, [COMPUTE], Views(hours))
    assert by_resource(rows) == {"1": 105, "2": 105}
    assert {row["AllocatedResourceName"] for row in rows} == {"ZULU", "BI"}


@pytest.mark.parametrize(("domain", "name"), [("WAREHOUSE", "LOAD"), ("USER", "ANNA")])
def test_a_dropped_warehouse_keeps_its_tags_and_a_dropped_user_gives_none(
    domain: str, name: str, tmp_path: Path
) -> None:
    tags = write_csv(
        tmp_path / "tags.csv",
        [
            {
                **dict(
                    zip(HEADERS["tags"].split(","), (*tagged(domain, "1", name, "team", "data"), *PLACE), strict=True)
                ),
                "OBJECT_DELETED": "2026-02-03 10:00:00",
            }
        ],
    )
    views = Views((metered("1", "LOAD", "5"),), (attributed("q1", "1", "etl", "ANNA", "5"),)).write(tmp_path)
    bill = write_csv(tmp_path / "usage.csv", [COMPUTE])
    rows = focus_rows([(bill, "")], tmp_path, options={"allocation": "user"}, companions=[*views, tags])
    found = {json.loads(str(row["AllocatedTags"])).get("team") for row in rows if row["AllocatedTags"]}
    assert found == ({"data"} if domain == "WAREHOUSE" else {None})
