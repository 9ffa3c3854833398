"""Machines that came back: stopped by a run, read back as off, and on again though no undo of ours started them. They
are watched further: one that is off again, though no run stopped it, may come back a second time.

The sweep looks, so that it is known and told even when no further alert comes. What it finds it only writes down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import restarts, streams
from governance.alert import MAX_AGE
from governance.model import Budget, Fleet, Machine
from governance.policy import OFF
from governance.record import Record
from governance.settled import Settled
from ledger.faults import Conflict, Missing, Rejected, Transient

# Whoever starts a machine later than this after a stop starts it for the next month's budget.
WATCHED = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Off:
    """A machine that should be off, or was until somebody started it: `order` stopped it, for the budget of that id."""

    target: str
    order: str
    budget_id: str
    quiet: bool = False  # nobody was seen to start it since: while it reads off there is nothing to note


@dataclass(frozen=True, slots=True)
class Looked:
    """Which were found on again by this look, and which scopes could not be looked into, each with its reason."""

    returned: tuple[str, ...]
    unseen: Mapping[str, str]


def should_be_off(record: Record, now: datetime) -> list[Off]:
    """By the record alone; a damaged stream is passed over, its own audit names it."""
    settled = Settled(record, "machines")
    kept = [one for one in settled.closed("machines/") if one and datetime.fromisoformat(one["until"]) >= now]
    found = [Off(one["target"], one["order"], one["budget_id"], quiet=True) for one in kept]
    for stream in list(settled.unsettled("machines/")):
        with suppress(Rejected):
            found += _of_stream(stream, record, settled, now)
    settled.keep()
    return sorted(found, key=lambda one: streams.machine_stream(one.target))


def _of_stream(stream: str, record: Record, settled: Settled, now: datetime) -> list[Off]:
    """A machine that is off, and whose stop is over, is as it is until something is added to its stream."""
    events = record.events(stream)
    target = str(events[0].body["target"])
    past = restarts.past(record, target)
    if not past.stopped or past.undone or now - past.stopped > WATCHED:
        if now - events[-1].at > WATCHED + MAX_AGE:
            settled.close(stream, len(events))
        return []
    planned = record.events(streams.order_stream(past.order))[0]
    off = Off(target, past.order, str(planned.body["budget_id"]), quiet=past.on_since is None)
    if off.quiet and events[-1].kind == restarts.STOP_ORDERED and events[-1].body["order"] == past.order:
        told = {"target": target, "order": off.order, "budget_id": off.budget_id}
        settled.close(stream, len(events), {**told, "until": (past.stopped + WATCHED).isoformat()})
    return [off]


def look(waiting: Sequence[Off], budgets: Sequence[Budget], record: Record, fleet: Fleet, now: datetime) -> Looked:
    """One listing for each scope that has any; a restart is recorded once, whoever sees it first."""
    targets, quiet = ({one.target.lower() for one in group} for group in (waiting, (w for w in waiting if w.quiet)))
    found: dict[str, Machine] = {}
    unseen: dict[str, str] = {}
    for place in _places(waiting, budgets):
        try:
            found |= {one.id: one for one in fleet.machines(place) if one.id.lower() in targets}
        except (Conflict, Missing, Rejected, Transient) as fault:
            unseen[place] = str(fault) or type(fault).__name__
    told = {id: one for id, one in found.items() if one.power != OFF or id.lower() not in quiet}
    seen = {id: restarts.looked(record, one, "the sweep", now).seen for id, one in told.items()}
    return Looked(tuple(sorted(id for id, at in seen.items() if at == now)), unseen)


def _places(waiting: Iterable[Off], budgets: Iterable[Budget]) -> list[str]:
    wanted = {one.budget_id.lower() for one in waiting}
    chosen = [one for one in budgets if one.id.lower() in wanted]
    return sorted({place for one in chosen for place in (one.scope, *one.also)})
