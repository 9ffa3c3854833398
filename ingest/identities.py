"""Identities that must hold for a bill and what the ledger made of it; judged once all units are measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from ingest.measures import CURRENCY, OTHERS, Count, Law, Laws, Measures
from ledger.faults import Fault
from ledger.reconcile import total
from ledger.summary import plain

ROW = "row"
LINES = 20  # groups of an identity that a report tells one by one, broken ones first


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice or commitment: both sides, and by how much they may differ."""

    key: str
    left: Decimal
    right: Decimal
    tolerance: Decimal

    @property
    def difference(self) -> Decimal:
        return total((self.left, self.right.copy_negate()))

    @property
    def holds(self) -> bool:
        return self.difference.copy_abs() <= self.tolerance

    def sides(self) -> list[str]:
        """Left, right, difference and tolerance as text."""
        return [plain(money) for money in (self.left, self.right, self.difference, self.tolerance)]

    def as_json(self) -> dict[str, object]:
        return {"key": self.key, "holds": self.holds, **_sides(self)}


@dataclass(frozen=True, slots=True)
class Exempt:
    """Groups or rows of which the identity does not hold for a named reason, with the money they are about."""

    reason: str
    count: int
    money: Decimal
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity in one currency: totals over its groups, the terms behind them, and what is not so.

    Of an identity of rows, left counts those it holds for, right those it is about. `lines` are the first 20 groups.
    """

    name: str
    currency: str
    per: str
    left: Decimal
    right: Decimal
    tolerance: Decimal
    groups: int
    broken: int
    figures: Mapping[str, Decimal] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    exceptions: tuple[Exempt, ...] = ()
    consequence: str = ""

    @property
    def holds(self) -> bool:
        return not self.broken

    @property
    def difference(self) -> Decimal:
        return total((self.left, self.right.copy_negate()))

    def sides(self) -> list[str]:
        """Left, right, difference and tolerance as text."""
        figures = (self.left, self.right, self.difference, self.tolerance)
        return [f"{figure:f}" if self.per == ROW else plain(figure) for figure in figures]

    def as_json(self) -> dict[str, object]:
        """Decimals as plain strings."""
        body = {"name": self.name, "currency": self.currency, "per": self.per, "holds": self.holds}
        counts = {"groups": self.groups, "broken": self.broken, "consequence": self.consequence}
        found = {
            "figures": {name: plain(money) for name, money in self.figures.items()},
            "lines": [line.as_json() for line in self.lines],
            "exceptions": [{**asdict(one), "money": plain(one.money)} for one in self.exceptions],
        }
        return {**body, **_sides(self), **counts, **found}

    def told(self) -> Iterator[str]:
        """Lines for a person about what does not hold; none when all does."""
        for line in self.lines:
            if not line.holds:
                yield f"{self.name}: {self.currency} {plain(line.difference)} for {_group(self.per, line.key)}"
        if self.broken and self.lines:
            yield f"{self.name}: {self.broken} of {self.groups} do not hold: {self.consequence}"
        for one in self.exceptions:
            shown = f", such as {'; '.join(one.examples)}" if one.examples else ""
            yield f"{self.name}: {one.reason}: {one.count}, {self.currency} {plain(one.money)}{shown}"


def judged(laws: Laws, measures: Measures) -> list[Identity]:
    """Every identity that has something to hold for, per currency."""
    sums = [one for law in laws.sums for one in _sums(law, measures)]
    return sums + [one for count in laws.counts for one in _counts(count, measures)]


def rows_read(read: int, promised: int, files: int) -> Identity:
    """The rows of these files, and those that their manifests promise."""
    name, none = "rows read = rows of the manifest", Decimal(0)
    return Identity(name, "", ROW, Decimal(read), Decimal(promised), none, files, int(read != promised))


def faults(laws: Laws, found: Sequence[Identity], files: str = "") -> list[Fault]:
    """The broken ones that keep a delivery out; `files` names what it is made of."""
    refusing = {law.name: law for law in laws.sums if law.refuse}
    broken = [(one, line) for one in found if one.name in refusing for line in one.lines if not line.holds]
    return [_fault(refusing[one.name], one, line, files) for one, line in broken]


def _fault(law: Law, one: Identity, line: Line, files: str) -> Fault:
    return Fault(
        f"{_group(one.per, line.key)} does not add up in {one.currency}: {one.name}, but {plain(line.left)}"
        f" against {plain(line.right)}, a difference of {plain(line.difference)}",
        law.advice,
        law.refuse,
        files or None,
    )


def _sums(law: Law, measures: Measures) -> Iterator[Identity]:
    names = [name.removeprefix("-") for name in (*law.left, *law.right)]
    groups = measures.groups(names) if not law.given or measures.groups([law.given]) else []
    for currency in sorted({currency for currency, _ in groups}):
        keys = [key for code, key in groups if code == currency]
        yield _of_currency(law, measures, currency, keys)


def _of_currency(law: Law, measures: Measures, currency: str, keys: Sequence[str]) -> Identity:
    compared = [key for key in keys if all(measures.get(name, currency, key).lines for name in law.needs)]
    lines = sorted((_line(law, measures, currency, key) for key in compared), key=lambda line: (line.holds, line.key))
    names = [name.removeprefix("-") for name in (*law.left, *law.right)]
    return Identity(
        name=law.name,
        currency=currency,
        per=law.per,
        left=total(line.left for line in lines),
        right=total(line.right for line in lines),
        tolerance=total(line.tolerance for line in lines),
        groups=len(lines),
        broken=sum(not line.holds for line in lines),
        figures={name: total(measures.get(name, currency, key).money for key in compared) for name in names},
        lines=tuple(lines[:LINES]),
        exceptions=tuple(_without(law, measures, currency, keys)),
        consequence=law.consequence,
    )


def _line(law: Law, measures: Measures, currency: str, key: str) -> Line:
    left, right = (total(_signed(measures, name, currency, key) for name in side) for side in (law.left, law.right))
    rounded = sum(measures.get(name, currency, key).lines for name in law.rounded)
    return Line(key, left, right, Decimal(rounded) * Decimal(5).scaleb(-law.decimals - 1))


def _signed(measures: Measures, name: str, currency: str, key: str) -> Decimal:
    money = measures.get(name.removeprefix("-"), currency, key).money
    return money.copy_negate() if name.startswith("-") else money


def _without(law: Law, measures: Measures, currency: str, keys: Sequence[str]) -> Iterator[Exempt]:
    for name, reason in law.needs.items():
        missing = [key for key in keys if not measures.get(name, currency, key).lines]
        money = total(_line(law, measures, currency, key).left for key in missing)
        if missing:
            yield Exempt(reason, len(missing), money, tuple(_group(law.per, key) for key in missing[:3]))


def _counts(count: Count, measures: Measures) -> Iterator[Identity]:
    for currency, key in measures.groups([count.among]):
        rows = measures.get(count.among, currency, key).lines
        exceptions = tuple(_excepted(count, measures, currency, key))
        rows -= sum(one.count for one in exceptions if one.reason in count.allowed)
        broken = sum(one.count for one in exceptions if one.reason not in count.allowed)
        yield Identity(
            name=count.name,
            currency=currency,
            per=ROW,
            left=Decimal(rows - broken),
            right=Decimal(rows),
            tolerance=Decimal(0),
            groups=rows,
            broken=broken,
            exceptions=exceptions,
        )


def _excepted(count: Count, measures: Measures, currency: str, key: str) -> Iterator[Exempt]:
    for reason, measure in count.exceptions.items():
        found = measures.get(measure, currency, key)
        if found.lines:
            yield Exempt(reason, found.lines, found.money, measures.examples.get(measure, ()))


def _sides(one: Line | Identity) -> dict[str, str]:
    return dict(zip(("left", "right", "difference", "tolerance"), one.sides(), strict=True))


def _group(per: str, key: str) -> str:
    nameless = "the bill" if per == CURRENCY else f"what has no {per}"
    return {"": nameless, OTHERS: f"every {per} beyond the first 10,000"}.get(key, f"{per} {key}")
