"""Machines that came back: stopped by a run, read back as off, and on again though no undo of ours started them. They
are watched further: one that is off again, though no run stopped it, may come back a second time.

The sweep looks, so that it is known and told even when no further alert comes. What it finds it only writes down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import restarts, streams
from governance.model import Budget, Fleet, Machine
from governance.record import Record
from ledger.faults import Conflict, Missing, Rejected, Transient

# Whoever starts a machine later than this after a stop starts it for the next month's budget.
WATCHED = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Off:
    """A machine that should be off, or was until somebody started it: `order` stopped it, for the budget of that id."""

    target: str
    order: str
    budget_id: str


@dataclass(frozen=True, slots=True)
class Looked:
    """Which were found on again by this look, and which scopes could not be looked into, each with its reason."""

    returned: tuple[str, ...]
    unseen: Mapping[str, str]


def should_be_off(record: Record, now: datetime) -> list[Off]:
    """By the record alone; a damaged stream is passed over, its own audit names it."""
    found = []
    for stream in record.streams("machines/"):
        try:
            target = str(record.events(stream)[0].body["target"])
            past = restarts.past(record, target)
            if past.stopped and not past.undone and now - past.stopped <= WATCHED:
                planned = record.events(streams.order_stream(past.order))[0]
                found.append(Off(target, past.order, str(planned.body["budget_id"])))
        except Rejected:
            continue
    return found


def look(waiting: Sequence[Off], budgets: Sequence[Budget], record: Record, fleet: Fleet, now: datetime) -> Looked:
    """One listing for each scope that has any; a restart is recorded once, whoever sees it first."""
    targets = {one.target.lower() for one in waiting}
    found: dict[str, Machine] = {}
    unseen: dict[str, str] = {}
    for place in _places(waiting, budgets):
        try:
            found |= {one.id: one for one in fleet.machines(place) if one.id.lower() in targets}
        except (Conflict, Missing, Rejected, Transient) as fault:
            unseen[place] = str(fault) or type(fault).__name__
    seen = {id: restarts.looked(record, one, "the sweep", now).seen for id, one in found.items()}
    return Looked(tuple(sorted(id for id, at in seen.items() if at == now)), unseen)


def _places(waiting: Iterable[Off], budgets: Iterable[Budget]) -> list[str]:
    wanted = {one.budget_id.lower() for one in waiting}
    chosen = [one for one in budgets if one.id.lower() in wanted]
    return sorted({place for one in chosen for place in (one.scope, *one.also)})
