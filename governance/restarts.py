"""The past of each machine, over all runs: which order stopped it last, whether an undo or somebody else started it.

One stream a machine. What is in it about an order is written before that order's call, so no crash can lose it; how the
order ended is read from the order's own stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from governance import cool_off, lifecycle, overspend, streams
from governance.cool_off import Past
from governance.model import Budget, Event, State, Target
from governance.policy import policies_of
from governance.record import Record
from governance.undo_selection import stopped_at

STOP_ORDERED = "stop-ordered"
START_ORDERED = "start-ordered"
SEEN_ON = "seen-on"
SEEN_OFF = "seen-off"


def ordered(record: Record, kind: str, target: str, order: str, now: datetime) -> None:
    """Note that this order is about to call, once."""
    body = {"order": order, "target": target}
    record.once(streams.machine_stream(target), kind, body, now, same=lambda event: event.body["order"] == order)


def past(record: Record, target: str) -> Past:
    """Since the last stop that was read back; blank when there was none."""
    undone: datetime | None = None
    seen: dict[str, datetime] = {}
    off: dict[str, datetime] = {}
    for event in reversed(record.events(streams.machine_stream(target))):
        order = str(event.body["order"])
        if event.kind == SEEN_ON:
            seen.setdefault(order, event.at)
        elif event.kind == SEEN_OFF:
            if order not in seen and undone is None:
                off.setdefault(order, event.at)
        elif event.kind == START_ORDERED:
            undone = undone or begun(record.events(streams.start_stream(order)))
        elif stopped := stopped_at(record.events(streams.order_stream(order))):
            return Past(order, stopped, undone, seen.get(order), off.get(order))
    return Past()


def looked(record: Record, target: str, power: str, by: str, now: datetime) -> Past:
    """The past with what this power shows; each restart by somebody else is noted, once, whoever sees it."""
    known = past(record, target)
    seen = {"order": known.order, "target": target, "power": power, "by": by}
    if cool_off.is_off_again(known, power, now) and not _resumes(target):
        return replace(known, off=_noted(record, SEEN_OFF, seen, known.on_since, now))
    if not cool_off.is_restart(known, power, now):
        return known
    body = {**seen, "notice": "started again after a stop"}
    return replace(known, seen=_noted(record, SEEN_ON, body, known.off, now), off=None)


def _resumes(target: str) -> bool:
    """A warehouse is off and on again with each query: that is one restart, or its cool-off would never end."""
    return target.lower().startswith("snowflake:")


def _noted(record: Record, kind: str, body: Mapping[str, object], since: datetime | None, now: datetime) -> datetime:
    """When it was noted that what began at `since` is over; that instant tells a second time from the first."""
    key = {"order": body["order"], "since": since.isoformat() if since else ""}

    def same(one: Event) -> bool:
        return one.kind == kind and (one.body["order"], one.body.get("since", "")) == (key["order"], key["since"])

    stream = streams.machine_stream(str(body["target"]))
    return record.once(stream, kind, {**body, **key}, now, same=same)[0].at


def left_alone(targets: Sequence[Target], record: Record, budget: Budget, by: str, now: datetime) -> dict[str, str]:
    """By id, why targets of a plan are not stopped now."""
    known = set(record.streams("machines/")) if targets else set()
    found = {one.id: one for one in targets if streams.machine_stream(one.id) in known}
    reasons = {id: objection(record, id, one.power, one.policy, budget, by, now) for id, one in found.items()}
    return {id: reason for id, reason in reasons.items() if reason}


def objection(record: Record, target: str, power: str, rule: object, budget: Budget, by: str, now: datetime) -> str:
    """Why the machine is left alone; empty when it is not, or when the cap would break before that ends."""
    known, span = looked(record, target, power, by, now), _cool_off(budget, rule)
    if not cool_off.holds(known, span, now):
        return ""
    return cool_off.holds(known, span, now, overspend.projected(record, budget, now).breaks_at)


def begun(events: Sequence[Event]) -> datetime | None:
    """Since when the machine runs by this start; None for one that was not taken, failed or was refused."""
    state = lifecycle.fold(event.kind for event in events)
    return events[-1].at if state in (State.CALLING, State.ACCEPTED, State.VERIFIED) else None


def _cool_off(budget: Budget, rule: object) -> timedelta:
    """That of the rule; the longest of the budget's where orders of old name none."""
    rules = policies_of(budget)
    return max((one.cool_off for one in rules if one.name == rule), default=max(one.cool_off for one in rules))
