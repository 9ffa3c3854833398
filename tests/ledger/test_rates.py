"""What a resource costs an hour, by its newest rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from ledger.rates import Rate, rates, rates_sql

COLUMNS = {
    **dict.fromkeys(
        ("ResourceId", "ChargeCategory", "ConsumedUnit", "BillingCurrency", "SkuMeter", "SkuId"), "VARCHAR"
    ),
    "ChargePeriodStart": "TIMESTAMPTZ",
    **dict.fromkeys(("EffectiveCost", "ConsumedQuantity"), "DECIMAL(38,24)"),
}
DAY1, DAY2 = "2026-11-10 00:00:00+00", "2026-11-11 23:00:00+00"


def row(id: str, start: str, cost: str | None, hours: str, **more: str) -> tuple[str | None, ...]:
    fields = {"category": "Usage", "unit": "Hours", "currency": "USD", "meter": "m", **more}
    return id, fields["category"], fields["unit"], fields["currency"], fields["meter"], None, start, cost, hours


def found(*rows: tuple[str | None, ...], ids: tuple[str, ...] = ("/s/a",)) -> Any:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {type}' for name, type in COLUMNS.items())})")
        for one in rows:
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", one)
        return rates(connection.execute(rates_sql("SELECT * FROM t"), [list(ids)]).fetchall())


def test_the_newest_day_counts_by_the_hours_it_has() -> None:
    rows = [row("/S/A", DAY1, "240", "24"), row("/S/a", DAY2, "0.3", "2"), row("/s/A", DAY2, "0.1", "2")]
    assert found(*rows) == {"/s/a": Rate(Decimal("0.1"), "USD", date(2026, 11, 11))}


def test_meters_add_up_per_hour() -> None:
    rows = [row("/s/a", DAY2, "2.4", "24"), row("/s/a", DAY2, "1.2", "24", meter="licence")]
    assert found(*rows)["/s/a"].per_hour == Decimal("0.15")


def test_what_is_not_counted_in_hours_tells_nothing() -> None:
    rows = [
        row("/s/a", DAY2, "9", "1", unit="GB"),
        row("/s/a", DAY2, "9", "1", category="Tax"),
        row("/s/a", DAY2, None, "1"),
        row("/s/a", DAY2, "9", "0"),
        row("/s/b", DAY2, "9", "1"),
    ]
    assert found(*rows) == {}


def test_two_currencies_on_a_day_have_no_one_price() -> None:
    rows = [
        row("/s/a", DAY2, "1", "1"),
        row("/s/a", DAY2, "1", "1", currency="EUR"),
        row("/s/a", DAY2, "1", "1", meter="z"),
    ]
    assert found(*rows) == {}


def test_no_digit_is_lost() -> None:
    assert found(row("/s/a", DAY2, "0.000000000000000000000001", "1"))["/s/a"].per_hour == Decimal("1E-24")
