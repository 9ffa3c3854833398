"""One alert played to its end in one process: the same flows, a queue in memory, a clock that the caller moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from types import MappingProxyType
from typing import Any, Protocol

from governance import flow, lifecycle, streams
from governance.model import Answer, Budget, Event, Fleet, Message, Queue, State
from governance.planning import targets_in
from governance.production import DEFAULT_RULES
from governance.receipt import receipt
from governance.record import Record
from governance.rescue import unfinished
from governance.rules import NO_PRICES, Prices
from ledger.classify import Classification
from ledger.faults import Conflict, Transient

MAX_TRIES = 5  # as host.json's maxDequeueCount
RETRY = timedelta(seconds=30)
DONE = (State.VERIFIED, State.DRY_RUN)
# The last word about a plan that waits as people said it should, or that a person rejected.
_WAITS = (
    *(streams.PROPOSED, streams.APPROVED, streams.REJECTED),
    *(streams.PAUSED, streams.OUTSIDE_HOURS, streams.NOTICE_GIVEN),
)
LONGEST_WAIT = timedelta(hours=2)
TERMINAL: Mapping[str, str] = MappingProxyType({"entry": "terminal"})

Handler = Callable[[Mapping[str, object], datetime], list[Message]]
Wait = Callable[[datetime], datetime]
# As the built-in map: a pool's makes several calls at once.
Each = Callable[..., Iterable[Any]]


class TakingQueue(Queue, Protocol):
    """A queue that can also be emptied: None when nothing is due."""

    def take(self, now: datetime) -> Message | None: ...

    def next_due(self) -> datetime | None:
        """When its first message is due; None when it is empty."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of an alert; `events` are the alert's, then each order's, `lines` the receipt for a person."""

    answer: Answer
    run: str
    events: tuple[Event, ...]
    lines: tuple[str, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Machines that were to be stopped and are not known to be off, and scopes that nobody could look into.

        The budget's own scope where no plan is carried out and none waits: not listed, refused, above a ceiling.
        """
        own = [event for event in self.events if event.stream.startswith("alerts/") and event.kind != streams.NOTICE]
        planned = streams.find(own, streams.PLANNED)
        if planned is None:
            return tuple(str(one.body["scope"]) for one in own[:1] if own[-1].kind not in _WAITS)
        kinds: dict[str, list[str]] = {}
        for event in self.events:
            kinds.setdefault(event.stream, []).append(event.kind)
        ids = [str(target["id"]) for target in targets_in(planned)]
        orders = {id: streams.order_stream(streams.order_key(self.run, id)) for id in ids}
        still = (id for id, order in orders.items() if lifecycle.fold(kinds.get(order, ())) not in DONE)
        return (*still, *streams.unseen(planned.body))


@dataclass(slots=True)
class _Agenda:
    """Messages by the moment they are due, in the order of sending among equals."""

    heap: list[tuple[datetime, int, int, Message]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)

    def add(self, message: Message, due: datetime, tries: int = 0) -> None:
        heappush(self.heap, (due, next(self.numbers), tries, message))

    def take(self, now: datetime) -> list[tuple[int, Message]]:
        """All that are due, each with how often it was tried."""
        taken = []
        while self.heap and self.heap[0][0] <= now:
            _, _, tries, message = heappop(self.heap)
            taken.append((tries, message))
        return taken


def run_alert(
    body: bytes,
    *,
    budgets: Sequence[Budget],
    record: Record,
    queue: TakingQueue,
    fleet: Fleet,
    now: datetime,
    live: bool,
    wait: Wait,
    rules: Classification = DEFAULT_RULES,
    prices: Prices = NO_PRICES,
    each: Each = map,
    who: Mapping[str, object] = TERMINAL,
) -> Played:
    """Take the alert and follow its messages until none is left; `wait(until)` returns the new now.

    What a rule puts off by more than LONGEST_WAIT is left to the sweep, or to the same alert played again.

    An alert already taken is carried on where an earlier process left it.
    """
    answer = flow.on_alert(body, budgets=budgets, record=record, queue=queue, now=now, live=live, who=who)
    if answer.status != 202 or "notice" in answer.body:
        return _played(answer, record)
    if "duplicate" in answer.body:
        for message in unfinished(str(answer.body["alert"]), record=record):
            queue.send(message)
    flows = handlers(budgets, record, fleet, live, rules, prices)
    drain(queue, flows, now=now, wait=wait, given_up=_given_up(record), each=each)
    return _played(answer, record)


def drain(
    queue: TakingQueue,
    handlers: Mapping[str, Handler],
    *,
    now: datetime,
    wait: Wait,
    given_up: Callable[[Message, datetime], None],
    each: Each = map,
) -> datetime:
    """Handle every message and those that follow from it; a Transient is tried again like the platform would.

    Returns the moment after the last one. Rejected and unknown queues surface as they are.
    """
    agenda = _Agenda()
    while True:
        while (message := queue.take(now)) is not None:
            agenda.add(message, now)
        due = agenda.heap[0][0] if agenda.heap else queue.next_due()
        if due is None:
            return now
        if due > now:
            now = max(wait(due), due)
        # Nothing is due when its clock ran a little ahead of ours, or when the message was sent for later.
        moment, taken = now, agenda.take(now)
        outcomes = each(lambda one, at=moment: _outcome(one[1], handlers, at), taken)
        for (tries, message), outcome in zip(taken, outcomes, strict=True):
            _settle(message, tries, outcome, agenda, now, given_up)


def _outcome(message: Message, handlers: Mapping[str, Handler], now: datetime) -> list[Message] | Transient | Conflict:
    try:
        return handlers[message.queue](message.body, now)
    except (Transient, Conflict) as fault:
        return fault


def _settle(
    message: Message,
    tries: int,
    outcome: list[Message] | Transient | Conflict,
    agenda: _Agenda,
    now: datetime,
    given_up: Callable[[Message, datetime], None],
) -> None:
    if isinstance(outcome, list):
        for following in (one for one in outcome if one.delay <= LONGEST_WAIT):
            agenda.add(following, now + following.delay)
    elif tries + 1 >= MAX_TRIES:
        given_up(message, now)
    else:
        agenda.add(message, now + (getattr(outcome, "retry_after", None) or RETRY), tries + 1)


def handlers(
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    live: bool,
    rules: Classification = DEFAULT_RULES,
    prices: Prices = NO_PRICES,
) -> dict[str, Handler]:
    """The flow behind each queue of the control story."""
    return {
        streams.PLAN_STOP: lambda body, now: flow.on_plan(
            body, budgets=budgets, record=record, fleet=fleet, now=now, live=live, rules=rules, prices=prices
        ),
        streams.CARRY_OUT_ORDER: lambda body, now: flow.on_order(
            body, budgets=budgets, record=record, fleet=fleet, now=now, live=live, rules=rules
        ),
        streams.VERIFY_ORDER: lambda body, now: flow.on_verify(
            body, budgets=budgets, record=record, fleet=fleet, now=now
        ),
        streams.UNDO_RUN: lambda body, now: flow.on_undo(body, budgets=budgets, record=record, fleet=fleet, now=now),
        streams.START_ORDER: lambda body, now: flow.on_start(
            body, budgets=budgets, record=record, fleet=fleet, now=now, live=live
        ),
    }


def _given_up(record: Record) -> Callable[[Message, datetime], None]:
    return lambda message, now: flow.on_poison(message.queue, message.body, record=record, now=now)


def _played(answer: Answer, record: Record) -> Played:
    run = str(answer.body.get("alert", ""))
    events = tuple(_events(record, run)) if run else ()
    return Played(answer, run, events, tuple(receipt(record, run)) if run else (_unplayed(answer),))


def _unplayed(answer: Answer) -> str:
    reason = next(answer.body[key] for key in ("refused", "notice", "error") if key in answer.body)
    return f"not acted on ({answer.status}): {reason}"


def _events(record: Record, run: str) -> list[Event]:
    events = record.events(streams.alert_stream(run))
    planned = streams.find(events, streams.PLANNED)
    for target in targets_in(planned) if planned else []:
        events += record.events(streams.order_stream(streams.order_key(run, str(target["id"]))))
    return events
