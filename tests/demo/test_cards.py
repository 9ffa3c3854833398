"""The small rules of the page: how amounts and shares are shown, titles that are findings, markup that escapes."""

from __future__ import annotations

from decimal import Decimal
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.cards import dollars, finding, percent
from demo.drawing import share
from demo.markup import Html, el, join
from demo.told import money


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("336.50", "$336.50"),
        ("1234567.891", "$1,234,567.89"),
        ("-12", "-$12.00"),
        ("0.8453125", "$0.85"),
        ("0", "$0.00"),
    ],
)
def test_amounts_for_the_eye(amount: str, shown: str) -> None:
    assert dollars(Decimal(amount)) == shown


@pytest.mark.parametrize(("amount", "shown"), [("0.85000", "0.85"), ("1.8453125", "1.8453125"), ("40", "40.00")])
def test_amounts_with_every_digit(amount: str, shown: str) -> None:
    assert money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"), [("255", "336.5", "75.8%"), ("0.02", "336.5", "<0.1%"), ("0", "0", "0.0%")]
)
def test_a_share_is_never_shown_as_nothing(part: str, whole: str, shown: str) -> None:
    assert percent(Decimal(part), Decimal(whole)) == shown


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ("75", "X is three quarters of spend"),
        ("50", "X is half of spend"),
        ("40", "X is the largest cost, 40 % of spend"),
    ],
)
def test_a_title_says_what_the_figures_say(part: str, title: str) -> None:
    assert finding("X", Decimal(part), Decimal(100)) == title


def test_a_share_of_nothing_has_no_length() -> None:
    assert share(Decimal(1), Decimal(0)) == "0.0000%"


@given(st.text())
def test_text_comes_back_as_it_went_in(text: str) -> None:
    markup = el("b", text, title=text)
    inside = markup.removeprefix('<b title="').removesuffix("</b>")
    assert [unescape(part) for part in inside.split('">')] == [text, text]


def test_markup_is_not_escaped_twice() -> None:
    assert join(["a<", Html("<i>"), [el("b", 1)]]) == "a&lt;<i><b>1</b>"
    assert el("text", x_height=1, viewBox="0") == '<text x-height="1" viewBox="0"></text>'
