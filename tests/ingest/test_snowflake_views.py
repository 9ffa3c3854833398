"""What is asked of Snowflake, and what becomes of what arrives: exact, whole, and the same for the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.shapes import companions, shape_named
from ingest.snowflake_views import OWN, Account, account_of, query, views, wanted
from ingest.sources import snowflake as source
from ingest.sources.snowflake import groups, write
from ledger.delivery import Period
from ledger.faults import Rejected, Transient

JANUARY = Period(2026, 1)
USAGE = next(one for one in views() if one.name == "USAGE_IN_CURRENCY_DAILY")
METERING = next(one for one in views() if one.name == "WAREHOUSE_METERING_HISTORY")


def test_a_month_is_asked_for_from_its_first_day_to_the_next_ones() -> None:
    asked = query(USAGE, "ORGANIZATION_USAGE", list(USAGE.columns), Period(2025, 12), None)
    assert "\"USAGE_DATE\" >= '2025-12-01'::DATE AND \"USAGE_DATE\" < '2026-01-01'::DATE" in asked
    assert "GROUP BY" not in asked and asked.endswith("ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16")


def test_hours_are_summed_by_day_for_the_account_that_is_signed_in_to() -> None:
    columns = ["START_TIME", "WAREHOUSE_ID", "WAREHOUSE_NAME", "CREDITS_USED"]
    asked = query(METERING, OWN, columns, JANUARY, Account("XY12345", "AWS_US_EAST_1"))
    assert "'XY12345' AS \"ACCOUNT_LOCATOR\"" in asked
    assert '"START_TIME"::DATE AS "START_TIME"' in asked and 'SUM("CREDITS_USED"::NUMBER(38, 12))' in asked
    assert "\nGROUP BY 1, 2, 3, 4, 5\nORDER BY 1, 2, 3, 4, 5, 6" in asked


def test_columns_that_are_not_there_are_not_asked_for_and_the_needed_are_named() -> None:
    assert USAGE.lacks("ORGANIZATION_USAGE", [name for name in USAGE.columns if name != "CURRENCY"]) == ["CURRENCY"]
    assert METERING.lacks(OWN, ["START_TIME"]) == sorted(METERING.needed - {"START_TIME", "ACCOUNT_LOCATOR", "REGION"})
    assert '"SERVICE_LEVEL"' not in query(USAGE, "ORGANIZATION_USAGE", ["USAGE_DATE", "USAGE"], JANUARY, None)


def test_new_columns_of_the_focus_view_are_taken_as_text() -> None:
    [focus] = wanted("focus", "")
    asked = query(focus, "BILLING", ["BillingPeriodStart", 'x_"New"'], JANUARY, None)
    assert '"x_""New""" AS "x_""New"""' in asked


def test_every_view_is_known_to_the_mapping_by_the_columns_that_are_asked_for() -> None:
    """What a view is recognised by is among what it is of no use without."""
    bills = {"bill": "snowflake_usage_in_currency", "focus": "focus_snowflake_view"}
    for view in views():
        shapes = [shape_named(bills[view.use])] if view.is_bill else list(companions())
        needed = {name.casefold() for name in view.needed}
        assert [shape.name for shape in shapes if {name.casefold() for name in shape.signature} <= needed], view.name


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (("XY12345", "PUBLIC.AWS_US_WEST_2"), Account("XY12345", "AWS_US_WEST_2")),
        (("XY12345", "AZURE_WESTEUROPE"), Account("XY12345", "AZURE_WESTEUROPE")),
    ],
)
def test_the_account_says_who_it_is(row: tuple[str, str], found: Account) -> None:
    assert account_of(row) == found


@pytest.mark.parametrize("row", [None, (None, "AWS"), ("X'; DROP", "AWS"), ("XY12345", "")])
def test_an_account_that_does_not_say_so_is_asked_later(row: tuple[str, str] | None) -> None:
    with pytest.raises(Transient):
        account_of(row)


def tables(rows: list[tuple[Decimal, int]], sizes: list[int]) -> Iterator[pa.Table]:
    """The rows in batches of these sizes; integers as wide as the wire has them, which a batch decides by itself."""
    at = 0
    for size in [*sizes, len(rows)]:
        part, at = rows[at : at + size], at + size
        money = pa.array([one[0] for one in part], pa.decimal128(38, 12))
        count = pa.array([one[1] for one in part], pa.int8() if size % 2 else pa.int64())
        yield pa.table({"MONEY": money, "COUNT": count}).replace_schema_metadata({"part": str(at)})


MONEY = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20)
ROWS = st.lists(st.tuples(MONEY, st.integers(-100, 100)), min_size=1, max_size=40)


@given(ROWS, st.lists(st.integers(0, 9), max_size=12))
@settings(deadline=None)
def test_the_same_rows_are_the_same_bytes_however_they_arrive(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Decimal, int]], sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("views")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(source, "ROWS", 7)
        assert write(tables(rows, sizes), folder / "a", "V") == len(rows)
        assert write(tables(rows, []), folder / "b", "V") == len(rows)
        held = [group.num_rows for group in groups(tables(rows, sizes))]
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
    assert pq.read_table(folder / "a")["MONEY"].to_pylist() == [money for money, _ in rows]
    assert max(held) <= 7 and sum(held) == len(rows)


def test_no_rows_leave_no_file(tmp_path: Path) -> None:
    assert write(iter([pa.table({"A": pa.array([], pa.int64())})]), tmp_path / "none", "V") == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_cut_off_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.Table]:
        yield pa.table({"A": list(range(source.ROWS))})
        raise Transient("cut off")

    with pytest.raises(Transient):
        write(broken(), tmp_path / "half", "V")
    assert list(tmp_path.iterdir()) == []


def test_floating_point_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="column USAGE is floating point"):
        write(iter([pa.table({"USAGE": [1.5]})]), tmp_path / "loose", "V")
    assert list(tmp_path.iterdir()) == []


def test_instants_are_stored_as_utc(tmp_path: Path) -> None:
    moment: Any = datetime(2026, 1, 1, 7, tzinfo=UTC)
    write(iter([pa.table({"AT": pa.array([moment], pa.timestamp("us", "America/Lima"))})]), tmp_path / "at", "V")
    kept = pq.read_table(tmp_path / "at")
    assert (str(kept.schema.field("AT").type), kept["AT"][0].as_py()) == ("timestamp[us, tz=UTC]", moment)
