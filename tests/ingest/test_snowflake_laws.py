"""Laws of Snowflake's statements: the generated views keep them, and what is mapped from those keeps them too.

The figures are from real statement lines: rates of 1.90 in and 2.00 beyond the capacity, money of two decimals.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.gen import snowflake_views
from bench.gen.snowflake_views import Month, generated, select

CENT = Decimal("0.01")
HALF = Decimal("0.005")
# (usage, rate, money) of real lines: one bill under capacity, one with overage.
SEEN = (
    ("14.995", "1.90", "28.49"), ("0.068", "1.90", "0.13"), ("-0.068", "1.90", "-0.13"), ("15.794", "1.90", "30.01"),
    ("-1.579", "1.90", "-3.00"), ("2.117", "1.90", "4.02"), ("74.129", "2.00", "148.26"), ("28.408", "2.00", "56.82"),
    ("23.907", "2.00", "47.81"), ("-7.387", "2.00", "-14.77"), ("0.001", "2.00", "0.00"),
)  # fmt: skip
Rows = list[dict[str, Any]]


@pytest.fixture(
    scope="module", params=[Month(2_000), Month(2_000, month=2, turn=99, seed=7), Month(2_000, restated=True)]
)
def view(request: pytest.FixtureRequest) -> Iterator[Callable[..., Rows]]:
    month: Month = request.param
    with generated(month) as connection:

        def rows(name: str, *, hourly: bool = False) -> Rows:
            return connection.sql(select(name, month, hourly=hourly)).to_arrow_table().to_pylist()  # type: ignore[no-any-return]  # Arrow's own

        yield rows


def keyed(rows: Rows, *names: str) -> dict[tuple[Any, ...], Rows]:
    found: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


@pytest.mark.parametrize(("usage", "rate", "money"), SEEN)
def test_money_of_a_real_line_is_usage_at_its_rate_rounded_half_up(usage: str, rate: str, money: str) -> None:
    assert (Decimal(usage) * Decimal(rate)).quantize(CENT, ROUND_HALF_UP) == Decimal(money)


def test_every_generated_line_is_its_rate_rounded_half_up(view: Callable[..., Rows]) -> None:
    names = ("ACCOUNT_LOCATOR", "REGION", "USAGE_TYPE", "IS_ADJUSTMENT")
    rates = keyed(view("RATE_SHEET_DAILY"), "DATE", *names)
    lines = [row for row in view("USAGE_IN_CURRENCY_DAILY") if row["BILLING_TYPE"] == "CONSUMPTION"]
    assert lines
    for line in lines:
        (rate,) = rates[tuple(line[name] for name in ("USAGE_DATE", *names))]
        exact = line["USAGE"] * rate["EFFECTIVE_RATE"]
        assert line["USAGE_IN_CURRENCY"] == exact.quantize(CENT, ROUND_HALF_UP)
        assert abs(line["USAGE_IN_CURRENCY"] - exact) <= HALF
        if line["RATING_TYPE"] == "COMPUTE":
            assert rate["EFFECTIVE_RATE"] == Decimal("2.00" if line["BALANCE_SOURCE"] == "OVERAGE" else "1.90")
            assert line["USAGE_TYPE"].startswith("OVERAGE-") == (line["BALANCE_SOURCE"] == "OVERAGE")


def test_what_compute_includes_is_at_most_a_tenth_of_it_and_at_most_all_cloud_services(
    view: Callable[..., Rows],
) -> None:
    days = keyed(view("USAGE_IN_CURRENCY_DAILY"), "USAGE_DATE", "ACCOUNT_LOCATOR", "REGION")
    for lines in days.values():
        used: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines:
            used["ADJUSTMENT" if line["IS_ADJUSTMENT"] else line["SERVICE_TYPE"]] += line["USAGE"]
        assert 0 <= -used["ADJUSTMENT"] <= min(used["WAREHOUSE_METERING"] / 10, used["CLOUD_SERVICES"])


def test_credits_of_the_warehouses_are_those_of_the_bill(view: Callable[..., Rows]) -> None:
    names = ("ACCOUNT_LOCATOR", "REGION")
    billed = keyed(view("USAGE_IN_CURRENCY_DAILY"), "USAGE_DATE", *names)
    for (start, *account), found in keyed(view("WAREHOUSE_METERING_HISTORY"), "START_TIME", *names).items():
        credits = sum(row["CREDITS_USED_COMPUTE"] for row in found)
        lines = [row for row in billed[(start.date(), *account)] if row["SERVICE_TYPE"] == "WAREHOUSE_METERING"]
        assert abs(sum(row["USAGE"] for row in lines) - credits) <= Decimal("0.0005")
        assert all(row["CREDITS_ATTRIBUTED_COMPUTE_QUERIES"] <= row["CREDITS_USED_COMPUTE"] for row in found)


def test_hours_and_queries_sum_to_the_days(view: Callable[..., Rows]) -> None:
    def credits(rows: Rows, name: str) -> dict[Any, Decimal]:
        found: dict[Any, Decimal] = defaultdict(Decimal)
        for row in rows:
            key = row["START_TIME"].date(), row["ACCOUNT_LOCATOR"], row["REGION"], row["WAREHOUSE_ID"]
            found[key] += round(Decimal(row[name]), 9)
        return {key: value for key, value in found.items() if value}

    days = view("WAREHOUSE_METERING_HISTORY")
    hours = view("WAREHOUSE_METERING_HISTORY", hourly=True)
    assert credits(hours, "CREDITS_USED") == credits(days, "CREDITS_USED") != {}
    told = credits(view("QUERY_ATTRIBUTION_HISTORY"), "CREDITS_ATTRIBUTED_COMPUTE")
    assert told == credits(days, "CREDITS_ATTRIBUTED_COMPUTE_QUERIES") != {}


def test_databases_hold_less_than_their_account(view: Callable[..., Rows]) -> None:
    names = ("USAGE_DATE", "ACCOUNT_LOCATOR", "REGION")
    databases = keyed(view("DATABASE_STORAGE_USAGE_HISTORY"), *names)
    for key, (account,) in keyed(view("STORAGE_USAGE"), *names).items():
        assert sum(row["AVERAGE_DATABASE_BYTES"] + row["AVERAGE_FAILSAFE_BYTES"] for row in databases[key]) <= sum(
            account[name] for name in ("STORAGE_BYTES", "STAGE_BYTES", "FAILSAFE_BYTES")
        )


def test_the_capacity_left_falls_by_what_was_drawn(view: Callable[..., Rows]) -> None:
    drawn: dict[Any, Decimal] = defaultdict(Decimal)
    for row in view("USAGE_IN_CURRENCY_DAILY"):
        if row["BALANCE_SOURCE"] == "CAPACITY" and row["BILLING_TYPE"] == "CONSUMPTION":
            drawn[row["USAGE_DATE"]] += row["USAGE_IN_CURRENCY"]
    left = Decimal(snowflake_views.CAPACITY)
    for row in view("REMAINING_BALANCE_DAILY"):
        left -= drawn[row["DATE"]]
        assert row["CAPACITY_BALANCE"] == left


def test_a_restated_month_differs_in_its_last_days_alone() -> None:
    told = []
    for restated in (False, True):
        month = Month(2_000, restated=restated)
        with generated(month) as connection:
            rows = connection.sql(select("USAGE_IN_CURRENCY_DAILY", month)).fetchall()
            told.append({row[6]: [one for one in rows if one[6] == row[6]] for row in rows})
    before, after = told
    assert {day.day for day in before if before[day] != after[day]} == {29, 30, 31}


def test_locators_repeat_between_regions(view: Callable[..., Rows]) -> None:
    rows = view("USAGE_IN_CURRENCY_DAILY")
    assert len({row["ACCOUNT_LOCATOR"] for row in rows}) < len(
        {(row["ACCOUNT_LOCATOR"], row["REGION"]) for row in rows}
    )


def test_the_lines_kept_here_are_those_of_the_real_statements(real_data: Path) -> None:
    with next((real_data / "snowflake").glob("usage_statement_lines_*.csv")).open(encoding="utf-8", newline="") as file:
        lines = {(row["units_consumed"], row["amount"]) for row in csv.DictReader(file)}
    assert {(usage, money) for usage, _, money in SEEN} <= lines
