from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.amounts import SYMBOLS, Unreadable, read


@pytest.mark.parametrize(
    ("text", "currency", "value"),
    [
        ("$11,111.00", "USD", "11111.00"),
        ("$1111.11", "USD", "1111.11"),
        ("1.111,00 €", "EUR", "1111.00"),
        ("€ 12,5", "EUR", "12.5"),
        ("USD 0.80", "USD", "0.80"),
        ("8000.0", "USD", "8000.0"),
        ("$0.875", "USD", "0.875"),
        ("1 234,50 kr", "SEK", "1234.50"),
        ("1\u2019234.50", "CHF", "1234.50"),
        ("¥1,234,567", "JPY", "1234567"),
        ("¥1,234", "JPY", "1234"),
        ("₩850,000", "KRW", "850000"),
        ("¥1,234.00", "JPY", "1234.00"),
        ("₹12,34,567.50", "INR", "1234567.50"),
        ("1234.567", "USD", "1234.567"),
        ("100", "USD", "100"),
    ],
)
def test_reads_what_is_without_doubt(text: str, currency: str, value: str) -> None:
    assert read(text, currency) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1,234", "USD"),
        ("1.234", "EUR"),
        ("1.234", "JPY"),
        ("¥1,234", "CNY"),
        ("€11,111.00", "USD"),
        ("$5", "EUR"),
        ("-5.00", "USD"),
        ("($5.00)", "USD"),
        ("+5", "USD"),
        ("1e3", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("", "USD"),
        ("$", "USD"),
        ("1.2.3", "USD"),
        ("12,34.00", "USD"),
        ("01,234.00", "USD"),
        ("1.234 567", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("\u0663.\u0665", "USD"),
        ("1" * 16, "USD"),
        ("0." + "1" * 13, "USD"),
        ("1" * 41, "USD"),
    ],
)
def test_refuses_what_is_in_doubt(text: str, currency: str) -> None:
    with pytest.raises(Unreadable):
        read(text, currency)


@given(cents=st.integers(0, 10**14), currency=st.sampled_from(sorted(SYMBOLS)), european=st.booleans())
def test_what_is_printed_with_two_decimals_comes_back(cents: int, currency: str, european: bool) -> None:
    value = Decimal(cents).scaleb(-2)
    text = f"{value:,.2f}"
    text = text.translate(str.maketrans(",.", ".,")) if european else text
    for symbol in (*SYMBOLS[currency], currency, ""):
        assert read(f"{symbol}{text}", currency) == read(f"{text} {symbol}", currency) == value


@given(text=st.text(max_size=60), currency=st.sampled_from(sorted(SYMBOLS)))
def test_any_text_is_an_amount_of_nothing_or_more_or_unreadable(text: str, currency: str) -> None:
    with suppress(Unreadable):
        assert read(text, currency) >= 0
