"""What a machine costs an hour: by the ledger's own rows, a price sheet, the public price, else unknown and why.

Each rung has its seconds and may fail in any way: a price is told beside a decision and never holds it up.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from threading import Thread

from adapters.retail_prices import RetailPrices
from governance.model import Machine
from governance.rules import Price
from ledger.rates import Rate

SECONDS = 10.0
SHEET = ("kind", "location", "size", "per_hour", "currency")

Found = Mapping[str, Price]
Rung = Callable[[Sequence[Machine], str], Found]


class PriceLadder:
    """The Prices of the product: the first rung that knows a machine in the wanted currency tells its price."""

    def __init__(self, rungs: Mapping[str, Rung], seconds: float = SECONDS) -> None:
        self._rungs, self._seconds = dict(rungs), seconds

    def of(self, machines: Sequence[Machine], currency: str, _now: datetime, /) -> Found:
        found: dict[str, Price] = {}
        missed: dict[str, str] = {}
        for name, rung in self._rungs.items():
            rest = [one for one in machines if one.id not in found]
            known, fault = _within(self._seconds, rung, rest, currency) if rest else ({}, "")
            found |= {id: price for id, price in known.items() if _usable(price, currency)}
            missed[name] = fault or "has none"
        why = "unknown: " + ("; ".join(f"{name} {reason}" for name, reason in missed.items()) or "nothing was asked")
        return {one.id: found.get(one.id, Price(None, "", why)) for one in machines}


def _usable(price: Price, currency: str) -> bool:
    """In the wanted currency and above 0: what is on costs something, whatever a refund made of its newest rows."""
    return price.currency == currency and price.per_hour is not None and price.per_hour > 0


def ledger_rung(rates: Callable[[Sequence[str]], Mapping[str, Rate]]) -> Rung:
    """Effective cost per hour of the machine's own newest rows; for each unit of it where it has several."""

    def known(machines: Sequence[Machine], _currency: str) -> Found:
        named = {one.id: _billed_as(one.id) for one in machines}
        found = rates([name for names in named.values() for name in names])
        return {
            one.id: Price(rate.per_hour * one.units, rate.currency, f"ledger, rows of {rate.day}")
            for one in machines
            if (rate := next((found[name] for name in named[one.id] if name in found), None))
        }

    return known


def _billed_as(id: str) -> tuple[str, ...]:
    """What bills call a machine: by its id, of AWS mostly by what stands last in its ARN."""
    folded = id.lower()
    return (folded, folded.rpartition("/")[2]) if folded.startswith("arn:") else (folded,)


def sheet_rung(path: Path) -> Rung:
    """A CSV with the columns of SHEET; kind, location and size in any case."""

    def known(machines: Sequence[Machine], currency: str) -> Found:
        with path.open(encoding="utf-8-sig", newline="") as file:
            prices = _sheet(csv.DictReader(file), currency)
        keys = {one.id: (one.kind.lower(), one.location.lower(), one.size.lower()) for one in machines}
        return {
            one.id: Price(prices[keys[one.id]] * one.units, currency, f"price sheet {path.name}")
            for one in machines
            if keys[one.id] in prices
        }

    return known


def retail_rung(retail: RetailPrices) -> Rung:
    def known(machines: Sequence[Machine], currency: str) -> Found:
        prices = {one.id: retail.price(one, currency) for one in machines}
        return {
            one.id: Price(price * one.units, currency, "public retail price")
            for one in machines
            if (price := prices[one.id]) is not None
        }

    return known


def _sheet(rows: Iterable[Mapping[str, str | None]], currency: str) -> dict[tuple[str, str, str], Decimal]:
    """Only whole lines in the wanted currency; what is no price above 0 is passed over: a missing price is never 0."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        kind, location, size, per_hour, unit = ((row.get(name) or "").strip() for name in SHEET)
        try:
            price = Decimal(per_hour)
        except InvalidOperation:
            continue
        if unit == currency and price.is_finite() and price > 0:
            found[kind.lower(), location.lower(), size.lower()] = price
    return found


def _within(seconds: float, rung: Rung, machines: Sequence[Machine], currency: str) -> tuple[Found, str]:
    """What the rung knows in time, or why it does not. A rung that is late is left to itself and not listened to."""
    told: list[tuple[Found, str]] = []

    def ask() -> None:
        try:
            told.append((rung(machines, currency), ""))
        except Exception as fault:
            # Deliberately broad: whatever a rung does, the plan is made. A text may quote an address, so only the name.
            told.append(({}, f"failed ({type(fault).__name__})"))

    worker = Thread(target=ask, daemon=True)
    worker.start()
    worker.join(seconds)
    return told[0] if told else ({}, f"took longer than {seconds:g} s")
