"""Money to the last digit: the raw total, the balance, and the casts of the mappings against Python's Decimal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.inspection import prepare
from ledger.faults import Rejected
from ledger.reconcile import balances, raw_total_sql, raw_totals, rounded_rows, total

UNIT = Decimal("1e-24")
NONE = Decimal(0)
PLAIN = st.decimals(min_value=-(10**13), max_value=10**13, places=None, allow_nan=False, allow_infinity=False)
TEXTS = st.one_of(
    st.from_regex(r"[+-]?(0|[1-9][0-9]{0,12})(\.[0-9]{1,26})?", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,6}(\.[0-9]{1,17})?[eE][+-]?[0-9]{1,2}", fullmatch=True),
    st.from_regex(r"-?\.[0-9]{1,9}|[0-9]{1,5}\.", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12).map(repr),
)
TIES = st.builds(
    lambda sign, whole, digits, tail: f"{sign}{whole}.{digits}5{tail}",
    st.sampled_from(["", "-"]),
    st.integers(0, 10**9),
    st.from_regex(r"[0-9]{24}", fullmatch=True),
    st.sampled_from(["", "0", "000", "1", "0001"]),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        prepare(connection)
        yield connection


def column(engine: duckdb.DuckDBPyConnection, kind: str, values: list[object]) -> None:
    engine.execute(f"CREATE OR REPLACE TEMP TABLE raw (cost {kind}, code VARCHAR)")
    engine.executemany("INSERT INTO raw VALUES (?, 'USD')", [[value] for value in values])


def rounded(text: str) -> Decimal:
    with localcontext(prec=100):
        return Decimal(text.strip()).quantize(UNIT, ROUND_HALF_EVEN)


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_raw_totals_of_any_texts_are_exact(engine: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    column(engine, "VARCHAR", list(texts))
    found: dict[str, Decimal] = raw_totals(engine.execute(raw_total_sql("cost", "code")).fetchall())
    assert found == {"USD": total(map(Decimal, texts))}


@given(st.lists(st.floats(-1e13, 1e13), min_size=1, max_size=8))
def test_raw_totals_of_any_doubles_are_those_of_their_texts(
    engine: duckdb.DuckDBPyConnection, values: list[float]
) -> None:
    column(engine, "DOUBLE", list(values))
    found: dict[str, Decimal] = raw_totals(engine.execute(raw_total_sql("cost", "code")).fetchall())
    assert found == {"USD": total(Decimal(repr(value)) for value in values)}


@given(st.one_of(TEXTS, TIES))
def test_money_rounds_half_even_at_the_24th_digit(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    if abs(Decimal(text)) < 10**14 - 1:
        [(found,)] = engine.execute("SELECT money(?)", [text]).fetchall()
        assert found == rounded(text)
        assert (rounded_rows([("USD", 0, 0, text, 1)]) == 1) == (rounded(text) != Decimal(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2.5e-24", 2), ("3.5e-24", 4), ("-2.5e-24", -2), ("0.0000000000000000000000005", 0), ("15E-25", 2), ("5e-25", 0)],
)
def test_ties_go_to_the_even_digit(engine: duckdb.DuckDBPyConnection, text: str, expected: int) -> None:
    assert engine.execute("SELECT money(?)", [text]).fetchall() == [(expected * UNIT,)]


@given(st.floats(-9e13, 9e13))
def test_exact_is_the_decimal_of_the_double_s_text(engine: duckdb.DuckDBPyConnection, value: float) -> None:
    assert engine.execute("SELECT exact(?::DOUBLE)", [value]).fetchall() == [(rounded(repr(value)),)]


def test_exact_on_a_million_hard_doubles(engine: duckdb.DuckDBPyConnection) -> None:
    """Decimals of 0 to 17 digits, of both signs and many sizes, and the neighbourhood of 100,000."""
    engine.execute("""CREATE OR REPLACE TEMP TABLE hard AS
        SELECT CAST((CASE WHEN i % 2 = 0 THEN '-' ELSE '' END)
            || CAST(hash(i) % CAST(pow(10, 1 + i % 17) AS UBIGINT) AS VARCHAR)
            || 'e-' || CAST(hash(i + 7) % 22 AS VARCHAR) AS DOUBLE) AS x FROM range(900000) t(i)
        UNION ALL SELECT 100000 + CAST(i - 50000 AS DOUBLE) / 10000000 FROM range(100000) t(i)""")
    engine.execute("DELETE FROM hard WHERE abs(x) >= 1e14")
    wrong = """SELECT count(*) FROM hard WHERE exact(x) IS DISTINCT FROM half_even(written_out(CAST(x AS VARCHAR)))"""
    assert engine.execute(wrong).fetchall() == [(0,)]
    values = [row[0] for row in engine.execute("SELECT x FROM hard USING SAMPLE 2000").fetchall()]
    column(engine, "DOUBLE", values)
    assert {row[0]: row[1] for row in engine.execute("SELECT cost, exact(cost) FROM raw").fetchall()} == {
        value: rounded(repr(value)) for value in values
    }


def decimals(top: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, top, places=places)


@given(
    pair=st.tuples(decimals(9999, 15), decimals(10**9, 9))
    | st.tuples(decimals(10**9, 9), decimals(9999, 15))
    | st.tuples(decimals(10**6, 12), decimals(10**6, 12))
)
@settings(max_examples=200)
def test_a_product_is_exact_when_both_factors_fit(
    engine: duckdb.DuckDBPyConnection, pair: tuple[Decimal, Decimal]
) -> None:
    price, quantity = pair
    [(found,)] = engine.execute("SELECT CAST(product(?, ?) AS VARCHAR)", [f"{price:f}", f"{quantity:f}"]).fetchall()
    with localcontext(prec=100):
        assert Decimal(found) == price * quantity


def test_a_planted_loss_of_the_last_digit_is_found() -> None:
    raw, mapped = {"USD": Decimal("100.5")}, {"USD": Decimal("60.5")}
    rules = {("USD", ""): Decimal("60.5"), ("USD", "left-out"): Decimal(40)}
    [line] = balances(raw, rules, mapped, mapped, 0)
    assert (line.raw, line.mapped, line.rounded) == (Decimal("100.5"), Decimal("60.5"), NONE)
    assert line.excluded == {"left-out": Decimal(40)}
    losses: list[dict[str, Decimal]] = [
        {"USD": Decimal("60.5") - UNIT},
        {"USD": Decimal("60.5") + UNIT},
        {},
        {**mapped, "EUR": UNIT},
    ]
    for wrong in losses:
        with pytest.raises(Rejected) as refusal:
            balances(raw, rules, wrong, mapped, 0)
        assert refusal.value.faults[0].rule == "conservation"


def test_slack_is_half_a_unit_per_rounded_row_and_no_more() -> None:
    raw, half = {"USD": Decimal("1.0000000000000000000000015")}, UNIT / 2
    assert balances(raw, {}, {"USD": raw["USD"] - half}, {}, 1)[0].rounded == half
    with pytest.raises(Rejected):
        balances(raw, {}, {"USD": raw["USD"] - half - UNIT / 10}, {}, 1)


def test_a_loss_is_seen_whatever_the_size_of_the_total() -> None:
    big = Decimal("99999999999999.999999999999999999999999")
    with pytest.raises(Rejected):
        balances({"USD": big}, {}, {"USD": big - UNIT}, {}, 0)


@given(st.lists(PLAIN, max_size=6), st.randoms())
def test_total_does_not_depend_on_order_or_context(amounts: list[Decimal], shuffle: random.Random) -> None:
    other = list(amounts)
    shuffle.shuffle(other)
    with localcontext(prec=5):
        assert total(amounts) == total(other)
