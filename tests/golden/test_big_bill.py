"""The generated big bill keeps its promises: reproducible, prefix-stable, exact to ten digits, all line item types."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from bench.gen.columns import columns, select_list
from bench.gen.cur2 import select


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def test_a_shorter_bill_is_a_prefix(connection: duckdb.DuckDBPyConnection) -> None:
    differing = connection.execute(
        f"(FROM ({select(0, 400)}) EXCEPT ALL FROM ({select(0, 900)})) UNION ALL"
        f"(FROM ({select(400, 900)}) EXCEPT ALL FROM ({select(0, 900)}))"
    ).fetchall()
    assert differing == []


def test_it_has_the_shape_of_the_real_export(connection: duckdb.DuckDBPyConnection) -> None:
    described = connection.execute(f"DESCRIBE {select(0, 1)}").fetchall()
    assert [(row[0], row[1]) for row in described] == list(columns())
    assert len(described) == 127


def test_all_line_item_types_occur_and_negations_offset(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"CREATE TABLE bill AS {select(0, 10_000)}")
    sums = "line_item_line_item_type, sum(CAST(CAST(line_item_unblended_cost AS VARCHAR) AS DECIMAL(38, 10)))"
    money = dict(connection.execute(f"SELECT {sums} FROM bill GROUP BY 1").fetchall())
    assert len(money) == 13
    assert money["SavingsPlanCoveredUsage"] + money["SavingsPlanNegation"] == 0 < money["SavingsPlanCoveredUsage"]


def test_costs_have_at_most_ten_fraction_digits(connection: duckdb.DuckDBPyConnection) -> None:
    costs = connection.execute(f"SELECT line_item_unblended_cost FROM ({select(0, 5_000)})").fetchall()
    assert all(Decimal(repr(cost)) == round(Decimal(repr(cost)), 10) for (cost,) in costs)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(KeyError, match="line_item_nonsense"):
        select_list({"line_item_nonsense": "1"})
