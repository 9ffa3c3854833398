"""ContractCommitment rows of a delivery: what each file tells of its commitments, merged, written, and committed first.

The table of commitments and the one of cost rows cannot be committed together. Commitments go first: a run that stops
between the two leaves the cost rows' digest as it was, so the next run maps again and makes good what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from focus.schema import commitment_types
from ingest import contracts
from ingest.mapping import literal, quoted
from ingest.mappings import text
from ingest.shapes import Shape
from ledger.delivery import Part, Period, SourceRef
from ledger.faults import reject
from ledger.reconcile import total

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST = 100_000  # an account has dozens of commitments; so many names in their column are something else
NEAR = Decimal("0.000001")  # how far the provider's rounding takes units from a whole number, or a fee from its price
PLACES = Decimal("1e-10")  # of money and hours of a whole term, which rounded parts of it are multiplied up to
LIMIT = Decimal("1e14")  # the ledger's amounts have 14 digits before the point
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Found:
    """What a bill tells of one commitment; None or '' where it tells nothing.

    `committed` is the money, or the hours of units, committed to for so many `seconds`, with the `fee` for those hours
    and its `price` an hour; `upfront` is paid once, `paid` is what the whole term costs where the payments tell it.
    `contract` is what it was bought under; `is_drawn_on` where lines other than its purchases name it. `words`
    describe the terms.
    """

    id: str
    category: str
    type: str
    currency: str
    begins: datetime | None
    ends: datetime | None
    committed: Decimal | None
    seconds: int | None
    fee: Decimal | None
    price: Decimal | None
    upfront: Decimal | None
    contract: str
    is_drawn_on: bool
    paid: Decimal | None
    words: tuple[str, ...]

    @property
    def rate(self) -> Decimal:
        """Committed to per second; -1 when it is not told."""
        return self.committed / self.seconds if self.committed and self.seconds else Decimal(-1)


class Table(contracts.Table, Protocol):
    """What ingest needs of the ledger's table of commitments."""

    def digest_of(self, source: str, period: Period) -> str | None: ...
    def replace(self, source: SourceRef, period: Period, digest: str, parts: Sequence[Part], run_id: str) -> int: ...


def collect(shape: Shape, connection: DuckDBPyConnection, known: dict[str, Found]) -> None:
    """Add what the files behind the view `typed` tell. Rejected when they name more than any account can have."""
    if not shape.commitments_sql:
        return
    rows = connection.execute(f"{text(shape.commitments_sql)} LIMIT {MOST + 1}").fetchall()
    for found in map(_found, rows):
        known[found.id] = merged(known[found.id], found) if found.id in known else found
    if len(known) > MOST:
        raise reject(
            f"the bill names more than {MOST} reservations and savings plans",
            "Check the columns of reservation and savings plan ARNs for values that are none.",
            "commitments",
        )


def merged(one: Found, other: Found) -> Found:
    """First begin, last end, and the fuller rate: a file may tell only part of what another one tells."""
    fuller = max(one, other, key=lambda found: (found.rate, found.fee or 0))
    return replace(
        fuller,
        begins=min(filter(None, (one.begins, other.begins)), default=None),
        ends=max(filter(None, (one.ends, other.ends)), default=None),
        upfront=max((value for value in (one.upfront, other.upfront) if value is not None), default=None),
        is_drawn_on=one.is_drawn_on or other.is_drawn_on,
        paid=_sum(one.paid, other.paid) if one.currency == other.currency else None,
        words=tuple(map(max, one.words, other.words)),
    )


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else total((one, other))


def resolved(known: Mapping[str, Found]) -> dict[str, Found]:
    """What purchases tell of an order alone is given to what was bought under it.

    The one reservation or plan of an order takes its place; where there are several, each has its term.
    """
    found = dict(known)
    for order in (one for one in known.values() if one.contract == one.id and not one.is_drawn_on):
        bought = [one for one in known.values() if one.contract == order.id != one.id]
        if len(bought) == 1:
            found[bought[0].id] = replace(merged(bought[0], order), id=bought[0].id)
            del found[order.id]
        elif bought:
            found |= {one.id: replace(one, begins=order.begins, ends=order.ends) for one in bought}
    return found


def row(found: Found) -> dict[str, object]:
    """The ContractCommitment row."""
    hours, money = map(_held, whole_term(found))
    told = ", ".join(filter(None, found.words))
    return {
        "BillingCurrency": found.currency,
        "ContractCommitmentCategory": found.category,
        "ContractCommitmentCost": money if found.paid is None else _held(found.paid),
        "ContractCommitmentDescription": f"{found.type}: {told}" if told else found.type,
        "ContractCommitmentId": found.id,
        "ContractCommitmentPeriodEnd": found.ends,
        "ContractCommitmentPeriodStart": found.begins,
        "ContractCommitmentQuantity": hours,
        "ContractCommitmentType": found.type,
        "ContractCommitmentUnit": None if hours is None else "Hours",
        "ContractId": found.contract,
        "ContractPeriodEnd": found.ends,
        "ContractPeriodStart": found.begins,
    }


def whole_term(found: Found) -> tuple[Decimal | None, Decimal | None]:
    """(hours of units, money) of the whole term; None for what the bill does not tell."""
    if not (found.begins and found.ends and found.committed and found.seconds):
        return None, None
    with localcontext(prec=60):
        term = Decimal((found.ends - found.begins) // timedelta(seconds=1))
        if found.category == "Spend":
            return None, _rounded(found.committed * term / found.seconds)
        hours = _rounded(_units(found.committed * HOUR / found.seconds) * term / HOUR)
        if found.upfront is None or found.fee is None:
            return hours, None
        return hours, _rounded(found.upfront + _hourly(found.fee, found.price, found.committed) * hours)


def _units(rate: Decimal) -> Decimal:
    """Reserved are whole units; a month that begins within the hour shows them rounded."""
    whole = rate.to_integral_value()
    return whole if abs(rate - whole) < NEAR * max(whole, Decimal(1)) else rate


def _hourly(fee: Decimal, price: Decimal | None, hours: Decimal) -> Decimal:
    """The stated price, unless the fee says another: fees of parts of an hour are rounded."""
    return price if price is not None and abs(price * hours - fee) < NEAR else fee / hours


def _held(amount: Decimal | None) -> Decimal | None:
    """An amount that its column can hold; nothing in place of another."""
    return None if amount is None or amount.copy_abs() >= LIMIT else amount


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(PLACES, ROUND_HALF_EVEN)


def write(shape: Shape, connection: DuckDBPyConnection, known: Mapping[str, Found], folder: Path) -> list[Part]:
    """The commitments as one part file in an existing folder, which may hold none; no part for a shape without any.

    A file without rows still tells, by its name, which delivery it is of.
    """
    if not shape.has_commitments:
        return []
    _list(connection, [row(known[name]) for name in sorted(known)])
    if shape.contracts_sql:
        connection.execute(f"INSERT INTO commitment BY NAME {text(shape.contracts_sql)}")
    path = folder / "commitments.parquet"
    copied = f"COPY (SELECT * FROM commitment ORDER BY ALL) TO {literal(str(path))} (FORMAT parquet)"
    count = connection.execute(copied).fetchall()[0][0]
    connection.execute("DROP TABLE commitment")
    return [Part(str(path), count, path.stat().st_size, "", "")]


def _list(connection: DuckDBPyConnection, rows: Sequence[Mapping[str, object]]) -> None:
    """Temp table `commitment` of these rows."""
    types = commitment_types()
    columns = [[_text(found.get(name)) for found in rows] for name, _ in types]
    listed = ", ".join(f"unnest(${at}::VARCHAR[]) AS {quoted(name)}" for at, (name, _) in enumerate(types, 1))
    casts = ", ".join(f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}" for name, kind in types)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE commitment AS SELECT {casts} FROM (SELECT {listed})", columns)


def settled(shape: Shape, table: Table | None, source: str, period: Period, digest: str) -> bool:
    """Whether the table holds this delivery's commitments, or none for a shape that has none."""
    held = table.digest_of(source, period) if table else None
    return table is None or held == (digest[:16] if shape.has_commitments else None)


def commit(table: Table | None, source: SourceRef, period: Period, digest: str, parts: list[Part], run_id: str) -> None:
    """Replace the partition by the delivery's commitments, unless it holds them already or has never held any."""
    held = table.digest_of(source.name, period) if table else None
    if table and held != (digest[:16] if parts else None):
        table.replace(source, period, digest, parts, run_id)


def _found(values: Sequence[object]) -> Found:
    """From a row of the shape's SQL: Found's fields in order, each of its words a column."""
    name, category, kind, currency, begins, ends, committed, seconds, fee, price, upfront, *told = values
    contract, is_drawn_on, paid, *words = told
    return Found(
        str(name),
        str(category),
        str(kind),
        str(currency),
        begins=_instant(begins),
        ends=_instant(ends),
        committed=_decimal(committed),
        seconds=int(str(seconds)) if seconds is not None else None,
        fee=_decimal(fee),
        price=_decimal(price),
        upfront=_decimal(upfront),
        contract=str(contract),
        is_drawn_on=bool(is_drawn_on),
        paid=_decimal(paid),
        words=tuple(str(word or "") for word in words),
    )


def _instant(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def _decimal(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, datetime) else f"{value:f}"
