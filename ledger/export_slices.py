"""What an export writes into one folder: cost rows of a source and billing period, or a source's commitments. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ledger.book import Book, BookFile
from ledger.delivery import Period
from ledger.export_sql import commitments_of


@dataclass(frozen=True, slots=True)
class Slice:
    """`relation` is a query of the ledger's rows of these files; `folder` lies below the export's root.

    Of commitments `period` is the newest that any of them was billed in.
    """

    source: str
    period: Period
    folder: str
    relation: str
    files: tuple[BookFile, ...]

    @property
    def written(self) -> datetime:
        return max(file.written for file in self.files)


def cost_slices(book: Book, files: Sequence[BookFile]) -> list[Slice]:
    """One per source and billing period; the files are in that order."""
    grouped = groupby(files, lambda file: (file.source, file.period))
    return [_costs(book, *key, tuple(mine)) for key, mine in grouped]


def commitment_slices(book: Book, files: Sequence[BookFile], sources: Collection[str]) -> list[Slice]:
    """One per source that has any of the newest rows; the files are in the order of sources."""
    relation = book.relation_sql(files)
    grouped = ((source, tuple(mine)) for source, mine in groupby(files, lambda file: file.source))
    return [
        Slice(
            source,
            max(file.period for file in mine),
            f"ContractCommitment/{source}",
            commitments_of(relation, source),
            mine,
        )
        for source, mine in grouped
        if source in sources
    ]


def _costs(book: Book, source: str, period: Period, files: tuple[BookFile, ...]) -> Slice:
    return Slice(source, period, f"CostAndUsage/{source}/{period}", book.relation_sql(files), files)
