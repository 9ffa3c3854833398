"""Cost Explorer's days as the lines of a CSV: the header, a stable order, plain decimals. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from ingest.daily_totals import RULE, Cell
from ledger.faults import Rejected, reject

METRICS = ("NetUnblendedCost", "NetAmortizedCost")
DIMENSIONS = ("SERVICE", "RECORD_TYPE")
HEADER = ("Day", "Service", "RecordType", "BillingAccountId", "Currency", *METRICS, "Estimated")

Line = tuple[str, ...]


def lines(found: Iterable[Cell], account: str, days: tuple[date, date]) -> list[Line]:
    """One line per cell, sorted: the same answer makes the same file, in whatever order it was told.

    Rejected where a cell is of no day that was asked for, is told twice, or has its two costs in different currencies.
    """
    told = [_line(cell, account, days) for cell in found]
    keys = {line[:5] for line in told}
    if len(keys) < len(told):
        raise _strange("it tells a service and charge type of one day twice")
    return sorted(told)


def _line(cell: Cell, account: str, days: tuple[date, date]) -> Line:
    if not days[0] <= cell.day < days[1]:
        raise _strange(f"it tells of {cell.day}, which was not asked for")
    units = {unit for _, unit in cell.amounts.values()}
    if len(units) > 1:
        raise _strange(f"the costs of one line are in {' and '.join(sorted(units))}")
    amounts = (_plain(cell.amounts[metric][0]) for metric in METRICS)
    estimated = "true" if cell.estimated else "false"
    return (cell.day.isoformat(), *cell.keys, account, units.pop(), *amounts, estimated)


def _plain(amount: Decimal) -> str:
    """All digits that were told, without an exponent."""
    return f"{amount:f}"


def _strange(text: str) -> Rejected:
    return reject(f"Cost Explorer's answer cannot be used: {text}", "Ask again; report it if it stays.", RULE)
