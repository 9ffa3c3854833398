"""How a value is read. ValueError says what follows the key's name and never repeats the value: it may be secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from ledger.delivery import Period

T = TypeVar("T")
MEMORY = re.compile(r"(?i)([1-9]\d*(\.\d+)?|0\.\d*[1-9]\d*) ?[MGT]i?B")


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is a text in quotes")
    return value


def word(value: object) -> str:
    if not text(value).strip():
        raise ValueError("is not empty")
    return text(value)


def address(value: object) -> str:
    """Of our own service; plain http only to this machine."""
    if not re.fullmatch(r"(https://[^/?#@\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)", text(value).rstrip("/")):
        raise ValueError('is an address such as "https://NAME.azurewebsites.net", without a path')
    return text(value).rstrip("/")


def texts(value: object) -> tuple[str, ...]:
    """A bare text would fall apart into letters."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("is a list of texts in quotes")
    return tuple(value)


def few(value: object) -> tuple[str, ...]:
    """One name as a text, or one to four as a list."""
    found = (value,) if isinstance(value, str) else texts(value)
    if not 1 <= len(found) <= 4 or not all(one.strip() for one in found) or len(set(found)) < len(found):
        raise ValueError("is a name in quotes, or a list of up to four")
    return found


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false, without quotes")
    return value


def memory(value: object) -> str:
    size = text(value)
    if size and not MEMORY.fullmatch(size):
        raise ValueError('is a size such as "1GB"; units are MB, GB, TB, MiB, GiB, TiB')
    return size


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError(f"is a whole number from {lowest} to {highest}")
        return value

    return check


def one_of(names: Sequence[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in names:
            raise ValueError(f"is one of {', '.join(names)}")
        return str(value)

    return check


def named(check: Callable[[Any], T]) -> Callable[[object], dict[str, T]]:
    def read(value: object) -> dict[str, T]:
        if not isinstance(value, dict):
            raise ValueError("is a table")
        return {name: _within(name, check, inner) for name, inner in value.items()}

    return read


def _within(name: str, check: Callable[[Any], T], value: object) -> T:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def decimal(value: object) -> Decimal:
    """In quotes only: a bare number would lose digits."""
    try:
        number = Decimal(text(value))
    except (InvalidOperation, ValueError):
        raise ValueError('is a decimal in quotes, such as "1.00"') from None
    if not number.is_finite():
        raise ValueError("is a finite decimal")
    return number


def above_zero(value: object) -> Decimal:
    if (number := decimal(value)) <= 0:
        raise ValueError("is above 0")
    return number


def share(value: object) -> Decimal:
    if not 0 < (number := decimal(value)) <= 1:
        raise ValueError("is above 0 and at most 1")
    return number


def month(value: object) -> Period:
    try:
        return Period.parse(text(value))
    except ValueError:
        raise ValueError('is a month such as "2026-01"') from None
