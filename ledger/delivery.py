"""What moves through the money story: sources, billing periods, deliveries, totals, runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month in UTC; FOCUS billing periods start inclusive and end exclusive."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """From 'YYYY-MM'; ValueError otherwise."""
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
            raise ValueError(f"not a billing period (YYYY-MM): {text!r}")
        return cls(int(text[:4]), int(text[5:]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.next().start

    def next(self) -> Period:
        return Period(self.year + self.month // 12, self.month % 12 + 1)


@dataclass(frozen=True, slots=True, order=True)
class SourceRef:
    """Who sent a bill: `name` is the ledger's partition key, `provider` one of aws, azure, snowflake."""

    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class RawFile:
    """One raw file staged on local disk; `label` is what the person called it, `role` actual/amortized for Azure."""

    path: str
    label: str
    digest: str
    size: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """All files of one (source, billing period); it replaces the whole partition or nothing."""

    source: SourceRef
    period: Period
    shape: str
    files: tuple[RawFile, ...]
    digest: str
    basis: str = "amortized"


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows and exact money per (currency, rule); the empty rule is what reached the ledger."""

    rows: int = 0
    money: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file ready to be committed; min and max are ChargePeriodStart as ISO 8601 UTC."""

    path: str
    rows: int
    size: int
    first: str
    last: str
