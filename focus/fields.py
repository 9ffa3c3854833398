"""What a file's columns are to the rules: names, SQL types, and how each is read as text, number or instant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from focus.versions import column_entries

KINDS = (
    ("instant", r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ"),
    ("naive", r"TIMESTAMP.*|DATETIME"),
    ("date", r"DATE"),
    ("decimal", r"DECIMAL.*|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"),
    ("double", r"DOUBLE|FLOAT"),
    ("nested", r"MAP.*|STRUCT.*|.*\[\d*\]"),
    ("text", r"VARCHAR|ENUM.*|JSON|UUID"),
    ("bytes", r"BLOB"),
)
MONEY = "DECIMAL(38, 24)"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Field:
    """A column as it is read; `type` is a DuckDB type."""

    name: str
    type: str

    @property
    def kind(self) -> str:
        """One of text, decimal, double, instant, naive, date, nested, bytes, other."""
        return next((kind for kind, pattern in KINDS if re.fullmatch(pattern, self.type)), "other")


class AbsentColumn(Exception):
    """A rule needs a column that the file lacks though it ought to have it."""


@dataclass(frozen=True)
class Facts:
    """One file (or several of one structure) seen by the rules of a dataset and version.

    `may_lack` are columns that are rightly absent under the criteria in force: they read as null.
    """

    version: str
    dataset: str
    fields: tuple[Field, ...]
    may_lack: frozenset[str] = frozenset()

    @cached_property
    def spec(self) -> Mapping[str, Mapping[str, object]]:
        """The dataset's column entries by name."""
        return {str(entry["id"]): entry for entry in column_entries(self.version, self.dataset)}

    @cached_property
    def _by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    def field(self, name: str) -> Field | None:
        """By its exact name; None where it is rightly absent. AbsentColumn where it is wrongly so."""
        if name not in self._by_name and name not in self.may_lack:
            raise AbsentColumn(name)
        return self._by_name.get(name)

    def has(self, name: str) -> bool:
        return name in self._by_name

    def kind(self, name: str) -> str:
        """The field's kind; `absent` for a column that is rightly not there."""
        field = self.field(name)
        return field.kind if field else "absent"

    def raw(self, name: str) -> str:
        """The column as it is."""
        return quoted(name) if self.field(name) else "NULL"

    def text(self, name: str) -> str:
        """The column as text; maps and structures as the JSON they stand for."""
        kind = self.kind(name)
        if kind == "absent" or self._by_name[name].type in ("VARCHAR", "JSON"):
            return self.raw(name)
        return f"CAST({f'to_json({quoted(name)})' if kind == 'nested' else quoted(name)} AS VARCHAR)"

    def number(self, name: str) -> str:
        """The column as a number: exact where it is exact in the file or in its text."""
        if self.kind(name) in ("decimal", "double", "absent"):
            return self.raw(name)
        return f"TRY_CAST({self.text(name)} AS {MONEY})"

    def double(self, name: str) -> str:
        """The column in floating point, read from its text at once, which is far quicker than by way of a decimal."""
        return (
            f"TRY_CAST({self.raw(name)} AS DOUBLE)"
            if self.kind(name) == "text"
            else f"CAST({self.number(name)} AS DOUBLE)"
        )

    def instant(self, name: str) -> str:
        """The column as an instant; what has no zone counts as UTC."""
        if self.kind(name) == "naive":
            return f"CAST({self.raw(name)} AS TIMESTAMP)"  # of nanoseconds too, which compare with no instant
        if self.kind(name) in ("instant", "date", "absent"):
            return self.raw(name)
        return f"TRY_CAST({self.text(name)} AS TIMESTAMPTZ)"

    def typed(self, name: str) -> str:
        """The column as the specification's type of it."""
        data_type = str(self.spec[name]["data_type"]) if name in self.spec else "String"
        return {"Decimal": self.number, "Date/Time": self.instant}.get(data_type, self.text)(name)

    def is_decimal(self, name: str) -> bool:
        return name in self.spec and self.spec[name]["data_type"] == "Decimal"

    def with_attribute(self, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """Columns of the file whose entry has these values."""
        return tuple(name for name in self._matching(wanted) if self.has(name))

    def _matching(self, wanted: Mapping[str, str]) -> Iterator[str]:
        for name, entry in self.spec.items():
            if all(str(entry.get(key)).lower() == value.lower() for key, value in wanted.items()):
                yield name

    @cached_property
    def closed(self) -> frozenset[str]:
        """Text columns of few values: closed lists, currencies and units."""
        formats = ("AllowedValues", "CurrencyFormat", "UnitFormat")
        found = [name for name, entry in self.spec.items() if entry["value_format"] in formats and self.has(name)]
        return frozenset(name for name in found if self.kind(name) == "text")


def described(rows: Sequence[tuple[object, ...]]) -> tuple[Field, ...]:
    """Fields from the rows of a DESCRIBE."""
    return tuple(Field(str(row[0]), str(row[1])) for row in rows)
