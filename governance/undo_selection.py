"""What an undo of a run starts: the machines that this very run called to be stopped, whatever it then read. Pure.

A stop may take effect after its order was given up, and whether it did is seen when the machine is looked at for its
start. What was off before, was not called, or whose call was not taken, or is gone is not among it, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance import instances, lifecycle
from governance.model import Event, Machine, State

# In the event of an order that failed at its call: the answer was a refusal, so that nothing was begun.
ANSWER = "answer"
NOT_TAKEN = "not taken"
# Put under a resource monitor that keeps them off; their part then is that monitor, and is off.
MONITORED = ("snowflake_warehouse",)
# A machine, or a part of one, that was in such a state computed nothing before the stop: nothing goes back to it.
NOT_ON = ("deallocated", "deallocating", "stopped", "stopping")


@dataclass(frozen=True, slots=True)
class Stopped:
    """One machine as the run found it; `parts` are those that were on, `order` is the stop."""

    id: str
    kind: str
    order: str
    parts: tuple[str, ...] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """A machine of the run that is not started, and why."""

    id: str
    reason: str


def selected(orders: Sequence[Sequence[Event]]) -> tuple[list[Stopped], list[Left]]:
    """Each order of the run, by its events, is one or the other."""
    stopped, left = [], []
    for events in orders:
        found = _judged(events)
        if isinstance(found, Stopped):
            stopped.append(found)
        else:
            left.append(found)
    return stopped, left


def staged(machines: Sequence[Stopped], batch: int) -> list[list[Stopped]]:
    return [list(machines[start : start + batch]) for start in range(0, len(machines), batch)]


def parts_wanted(kind: str, parts: object) -> list[str]:
    """The instances to start, of a machine that is made of some; elsewhere parts are something else, or nothing."""
    return list(map(str, parts)) if kind in instances.MADE_OF_INSTANCES and isinstance(parts, list) else []


def is_frozen(machine: Machine) -> bool:
    """Whether it stands under the monitor that keeps it off, running still or not."""
    return machine.kind in MONITORED and any(power in instances.OFF for power in machine.parts.values())


def stopped_at(events: Sequence[Event]) -> datetime | None:
    """When the stop was read back that this order's own call had begun; None when there is no such thing."""
    if not events or events[-1].kind != lifecycle.VERIFIED or _call(events) is None:
        return None
    return events[-1].at


def instances_seen(events: Sequence[Event]) -> frozenset[str] | None:
    """Of which the stop was; None where there was no call, or nothing that is made of instances."""
    call = _call(events)
    return instances.seen(events[0].body.get("kind"), call.body["before"]) if call else None


def _judged(events: Sequence[Event]) -> Stopped | Left:
    planned, call = events[0].body, _changing(events)
    if call is None:
        return Left(str(planned["target"]), _why_not(events))
    before = call.body["before"]
    assert isinstance(before, Mapping)  # written by the order
    if before["power"] in NOT_ON:
        return Left(str(planned["target"]), f"it was {before['power']} before the stop: nothing ran on it")
    parts = _parts(events, before, str(planned["kind"]))
    on = tuple(str(name) for name, power in parts.items() if power not in NOT_ON)
    key = events[0].stream.rpartition("/")[2]
    return Stopped(str(planned["target"]), str(planned["kind"]), key, on, str(before.get("identity", "")))


def _changing(events: Sequence[Event]) -> Event | None:
    """The call that may have changed the machine. A warehouse is put under its monitor before anything is refused."""
    last = events[-1]
    if last.kind == lifecycle.GONE:
        return None
    if events[0].body.get("kind") in MONITORED:
        return next((event for event in events if event.kind == lifecycle.CALLING), None)
    return None if last.body.get(ANSWER) == NOT_TAKEN else _call(events)


def _parts(events: Sequence[Event], before: Mapping[str, object], kind: str) -> Mapping[str, object]:
    """Instances as the call found them; the rest as the first call did, for one that was not taken may have begun.

    A warehouse is put under another monitor before it is suspended: after that its own is only known from before.
    """
    first = next(event.body["before"] for event in events if event.kind == lifecycle.CALLING)
    seen = before if kind in instances.MADE_OF_INSTANCES else first
    assert isinstance(seen, Mapping)  # written by the order
    parts = seen.get("parts", {})
    assert isinstance(parts, Mapping)  # likewise
    return parts


def _call(events: Sequence[Event]) -> Event | None:
    """The first call since the last one that was not taken: what it found is what the stop changed."""
    deferred = max((event.sequence for event in events if event.kind == lifecycle.DEFERRED), default=0)
    calls = (event for event in events if event.kind == lifecycle.CALLING and event.sequence > deferred)
    return next(calls, None)


def _why_not(events: Sequence[Event]) -> str:
    state, last = lifecycle.fold(event.kind for event in events), events[-1]
    if last.kind == lifecycle.GONE:
        return "it no longer exists"
    if state is State.VERIFIED:
        return "it was off already, the run made no call"
    if state in (State.FAILED, State.REFUSED):
        return f"the run did not stop it: {last.body.get('reason', 'given up by the queue')}"
    return "the run has not stopped it" if state is not State.DRY_RUN else "a dry run stops nothing"
