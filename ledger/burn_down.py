"""How far contracts are used: used and left, what the provider states, how fast, until when, what is lost. Pure.

The rate is what was taken on the last 30 days of which the ledger has lines of the source, divided by their number; it
is carried on from the last of them, day by day, to the last day of the commitment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from ledger.contracts import Draw, Held, Pool, Term, day_after, months_between
from ledger.delivery import Period
from ledger.reconcile import DIGITS, total
from ledger.summary import plain

DAYS = 30
RATE = Decimal("1e-10")
BY_THE_HOUR = "is committed to hour by hour: what an hour leaves unused is gone, so nothing is left to burn down"
NOTHING = Held((), frozenset())


@dataclass(frozen=True, slots=True)
class Stated:
    """What the provider says was left at the end of a day, and the ledger's own figure less that, if it has one."""

    day: date
    balance: Decimal
    difference: Decimal | None


@dataclass(frozen=True, slots=True)
class Burn:
    """What was taken on so many days, the last of which is `until`."""

    taken: Decimal
    days: int
    since: date
    until: date

    @property
    def rate(self) -> Decimal:
        with localcontext(prec=DIGITS):
            return (self.taken / self.days).quantize(RATE, ROUND_HALF_EVEN)

    def lasts(self, left: Decimal) -> int:
        """The day on which that much is used up, counted from `until`; only where something was taken."""
        with localcontext(prec=DIGITS):
            return int((left * self.days / self.taken).to_integral_value(ROUND_CEILING))

    def after(self, days: int) -> Decimal:
        """What will be taken in so many days."""
        with localcontext(prec=DIGITS):
            return (self.taken * days / self.days).quantize(RATE, ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Standing:
    """A pool at the end of the last day with lines; None for what is not known, for one of the reasons in `notes`."""

    pool: Pool
    used: Decimal | None
    left: Decimal | None = None
    stated: Stated | None = None
    burn: Burn | None = None
    exhausted: date | None = None
    unused: Decimal | None = None
    notes: tuple[str, ...] = ()


def standing(pool: Pool, held: Held) -> Standing:
    used, notes = pool.used, tuple(_unknown(pool, held))
    known = Standing(pool, used, notes=notes)
    if used is None or not pool.terms[0].kind or pool.first is None or pool.last is None or not held.days:
        return known
    ours = None if notes or pool.amount is None else total((pool.amount, -used))
    stated = _stated(pool, ours is not None)
    left = _since_stated(pool, stated) if ours is None and stated else ours
    burn = _burn(pool, held)
    exhausted, unused = _outlook(pool, left, burn, held.days[-1])
    return Standing(pool, used, left, stated, burn, exhausted, unused, notes)


def _unknown(pool: Pool, held: Held) -> Iterator[str]:
    """Why the ledger's own rows do not tell what is left."""
    if not pool.terms[0].kind:
        yield BY_THE_HOUR
    elif pool.amount is None or pool.first is None or pool.last is None:
        yield "has an item whose amount or days are not told"
    elif not held.days:
        yield "the ledger has no lines of its source"
    elif missing := _missing(pool.first, min(pool.last, held.days[-1]), held.months):
        yield f"the ledger lacks months of it: {', '.join(map(str, missing))}"


def _missing(first: date, last: date, months: Iterable[Period]) -> list[Period]:
    return [month for month in months_between(first, last) if month not in {*months}]


def _stated(pool: Pool, is_known: bool) -> Stated | None:
    """The newest balance of the lines, which is that of all items together."""
    found = [one for one in pool.draws if one.balance is not None]
    if not found:
        return None
    last = max(found, key=lambda one: one.day)
    assert last.balance is not None
    until = pool.taken(one for one in pool.draws if one.day <= last.day)
    difference = total((pool.amount, -until, -last.balance)) if is_known and pool.amount is not None else None
    return Stated(last.day, last.balance, difference)


def _since_stated(pool: Pool, stated: Stated) -> Decimal:
    return total((stated.balance, -pool.taken(one for one in pool.draws if one.day > stated.day)))


def _burn(pool: Pool, held: Held) -> Burn | None:
    """Of the last days with lines of the source since the pool began."""
    days = [day for day in held.days if pool.first and pool.last and pool.first <= day <= pool.last][-DAYS:]
    if not days:
        return None
    return Burn(pool.taken(one for one in pool.draws if days[0] <= one.day <= days[-1]), len(days), days[0], days[-1])


def _outlook(pool: Pool, left: Decimal | None, burn: Burn | None, today: date) -> tuple[date | None, Decimal | None]:
    """(the day on which it was or will be used up, what will be left unused at its end), as far as is known."""
    if left is None or pool.last is None:
        return None, None
    if left <= 0:
        return _used_up(pool), Decimal(0)
    if today >= pool.last or burn is None:
        return None, left if today >= pool.last else None
    day = day_after(today, burn.lasts(left)) if burn.taken > 0 else None
    if day and day <= pool.last:
        return day, Decimal(0)
    return None, max(total((left, -burn.after((pool.last - today).days))), Decimal(0))


def _used_up(pool: Pool) -> date | None:
    """The first day at whose end nothing was left, by the ledger's own lines."""
    taken = Decimal(0)
    for one in sorted(pool.draws, key=lambda draw: draw.day):
        taken = total((taken, pool.taken([one])))
        if pool.amount is not None and taken >= pool.amount:
            return one.day
    return None


def shares(pool: Pool, used: Decimal) -> list[tuple[Term, Decimal]]:
    """What was used, item by item in the order in which they begin; what goes beyond all is the last one's."""
    found, rest = [], used
    for at, term in enumerate(pool.terms):
        is_last = at == len(pool.terms) - 1 or term.amount is None
        taken = rest if is_last or term.amount is None else max(min(rest, term.amount), min(rest, Decimal(0)))
        rest = total((rest, -taken))
        found.append((term, taken))
    return found


def document(pools: Sequence[Pool], unknown: Sequence[Draw], held: Mapping[str, Held], store: str) -> dict[str, object]:
    """What `ledger summary --contracts` tells: decimal strings, days, null for what is not known."""
    told = [as_json(standing(pool, held.get(pool.terms[0].source, NOTHING))) for pool in pools]
    return {"store": store, "contracts": told, "without_commitment": _unplaced(unknown)}


def as_json(found: Standing) -> dict[str, object]:
    pool, term = found.pool, found.pool.terms[0]
    days = sorted({one.day for one in pool.draws})
    return {
        "source": term.source,
        "contract": term.contract,
        "kind": term.kind or term.type,
        "currency": term.currency,
        "unit": pool.unit or None,
        "first_day": _day(pool.first),
        "last_day": _day(pool.last),
        "amount": _plain(pool.amount),
        "used": _plain(found.used),
        "used_from": _day(days[0] if days else None),
        "used_to": _day(days[-1] if days else None),
        "left": _plain(found.left),
        "stated": _stated_json(found.stated),
        "burn": _burn_json(found.burn),
        "exhausted_on": _day(found.exhausted),
        "unused_at_end": _plain(found.unused),
        "notes": list(found.notes),
        "commitments": [_share(*one, is_known=not found.notes) for one in _shared(pool, found.used)],
    }


def _shared(pool: Pool, used: Decimal | None) -> Sequence[tuple[Term, Decimal | None]]:
    return shares(pool, used) if used is not None else [(term, None) for term in pool.terms]


def _share(term: Term, used: Decimal | None, *, is_known: bool) -> dict[str, object]:
    left = total((term.amount, -used)) if is_known and used is not None and term.amount is not None else None
    names = {"id": term.id, "type": term.type, "first_day": _day(term.first), "last_day": _day(term.last)}
    return {**names, "amount": _plain(term.amount), "used": _plain(used), "left": _plain(left)}


def _stated_json(found: Stated | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {"day": _day(found.day), "balance": plain(found.balance), "difference": _plain(found.difference)}


def _burn_json(found: Burn | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {"per_day": plain(found.rate), "days": found.days, "from": _day(found.since), "to": _day(found.until)}


def _unplaced(draws: Sequence[Draw]) -> list[dict[str, object]]:
    """Sums per contract, balance and currency."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for one in draws:
        key = (one.contract, one.kind, one.currency)
        sums[key] = total((sums.get(key, Decimal(0)), one.money))
    names = ("contract", "kind", "currency")
    return [{**dict(zip(names, key, strict=True)), "used": plain(sums[key])} for key in sorted(sums)]


def told(one: Mapping[str, Any]) -> Iterator[str]:
    """A contract of the document as lines: what it is, then what is known of it."""
    unit = one["unit"]
    yield f"contract {one['contract']}, {one['kind']}, {one['first_day'] or '?'} to {one['last_day'] or '?'}"
    amount = "an amount that is not told" if one["amount"] is None else f"{one['amount']} {unit}"
    span = f" from {one['used_from']} to {one['used_to']}" if one["used_from"] else ""
    left = "" if one["left"] is None else f", {one['left']} left"
    if one["used"] is None:
        yield f"of {amount}; how much of it was used is not told in one unit"
    else:
        yield f"of {amount} {one['used']}{'' if one['amount'] else f' {unit}'} used{span}{left}"
    if stated := one["stated"]:
        apart = "" if stated["difference"] is None else f" (the ledger's figure less that: {stated['difference']})"
        yield f"the provider says that {stated['balance']} {unit} was left after {stated['day']}{apart}"
    if burn := one["burn"]:
        yield f"{burn['per_day']} {unit} a day over {burn['days']} days with data, {burn['from']} to {burn['to']}"
    yield from filter(None, [_outlook_told(one)])
    yield from one["notes"]
    if len(one["commitments"]) > 1:
        yield from (
            f"{item['id']}: of {item['amount'] or '?'} {item['used'] or '?'} used" for item in one["commitments"]
        )


def _outlook_told(one: Mapping[str, Any]) -> str:
    if one["exhausted_on"]:
        return f"used up on {one['exhausted_on']}"
    if one["unused_at_end"] is None:
        return ""
    return f"lasts beyond its end: {one['unused_at_end']} {one['unit']} of it expires unused"


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
