"""Other views of Snowflake beside its bill: recognised by their columns, of the bill's accounts, loaded exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.companions import completed, fits, load
from ingest.inspection import prepare
from ingest.mapping import tables, variables
from ingest.shapes import companions_of, shape_named
from ingest.staging import stage
from ledger.faults import Rejected
from tests.bills import Ledger, cur2, snowflake
from tests.snowflake_views import VIEWS, view

MEMBERS = [("XY12345", "AWS_US_EAST_1")]
OWN = ("XY12345", "AWS_US_EAST_1")
DAY = date(2026, 1, 24)
LOADED: Mapping[str, tuple[Any, ...]] = {
    "snowflake_rates": (
        *([DAY], *OWN, "COMPUTE", "WAREHOUSE_METERING", "COMPUTE", "CONSUMPTION"),
        *(False, "USD", Decimal(3)),
    ),
    "snowflake_metering": (DAY, *OWN, "WAREHOUSE_METERING", Decimal(78), Decimal(-7), Decimal(71)),
    "snowflake_warehouses": (DAY, *OWN, "7", "LOADING", Decimal("1.25"), Decimal("0.25"), Decimal(1)),
    "snowflake_queries": (DAY, *OWN, "7", "LOADING", "etl", "LOADER", Decimal("0.00001")),
    "snowflake_tags": (*OWN, "WAREHOUSE", "7", "LOADING", "COST_CENTER", "42"),
    "snowflake_storage": (DAY, *OWN, Decimal(1099511627806)),
    "snowflake_databases": (DAY, *OWN, "3", "SHOP", Decimal(1500000000000001)),
    "snowflake_contracts": (
        *("EXAMPLE", "9", "capacity", date(2025, 7, 1), date(2026, 6, 30), date(2026, 6, 30)),
        *("USD", Decimal(100000), date(2025, 6, 15)),
    ),
    "snowflake_balances": (DAY, "EXAMPLE", "9", "USD", Decimal(0), Decimal("61234.56"), Decimal("-12.34"), Decimal(5)),
}
Loaded = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[Loaded]:
    """The rows of a table once these unloads stand beside the bill of January."""
    with duckdb.connect() as connection:
        prepare(connection)
        shape = shape_named("snowflake_usage_in_currency")
        bounds = {"period_start": "2026-01-01 00:00:00+00", "period_end": "2026-02-01 00:00:00+00"}

        def run(table: str, *files: Path, members: Any = MEMBERS) -> list[tuple[Any, ...]]:
            for statement in [*tables(shape), *variables(bounds)]:
                connection.execute(statement)
            staged = [stage(connection, file, file.name, tmp_path) for file in files]
            assert {one.shape.name for one in staged} <= {table}
            load(connection, shape, staged, members)
            return connection.execute(f"FROM {table} ORDER BY ALL").fetchall()

        yield run


def test_every_companion_of_the_bill_has_its_table() -> None:
    shape = shape_named("snowflake_usage_in_currency")
    assert {one.name for one in companions_of(shape)} == {*shape.companions} == {*VIEWS}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("table", VIEWS)
def test_a_view_is_recognised_by_its_columns_and_loaded(
    table: str, suffix: str, loaded: Loaded, tmp_path: Path
) -> None:
    assert loaded(table) == []
    assert loaded(table, view(tmp_path / f"unload{suffix}", table)) == [LOADED[table]]
    assert loaded(table) == []  # of the next delivery, which has none


def test_hours_become_days_in_utc(loaded: Loaded, tmp_path: Path) -> None:
    hours = (
        "2026-01-24 23:00:00.000 -0800",
        "2026-01-24 15:00:00.000 -0800",
        "2026-01-24 22:30:00",
        "2026-02-01 00:00:00.000 Z",
    )
    lines = [{"START_TIME": hour} for hour in hours]
    rows = loaded("snowflake_warehouses", view(tmp_path / "hours.csv", "snowflake_warehouses", *lines))
    assert [(row[0].day, row[5]) for row in rows] == [(24, Decimal("2.5")), (25, Decimal("1.25"))]


def test_what_does_not_tell_all_of_its_account_is_of_the_one_it_fits(loaded: Loaded, tmp_path: Path) -> None:
    lines = [{"ACCOUNT_LOCATOR": "xy12345"}, {"ACCOUNT_LOCATOR": "AB1", "USAGE_DATE": "2026-01-25"}]
    file = view(tmp_path / "metering.csv", "snowflake_metering", *lines)
    rows = loaded("snowflake_metering", file, members=[*MEMBERS, ("AB1", "AZURE_WESTEUROPE")])
    assert [row[1:3] for row in rows] == [OWN, ("AB1", "AZURE_WESTEUROPE")]
    grouped = view(
        tmp_path / "grouped.csv", "snowflake_metering", {"ACCOUNT_LOCATOR": "XY12345", "REGION": "public.aws_us_east_1"}
    )
    assert [row[1:3] for row in loaded("snowflake_metering", grouped)] == [OWN]
    assert [row[1:3] for row in loaded("snowflake_metering", grouped, members=[("XY12345", "")])] == [("XY12345", "")]


def test_tags_of_one_name_are_told_apart_by_their_schema(loaded: Loaded, tmp_path: Path) -> None:
    lines = [{}, {"TAG_SCHEMA": "OTHER", "TAG_VALUE": "43"}, {"OBJECT_ID": "8"}]
    gone = {"OBJECT_ID": "9", "DOMAIN": "USER", "OBJECT_DELETED": "2026-01-02 00:00:00.000 Z"}
    column = {"OBJECT_ID": "10", "COLUMN_NAME": "PRICE", "COLUMN_ID": "1"}
    rows = loaded("snowflake_tags", view(tmp_path / "tags.csv", "snowflake_tags", *lines, gone, column))
    assert [(row[3], row[5]) for row in rows] == [
        ("7", "GOVERNANCE.OTHER.COST_CENTER"),
        ("7", "GOVERNANCE.TAGS.COST_CENTER"),
        ("8", "COST_CENTER"),
    ]


def test_rates_of_earlier_months_are_kept_and_later_ones_are_not(loaded: Loaded, tmp_path: Path) -> None:
    days = [{"DATE": day} for day in ("2025-12-30", "2026-01-31", "2026-02-01")]
    rows = loaded("snowflake_rates", view(tmp_path / "rates.csv", "snowflake_rates", *days))
    assert [sorted(map(str, row[0])) for row in rows] == [["2025-12-30", "2026-01-31"]]


def test_a_view_beside_the_bill_is_another_version(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "unloads"
    folder.mkdir()
    bill = snowflake(folder / "usage.csv")
    [bare] = ledger.ingest(bill).document["runs"]
    view(folder / "whatever.parquet", "snowflake_rates")
    [run] = ledger.ingest(folder).document["runs"]
    assert run["outcome"] == "committed"
    assert [file["role"] for file in run["files"]] == ["", "snowflake_rates"]
    assert run["balances"] == bare["balances"]
    assert ledger.ingest(folder / "whatever.parquet", bill).outcomes == ["unchanged"]
    view(folder / "whatever.parquet", "snowflake_rates", {"EFFECTIVE_RATE": "3.01"})
    assert ledger.ingest(folder).outcomes == ["committed"]
    assert ledger.broken_rules() == {}


def test_an_empty_view_is_no_fault(ledger: Ledger, tmp_path: Path) -> None:
    tags = view(tmp_path / "tags.csv", "snowflake_tags")
    tags.write_text(tags.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert ledger.ingest(snowflake(tmp_path / "usage.csv"), tags).outcomes == ["committed"]


REFUSED: Mapping[str, tuple[str, tuple[Mapping[str, str], ...], str, str | None]] = {
    "no number": ("snowflake_rates", ({"EFFECTIVE_RATE": "cheap"},), "not-a-number", "EFFECTIVE_RATE"),
    "a decimal comma": (
        "snowflake_warehouses",
        ({"CREDITS_USED_COMPUTE": "1,25"},),
        "decimal-comma",
        "CREDITS_USED_COMPUTE",
    ),
    "no date": ("snowflake_balances", ({}, {"DATE": "January"}), "not-a-date-time", "DATE"),
    "no day": ("snowflake_metering", ({"USAGE_DATE": ""},), "missing-value", "USAGE_DATE"),
    "bytes below 0": ("snowflake_storage", ({"STAGE_BYTES": "-1"},), "not-a-number", "STAGE_BYTES"),
    "an hour twice": ("snowflake_warehouses", ({}, {"CREDITS_USED_COMPUTE": "9"}), "doubled-row", "START_TIME"),
    "a day twice": ("snowflake_metering", ({}, {}), "doubled-row", "USAGE_DATE"),
    "another organization": ("snowflake_contracts", ({"ORGANIZATION_NAME": "OTHER"},), "companion-of-another", None),
    "another account": ("snowflake_metering", ({"ACCOUNT_LOCATOR": "AB1"},), "companion-of-another", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_view_or_another_s_is_refused_and_nothing_is_taken(case: str, ledger: Ledger, tmp_path: Path) -> None:
    table, lines, rule, column = REFUSED[case]
    before = ledger.figures()
    if "ACCOUNT_LOCATOR" in lines[0]:
        lines = tuple({"ACCOUNT_LOCATOR": "", **line} for line in lines)
    answer = ledger.ingest(snowflake(tmp_path / "usage.csv"), view(tmp_path / "unload.csv", table, *lines))
    assert answer.code == 2
    assert (answer.fault["rule"], answer.fault["column"]) == (rule, column)
    assert answer.fault["row"] == (len(lines) if column else None)
    assert answer.fault["file"].endswith("unload.csv")
    assert ledger.figures() == before


def test_an_hour_in_two_files_is_refused_with_both(ledger: Ledger, tmp_path: Path) -> None:
    files = [
        view(tmp_path / f"{name}.csv", "snowflake_warehouses", *lines)
        for name, lines in (("one", [{}]), ("two", [{"START_TIME": "2026-01-24 00:00:00"}, {}]))
    ]
    fault = ledger.ingest(snowflake(tmp_path / "usage.csv"), *files).fault
    assert (fault["rule"], fault["row"]) == ("doubled-row", 2)
    assert fault["file"].endswith("two.csv") and "row 1 of" in fault["message"] and "one.csv" in fault["message"]


@pytest.mark.parametrize("spelt", ["2026-01-23 21:00:00.000 -0800", "2026-01-24T05:00:00Z", " 2026-01-24 05:00:00+00"])
def test_an_hour_in_two_files_is_one_however_each_writes_it(spelt: str, loaded: Loaded, tmp_path: Path) -> None:
    files = [
        view(tmp_path / f"{name}.csv", "snowflake_warehouses", {"START_TIME": start})
        for name, start in (("one", "2026-01-24 05:00:00"), ("two", spelt))
    ]
    with pytest.raises(Rejected, match="there twice"):
        loaded("snowflake_warehouses", *files)


ACCOUNT = {"ACCOUNT_LOCATOR": "XY12345", "REGION": "AWS_US_EAST_1"}
NOT_TOLD = {"ACCOUNT_LOCATOR": "", "REGION": ""}
RESPELT: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "a moment": ("snowflake_warehouses", {}, {"START_TIME": "2026-01-23 17:00:00.000 -0800"}),
    "a day": ("snowflake_metering", {}, {"USAGE_DATE": "2026-01-24 00:00:00"}),
    "a day's end": ("snowflake_balances", {}, {"DATE": "2026-01-24 23:59:59"}),
    "a service": ("snowflake_metering", {}, {"SERVICE_TYPE": "Warehouse_Metering "}),
    "a user": ("snowflake_queries", {}, {"USER_NAME": "loader"}),
    "an organization": ("snowflake_balances", {}, {"ORGANIZATION_NAME": "Example"}),
    "a locator": ("snowflake_warehouses", ACCOUNT, {**ACCOUNT, "ACCOUNT_LOCATOR": "xy12345"}),
    "a region with its group": ("snowflake_warehouses", ACCOUNT, {**ACCOUNT, "REGION": "PUBLIC.AWS_US_EAST_1"}),
    "an account that is told once": ("snowflake_warehouses", ACCOUNT, NOT_TOLD),
    "a region that is told once": ("snowflake_queries", ACCOUNT, {**ACCOUNT, "REGION": ""}),
}


@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("case", RESPELT)
def test_what_is_told_twice_in_two_spellings_is_refused(case: str, files: int, loaded: Loaded, tmp_path: Path) -> None:
    table, *lines = RESPELT[case]
    lines = [{**dict.fromkeys(lines[1], ""), **VIEWS[table], **line} for line in lines]
    if files == 1:
        given = [view(tmp_path / "one.csv", table, *lines)]
    else:
        given = [view(tmp_path / f"{name}.csv", table, line) for name, line in zip(("one", "two"), lines, strict=True)]
    with pytest.raises(Rejected, match="there twice"):
        loaded(table, *given)


def test_accounts_of_one_hour_are_told_apart_also_where_one_is_not_told(loaded: Loaded, tmp_path: Path) -> None:
    table = "snowflake_warehouses"
    other = {"ACCOUNT_LOCATOR": "AB1", "REGION": "AWS_US_EAST_1"}
    file = view(tmp_path / "both.csv", table, ACCOUNT, other)
    assert len(loaded(table, file, members=[*MEMBERS, ("AB1", "AWS_US_EAST_1")])) == 2


def test_a_view_alone_or_beside_another_provider_s_bill_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    rates = view(tmp_path / "rates.csv", "snowflake_rates")
    assert ledger.ingest(rates).fault["rule"] == "companion-alone"
    assert ledger.ingest(cur2(tmp_path / "cur.parquet"), rates).fault["rule"] == "companion-of-another"


def test_of_several_accounts_a_view_has_to_tell_its_own(ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "usage.csv", {}, {"ACCOUNT_LOCATOR": "AB1"})
    fault = ledger.ingest(bill, view(tmp_path / "metering.csv", "snowflake_metering")).fault
    assert (fault["rule"], fault["column"]) == ("companion-unclear", "ACCOUNT_LOCATOR")
    named = view(tmp_path / "named.csv", "snowflake_metering", {"ACCOUNT_LOCATOR": "AB1", "REGION": "AWS_US_EAST_1"})
    assert ledger.ingest(bill, named).outcomes == ["committed"]


def test_a_view_without_one_of_its_columns_is_refused_by_name(ledger: Ledger, tmp_path: Path) -> None:
    rates = view(tmp_path / "rates.csv", "snowflake_rates", drop=("EFFECTIVE_RATE",))
    fault = ledger.ingest(snowflake(tmp_path / "usage.csv"), rates).fault
    assert (fault["rule"], "EFFECTIVE_RATE" in fault["message"]) == ("missing-column", True)


ACCOUNTS = st.lists(st.tuples(st.sampled_from(["", "A", "B", "C"]), st.sampled_from(["", "X", "Y"])), max_size=9)


@given(told=ACCOUNTS, members=ACCOUNTS)
def test_an_account_told_in_part_is_the_first_of_the_bill_that_it_fits(told: list[Any], members: list[Any]) -> None:
    first = {one: next((member for member in sorted(members) if fits(one, member)), one) for one in told}
    assert completed(told, members) == {one: member for one, member in first.items() if one != member}
