"""A unit price times a quantity in the mappings' SQL, against Python's Decimal: the same digits or the same refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.inspection import prepare

PLAIN = st.from_regex(r"[+-]?[0-9]{1,14}(\.[0-9]{0,27})?", fullmatch=True)
SCIENTIFIC = st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,17})?[eE][+-]?[0-9]{1,2}", fullmatch=True)
NUMBERS = st.one_of(PLAIN, st.from_regex(r"[0-9]{1,4}\.[0-9]{1,17}", fullmatch=True), SCIENTIFIC)
Pairs = Sequence[tuple[str | None, str | None]]
DECIMALS = (
    st.decimals(-(10**13), 10**13, places=24)
    | st.decimals(-(10**4), 10**4, places=15)
    | st.decimals(-(10**7), 10**7, places=12)
    | st.decimals(0, 10**9, places=9)
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        prepare(connection)
        yield connection


def with_places(number: Decimal, places: int, digits: int = 19) -> Decimal | None:
    found = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return found if abs(found) < Decimal(10) ** (digits - places) else None


def expected(price: Decimal, quantity: Decimal) -> Decimal | None:
    """By the first way that holds both: 15 + 9, 9 + 15 where that loses nothing, 12 + 12, and again; else `large`."""
    ways = [(12, 12), (15, 9), (9, 15)]
    short = [
        with_places(factor, 9) is not None and with_places(factor, 9) == with_places(factor, 24, 38)
        for factor in (price, quantity)
    ]
    ways = [way for way, loses_nothing in (((15, 9), short[1]), ((9, 15), short[0])) if loses_nothing] + ways
    for left, right in ways:
        factors = with_places(price, left), with_places(quantity, right)
        if factors[0] is not None and factors[1] is not None:
            return factors[0] * factors[1]
    found = large(price, quantity)
    return large(quantity, price) if found is None else found


def large(factor: Decimal, other: Decimal) -> Decimal | None:
    """A factor of up to 14 digits before the point; the other one has 18 decimals below 1, else nine."""
    whole = with_places(factor, 6, digits=20)
    for places in (18, 9):
        rest = with_places(other, places, digits=18)
        if whole is not None and rest is not None and abs(product := whole * rest) < 10**14:
            return product
    return None


def found(
    engine: duckdb.DuckDBPyConnection, pairs: Pairs, kinds: str = "VARCHAR VARCHAR", figure: str = "product"
) -> list[Decimal | None]:
    """The factors stand in a table: constants would be folded, and parameters have no type."""
    left, right = kinds.split(maxsplit=1)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE factors (place INTEGER, price {left}, quantity {right})")
    engine.executemany("INSERT INTO factors VALUES (?, ?, ?)", [[place, *pair] for place, pair in enumerate(pairs)])
    rows = engine.execute(f"SELECT {figure}(price, quantity) FROM factors ORDER BY place").fetchall()
    return [result for (result,) in rows]


EDGES = [
    ("0.0589", "24.80634996"),
    ("9999.999999999999999", "9999999999.999999999"),
    ("9999999999.999999999", "-9999.999999999999999"),
    ("9999999.999999999999", "9999999.999999999999"),
    ("99999999999999", "1"),
    ("20000", "20000000"),
    ("20000000000", "1"),
    ("20000000000", "0.00134408602150537634"),
    ("0.0000004", "50000000000"),
    ("10000001", "10000001"),
    ("6420692.7e-3", "331167927.430242136801"),
    ("68152.69364968357375E4", "5666.6516"),
    ("1E-05", "0.03225806"),
]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30))
@example(EDGES)
def test_a_product_of_texts_is_that_of_the_decimals(
    engine: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]
) -> None:
    with localcontext(prec=200):
        assert found(engine, pairs) == [expected(Decimal(price), Decimal(quantity)) for price, quantity in pairs]


@given(st.lists(st.tuples(DECIMALS, DECIMALS), min_size=1, max_size=30))
def test_a_product_of_decimals_is_that_of_their_texts(
    engine: duckdb.DuckDBPyConnection, pairs: list[tuple[Decimal, Decimal]]
) -> None:
    texts = [(f"{price:f}", f"{quantity:f}") for price, quantity in pairs]
    with localcontext(prec=200):
        products = [expected(*pair) for pair in pairs]
        for kinds in ("DECIMAL(38,24) DECIMAL(38,24)", "DECIMAL(38,24) VARCHAR", "VARCHAR DECIMAL(38,24)"):
            assert found(engine, texts, kinds) == products


@given(st.lists(st.tuples(DECIMALS, DECIMALS), min_size=1, max_size=30))
def test_an_exact_product_is_one_of_twelve_decimals_each(
    engine: duckdb.DuckDBPyConnection, pairs: list[tuple[Decimal, Decimal]]
) -> None:
    texts = [(f"{price:f}", f"{quantity:f}") for price, quantity in pairs]
    with localcontext(prec=200):
        exact = [all(with_places(factor, 12) == factor for factor in pair) for pair in pairs]
        assert found(engine, texts, "DECIMAL(38,24) DECIMAL(38,24)", "is_exact") == exact


@pytest.mark.parametrize(
    ("price", "quantity"),
    [(None, "1"), ("1", None), ("", "1"), ("x", "1"), ("1", "one"), ("1e99999999999", "1"), ("1", "1e99999")],
)
def test_what_is_no_number_has_no_product(
    engine: duckdb.DuckDBPyConnection, price: str | None, quantity: str | None
) -> None:
    assert found(engine, [(price, quantity)]) == [None]
