"""What raw shape a file is: decided by its columns, never by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from focus.schema import Column, columns
from ingest.kinds import Kinds, kinds_of
from ingest.likeness import texts, whole
from ingest.mappings import companion_entries, price_sheet_entry, shape_entries
from ingest.row_refusals import Daily, Refusal, RowRefusal, daily_of, refusals, row_refusals
from ingest.splits import Split, split_of
from ledger.faults import Fault, Rejected

RECOGNISED = 75  # percent of a shape's signature that makes a file evidently meant as that shape
CHECKED_AS = {"Decimal": "number", "Date/Time": "instant", "JSON": "json"}  # columns of a FOCUS dataset, by data type


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column the mapping reads; `type` is a DuckDB type, `check` is '' or a rule of ingest.checks.

    A required column has to be there; unless it may be `blank`, every row has to fill it too. JSON as a type is JSON
    text, whatever the file holds: text, a map or a struct. `typed` is the DuckDB type that the mapping sees of a text.
    """

    name: str
    type: str
    required: bool
    aliases: tuple[str, ...]
    check: str
    blank: bool = False
    typed: str = ""


@dataclass(frozen=True, slots=True)
class PrefixMap:
    """A map column built from the columns that begin with one of `prefixes`; each stands for what begins the key then.

    `keys` limits it to those the mapping reads: what follows the prefix, folded, to the key.
    """

    name: str
    prefixes: Mapping[str, str]
    keys: Mapping[str, str] = field(default_factory=dict)

    def key(self, header: str) -> str | None:
        """The key of a column; None when it is none of this map's."""
        folded, spelt = plain(header), header.strip().lstrip("\ufeff")
        prefix = next((one for one in self.prefixes if folded.startswith(one)), None)
        if prefix is None:
            return None
        rest = spelt[len(prefix) :]
        return self.keys.get(rest.lower()) if self.keys else self.prefixes[prefix] + rest


@dataclass(frozen=True, slots=True)
class Unknown:
    """Values of a raw column that a lookup table does not know, of rows that meet `where`, and what became of them.

    `over` are the few-valued raw columns that both read, where that is quicker than row by row. `worth` says that the
    money of their rows is told too.
    """

    told: str
    column: str
    table: str
    key: str
    where: str
    over: tuple[str, ...] = ()
    worth: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """One raw shape. `cost`, `currency`, `account` and `period` are SQL expressions over the raw view.

    `provider` is empty where the rows tell it; `provider_sql` then gives it, empty for a stranger's row.
    `nulls` are texts, in lower case, that stand for null; `extras` is the prefix of columns carried along unread.
    `assumptions` are SQL conditions of raw rows for which the mapping assumes what the bill does not say.

    `roles` is filled where a delivery needs an actual and an amortized file: SQL conditions that only rows of that
    metric meet. `facts` are aggregates, true or false, that the rows' SQL reads as variables: true where any file's is.
    `unless` is by fact the pattern of names of columns that mean nothing where it is false; the last that fits decides.
    `scope` tells exports of one account apart where there is one per subscription. `files` are the data files it is
    made of: its own and those of the shapes it is like. `commitments_sql` gives the commitments that its rows name;
    `contracts_sql` whole rows of ContractCommitment, of contracts that are told beside the bill.
    `absent` are columns that only other shapes with the same SQL have; `derived` is by name what the SQL reads
    in every shape, as an expression over the shape's own columns. `prices` says which raw rows want a price of a price
    sheet, and by what it is found; `assumed_in` is the view in which assumptions are counted.

    `companions` are the shapes of what may stand beside such a bill; each fills the table of its name. Of a companion
    `table` are the columns of that table with their types, and `key` what tells its rows apart, if anything does.
    `members` are SQL expressions that name an account within the billing account, each part in capitals or blank.
    `split` is how its rows may be split, and `is_split` whether they are. `refused_rows` keep a delivery out, as does a
    day of `daily` rows that is there twice. `days` gives the day and the place of a row of other bills, where two files
    may be ranges of days that overlap.
    """

    name: str
    provider: str
    label: str
    formats: tuple[str, ...]
    columns: tuple[RawColumn, ...]
    maps: tuple[PrefixMap, ...]
    signature: tuple[str, ...]
    cost: str
    currency: str
    account: str
    period: str
    roles: Mapping[str, str]
    facts: Mapping[str, str]
    scope: str
    rows_sql: str
    select_sql: str
    provider_sql: str
    nulls: tuple[str, ...]
    extras: str
    assumptions: Mapping[str, str]
    unknown: tuple[Unknown, ...]
    files: tuple[str, ...]
    commitments_sql: str = ""
    contracts_sql: str = ""
    unless: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    derived: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, str] = field(default_factory=dict)
    assumed_in: str = "raw"
    refusals: tuple[Refusal, ...] = ()
    companions: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    table: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    split: Split | None = None
    is_split: bool = False
    refused_rows: tuple[RowRefusal, ...] = ()
    daily: Daily | None = None
    kinds: Kinds | None = None
    days: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_commitments(self) -> bool:
        return bool(self.commitments_sql or self.contracts_sql)


def plain(header: str) -> str:
    """A header folded for matching; localised exports put the real name in trailing parentheses."""
    inner = re.search(r"\(([A-Za-z0-9_]+)\)\s*$", header)
    return (inner.group(1) if inner else header).strip().lstrip("\ufeff").lower()


@cache
def shapes() -> tuple[Shape, ...]:
    by_name = {str(entry["shape"]): entry for entry in shape_entries()}
    every = [(entry, whole(entry, by_name)) for entry in by_name.values()]
    made = [
        replace(_shape(one), kinds=kinds_of(entry.get("kinds")), days=_conditions(one.get("days")))
        for entry, one in every
    ]
    return tuple(replace(shape, absent=_absent_columns(shape, made)) for shape in made)


def _absent_columns(shape: Shape, made: Sequence[Shape]) -> tuple[str, ...]:
    """What the SQL of this shape may read and only the others have."""
    own = {name.lower() for name in (*(one.name for one in shape.columns), *(one.name for one in shape.maps))}
    others = (column.name for other in made if other.select_sql == shape.select_sql for column in other.columns)
    return tuple(sorted({name for name in others if name.lower() not in own}))


@cache
def price_sheet() -> Shape:
    """What stands beside a bill: a shape whose rows are prices."""
    return _shape(price_sheet_entry())


@cache
def companions() -> tuple[Shape, ...]:
    """What else may stand beside a bill: shapes whose rows are facts that its mapping reads."""
    return tuple(_shape(entry) for entry in companion_entries())


def companions_of(shape: Shape) -> list[Shape]:
    """Those that may stand beside such a bill."""
    return [one for one in companions() if one.name in shape.companions]


def shape_named(name: str) -> Shape:
    return next(shape for shape in shapes() if shape.name == name)


def sniff(headers: Sequence[str], format: str) -> Shape | None:
    """The shape most of whose signature the headers carry; None when no shape is evidently meant."""
    present = {plain(header) for header in headers}
    known = (*shapes(), price_sheet(), *companions())
    scored = [(_score(shape, present), len(shape.signature), shape) for shape in known if format in shape.formats]
    best = max(scored, key=lambda entry: entry[:2], default=None)
    return best[2] if best and best[0] >= RECOGNISED else None


def resolve(shape: Shape, headers: Sequence[str], label: str) -> Mapping[str, str]:
    """Canonical column name -> header in this file. Rejected when required ones are missing or names are doubled."""
    present = {plain(header): header for header in headers}
    faults = [_doubled(header, label) for header in _repeats(shape, headers)]
    found = {column.name: _find(column, present) for column in shape.columns}
    missing = [column for column in shape.columns if column.required and not found[column.name]]
    faults += [_absent(column, shape, label) for column in missing]
    if faults:
        raise Rejected(faults)
    return {name: header for name, header in found.items() if header}


def _find(column: RawColumn, present: Mapping[str, str]) -> str | None:
    return next((present[plain(name)] for name in (column.name, *column.aliases) if plain(name) in present), None)


def _score(shape: Shape, present: set[str]) -> int:
    by_name = {column.name: column for column in shape.columns}
    hits = [name for name in shape.signature if known(by_name.get(name), name, present)]
    return 100 * len(hits) // len(shape.signature)


def known(column: RawColumn | None, name: str, present: set[str]) -> bool:
    """Whether a column, or a name that is no column of the shape, is among folded headers."""
    names = (name, *column.aliases) if column else (name,)
    return any(plain(candidate) in present for candidate in names)


def _repeats(shape: Shape, headers: Sequence[str]) -> list[str]:
    """Names that occur twice; tags are told apart by case too."""
    tags = [entry for entry in shape.maps if not entry.keys]
    names = [h.strip() if any(entry.key(h) for entry in tags) else plain(h) for h in headers]
    return sorted({name for name in names if names.count(name) > 1 and name})


def _doubled(name: str, label: str) -> Fault:
    return Fault(
        f"the column {name} appears twice", "Export the file again with each column once.", "doubled-column", label
    )


def _absent(column: RawColumn, shape: Shape, label: str) -> Fault:
    text = f"the required column {column.name} of {shape.label} is missing"
    advice = "Export the file again with this column selected."
    return Fault(text, advice, "missing-column", label, column=column.name)


def _shape(entry: dict[str, object]) -> Shape:
    name, money = str(entry["shape"]), _money(entry)
    return Shape(
        name=name,
        provider=str(entry["provider"]),
        label=str(entry["label"]),
        formats=texts(entry, "formats") or (str(entry["format"]),),
        columns=tuple(_raw_column(column) for column in _columns(entry)),
        maps=_maps(entry),
        signature=texts(entry, "signature"),
        cost=str(money["cost"]),
        currency=str(money["currency"]),
        account=str(entry["account"]),
        period=str(entry.get("period", "")),
        roles=_conditions(entry.get("roles")),
        facts=_conditions(entry.get("facts")),
        unless=_conditions(entry.get("unless")),
        scope=str(entry.get("scope", "")),
        rows_sql=str(entry.get("rows_sql", f"{name}.rows.sql")),
        select_sql=str(entry.get("select_sql", f"{name}.sql")),
        provider_sql=str(entry.get("provider_sql", "")),
        nulls=texts(entry, "nulls"),
        extras=str(entry.get("extras", "")),
        assumptions=_conditions(entry.get("assumptions")),
        unknown=_unknown(entry.get("unknown", [])),
        files=texts(entry, "files"),
        commitments_sql=str(entry.get("commitments_sql", "")),
        contracts_sql=str(entry.get("contracts_sql", "")),
        derived=_conditions(entry.get("derived")),
        prices=_conditions(entry.get("prices")),
        assumed_in=str(entry.get("assumed_in", "raw")),
        refusals=refusals(entry.get("refuse", [])),
        companions=texts(entry, "companions"),
        members=texts(entry, "members"),
        split=split_of(entry.get("split")),
        refused_rows=row_refusals(entry.get("refuse_rows", [])),
        daily=daily_of(entry.get("daily")),
        table=_conditions(entry.get("table")),
        key=texts(entry, "key"),
    )


def _money(entry: dict[str, object]) -> dict[str, object]:
    found = entry.get("money", {"cost": "", "currency": ""})
    assert isinstance(found, dict)
    return found


def _maps(entry: dict[str, object]) -> tuple[PrefixMap, ...]:
    found = entry.get("maps", [])
    assert isinstance(found, list)
    return tuple(PrefixMap(item["name"], item["prefixes"], item.get("keys", {})) for item in found)


def _columns(entry: dict[str, object]) -> list[dict[str, object]]:
    """The shape's own columns, after those of the FOCUS dataset it names, if it names one."""
    listed = entry.get("columns", [])
    assert isinstance(listed, list)
    if "dataset" not in entry:
        return listed
    without, required, filled = (texts(entry, key) for key in ("without", "required", "filled"))
    known = (column for column in columns(str(entry["dataset"])) if column.name not in without)
    checked = _conditions(entry.get("checks"))
    return [_focus_column(column, required, filled, checked) for column in known] + listed


def _focus_column(
    column: Column, required: Sequence[str], filled: Sequence[str], checked: Mapping[str, str]
) -> dict[str, object]:
    return {
        "name": column.name,
        "type": "JSON" if column.data_type == "JSON" else "VARCHAR",
        "required": column.name in required or column.name in filled,
        "blank": column.name not in filled,
        "check": checked.get(column.name, CHECKED_AS.get(column.data_type, "")),
    }


def _unknown(entry: object) -> tuple[Unknown, ...]:
    assert isinstance(entry, list)
    return tuple(Unknown(**{**one, "over": texts(one, "over")}) for one in entry)


def _conditions(entry: object) -> Mapping[str, str]:
    return {str(name): str(condition) for name, condition in entry.items()} if isinstance(entry, dict) else {}


def _raw_column(entry: dict[str, object]) -> RawColumn:
    aliases = entry.get("aliases", [])
    assert isinstance(aliases, list)
    return RawColumn(
        str(entry["name"]),
        str(entry["type"]),
        bool(entry.get("required", False)),
        tuple(aliases),
        str(entry.get("check", "")),
        bool(entry.get("blank", False)),
        str(entry.get("typed", "")),
    )
