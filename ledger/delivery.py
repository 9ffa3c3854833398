"""What moves through the money story: sources, billing periods, files to commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

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

    def before(self) -> Period:
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)


@dataclass(frozen=True, slots=True, order=True)
class SourceRef:
    """Who sent a bill: `name` is the ledger's partition key, `provider` one of aws, azure, snowflake."""

    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file ready to be committed; min and max are ChargePeriodStart as ISO 8601 UTC, empty without one."""

    path: str
    rows: int
    size: int
    first: str
    last: str
