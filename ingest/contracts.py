"""Items of contracts beside a bill, and those that the ledger has seen before: a provider shows active ones only.

What is shown now and what is known are two tellings of each contract. The one that was changed last tells it; of the
other one stays what was over before that one's first day, because months of then were paid from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from ingest.mapping import literal
from ingest.shapes import Shape
from ledger.delivery import Period
from ledger.faults import reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ledger.book import BookFile

TABLE = "snowflake_contracts"
MOST = 10_000  # an organization has dozens of items; so many rows are something else
NEVER = date.min  # of a contract that does not tell when it was changed


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a contract, as the table beside the bill has it; `ends` and `expires` are last days."""

    organization: str
    contract: str
    item: str
    starts: date
    ends: date | None
    expires: date | None
    currency: str
    amount: Decimal | None
    modified: date | None

    @property
    def key(self) -> tuple[str, str, str, date]:
        return self.organization, self.contract, self.item, self.starts

    @property
    def id(self) -> str:
        """As the mapping has it: macro item_id."""
        return f"{self.contract}/{self.item.lower().strip().replace(' ', '-')}/{self.starts}"

    @property
    def changed(self) -> date:
        return self.modified or NEVER

    @property
    def rank(self) -> tuple[date, date, Decimal, str]:
        return self.changed, self.ends or date.max, self.amount or Decimal(0), self.currency


class Table(Protocol):
    """What is needed of the ledger's table of commitments."""

    def files(self, version: int | None = None, wanted: Callable[[str, Period], bool] = ...) -> Sequence[BookFile]: ...
    def relation_sql(self, files: Sequence[BookFile]) -> str: ...


def resolved(told: Iterable[Item], known: Iterable[Item]) -> list[Item]:
    """The items of all contracts, each once; in the order of their keys."""
    ours, theirs = _by_contract(told), _by_contract(known)
    found = [item for name in {*ours, *theirs} for item in _of_contract(ours.get(name, []), theirs.get(name, []))]
    return sorted(found, key=lambda item: item.key)


def _by_contract(items: Iterable[Item]) -> dict[str, list[Item]]:
    """By number alone: an organization may be given another name, its contracts are the same ones."""
    ordered = sorted(items, key=lambda item: item.contract)
    return {name: _newest(list(held)) for name, held in groupby(ordered, key=lambda item: item.contract)}


def _newest(items: Sequence[Item]) -> list[Item]:
    """Of each key the rows changed last. Several are several items: the second has a number, for its own id."""
    found = []
    for _, held in groupby(sorted(items, key=lambda item: item.key), key=lambda item: item.key):
        rows = sorted(held, key=lambda item: item.rank)
        last = [item for item in rows if item.changed == rows[-1].changed]
        found += [replace(item, item=f"{item.item} ({at})") if at > 1 else item for at, item in enumerate(last, 1)]
    return found


def _of_contract(told: Sequence[Item], known: Sequence[Item]) -> list[Item]:
    """What was told is the newer of two tellings of the same day."""
    newer, older = (told, known) if _changed(told) >= _changed(known) else (known, told)
    if not newer or not older:
        return [*newer, *older]
    begins = min(item.starts for item in newer)
    over = (item for item in older if item.ends is not None and max(item.starts, item.ends) < begins)
    return [*newer, *(replace(item, organization=newer[-1].organization) for item in over)]


def _changed(items: Sequence[Item]) -> date:
    return max((item.changed for item in items), default=NEVER)


def known_items(
    connection: DuckDBPyConnection, shape: Shape, table: Table | None, source: str
) -> dict[str, list[Item]]:
    """What each of the source's months holds of contracts; none where the ledger has no such table."""
    held = table.files(wanted=lambda name, _: name == source) if table and shape.contracts_sql else []
    if table is None or not held:
        return {}
    sql = f"""SELECT x_BillingPeriod, x_Organization, ContractId, ContractCommitmentType,
            CAST(ContractCommitmentPeriodStart AS DATE), last_day_before(ContractCommitmentPeriodEnd),
            last_day_before(ContractPeriodEnd), BillingCurrency, ContractCommitmentCost,
            CAST(x_ContractModified AS DATE)
        FROM ({table.relation_sql(held)}) WHERE x_Organization IS NOT NULL ORDER BY ALL"""
    found: dict[str, list[Item]] = {str(file.period): [] for file in held}
    for month, *values in connection.execute(sql).fetchall():
        found[month].append(Item(*values))
    return found


def recall(connection: DuckDBPyConnection, shape: Shape, held: Mapping[str, Sequence[Item]]) -> list[Item]:
    """The table beside the bill holds what is told now and what months knew before, each contract told once."""
    if not shape.contracts_sql:
        return []
    rows = connection.execute(f"SELECT {', '.join(Item.__slots__)} FROM {TABLE} LIMIT {MOST + 1}").fetchall()
    if len(rows) > MOST:
        advice = "Unload CONTRACT_ITEMS again; it has a row per item of the active contract."
        raise reject(f"the items of contracts beside the bill are more than {MOST}", advice, "commitments")
    known: list[Item] = reduce(lambda known, month: resolved(held[month], known), sorted(held), [])
    found = resolved([Item(*row) for row in rows], known)
    connection.execute(f"DELETE FROM {TABLE}")
    if found:
        connection.execute(f"INSERT INTO {TABLE} ({', '.join(Item.__slots__)}) VALUES {', '.join(map(_row, found))}")
    return found


def _row(item: Item) -> str:
    """A row as SQL: the values were read from a table, so their types are known."""
    values = [getattr(item, name) for name in Item.__slots__]
    return f"({', '.join('NULL' if value is None else literal(str(value)) for value in values)})"
