"""Laws of the split on any bill and metering: nothing lost, nothing but figures changed, order of no account."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.inspection import prepare
from ingest.mapping import tables, variables
from ingest.shapes import shape_named
from ingest.splits import shares
from tests.ingest.split_bills import (
    CLOUD,
    COMPUTE,
    DAY,
    INCLUDED,
    STORAGE,
    Views,
    attributed,
    element,
    metered,
    split,
    tagged,
)
from tests.mapped import Row

FIGURES = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingCurrencyEffectiveCost"),
    *("PricingQuantity", "ConsumedQuantity"),
)
ALLOCATED = ("MethodId", "MethodDetails", "ResourceId", "ResourceName", "Tags")
T = TypeVar("T")
UNIT = Decimal("1e-24")
DAYS = (DAY, "2026-01-25")
credits = st.decimals(0, 1000, places=9).map(str)
names = st.sampled_from(["", "etl", "it's", 'a "b"', "ü\\x"])


def money(places: int) -> st.SearchStrategy[str]:
    return st.decimals(-10_000, 10_000, places=places).map(lambda one: f"{one:f}")


@st.composite
def bills(draw: st.DrawFn) -> list[Mapping[str, str]]:
    """Lines that are told apart by their description, money of few and of very many digits among them."""
    kinds = draw(st.lists(st.sampled_from([COMPUTE, CLOUD, INCLUDED, STORAGE]), min_size=1, max_size=6))
    lines: list[Mapping[str, str]] = []
    for number, kind in enumerate(kinds):
        places = draw(st.sampled_from([0, 2, 9, 20]))
        lines.append(
            kind
            | {
                "USAGE_TYPE": f"{kind['USAGE_TYPE']} {number}",
                "USAGE_DATE": draw(st.sampled_from(DAYS)),
                "USAGE": draw(money(draw(st.sampled_from([3, 12])))),
                "USAGE_IN_CURRENCY": draw(money(places)),
                "EFFECTIVE_RATE": draw(st.sampled_from(["", "3.00", "2.123456789012"])),
            }
        )
    return lines


@st.composite
def views(draw: st.DrawFn) -> Views:
    warehouses = [
        metered(str(number), f"WH_{number}", draw(credits), draw(credits), day)
        for day in DAYS
        for number in range(draw(st.integers(0, 3)))
    ]
    queries = [
        attributed(f"q{day}{number}", str(draw(st.integers(0, 3))), draw(names), draw(names), draw(credits), day)
        for day in DAYS
        for number in range(draw(st.integers(0, 4)))
    ]
    bytes_ = st.integers(0, 10**15).map(str)
    databases = [
        (day, str(number), f"DB_{number}", draw(bytes_), draw(bytes_))
        for day in DAYS
        for number in range(draw(st.integers(0, 3)))
    ]
    storage = [(day, draw(bytes_), draw(bytes_), "0") for day in DAYS if draw(st.booleans())]
    tags = [tagged("WAREHOUSE", "1", "WH_1", draw(names) or "t", draw(names)), tagged("USER", "7", "etl", "t", "user")]
    return Views(warehouses, queries, tags, storage, databases)


def rows_of(bill: Sequence[Mapping[str, str]], beside: Views, allocation: str) -> list[Row]:
    with TemporaryDirectory() as folder:
        return split(Path(folder), bill, beside, allocation)


def comparable(rows: Sequence[Row]) -> list[str]:
    return sorted(map(repr, rows))


@pytest.mark.parametrize("allocation", ["warehouse", "query-tag", "user"])
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(bill=bills(), beside=views(), seed=st.integers(0, 9))
def test_parts_are_their_origin(allocation: str, bill: list[Mapping[str, str]], beside: Views, seed: int) -> None:
    whole = {row["ChargeDescription"]: row for row in rows_of(bill, beside, "")}
    rows = rows_of(bill, beside, allocation)
    parts: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row["ChargeDescription"]].append(row)
    assert parts.keys() == whole.keys()
    for name, origin in whole.items():
        held_together(origin, parts[name])
    shuffled = random.Random(seed)
    assert comparable(rows_of(mixed(bill, shuffled), turned(beside, shuffled), allocation)) == comparable(rows)


def held_together(origin: Row, parts: Sequence[Row]) -> None:
    """All that must be so of the parts of one row."""
    ratios = [Fraction(Decimal(str(element(part)["AllocatedRatio"]))) for part in parts]
    assert sum(ratios) == 1
    for figure in FIGURES:
        if origin[figure] is None:
            assert {part[figure] for part in parts} == {None}
            continue
        assert sum(Fraction(part[figure]) for part in parts) == Fraction(origin[figure])
        for part, ratio in zip(parts, ratios, strict=True):
            assert abs(Fraction(part[figure]) - Fraction(origin[figure]) * ratio) < Fraction(UNIT)
    changed = {*FIGURES, *(f"Allocated{name}" for name in ALLOCATED)}
    for part in parts:
        assert {key: part[key] for key in part if key not in changed} == {
            key: origin[key] for key in origin if key not in changed
        }
        assert part["AllocatedMethodId"] is not None
        assert (part["AllocatedResourceId"] is None) == (part["AllocatedResourceName"] is None)
    takers = Counter(
        (part["AllocatedResourceId"], part["AllocatedTags"], element(part).get("x_Part")) for part in parts
    )
    assert max(takers.values()) == 1


def mixed(lines: Sequence[T], by: random.Random) -> list[T]:
    return by.sample(list(lines), len(lines))


def turned(beside: Views, by: random.Random) -> Views:
    """The same views in another order."""
    return Views(
        warehouses=mixed(beside.warehouses, by),
        queries=mixed(beside.queries, by),
        tags=mixed(beside.tags, by),
        storage=mixed(beside.storage, by),
        databases=mixed(beside.databases, by),
    )


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """The macros of the split, with empty views behind them."""
    shape = shape_named("snowflake_usage_in_currency")
    assert shape.split
    with duckdb.connect() as connection:
        prepare(connection)
        for statement in (*tables(shape), *variables({"allocation": "warehouse"}), shares(shape.split)):
            connection.execute(statement)
        yield connection


def largest_remainder(whole: int, weights: Sequence[int]) -> list[int]:
    """What each takes of a whole number."""
    total = sum(weights)
    floors = [abs(whole) * weight // total for weight in weights]
    order = sorted(range(len(floors)), key=lambda i: (-(abs(whole) * weights[i] % total), i))
    for i in order[: abs(whole) - sum(floors)]:
        floors[i] += 1
    return [floor if whole >= 0 else -floor for floor in floors]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(weights=st.lists(st.integers(1, 10**23), min_size=1, max_size=9), units=st.integers(0, 10**15))
def test_shares_go_by_weight_to_the_largest_remainders(
    engine: duckdb.DuckDBPyConnection, weights: list[int], units: int
) -> None:
    lines = ", ".join(
        f"(1, 'bin', '{part}', CAST({weight} AS HUGEINT), CAST({units} AS HUGEINT))"
        for part, weight in enumerate(weights)
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE weighed AS FROM (VALUES {lines}) AS t(slot, bin, part, weight, units)"
    )
    found = engine.execute("SELECT units FROM apportioned('weighed') ORDER BY part").fetchall()
    assert [int(one) for (one,) in found] == largest_remainder(units, weights)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.integers(-(10**38) + 1, 10**38 - 1),
    cuts=st.lists(st.integers(0, 10**15), max_size=6),
)
def test_a_figure_of_any_digits_goes_to_the_largest_remainders(
    engine: duckdb.DuckDBPyConnection, whole: int, cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), 10**15]
    units = [after - before for before, after in pairwise(edges)]
    listed = ", ".join(f"{{'part': {i}, 'units': CAST({unit} AS BIGINT)}}" for i, unit in enumerate(units))
    digits = f"{abs(whole):025d}"
    text = f"{'-' * (whole < 0)}{digits[:-24]}.{digits[-24:]}"
    query = f"SELECT split_long(CAST('{text}' AS DECIMAL(38, 24)), NULL, [{listed}])"
    [(found,)] = engine.execute(query).fetchall()
    assert [Fraction(one["figure"]) * 10**24 for one in found] == largest_remainder(whole, units)


@given(figure=st.decimals(-(10**13) + 1, 10**13 - 1, places=9) | st.decimals(-(10**14) + 1, 10**14 - 1, places=24))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_figure_is_short_only_where_nothing_is_cut(engine: duckdb.DuckDBPyConnection, figure: Decimal) -> None:
    [(short,)] = engine.execute(f"SELECT split_short(0, CAST('{figure:f}' AS DECIMAL(38, 24)))").fetchall()
    assert short in (None, figure)
    fits = abs(figure) < 10**13 and figure.as_tuple().exponent >= -9  # type: ignore[operator]  # never NaN here
    assert (short is not None) or not fits


@given(weight=st.decimals(0, 10**12, places=9) | st.decimals(0, 100, places=15))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_credits_weigh_their_billionths(engine: duckdb.DuckDBPyConnection, weight: Decimal) -> None:
    [(found,)] = engine.execute(f"SELECT split_weight(CAST('{weight:f}' AS DECIMAL(38, 24)))").fetchall()
    assert abs(found - weight * 10**9) <= Decimal("0.5")


def test_tags_that_the_row_has_itself_are_not_repeated(engine: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT split_tags_beside(?, ?)"
    [(found,)] = engine.execute(query, ['{"a":"1","b":"2"}', '{"b":"3"}']).fetchall()
    assert json.loads(found) == {"a": "1"}
    assert engine.execute(query, ['{"b":"2"}', '{"b":"3"}']).fetchall() == [(None,)]
