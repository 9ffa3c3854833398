"""What identities compare: sums of money and lines per invoice or commitment, added up unit by unit. Pure but for SQL.

Each side is measured with one pass: the raw lines of a unit, and the ledger's rows written for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import PurePath
from typing import Any

from ingest.mapping import literal
from ingest.mappings import identity_entry
from ingest.shapes import Shape
from ledger.reconcile import total

KEYS = 10_000  # invoices or commitments told apart; what comes after them is one group
OTHERS = "others"
EXAMPLES = 3
INVOICE, COMMITMENT, CURRENCY = "invoice", "commitment", "currency"
_LEDGER_INVOICE = "coalesce(InvoiceId, '')"


@dataclass(frozen=True, slots=True)
class Measure:
    """Money and lines that meet a condition, per invoice, commitment or currency; all but the names are SQL.

    `example` names a line where some of them are to be shown; `unit` stands in place of the currency where it is none.
    """

    name: str
    per: str
    when: str
    money: str
    example: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """A measure of what stands beside a bill, told once for a delivery: `sql` gives its keys, sums and lines."""

    name: str
    per: str
    unit: str
    sql: str


@dataclass(frozen=True, slots=True)
class Law:
    """An identity of sums: measures on the left equal those on the right, one that begins with - being subtracted.

    The provider rounds each line to some `decimals`: each line of the `rounded` measures may be off by half a unit.
    A group without lines of a measure in `needs` is an exception with that reason. `refuse` is the rule that a broken
    one keeps a delivery out by, empty where it is only told; `advice` is what to do then. Without any lines of the
    measure `given` there is nothing to compare.
    """

    name: str
    per: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    decimals: int
    rounded: tuple[str, ...]
    needs: Mapping[str, str]
    refuse: str
    advice: str
    consequence: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """An identity of rows: of those that `among` counts, none is counted by an exception, unless it is `allowed`.

    `exceptions` are measures by what is the matter.
    """

    name: str
    among: str
    exceptions: Mapping[str, str]
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Laws:
    """What must hold for one shape. `invoice` and `commitment` are SQL over raw lines; only `raw_rows` are measured.

    `billed_by` is what the ledger's rows have in place of an invoice where the bill names none.

    `view` shows the raw lines: `typed`, or `rows` where the measures need what the mapping tells of a line.
    """

    invoice: str
    commitment: str
    raw_rows: str
    view: str
    raw: tuple[Measure, ...]
    ledger: tuple[Measure, ...]
    beside: tuple[Beside, ...]
    billed_by: str
    sums: tuple[Law, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money and the number of lines it comes from."""

    money: Decimal = Decimal(0)
    lines: int = 0

    def plus(self, other: Amount) -> Amount:
        return Amount(total((self.money, other.money)), self.lines + other.lines)


@dataclass(slots=True)
class Measures:
    """What was measured so far, by (measure, currency, key); a key beyond the first 10,000 of its kind is `others`."""

    amounts: dict[tuple[str, str, str], Amount] = field(default_factory=dict)
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=dict)

    def add(self, measure: str, per: str, currency: str, key: str, amount: Amount) -> None:
        if amount.lines:
            place = (measure, currency, self._told_apart(per, key))
            self.amounts[place] = self.amounts.get(place, Amount()).plus(amount)

    def add_all(self, measure: str, per: str, found: Iterable[tuple[str, str, Decimal, int]]) -> None:
        """The same of many (currency, key, money, lines): as a rule most are the others', and are added up at once."""
        gathered: dict[tuple[str, str], list[tuple[Decimal, int]]] = {}
        for currency, key, money, lines in found:
            if lines:
                gathered.setdefault((currency, self._told_apart(per, key)), []).append((money, lines))
        for (currency, key), amounts in gathered.items():
            place, (moneys, counts) = (measure, currency, key), zip(*amounts, strict=True)
            self.amounts[place] = self.amounts.get(place, Amount()).plus(Amount(total(moneys), sum(counts)))

    def get(self, measure: str, currency: str, key: str) -> Amount:
        return self.amounts.get((measure, currency, key), Amount())

    def groups(self, measures: Iterable[str]) -> list[tuple[str, str]]:
        """The (currency, key) pairs of which any of the measures has lines."""
        wanted = {*measures}
        return sorted({(currency, key) for measure, currency, key in self.amounts if measure in wanted})

    def _told_apart(self, per: str, key: str) -> str:
        known = self.known.setdefault(per, set())
        if key not in known and len(known) >= KEYS:
            return OTHERS
        known.add(key)
        return key


def laws(shape: Shape) -> Laws:
    """What must hold for the shape: declared for its SELECT, by name."""
    return _laws(PurePath(shape.select_sql).name)


def raw_sql(shape: Shape) -> str:
    """(currency, invoice, commitment), then money and lines per raw measure, of raw lines."""
    stated = laws(shape)
    keys = f"{shape.currency} AS currency, {stated.invoice} AS invoice, {stated.commitment} AS commitment"
    return f"""SELECT currency, invoice, commitment, {_columns(stated.raw)}
        FROM (SELECT *, {keys} FROM {stated.view}) WHERE {stated.raw_rows} GROUP BY 1, 2, 3"""


def ledger_sql(shape: Shape, pattern: str) -> str:
    """The same of written parts."""
    stated = laws(shape)
    keys = f"{stated.billed_by} AS invoice, coalesce(CommitmentDiscountId, '') AS commitment"
    return f"""SELECT BillingCurrency, invoice, commitment, {_columns(stated.ledger)}
        FROM (SELECT *, {keys} FROM read_parquet({literal(pattern)})) GROUP BY 1, 2, 3"""


def unnamed(shape: Shape, measures: Measures) -> list[Measure]:
    """The measures with lines to be named of which none is yet."""
    counted = {name for name, _, _ in measures.amounts}
    asked = (one for one in laws(shape).ledger if one.example)
    return [one for one in asked if one.name in counted and one.name not in measures.examples]


def examples_sql(measure: Measure, pattern: str) -> str:
    """A few names of a measure's lines in written parts; the first found, so that little is read."""
    first = f"SELECT {measure.example} AS name FROM read_parquet({literal(pattern)}) WHERE {measure.when} LIMIT 100"
    return f"SELECT DISTINCT name FROM ({first}) ORDER BY 1 LIMIT {EXAMPLES}"


def _columns(measures: Sequence[Measure]) -> str:
    """A CASE, unlike a FILTER, leaves the other lines' money unread."""
    return ", ".join(
        f"sum(CASE WHEN {one.when} THEN {one.money} END), count(*) FILTER (WHERE {one.when})" for one in measures
    )


def collect(measures: Measures, stated: Sequence[Measure], rows: Sequence[Sequence[Any]]) -> None:
    """Add rows of raw_sql or ledger_sql."""
    places = {INVOICE: 1, COMMITMENT: 2}
    for index, one in enumerate(stated):
        money, lines, key = 3 + 2 * index, 4 + 2 * index, places.get(one.per)
        measures.add_all(
            one.name,
            one.per,
            (
                (one.unit or row[0], "" if key is None else row[key], row[money] or Decimal(0), row[lines])
                for row in rows
            ),
        )


@cache
def _laws(select: str) -> Laws:
    entry = identity_entry(select)
    raw, ledger = (tuple(_measure(*item) for item in entry.get(side, {}).items()) for side in ("raw", "ledger"))
    counts = entry.get("counts", ())
    return Laws(
        invoice=str(entry.get("invoice", "''")),
        commitment=str(entry.get("commitment", "''")),
        raw_rows=str(entry.get("raw_rows", "true")),
        view=str(entry.get("view", "typed")),
        raw=raw,
        beside=tuple(Beside(name, **one) for name, one in entry.get("beside", {}).items()),
        billed_by=str(entry.get("billed_by", _LEDGER_INVOICE)),
        ledger=(*ledger, *(one for item in counts for one in _counted(item, str(entry["example"])))),
        sums=tuple(map(_law, entry.get("sums", ()))),
        counts=tuple(map(_count, counts)),
    )


def _measure(name: str, entry: Mapping[str, str]) -> Measure:
    return Measure(name, entry["per"], entry["when"], entry["money"], unit=entry.get("unit", ""))


def _law(entry: Mapping[str, Any]) -> Law:
    sides = (*entry["left"], *entry["right"])
    return Law(
        name=entry["name"],
        per=entry["per"],
        left=tuple(entry["left"]),
        right=tuple(entry["right"]),
        decimals=entry["decimals"],
        rounded=tuple(entry.get("rounded", (name.removeprefix("-") for name in sides))),
        needs=entry.get("needs", {}),
        refuse=entry.get("refused_as", ""),
        advice=entry.get("advice", ""),
        consequence=entry["consequence"],
        given=entry.get("given", ""),
    )


def _count(entry: Mapping[str, Any]) -> Count:
    exceptions = entry["exceptions"]
    allowed = tuple(what for what, one in exceptions.items() if one.get("allowed"))
    return Count(entry["name"], _among(entry), {what: _among(entry, what) for what in exceptions}, allowed)


def _counted(entry: Mapping[str, Any], example: str) -> list[Measure]:
    """The measures of an identity of rows: those it is about, and each exception among them.

    A row is in an exception that is allowed only where nothing else is the matter with it.
    """
    among, exceptions = entry["among"], entry["exceptions"]
    wrong = [f"coalesce({one['when']}, false)" for one in exceptions.values() if not one.get("allowed")]
    only = "".join(f" AND NOT {condition}" for condition in wrong)
    return [Measure(_among(entry), CURRENCY, among, "0")] + [
        Measure(
            name=_among(entry, what),
            per=CURRENCY,
            when=f"{among} AND {one['when']}{only if one.get('allowed') else ''}",
            money=one["money"],
            example=example,
        )
        for what, one in exceptions.items()
    ]


def _among(entry: Mapping[str, Any], what: str = "") -> str:
    return f"{entry['name']}: {what}"
