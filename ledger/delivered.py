"""What an export delivered, and what the documents beside it say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from focus.metadata import Instance, definitions
from ledger.delivery import Period
from ledger.export_sql import COSTS, Output, text_columns
from ledger.faults import Fault
from ledger.reconcile import total
from ledger.sectors import Held, sectors
from ledger.summary import plain

# Prefixes of the tags that a provider defines itself, as the mappings write them; Azure and Snowflake have none.
TAG_PREFIXES = {"AWS": ("aws:",)}


@dataclass(frozen=True, slots=True, order=True)
class Total:
    """Rows and money of one currency."""

    currency: str
    rows: int
    billed: Decimal
    effective: Decimal


@dataclass(frozen=True, slots=True, order=True)
class DataFile:
    """One delivered file; `path` is relative to the export's root."""

    path: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """One (source, billing period) as it was read back from its files, or one source's commitments at that period.

    `longest` in characters per text column.
    """

    source: str
    period: Period
    provider: str
    written: datetime
    files: tuple[DataFile, ...]
    totals: tuple[Total, ...]
    first: datetime
    last: datetime
    longest: Mapping[str, int]

    @property
    def held(self) -> Held:
        return Held(self.period, self.first, self.last, self.written)


def added(totals: Iterable[Total]) -> tuple[Total, ...]:
    """One total per currency."""
    grouped = groupby(sorted(totals), key=lambda one: one.currency)
    return tuple(_sum(currency, list(lines)) for currency, lines in grouped)


def difference(source: str, period: Period, ledger: Sequence[Total], files: Sequence[Total]) -> list[Fault]:
    """A fault when the files do not hold exactly the ledger's rows and money."""
    if sorted(ledger) == sorted(files):
        return []
    message = f"{source} {period}: the ledger holds {_shown(ledger)}; the files were read back as {_shown(files)}"
    return [Fault(message, "Nothing was put in place; please report it.", "export-balance")]


def instances(
    delivered: Sequence[Delivered], out: Output, dataset: str, settled_after: timedelta, guid: Callable[[str], str]
) -> list[Instance]:
    """One dataset instance per source. All files have the same columns, so their bounds are those of the whole."""
    longest = {name: max(one.longest.get(name, 0) for one in delivered) for name in text_columns(out)}
    sources = groupby(sorted(delivered, key=lambda one: (one.source, one.period)), key=lambda one: one.source)
    return [_instance(list(parts), out, dataset, settled_after, guid, longest) for _, parts in sources]


def listing(
    delivered: Sequence[Delivered], schemas: Mapping[str, str], ids: Mapping[str, str]
) -> list[dict[str, object]]:
    """Every file with what it belongs to; `schemas` and `ids` hold SchemaId and DatasetInstanceId per source."""
    return [
        {
            "path": file.path,
            "source": one.source,
            "period": str(one.period),
            "rows": file.rows,
            "bytes": file.size,
            "sha256": file.sha256,
            "DatasetInstanceId": ids[one.source],
            "SchemaId": schemas[one.source],
        }
        for one in delivered
        for file in one.files
    ]


def totals(delivered: Sequence[Delivered], dataset: str = COSTS) -> list[dict[str, object]]:
    """Rows and the dataset's two sums per currency; amounts as decimal text."""
    names = ("billed", "effective") if dataset == COSTS else ("committed_cost", "committed_quantity")
    lines = added(line for one in delivered for line in one.totals)
    return [
        {"currency": one.currency, "rows": one.rows, names[0]: plain(one.billed), names[1]: plain(one.effective)}
        for one in lines
    ]


def _shown(totals: Sequence[Total]) -> str:
    """Both costs: either may be what differs."""
    lines = (f"{one.rows} rows, {plain(one.billed)} and {plain(one.effective)} {one.currency}" for one in totals)
    return "; ".join(lines)


def _sum(currency: str, lines: Sequence[Total]) -> Total:
    billed, effective = (total(getattr(line, name) for line in lines) for name in ("billed", "effective"))
    return Total(currency, sum(line.rows for line in lines), billed, effective)


def _instance(
    parts: Sequence[Delivered],
    out: Output,
    dataset: str,
    settled_after: timedelta,
    guid: Callable[[str], str],
    longest: Mapping[str, int],
) -> Instance:
    source, provider = parts[0].source, parts[0].provider
    return Instance(
        id=guid(f"{dataset}/{source}"),
        name=f"{source}: {dataset}",
        dataset=dataset,
        updated=max(one.written for one in parts),
        sectors=sectors([one.held for one in parts], settled_after) if dataset == COSTS else (),
        complete=all(one.held.settled(settled_after) for one in parts),
        definitions=definitions(out.columns, longest, TAG_PREFIXES.get(provider, ()), out.version),
    )
