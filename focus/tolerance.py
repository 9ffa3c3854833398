"""When two amounts count as equal: exactly so for our own rows up to what the source rounded, 1e-9 for others. Pure.

The specification asks for exact equality. A source writes costs, prices and quantities with a limited number of
decimals, so a product can differ from its cost by half a unit of the cost's last place, plus the price times half a
unit of the quantity's last place. The ledger's own prices end at 24 decimals, which the quantity multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from focus.fields import MONEY, Facts, literal

RELATIVE = "1e-9"
FLOAT_DIGITS = 16  # so many significant digits are a binary float's: of those the last exact one is the 15th
FLOAT_HALF_UNIT = "5e-15"
OWN_HALF_UNIT = "5e-25"  # of the ledger's own last decimal: no stored price is closer to a quotient
ARITHMETIC = "1e-15"  # of a product in floating point; closer calls are made in decimals


class Tolerance(Protocol):
    """Ways to compare amounts, as SQL: two columns, a column and a product of two, two sums."""

    def equal(self, facts: Facts, one: str, other: str) -> str: ...
    def product(self, facts: Facts, cost: str, price: str, quantity: str) -> str: ...
    def sums(self, left: str, right: str, rows: str) -> str: ...
    def addend(self, facts: Facts, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Relative:
    """For foreign files: within 1e-9 of the larger amount."""

    def equal(self, facts: Facts, one: str, other: str) -> str:
        return _close(facts.double(one), facts.double(other))

    def product(self, facts: Facts, cost: str, price: str, quantity: str) -> str:
        return _close(facts.double(cost), f"({facts.double(price)} * {facts.double(quantity)})")

    def addend(self, facts: Facts, name: str) -> str:
        """A sum of decimals of any size would have no type to hold it."""
        return facts.double(name)

    def sums(self, left: str, right: str, rows: str) -> str:
        del rows
        return _close(f"CAST({left} AS DOUBLE)", f"CAST({right} AS DOUBLE)")


@dataclass(frozen=True, slots=True)
class Places:
    """Decimals a column carries at most, and whether some of its values have a float's many digits."""

    decimals: int
    floats: bool

    @property
    def half_unit(self) -> str:
        return f"5e-{self.decimals + 1}"


@dataclass(frozen=True, slots=True)
class Source:
    """For the ledger's own rows: what a source's last places allow, by source and column.

    `by` is the SQL of a row's source; with one source alone it is not asked.
    """

    places: Mapping[str, Mapping[str, Places]] = field(default_factory=dict)
    by: str = "NULL"

    def equal(self, facts: Facts, one: str, other: str) -> str:
        return f"({facts.number(one)} = {facts.number(other)})"

    def product(self, facts: Facts, cost: str, price: str, quantity: str) -> str:
        """A quick comparison in floating point decides all but close calls, which decimals decide."""
        given, rate, amount = (facts.number(name) for name in (cost, price, quantity))
        gap = f"abs(CAST({given} AS DOUBLE) - CAST({rate} AS DOUBLE) * CAST({amount} AS DOUBLE))"
        own = f"{OWN_HALF_UNIT} * abs(CAST({amount} AS DOUBLE))"
        allowed = f"({self._allowed(given, rate, cost, quantity)} + {own})"
        slack = f"{ARITHMETIC} * abs(CAST({given} AS DOUBLE))"
        return (
            f"(CASE WHEN {gap} <= {allowed} - {slack} THEN true WHEN {gap} > {allowed} + {slack} THEN false "
            f"WHEN {gap} IS NOT NULL THEN {_exactly(given, rate, amount, allowed)} END)"
        )

    def addend(self, facts: Facts, name: str) -> str:
        return facts.number(name)

    def sums(self, left: str, right: str, rows: str) -> str:
        """Each of the added rows may have been rounded."""
        units = [one.half_unit for columns in self.places.values() for one in columns.values()]
        half = max(units, key=lambda text: -int(text[3:]), default="0")
        return f"(abs({left} - {right}) <= {half} * {rows})"

    def _allowed(self, given: str, rate: str, cost: str, quantity: str) -> str:
        parts = {name: self._allowed_in(name, given, rate, cost, quantity) for name in self.places}
        if len(set(parts.values())) <= 1:
            return next(iter(parts.values()), "0")
        cases = " ".join(f"WHEN {literal(name)} THEN {part}" for name, part in parts.items())
        return f"(CASE {self.by} {cases} ELSE 0 END)"

    def _allowed_in(self, source: str, given: str, rate: str, cost: str, quantity: str) -> str:
        unit, count = self.places[source].get(cost), self.places[source].get(quantity)
        parts = [unit.half_unit] if unit else []
        parts += [f"abs(CAST({rate} AS DOUBLE)) * {count.half_unit}"] if count else []
        if any(found and found.floats for found in (unit, count)):
            parts.append(f"abs(CAST({given} AS DOUBLE)) * {FLOAT_HALF_UNIT}")
        return f"({' + '.join(parts) or '0'})"


def _close(one: str, other: str) -> str:
    return f"(abs({one} - {other}) <= {RELATIVE} * greatest(abs({one}), abs({other})))"


def _exactly(cost: str, price: str, quantity: str, allowed: str) -> str:
    """In decimals where both factors fit twelve of them; a close call beyond that passes."""
    one, other = f"TRY_CAST({price} AS DECIMAL(19, 12))", f"TRY_CAST({quantity} AS DECIMAL(19, 12))"
    fits = f"{one} = {price} AND {other} = {quantity}"
    close = f"abs({cost} - {one} * {other}) <= CAST({allowed} AS {MONEY})"
    return f"coalesce(CASE WHEN {fits} THEN {close} END, true)"


def places_sql(relation: str, columns: tuple[str, ...], by: str) -> str:
    """A row per source: its name, then per column the most decimals of values that are no floats', and most digits.

    Writing decimals as text is most of the work. Many amounts of a row are the same as its first: they are not written.
    """
    first = columns[0]
    texts = [f"{_trimmed(first)} AS t0"]
    texts += [_other(place, name, first) for place, name in enumerate(columns[1:], 1)]
    read = ", ".join(
        f"{_decimals(f't{place}')} AS d{place}, {_digits(f't{place}')} AS g{place}" for place in range(len(columns))
    )
    parts = ", ".join(map(_most, range(len(columns))))
    seen = f"SELECT *, {read} FROM (SELECT {by} AS source, {', '.join(texts)} FROM ({relation}))"
    return f"SELECT source, {parts} FROM ({seen}) GROUP BY 1"


def places_of(columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Places]]:
    """What the rows of `places_sql` say; columns without a value have no places."""
    return {str(source): _places(columns, numbers) for source, *numbers in rows}


def _places(columns: tuple[str, ...], numbers: Sequence[int | None]) -> dict[str, Places]:
    pairs = {name: (numbers[2 * index], numbers[2 * index + 1]) for index, name in enumerate(columns)}
    return {
        name: Places(decimals or 0, digits >= FLOAT_DIGITS)
        for name, (decimals, digits) in pairs.items()
        if digits is not None
    }


def _other(place: int, name: str, first: str) -> str:
    """The text of another amount, where it is another; and whether it is the same."""
    same = f'"{name}" = "{first}"'
    return f"CASE WHEN {same} THEN NULL ELSE {_trimmed(name)} END AS t{place}, {same} AS s{place}"


def _most(place: int) -> str:
    decimals, digits = (_seen(letter, place) for letter in "dg")
    return f"max({decimals}) FILTER (WHERE {digits} < {FLOAT_DIGITS}), max({digits})"


def _seen(letter: str, place: int) -> str:
    return f"CASE WHEN s{place} THEN {letter}0 ELSE {letter}{place} END" if place else f"{letter}0"


def _trimmed(name: str) -> str:
    return f"rtrim(CAST(\"{name}\" AS VARCHAR), '0')"


def _digits(text: str) -> str:
    return f"length(ltrim(replace({text}, '.', ''), '-0'))"


def _decimals(text: str) -> str:
    return f"length({text}) - strpos({text}, '.')"
