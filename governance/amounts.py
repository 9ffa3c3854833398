"""Amounts as a budget alert prints them; read without doubt or not at all.

Cost Management prints display strings ("$11,111.00") and documents neither the culture nor the separators, so nothing
is guessed: one separator before exactly three digits ("1,234") may mean either and is refused, but for a comma in a
currency that is not printed with fractions.
"""

from __future__ import annotations

import re
from decimal import Decimal

MAX_LENGTH = 40
MAX_WHOLE, MAX_FRACTION = 15, 12  # together inside the default decimal context, so no later step rounds

# Only what a currency is really printed with: a dollar sign on a euro amount is a fault, not a decoration.
SYMBOLS = {
    "AUD": ("$", "A$", "AU$"),
    "BRL": ("R$",),
    "CAD": ("$", "C$", "CA$"),
    "CHF": ("Fr.", "SFr."),
    "CNY": ("¥", "CN¥", "￥"),
    "DKK": ("kr", "kr."),
    "EUR": ("€",),
    "GBP": ("£",),
    "INR": ("₹", "Rs."),
    "JPY": ("¥", "￥"),
    "KRW": ("₩",),
    "MXN": ("$", "MX$"),
    "NOK": ("kr", "kr."),
    "NZD": ("$", "NZ$"),
    "SEK": ("kr", "kr."),
    "TWD": ("NT$",),
    "USD": ("$", "US$"),
}

# Printed without a fraction, so a comma groups; a point may be that of a bare number in the older alerts.
WHOLE = ("JPY", "KRW")

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})
_NUMBER = re.compile(r"[0-9]+(?:[., '][0-9]+)*")


class Unreadable(ValueError):
    """The text is not one amount without doubt."""


def read(text: str, currency: str) -> Decimal:
    """The amount as an exact decimal >= 0; Unreadable for signs, exponents, foreign symbols and doubtful marks."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"longer than {MAX_LENGTH} characters")
    number = _without_symbol(text.translate(_SPACES).strip(), currency)
    if not _NUMBER.fullmatch(number):
        raise Unreadable("not a plain amount in that currency")
    whole, _, fraction = _with_point(number, currency).partition(".")
    if len(whole) > MAX_WHOLE or len(fraction) > MAX_FRACTION:
        raise Unreadable(f"more than {MAX_WHOLE} whole or {MAX_FRACTION} fraction digits")
    return Decimal(f"{whole}.{fraction}" if fraction else whole)


def _without_symbol(text: str, currency: str) -> str:
    """Takes one mark of the currency from one end, longest first so that 'US$' is not read as 'U' and 'S$'."""
    marks = sorted((currency, *SYMBOLS.get(currency, ())), key=len, reverse=True)
    for mark in marks:
        if text.startswith(mark):
            return text[len(mark) :].strip(" ")
        if text.endswith(mark):
            return text[: -len(mark)].strip(" ")
    return text


def _with_point(number: str, currency: str) -> str:
    """The digits with a point as decimal mark."""
    marks = [char for char in number if not char.isdigit()]
    if not marks:
        return number
    if _is_decimal_mark(number, marks, currency):
        whole, _, fraction = number.rpartition(marks[-1])
        return f"{_ungrouped(whole)}.{fraction}"
    return _ungrouped(number)


def _is_decimal_mark(number: str, marks: list[str], currency: str) -> bool:
    """Whether the last mark separates a fraction; Unreadable when it could be either."""
    last = marks[-1]
    if last not in ".," or marks.count(last) > 1:
        return False
    if len(marks) > 1:
        return True
    whole, _, tail = number.partition(last)
    if len(tail) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        if last == "," and currency in WHOLE:
            return False
        raise Unreadable(f"the {last!r} may group thousands or start a fraction")
    return True


def _ungrouped(whole: str) -> str:
    """Digits without their group marks: threes, or the Indian twos before the last three; one mark throughout."""
    if whole.isdigit():
        return whole
    if not re.fullmatch(r"[1-9][0-9]{0,2}(?P<mark>[., '])[0-9]{3}(?:(?P=mark)[0-9]{3})*", whole) and not re.fullmatch(
        r"[1-9][0-9]?,(?:[0-9]{2},)*[0-9]{3}", whole
    ):
        raise Unreadable("digits are not grouped in threes")
    return re.sub(r"[., ']", "", whole)
