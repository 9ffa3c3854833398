"""Cost Explorer's answers as decimal cells per day: hostile until parsed, never through a float. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ledger.delivery import Period
from ledger.faults import Rejected, reject

RULE = "cost-explorer"
KEPT_MONTHS = 13  # Cost Explorer answers for no more, the open one included
AMOUNT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one day's group costs: by metric, (amount, unit). `estimated` while AWS may still change it."""

    day: date
    keys: tuple[str, ...]
    amounts: Mapping[str, tuple[Decimal, str]]
    estimated: bool


def asked_days(period: Period, today: date) -> tuple[date, date]:
    """First day, and the day after the last, that can be asked for; Rejected for months not kept and months to come."""
    if not askable(period, today):
        raise reject(
            f"Cost Explorer has no days of {period}",
            f"It keeps {KEPT_MONTHS} months, the open one included, and knows no month to come.",
            RULE,
        )
    return period.start.date(), min(period.end.date(), today + timedelta(days=1))


def askable(period: Period, today: date) -> bool:
    """Whether Cost Explorer still has, or already has, days of the month."""
    oldest = Period(today.year, today.month)
    for _ in range(KEPT_MONTHS - 1):
        oldest = oldest.before()
    return oldest <= period and period.start.date() <= today


def cells(page: Mapping[str, Any], metrics: Sequence[str], dimensions: int) -> Iterator[Cell]:
    """The groups of one page of get_cost_and_usage; Rejected when it is not what AWS documents."""
    for entry in _list(page, "ResultsByTime"):
        day, estimated = _day(entry), bool(_field(entry, "Estimated", bool, False))
        for group in _list(entry, "Groups"):
            keys = tuple(map(str, _list(group, "Keys")))
            if len(keys) != dimensions:
                raise _strange(f"a group has {len(keys)} keys where {dimensions} were asked for")
            found = _field(group, "Metrics", dict, {})
            yield Cell(day, keys, {name: _amount(found, name) for name in metrics}, estimated)


def _amount(found: Mapping[str, Any], metric: str) -> tuple[Decimal, str]:
    entry = _field(found, metric, dict, {})
    text, unit = entry.get("Amount"), entry.get("Unit")
    if not isinstance(text, str) or not AMOUNT.fullmatch(text) or not isinstance(unit, str) or not unit:
        raise _strange(f"{metric} is no amount with a unit: {entry!r:.80}")
    return Decimal(text), unit


def _day(entry: Mapping[str, Any]) -> date:
    text = _field(entry, "TimePeriod", dict, {}).get("Start")
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise _strange(f"a result begins on no day: {text!r:.40}") from None


def _list(entry: Mapping[str, Any], name: str) -> list[Any]:
    found: list[Any] = _field(entry, name, list, [])
    return found


def _field(entry: object, name: str, kind: type, default: object) -> Any:
    found = entry.get(name, default) if isinstance(entry, dict) else None
    if not isinstance(found, kind):
        raise _strange(f"{name} is no {kind.__name__}")
    return found


def _strange(text: str) -> Rejected:
    return reject(f"Cost Explorer's answer cannot be read: {text}", "Report it with the day that was asked for.", RULE)
