"""How much may be stopped at most: per run, and per UTC day by all runs together. Above a ceiling nothing is stopped.

What a day has used is a stream of claims. A claim is added only right behind what was read, so that two runs at once
cannot both take the last place. A machine that two runs stop on one day counts once.

A ceiling on money needs every price: where one is unknown or in another currency it counts as exceeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from governance import streams
from governance.canonical import plain
from governance.model import Budget, Event
from governance.places import below
from governance.record import Record
from governance.rules import Ceilings, Policy
from ledger.faults import Conflict

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Load:
    """One machine that a run stops; `per_hour` is None where nobody knows."""

    id: str
    policy: str
    per_hour: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is about to stop, of how many machines in its budget's scope."""

    run: str
    budget: Budget
    policies: Sequence[Policy]
    loads: Sequence[Load]
    population: int


def loads(targets: Iterable[Mapping[str, object]]) -> list[Load]:
    """Loads of the targets of a recorded plan."""
    return [_load(target) for target in targets]


def exceeded(run: Run, record: Record, now: datetime) -> list[str]:
    """Every ceiling the run would break today, in words; empty when it may go ahead. Claims nothing."""
    return list(_broken(run, record.events(streams.day_stream(now))))


def claim(run: Run, record: Record, now: datetime) -> list[str]:
    """Take the run's place in the day, once; what `exceeded` says instead when there is none left."""
    stream = streams.day_stream(now)
    for _ in range(_TRIES):
        events = record.events(stream)
        if reasons := list(_broken(run, events)):
            return reasons
        if _claimed(run, events):
            return []
        body = {"run": run.run, "budget_id": run.budget.id, "loads": plain(list(run.loads))}
        try:
            record.append(stream, streams.CLAIMED, body, now, after=events)
        except Conflict:
            continue
        return []
    raise Conflict(f"stream {stream} is too busy")


def _inside(load: Load, budget: Budget) -> bool:
    return any(below(load.id, place) for place in (budget.scope, *budget.also))


def _claimed(run: Run, events: Sequence[Event]) -> bool:
    mine = {one.id.lower() for event in events if event.body["run"] == run.run for one in _loads(event)}
    return {one.id.lower() for one in run.loads} <= mine


def _broken(run: Run, events: Sequence[Event]) -> Iterator[str]:
    """The ceilings for all budgets, then those of each rule for what that rule picked."""
    if not run.loads:
        return
    claimed = [(event.body["budget_id"], one) for event in events for one in _loads(event)]
    used = [one for _, one in claimed]
    here = [one for id, one in claimed if id == run.budget.id or _inside(one, run.budget)]
    shared = run.budget.safeguards.ceilings
    yield from _over("all budgets", shared, _Sums(run.loads, used, here, run.population, run.budget.currency))
    for policy in run.policies:
        if mine := _of(policy, run.loads):
            sums = _Sums(mine, _of(policy, used), _of(policy, here), run.population, run.budget.currency)
            yield from _over(f"rule {policy.name}", policy.ceilings, sums)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What is to be stopped now, what the day has used, and of that what lies in the budget's own scopes."""

    now: Sequence[Load]
    used: Sequence[Load]
    here: Sequence[Load]
    population: int
    currency: str


def _over(who: str, ceilings: Ceilings, sums: _Sums) -> Iterator[str]:
    day, day_here = [*sums.used, *sums.now], [*sums.here, *sums.now]
    yield from _count(f"{who}, per run", sums.now, ceilings.count)
    yield from _count(f"{who}, per day", day, ceilings.day_count)
    yield from _share(f"{who}, per run", sums.now, sums.population, ceilings.percent)
    yield from _share(f"{who}, per day", day_here, sums.population, ceilings.day_percent)
    currency = ceilings.currency or sums.currency
    yield from _money(f"{who}, per run", sums.now, ceilings.per_hour, currency)
    yield from _money(f"{who}, per day", day, ceilings.day_per_hour, currency)


def _count(who: str, found: Sequence[Load], most: int | None) -> Iterator[str]:
    if most is not None and _distinct(found) > most:
        yield f"{who}: {_distinct(found)} machines, at most {most} may be stopped"


def _share(who: str, found: Sequence[Load], population: int, most: Decimal | None) -> Iterator[str]:
    """Of a population of one, any share leaves that one: else it could never be stopped at all."""
    if most is None:
        return
    room = max(1, int(most * population))
    if _distinct(found) > room:
        percent = format((most * 100).normalize(), "f")
        yield f"{who}: {_distinct(found)} of {population} machines, {percent} % of them are {room}"


def _money(who: str, found: Sequence[Load], most: Decimal | None, currency: str) -> Iterator[str]:
    if most is None:
        return
    dearest: dict[str, Decimal] = {}
    unknown = set()
    for one in found:
        if one.per_hour is None or one.currency != currency:
            unknown.add(one.id.lower())
        else:
            dearest[one.id.lower()] = max(one.per_hour, dearest.get(one.id.lower(), Decimal(0)))
    if unknown:
        yield f"{who}: {len(unknown)} machines without a price in {currency}, which a ceiling on money needs"
    elif (total := sum(dearest.values(), Decimal(0))) > most:
        yield f"{who}: {format(total, 'f')} {currency} an hour, at most {format(most, 'f')}"


def _distinct(found: Iterable[Load]) -> int:
    return len({one.id.lower() for one in found})


def _of(policy: Policy, found: Iterable[Load]) -> list[Load]:
    return [one for one in found if one.policy == policy.name]


def _loads(event: Event) -> list[Load]:
    listed = event.body["loads"]
    assert isinstance(listed, list)  # written by claim
    return loads(listed)


def _load(raw: Mapping[str, object]) -> Load:
    per_hour = raw.get("per_hour")
    return Load(
        str(raw["id"]),
        str(raw.get("policy", "")),
        None if per_hour is None else Decimal(str(per_hour)),
        str(raw.get("currency", "")),
    )
