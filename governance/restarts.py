"""The past of each machine, over all runs: which order stopped it last, whether an undo or somebody else started it.

One stream a machine. What is in it about an order is written before that order's call, so no crash can lose it; how the
order ended is read from the order's own stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from governance import cool_off, instances, lifecycle, overspend, streams
from governance.cool_off import Past
from governance.model import Budget, Event, Machine, State, Target
from governance.policy import policies_of
from governance.record import Record
from governance.undo_selection import instances_seen, stopped_at

STOP_ORDERED = "stop-ordered"
START_ORDERED = "start-ordered"
SEEN_ON = "seen-on"
SEEN_OFF = "seen-off"
# In an event of SEEN_ON: that no other instances were on than these, which are none of the stop's.
NEW = "new_instances"


def ordered(record: Record, kind: str, target: str, order: str, now: datetime) -> None:
    """Note that this order is about to call, once."""
    body = {"order": order, "target": target}
    record.once(streams.machine_stream(target), kind, body, now, same=lambda event: event.body["order"] == order)


def past(record: Record, target: str) -> Past:
    """Since the last stop that was read back; blank when there was none."""
    undone: datetime | None = None
    seen: dict[str, Event] = {}
    off: dict[str, datetime] = {}
    for event in reversed(record.events(streams.machine_stream(target))):
        order = str(event.body["order"])
        if event.kind == SEEN_ON:
            seen.setdefault(order, event)
        elif event.kind == SEEN_OFF:
            if order not in seen and undone is None:
                off.setdefault(order, event.at)
        elif event.kind == START_ORDERED:
            undone = undone or begun(record.events(streams.start_stream(order)))
        elif stopped := stopped_at(events := record.events(streams.order_stream(order))):
            found, known = seen.get(order), instances_seen(events)
            at, grown = (found.at, NEW in found.body) if found else (None, False)
            return Past(order, stopped, undone, at, off.get(order), grown=grown, instances=known)
    return Past()


def looked(record: Record, machine: Machine, by: str, now: datetime) -> Past:
    """The past with what its power shows; each restart by somebody else is noted, once, whoever sees it."""
    known, power = past(record, machine.id), machine.power
    seen = {"order": known.order, "target": machine.id, "power": power, "by": by}
    if cool_off.is_off_again(known, power, now) and not _resumes(machine.id):
        return replace(known, off=_noted(record, SEEN_OFF, seen, known.on_since, now))
    another = cool_off.is_another(known, power, machine.launched, now)
    if not another and not cool_off.is_restart(known, power, now):
        return known
    since = machine.launched if another else known.off
    new = _new_alone(known, machine)
    told = {"notice": "has new instances since a stop", NEW: new} if new else {"notice": "started again after a stop"}
    return replace(known, seen=_noted(record, SEEN_ON, {**seen, **told}, since, now), off=None, grown=bool(new))


def _new_alone(known: Past, machine: Machine) -> list[str]:
    """The instances that are on, where all of them came after the stop; none where one of the stop's own is on."""
    is_on = instances.only(machine, known.instances).power in cool_off.STARTED
    return [] if is_on else instances.later(machine, known.instances)


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


def left_alone(
    targets: Sequence[Target], machines: Sequence[Machine], record: Record, budget: Budget, by: str, now: datetime
) -> dict[str, str]:
    """By id, why targets of a plan are not stopped now; `machines` are those that it was made of."""
    known = set(record.streams("machines/")) if targets else set()
    rules = {one.id: one.policy for one in targets if streams.machine_stream(one.id) in known}
    found = (one for one in machines if one.id in rules)
    breaks_at = cache(lambda: overspend.projected(record, budget, now).breaks_at)
    reasons = {one.id: _objection(record, one, _cool_off(budget, rules[one.id]), by, now, breaks_at) for one in found}
    return {id: reason for id, reason in reasons.items() if reason}


def objection(record: Record, machine: Machine, rule: object, budget: Budget, by: str, now: datetime) -> str:
    """Why the machine is left alone; empty when it is not, or when the cap would break before that ends."""
    breaks_at = cache(lambda: overspend.projected(record, budget, now).breaks_at)
    return _objection(record, machine, _cool_off(budget, rule), by, now, breaks_at)


def _objection(
    record: Record, machine: Machine, span: timedelta, by: str, now: datetime, breaks_at: Callable[[], datetime | None]
) -> str:
    """`breaks_at` reads every alert: it is asked only where something is held, and once for a plan."""
    known = looked(record, machine, by, now)
    return cool_off.holds(known, span, now, breaks_at()) if cool_off.holds(known, span, now) else ""


def begun(events: Sequence[Event]) -> datetime | None:
    """Since when the machine runs by this start; None for one that was not taken, failed or was refused."""
    state = lifecycle.fold(event.kind for event in events)
    return events[-1].at if state in (State.CALLING, State.ACCEPTED, State.VERIFIED) else None


def _cool_off(budget: Budget, rule: object) -> timedelta:
    """That of the rule; the longest of the budget's where orders of old name none."""
    rules = policies_of(budget)
    return max((one.cool_off for one in rules if one.name == rule), default=max(one.cool_off for one in rules))
