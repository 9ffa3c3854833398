"""The audit of the record: every stream walked, every digest worked out anew, and held against what others say of it.

What is found is named by its place, the stream and the event. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governance import anchors, approval, lifecycle, plan_seal, streams
from governance.model import Event, State
from governance.record import Record

# Orders of a plan are opened right after it; the sweep finds those that a crash left out.
OPENED_BY = timedelta(hours=1)
ALERTS = ("alerts/", "drills/")
ORDERS = ("orders/", "drill-orders/", "starts/")
# The sweep writes one a day.
ANCHOR_AGE = timedelta(days=2)
Walked = Mapping[str, Sequence[Event]]
Each = Callable[..., Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is what does not hold: chain, anchor, plan, order or end."""

    place: str
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Audited:
    """What was walked, what is wrong, and what could not be held against anything."""

    streams: int
    events: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    head: Event | None

    def document(self) -> dict[str, object]:
        """JSON-ready."""
        anchor = (
            {"at": self.head.at.isoformat(), "place": _place(self.head), "digest": self.head.digest}
            if self.head
            else None
        )
        return {
            "whole": not self.problems,
            "streams": self.streams,
            "events": self.events,
            "problems": [{"place": one.place, "rule": one.rule, "what": one.what} for one in self.problems],
            "notes": list(self.notes),
            "anchor": anchor,
        }

    def lines(self) -> list[str]:
        """For a person: what is wrong first."""
        verdict = f"{len(self.problems)} PROBLEMS" if self.problems else "whole"
        told = [f"note: {note}" for note in self.notes]
        if self.head:
            told.append(f"newest anchor: {self.head.at:%Y-%m-%d %H:%M}Z {_place(self.head)}, digest {self.head.digest}")
        return [*map(str, self.problems), *told, f"{self.streams} streams, {self.events} events: {verdict}"]


def audit(record: Record, now: datetime, *, unfinished_after: timedelta, each: Each = map) -> Audited:
    """Walk the whole record as it stands at `now`; `each` may read several streams at once."""
    sizes = record.sizes()
    strays = sizes.pop("", 0)
    walked = dict(zip(sizes, each(record.examined, sizes), strict=True))
    whole: Walked = {name: events for name, (events, _) in walked.items()}
    problems = [
        *([Problem("record", "chain", f"{strays} objects that belong to no stream")] if strays else []),
        *(Problem(name, "chain", text) for name, (_, found) in walked.items() for text in found),
        *_anchored(whole, sizes),
        *_plans(whole),
        *_orders(whole, now, unfinished_after),
        *_unopened(whole, now),
    ]
    anchored = [event for name, events in whole.items() if name.startswith(anchors.ROOT) for event in events]
    events = sum(len(found) for found in whole.values())
    return Audited(len(sizes), events, tuple(problems), tuple(_notes(whole, anchored, now)), _newest(anchored))


def _anchored(whole: Walked, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """What an anchor saw must still be there, and be the same."""
    seen = [event for name, events in whole.items() if name.startswith(anchors.ROOT) for event in events]
    for head in anchors.heads(seen):
        size, events = sizes.get(head.stream, 0), whole.get(head.stream, ())
        if size < head.sequence:
            gone = f"{size} of at least {head.sequence} events are left" if size else "the whole stream is gone"
            yield Problem(head.stream, "anchor", f"{gone}, by anchor {head.place}")
        elif len(events) >= head.sequence and events[head.sequence - 1].digest != head.digest:
            text = f"event {head.sequence} is not the one that anchor {head.place} saw"
            yield Problem(head.stream, "anchor", text)


def _plans(whole: Walked) -> Iterator[Problem]:
    """Each plan's digest from its content; an approved one is the one that was approved."""
    for events in _alerts(whole):
        for event in events if streams.find(events, streams.RECEIVED) else ():
            received = streams.taken(events, event.sequence)
            if event.kind in streams.WITH_PLAN and received:
                worked_out = plan_seal.recomputed(event.body, received.body)
                if worked_out and worked_out != _digest(event):
                    yield Problem(_place(event), "plan", f"plan {_digest(event):.12} is not what its digest says")
            if event.kind == streams.PLANNED and _lacks_approval(events[: event.sequence - 1], event):
                yield Problem(_place(event), "plan", f"nobody approved plan {_digest(event):.12}")


def _lacks_approval(before: Sequence[Event], planned: Event) -> bool:
    """Whether it says that it was approved, or follows a proposal that stands, and nobody approved just this plan."""
    proposal = approval.proposed(before)
    if proposal is None and "approved_by" not in planned.body:
        return False
    since = before[proposal.sequence :] if proposal else before
    return not any(one.kind == streams.APPROVED and one.body.get("plan") == _digest(planned) for one in since)


def _orders(whole: Walked, now: datetime, unfinished_after: timedelta) -> Iterator[Problem]:
    """Each order: of a recorded plan, along the lifecycle, and to its end in time."""
    for name, events in whole.items():
        if not name.startswith(ORDERS) or not events:
            continue
        if not (_wished if name.startswith("starts/") else _ordered)(events[0], whole):
            yield Problem(_place(events[0]), "order", "nothing in the record orders this")
        try:
            state = lifecycle.fold(event.kind for event in events)
        except lifecycle.IllegalStep as step:
            yield Problem(name, "order", f"not a life of an order: {step}")
            continue
        waits = lifecycle.is_over(state) or events[-1].kind == lifecycle.HELD  # for as long as somebody holds it
        if not waits and now - events[-1].at > unfinished_after:
            yield Problem(_place(events[-1]), "end", _endless(state, events[-1]))


def _endless(state: State | None, last: Event) -> str:
    if state is State.CALLING:
        return f"a call was begun at {last.at:%Y-%m-%d %H:%M}Z, and what came of it is not recorded"
    return f"no end since {last.at:%Y-%m-%d %H:%M}Z, last {last.kind}"


def _ordered(first: Event, whole: Walked) -> bool:
    plans = whole.get(streams.alert_stream(str(first.body.get("alert"))), ())
    return any(
        _digest(one) == first.body.get("plan") and first.body.get("target") in _targets(one)
        for one in plans
        if one.kind == streams.PLANNED
    )


def _wished(first: Event, whole: Walked) -> bool:
    """Whether somebody asked for the undo that starts it, and the stop that it undoes is there."""
    asked = whole.get(streams.undo_stream(str(first.body.get("alert"))), ())
    known = any(one.body.get("undo") == first.body.get("undo") and "who" in one.body for one in asked)
    return known and streams.order_stream(str(first.body.get("stop"))) in whole


def _unopened(whole: Walked, now: datetime) -> Iterator[Problem]:
    """Machines of a plan whose order is not in the record."""
    planned = (event for events in _alerts(whole) for event in events if event.kind == streams.PLANNED)
    for event in planned:
        for target in _targets(event) if now - event.at > OPENED_BY else ():
            order = streams.order_stream(streams.order_key(str(event.body.get("run")), target))
            if order not in whole:
                yield Problem(order, "order", f"missing: {_place(event)} orders a stop of {target}")


def _digest(plan: Event) -> str:
    return str(plan.body.get("digest"))


def _targets(plan: Event) -> list[str]:
    """Ids; none where a forged event has something else there."""
    found = plan.body.get("targets")
    return [str(one.get("id")) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _alerts(whole: Walked) -> Iterator[Sequence[Event]]:
    return (events for name, events in whole.items() if name.startswith(ALERTS))


def _notes(whole: Walked, anchored: Sequence[Event], now: datetime) -> Iterator[str]:
    seen = {head.stream: head.sequence for head in anchors.heads(anchored)}
    newest = _newest(anchored)
    if newest and now - newest.at > ANCHOR_AGE:
        yield f"the newest anchor is of {newest.at:%Y-%m-%d}: either the sweep does not run, or newer ones were removed"
    free = sum(len(events) > seen.get(name, 0) for name, events in whole.items() if not _holds(name, newest))
    if free:
        yield f"{free} streams have events that no anchor has seen yet: that their newest are all there is not shown"
    old = sum(
        event.kind in streams.WITH_PLAN and "opt_in" not in event.body for events in _alerts(whole) for event in events
    )
    if old:
        yield f"{old} plans were recorded without their opt-in: their digests cannot be worked out anew"


def _holds(name: str, newest: Event | None) -> bool:
    """Whether it is the stream of the newest anchor, which nothing can anchor but what comes after."""
    return newest is not None and name == newest.stream


def _newest(anchored: Sequence[Event]) -> Event | None:
    return max(anchored, key=lambda event: event.at, default=None)


def _place(event: Event) -> str:
    return f"{event.stream} {event.sequence}"
