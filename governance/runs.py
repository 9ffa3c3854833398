"""Runs and their orders in the record as a person reads them: what was to be stopped, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance import lifecycle, streams
from governance.model import Event, State
from governance.plans import SHORTEST, STANDINGS
from governance.record import Record
from ledger.faults import Rejected, reject

DONE = (State.VERIFIED, State.REFUSED, State.DRY_RUN)
DAMAGED = "damaged, see `ledger audit verify`"


@dataclass(frozen=True, slots=True)
class Life:
    """One order and all its events; of a damaged stream there are none."""

    id: str
    target: str
    events: Sequence[Event]
    is_damaged: bool = False

    @property
    def state(self) -> State | None:
        """None for one that was not opened yet, or whose events cannot follow one another."""
        try:
            return lifecycle.fold(event.kind for event in self.events)
        except lifecycle.IllegalStep:
            return None

    @property
    def standing(self) -> str:
        if self.state:
            return self.state.value
        return DAMAGED if self.events or self.is_damaged else "not opened"

    @property
    def last(self) -> Event | None:
        return self.events[-1] if self.events else None

    def document(self) -> dict[str, object]:
        told = self.last.body.get("reason", "") if self.last else ""
        at = self.last.at.isoformat() if self.last else None
        return {"id": self.id, "target": self.target, "state": self.standing, "at": at, "reason": told}


@dataclass(frozen=True, slots=True)
class Run:
    """One alert, taken live or dry, and its orders."""

    id: str
    events: Sequence[Event]
    orders: Sequence[Life] = ()

    @property
    def received(self) -> Event | None:
        return streams.find(self.events, streams.RECEIVED)

    @property
    def planned(self) -> Event | None:
        return streams.find(self.events, streams.PLANNED)

    @property
    def at(self) -> datetime | None:
        return self.events[0].at if self.events else None

    @property
    def is_dry(self) -> bool:
        found = self.planned or self.received
        return found is None or found.body.get("dry_run") is not False

    @property
    def standing(self) -> str:
        if not self.events:
            return DAMAGED
        told = [event.kind for event in self.events if event.kind in STANDINGS]
        return STANDINGS[told[-1]] if told else "planning" if self.received else "notice only"

    @property
    def is_green(self) -> bool | None:
        """Whether everything it ordered came to a good end; None while something is still open."""
        if self.planned is None:
            return None if self.events else False
        states = [order.state for order in self.orders]
        failed = any(state is State.FAILED for state in states) or streams.unseen(self.planned.body)
        if failed or DAMAGED in (order.standing for order in self.orders):
            return False
        return True if all(state in DONE for state in states) else None

    def document(self) -> dict[str, object]:
        body: Mapping[str, object] = self.events[0].body if self.events else {}
        return {
            "run": self.id,
            "at": self.at.isoformat() if self.at else None,
            "budget_id": body.get("budget_id"),
            "who": body.get("who", {}),
            "dry_run": self.is_dry,
            "standing": self.standing,
            "green": self.is_green,
            "plan": self.planned.body["digest"] if self.planned else None,
            "orders": [order.document() for order in self.orders],
        }


def listed(record: Record, begins: str = "", since: datetime | None = None) -> list[Run]:
    """Every run that an id means and that began at or after `since`, the newest first; damaged ones last."""
    if begins and not re.fullmatch(r"[0-9a-f]{8,64}(-dry-run)?", begins):
        raise reject("a run's id is hexadecimal", f"Give at least {SHORTEST} digits, as listed.", "run-id")
    names = [name.removeprefix("alerts/") for name in record.streams(f"alerts/{begins.removesuffix(streams.DRY)}")]
    runs = [_run(record, name) for name in (streams.named(names, begins) if begins else names)]
    kept = [one for one in runs if since is None or one.at is None or one.at >= since]
    return sorted(kept, key=lambda one: (one.at is not None, one.at), reverse=True)


def found(record: Record, begins: str) -> tuple[Run, Life]:
    """The order whose id begins so, with its run; Rejected for none, for several, and for too few digits."""
    if not re.fullmatch(r"[0-9a-f]{8,64}", begins):
        raise reject("an order's id is hexadecimal", f"Give at least {SHORTEST} digits, as listed.", "order-id")
    fitting = record.streams(f"orders/{begins}")
    if len(fitting) != 1:
        text = f"{len(fitting)} orders begin with {begins}" if fitting else f"there is no order {begins}"
        raise reject(text, "See `ledger orders`.", "order-id")
    events = record.events(fitting[0])
    life = Life(fitting[0].removeprefix("orders/"), str(events[0].body["target"]), events)
    return _run(record, str(events[0].body["alert"])), life


def lines(runs: Iterable[Run]) -> list[str]:
    """A line a run, and under it one for each order."""
    told = [line for run in runs for line in (_line(run), *map(_order, run.orders))]
    return told or ["no runs in the record"]


def _run(record: Record, id: str) -> Run:
    events = _events(record, streams.alert_stream(id)) or ()
    planned = streams.find(events, streams.PLANNED)
    targets = [str(one["id"]) for one in streams.targets_in(planned.body)] if planned else []
    return Run(id, events, [_life(record, id, target) for target in targets])


def _life(record: Record, run: str, target: str) -> Life:
    key = streams.order_key(run, target)
    events = _events(record, streams.order_stream(key))
    return Life(key, target, events or (), is_damaged=events is None)


def _events(record: Record, stream: str) -> Sequence[Event] | None:
    """None for a damaged stream."""
    try:
        return record.events(stream)
    except Rejected:
        return None


def _line(run: Run) -> str:
    green = {True: "green", False: "NOT GREEN", None: "open"}[run.is_green]
    budget = str(run.document()["budget_id"] or "").rpartition("/")[2]
    when = f"{run.at:%Y-%m-%d %H:%M}" if run.at else "----------------"
    return f"{streams.short(run.id)}  {when}  {budget}  {'dry' if run.is_dry else 'live'}  {run.standing}: {green}"


def _order(order: Life) -> str:
    when = f"{order.last.at:%Y-%m-%d %H:%M}" if order.last else "----------------"
    reason = f": {order.last.body['reason']}" if order.last and order.last.body.get("reason") else ""
    return f"  {order.id[:12]}  {when}  {order.standing}  {order.target}{reason}"
