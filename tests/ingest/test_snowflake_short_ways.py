"""Short ways that Snowflake's mapping takes give what the long ones give, to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import kinds
from ingest.inspection import prepare
from ingest.mappings import text
from ingest.measures import CURRENCY, INVOICE, KEYS, Amount, Measures
from ingest.shapes import companions, shape_named

UNITS = 10**15
WEIGHTS = st.lists(st.integers(1, 10**9) | st.integers(1, 10**22), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    """With the macros of a split, but none of its tables."""
    connection = duckdb.connect()
    prepare(connection)
    for statement in duckdb.extract_statements(text("snowflake_split.shares.sql")):
        if "CREATE OR REPLACE MACRO" in statement.query:
            connection.execute(statement)
    return connection


@given(WEIGHTS)
def test_units_go_to_the_largest_remainders_of_whole_numbers(
    engine: duckdb.DuckDBPyConnection, weights: Sequence[int]
) -> None:
    whole = sum(weights)
    lacking = UNITS - sum(weight * UNITS // whole for weight in weights)
    first = sorted(range(len(weights)), key=lambda part: (-(weights[part] * UNITS % whole), part))[:lacking]
    expected = [(part, weight * UNITS // whole + (part in first)) for part, weight in enumerate(weights)]
    engine.execute("CREATE OR REPLACE TEMP TABLE w (slot INTEGER, bin VARCHAR, part INTEGER, weight HUGEINT)")
    engine.executemany("INSERT INTO w VALUES (3, '', ?, ?)", [list(one) for one in enumerate(weights)])
    engine.execute("CREATE OR REPLACE TEMP TABLE weighed AS SELECT *, split_units() AS units FROM w")
    assert engine.execute("SELECT part, units FROM apportioned('weighed') ORDER BY 1").fetchall() == expected


@given(st.lists(st.integers(0, UNITS) | st.sampled_from([0, 1, 10**14, UNITS - 1, UNITS]), min_size=1))
def test_a_ratio_is_written_as_its_decimal_is(engine: duckdb.DuckDBPyConnection, units: list[int]) -> None:
    told = "SELECT split_ratio_text(x), shortest(split_ratio(x)) FROM (SELECT unnest(?::BIGINT[]) AS x)"
    assert [short for short, long in engine.execute(told, [units]).fetchall() if short != long] == []


@given(st.lists(st.integers(0, 10**13) | st.integers(0, 10**25), min_size=1))
def test_credits_are_written_as_their_decimal_is(engine: duckdb.DuckDBPyConnection, weights: list[int]) -> None:
    long = "shortest(CAST(x AS DECIMAL(28, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)))"
    told = f"SELECT x FROM (SELECT unnest(?::HUGEINT[]) AS x) WHERE split_credits(x) IS DISTINCT FROM {long}"
    assert engine.execute(told, [weights]).fetchall() == []


@pytest.mark.parametrize("view", [one.name for one in companions() if one.name.startswith("snowflake_")])
def test_what_stands_for_null_in_a_view_does_so_in_its_sql(engine: duckdb.DuckDBPyConnection, view: str) -> None:
    nulls = next(one.nulls for one in companions() if one.name == view)
    texts = [*nulls, *(f" {word.upper()} " for word in nulls), "0", "n/a", "nul", "N"]
    found = engine.execute("SELECT list(told(x)) FROM (SELECT unnest(?) AS x)", [texts]).fetchall()
    assert found == [([None] * 2 * len(nulls) + ["0", "n/a", "nul", "N"],)]


def test_lines_of_two_kinds_are_told_apart_where_their_hashes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "(VALUES (1, 'a'), (2, 'b')) AS lines(number, word)"
    sql = f"SELECT word, CASE WHEN getvariable('salt') < 2 THEN 7 ELSE number END AS line FROM {lines}"
    monkeypatch.setattr(kinds, "text", lambda _name: sql)
    shape = replace(shape_named("snowflake_usage_in_currency"), kinds=kinds.Kinds("", ("word",), "", {}))
    with duckdb.connect() as connection:
        kinds.collect(connection, shape)
        assert connection.execute("SELECT line, word FROM kinds ORDER BY 1").fetchall() == [(1, "a"), (2, "b")]


LINES = st.lists(
    st.tuples(st.sampled_from(["USD", "EUR"]), st.sampled_from("abc"), st.decimals(-9, 9, places=3), st.integers(0, 3))
)


@given(LINES, LINES)
def test_many_amounts_are_added_up_as_one_by_one(
    first: Sequence[tuple[str, str, Decimal, int]], then: Sequence[tuple[str, str, Decimal, int]]
) -> None:
    singly, at_once = Measures(), Measures()
    for found in (first, then):
        at_once.add_all("bill", INVOICE, found)
        for currency, key, money, lines in found:
            singly.add("bill", INVOICE, currency, key, Amount(money, lines))
    assert at_once == singly


def test_what_is_beyond_ten_thousand_is_the_others_at_once_too() -> None:
    measures = Measures()
    measures.add_all("bill", INVOICE, [("USD", f"{number}", Decimal(1), 1) for number in range(KEYS + 3)])
    assert measures.get("bill", "USD", "others") == Amount(Decimal(3), 3)
    measures.add_all("all", CURRENCY, [("USD", "", Decimal(1), 1)])
    assert measures.get("all", "USD", "") == Amount(Decimal(1), 1)
