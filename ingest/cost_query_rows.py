"""Questions to Azure's Query API and its answers as decimal costs per day and meter category. Pure.

An answer is hostile until parsed, and its digits are those of the text that was sent: never through a float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ledger.delivery import Period
from ledger.faults import Rejected, reject
from ledger.independent import DayCost

RULE = "cost-query"
KEPT_MONTHS = 13  # Cost Management answers for no more, the open one included
LATE = timedelta(days=3)  # for which a day's usage may still come in
GROUPS = ("MeterCategory", "ConsumedService")
UNNAMED = "Azure"  # what the ledger calls a service that neither column names
NOT_GIVEN = frozenset({"", "unassigned"})
COSTS = ("cost", "pretaxcost", "totalcost")
CURRENCY = re.compile(r"[A-Za-z]{3}")
DAY = re.compile(r"\d{8}")
MOST_DIGITS, LEAST = 40, -400  # of an amount: before its point, and the last place after it


@dataclass(frozen=True, slots=True)
class Page:
    """`link` is where the next page is said to lie; None or empty on the last."""

    costs: tuple[DayCost, ...]
    link: object


def question(kind: str, days: tuple[date, date]) -> dict[str, Any]:
    """The body of a query for the days from the first on and before the second; `kind` is ActualCost or the like.

    The service counts its last moment in, and takes a moment to come for one of another month.
    """
    last = days[1] - timedelta(days=1)
    return {
        "type": kind,
        "timeframe": "Custom",
        "timePeriod": {"from": f"{days[0].isoformat()}T00:00:00Z", "to": f"{last.isoformat()}T23:59:59Z"},
        "dataset": {
            "granularity": "Daily",
            "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": name} for name in GROUPS],
        },
    }


def asked_days(period: Period, today: date) -> tuple[date, date]:
    """First day, and the day after the last, that can be asked for."""
    return period.start.date(), min(period.end.date(), today + timedelta(days=1))


def askable(period: Period, today: date) -> bool:
    """Whether Cost Management still has, or already has, days of the month."""
    oldest = Period(today.year, today.month)
    for _ in range(KEPT_MONTHS - 1):
        oldest = oldest.before()
    return oldest <= period and period.start.date() <= today


def page(body: bytes, days: tuple[date, date], today: date) -> Page:
    """One answer; an empty body has nothing."""
    if not body.strip():
        return Page((), None)
    found = _field(_document(body), "properties", dict)
    places = _places(_field(found, "columns", list))
    rows = enumerate(_field(found, "rows", list), start=1)
    costs = tuple(_cost(row, number, places, days, today) for number, row in rows)
    return Page(costs, found.get("nextLink"))


def alike(ledger: Iterable[DayCost], other: Iterable[DayCost]) -> Mapping[str, str]:
    """Each name with the one it is compared under: the ledger's, whatever the case.

    Names of the one side alone are one cell with names of the other side alone: a charge without a category is called
    by what else the bill tells of it. Where only one side has such names, they stand for themselves.
    """
    ours = {cost.service.casefold(): cost.service for cost in ledger}
    theirs = {cost.service.casefold(): cost.service for cost in other}
    names = {theirs[name]: ours.get(name, theirs[name]) for name in theirs}
    alone = [[told[name] for name in told if name not in rest] for told, rest in ((ours, theirs), (theirs, ours))]
    if all(alone):
        together = " | ".join(sorted(alone[0] + alone[1]))
        names |= dict.fromkeys(alone[0] + alone[1], together)
    return names


def _document(body: bytes) -> object:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        raise strange("it is no JSON") from None


def _no_number(text: str) -> object:
    raise ValueError(text)


def _places(columns: Sequence[object]) -> Mapping[str, int]:
    """Where each column that is needed stands, by our name for it."""
    names = [str(_field(column, "name", str)).lower() for column in columns]
    wanted = {"cost": COSTS, "day": ("usagedate",), "currency": ("currency",)}
    places = {ours: _place(names, theirs) for ours, theirs in wanted.items()}
    return places | {name: _place(names, (name.lower(),)) for name in GROUPS} | {"width": len(names)}


def _place(names: Sequence[str], wanted: Sequence[str]) -> int:
    found = [place for place, name in enumerate(names) if name in wanted]
    if len(found) != 1:
        raise strange(f"it has {len(found)} columns {wanted[0]}")
    return found[0]


def _cost(row: object, number: int, places: Mapping[str, int], days: tuple[date, date], today: date) -> DayCost:
    if not isinstance(row, list) or len(row) != places["width"]:
        raise strange(f"row {number} has not {places['width']} cells")
    day = _day(row[places["day"]], number)
    if not days[0] <= day < days[1]:
        raise strange(f"row {number} is of {day}, which was not asked for")
    currency = row[places["currency"]]
    if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
        raise strange(f"row {number} names no currency")
    names = [row[places[name]] for name in GROUPS]
    amount = _amount(row[places["cost"]], number)
    return DayCost(currency.upper(), day, _service(names, number), amount, today - day < LATE)


def _service(names: Sequence[object], number: int) -> str:
    """As the ledger names it: by the meter's category, else by the resource provider."""
    if not all(name is None or isinstance(name, str) for name in names):
        raise strange(f"row {number} names a service by something else than text")
    given = [name.strip() for name in names if isinstance(name, str)]
    return next((name for name in given if name.casefold() not in NOT_GIVEN), UNNAMED)


def _amount(cell: object, number: int) -> Decimal:
    if isinstance(cell, bool) or not isinstance(cell, int | Decimal):
        raise strange(f"row {number} has no amount")
    amount = Decimal(cell)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or amount.adjusted() >= MOST_DIGITS or exponent < LEAST:
        raise strange(f"row {number} has an amount of too many digits")
    return amount


def _day(cell: object, number: int) -> date:
    text = str(cell) if isinstance(cell, int | str) else ""
    try:
        return datetime.strptime(text, "%Y%m%d").date() if DAY.fullmatch(text) else _no_day(number)
    except ValueError:
        return _no_day(number)


def _no_day(number: int) -> date:
    raise strange(f"row {number} is of no day")


def _field(entry: object, name: str, kind: type) -> Any:
    found = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(found, kind):
        raise strange(f"{name} is no {kind.__name__}")
    return found


def strange(text: str) -> Rejected:
    """An answer that is not what Azure documents."""
    return reject(
        f"the Query API's answer cannot be read: {text}", "Report it with the month that was asked for.", RULE
    )
