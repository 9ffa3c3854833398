"""Which (source, billing period) are due, and what a configured source is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.delivery import Period


@dataclass(frozen=True, slots=True)
class Source:
    """A source from ledger.toml: its accounts are claimed for it, its currency is the only one it may bill in.

    `location` is what the timer reads: a folder or az://container/prefix; empty when fed by hand only.
    """

    name: str
    provider: str
    currency: str = ""
    accounts: tuple[str, ...] = ()
    location: str = ""
    basis: str = "amortized"


@dataclass(frozen=True, slots=True)
class Due:
    """One partition to ingest: the queue message of ingest-partition."""

    source: str
    period: Period

    def as_message(self) -> dict[str, object]:
        return {"source": self.source, "period": str(self.period)}


def claims(sources: Sequence[Source]) -> Mapping[tuple[str, str], str]:
    """(provider, account) -> source name."""
    return {(source.provider, account): source.name for source in sources for account in source.accounts}


def due(offered: Mapping[tuple[str, Period], str], current: Mapping[tuple[str, Period], str]) -> list[Due]:
    """Partitions whose offered delivery differs from the ledger's, by the first 16 digits of the digest."""
    return [
        Due(source, period)
        for (source, period), digest in sorted(offered.items())
        if current.get((source, period)) != digest[:16]
    ]
