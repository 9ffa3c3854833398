"""What an order to stop and an order to start have in common: its events as read now, its turn, its lost answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from governance import backoff, lifecycle, pace, streams, throttle
from governance.alert import MAX_AGE
from governance.model import Event, Fleet, State
from governance.record import Record
from ledger.faults import Conflict, Missing, reject

# From the instant of the handler that began a call. It looks and calls, 10 s to connect and 30 s to answer each: until
# this is over, that call may be under way.
IN_FLIGHT = timedelta(minutes=2)
# Queues count whole seconds, and clocks of two instances differ.
EARLY = timedelta(seconds=5)
# The listing behind a plan has read the locks; after this they are read again before a call.
FRESH_LOCKS = timedelta(minutes=5)
MAX_READS = 20
MAX_LOST = 2
BASIS = ("who", "why", "input", "alert", "plan")


class Overtaken(Exception):
    """Another handler of the same order wrote first."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as read now; `add` gives the order one event further."""

    key: str
    record: Record
    events: tuple[Event, ...]
    now: datetime

    @property
    def planned(self) -> Mapping[str, object]:
        return self.events[0].body

    @property
    def target(self) -> str:
        return str(self.planned["target"])

    @property
    def is_dry(self) -> bool:
        return streams.is_drill(self.key) or self.planned["dry_run"] is not False

    @property
    def state(self) -> State | None:
        return lifecycle.fold(event.kind for event in self.events)

    @property
    def basis(self) -> Mapping[str, object]:
        """Who and why, and the digests of what came in and of the plan: each event tells them by itself."""
        return {name: self.planned[name] for name in BASIS if name in self.planned}

    @property
    def before(self) -> object:
        """The machine as last seen before a call; as the plan saw it where nobody has looked since."""
        seen = (event.body["before"] for event in reversed(self.events) if "before" in event.body)
        return next(seen, {"power": self.planned.get("power", "unknown"), "seen": "for the plan"})

    def add(self, kind: str, **body: object) -> Order:
        lifecycle.step(self.state, kind)
        told = {"basis": self.basis, "before": self.before, "result": lifecycle.RESULTS.get(kind, kind), **body}
        try:
            event = self.record.append(self.events[0].stream, kind, told, self.now, after=self.events)
        except Conflict:
            raise Overtaken from None
        return Order(self.key, self.record, (*self.events, event), self.now)


def opened(message: Mapping[str, object], record: Record, now: datetime, stream: Callable[[str], str]) -> Order:
    """The order a message names; `stream` says where orders of its kind are recorded."""
    key = streams.key_in(message, "order")
    events = tuple(record.events(stream(key)))
    if not events:
        raise reject(f"no order {key} was planned", "Replay the alert itself.", "unknown-order")
    return Order(key, record, events, now)


def turn(order: Order) -> timedelta:
    """How long until it may call: its place in the plan, put off while its account is held back."""
    if too_old(order):
        return streams.AT_ONCE
    found, since = _holds(order), order.events[0].at
    shifted = throttle.shifted(pace.due(order.planned, since), since, found)
    return max(shifted - order.now, _rest(order, found))


def held(order: Order) -> timedelta:
    """How long its account is still held back; nothing when it is not."""
    return _rest(order, _holds(order))


def until_due(order: Order) -> timedelta:
    """How long until the moment at which its last event said it would be looked at again; nothing without one."""
    due = order.events[-1].body.get("due")
    rest = datetime.fromisoformat(str(due)) - order.now if due else streams.AT_ONCE
    return rest if rest > EARLY else streams.AT_ONCE


def between_readings(order: Order) -> timedelta:
    """How long at least until it may be read again, so many as are read with it."""
    peers = order.planned.get("peers")
    return pace.between_readings(order.target, peers if isinstance(peers, int) else 1)


def in_flight(order: Order) -> timedelta:
    """How much longer a call begun by another handler may be under way; nothing when none was begun."""
    lost = calls_lost(order)
    return lost[0].at + IN_FLIGHT - order.now if lost else streams.AT_ONCE


def calls_lost(order: Order) -> list[Event]:
    """The calls in a row, the last one first, that got no answer."""
    silent = (lifecycle.CALLING, lifecycle.HELD, lifecycle.ABANDONED)
    unanswered = takewhile(lambda event: event.kind in silent, reversed(order.events))
    return [event for event in unanswered if event.kind == lifecycle.CALLING]


def too_old(order: Order) -> str:
    age = order.now - order.events[0].at
    return f"the order waited longer than {MAX_AGE}" if age > MAX_AGE else ""


def period_over(order: Order) -> str:
    """Planned in a month whose money counted, and not called in it: the new month counts from nothing.

    One that was planned after its month, from an alert of the month's last hours, is not put off by that.
    """
    until = order.planned.get("until")
    ends = datetime.fromisoformat(str(until)) if until else None
    is_over = ends is not None and order.events[0].at < ends <= order.now
    return f"the budget's period ended at {ends:%Y-%m-%d %H:%M} UTC, before its call" if is_over else ""


def is_last(order: Order, delay: timedelta) -> bool:
    """Whether it would be too old for a further attempt after the delay."""
    return order.now + delay - order.events[0].at > MAX_AGE


def locks_are_old(order: Order) -> bool:
    """By the listing behind its plan, which may have waited for approval; orders of older plans do not tell it."""
    listed = datetime.fromisoformat(str(order.planned.get("listed") or order.events[0].at))
    return order.now - listed > FRESH_LOCKS


def lock_now(order: Order, fleet: Fleet, listed: str) -> str:
    """Why a lock forbids a call: as the listing has told, or read again where that was too long ago."""
    if not locks_are_old(order):
        return listed
    try:
        return fleet.lock(order.target)
    except Missing as fault:  # the machine itself was there a moment ago: that is no word about it
        raise Conflict(str(fault)) from None


def mark(order: Order, fault: Exception) -> None:
    """What was asked of one order is asked of all."""
    if asked := backoff.asked(fault):
        throttle.mark(order.record, order.target, order.now + asked, order.now)


def _holds(order: Order) -> list[throttle.Hold]:
    return throttle.holds(order.record, order.target, order.events[0].at, order.now)


def _rest(order: Order, found: Sequence[throttle.Hold]) -> timedelta:
    since = order.events[0].at
    return throttle.rest(order.now, pace.due(order.planned, since) - since, found)
