"""An undo under way: one stage of starts after the other, each begun only when the one before it is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import backoff, delays, lifecycle, overspend, pace, pause, streams
from governance.alert import MAX_AGE
from governance.model import Budget, Event, Fleet, Message, State
from governance.places import below
from governance.record import Record
from governance.undo import FINISHED, HALTED, STAGE_BEGUN, STAGE_READ, Attempt, attempt
from ledger.faults import Conflict, Missing, Rejected, Transient, reject

LOCK_UNREAD = "whether a lock forbids it could not be read"


@dataclass(frozen=True, slots=True)
class _Undo:
    """An undo as read now; `add` writes right behind what was read, or raises Conflict."""

    run: str
    record: Record
    events: Sequence[Event]
    current: Attempt
    now: datetime

    @property
    def is_dry(self) -> bool:
        return self.current.asked.body["dry_run"] is not False

    @property
    def since(self) -> Sequence[Event]:
        """What came after the last stage was read back, or after the wish."""
        read = max((event.sequence for event in self.current.since if event.kind == STAGE_READ), default=0)
        return [event for event in self.current.since if event.sequence > read]

    @property
    def last(self) -> Event:
        return self.events[-1]

    def add(self, kind: str, **body: object) -> Event:
        told = {"undo": self.current.id, **body}
        return self.record.append(streams.undo_stream(self.run), kind, told, self.now, after=self.events)


def on_undo(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
) -> list[Message]:
    """The messages of the next stage, or none while one is under way. Whoever writes second stops."""
    run = streams.key_in(message, "alert")
    events = record.events(streams.undo_stream(run))
    current = attempt(events)
    if current is None:
        raise reject(f"no undo of run {run} was asked for", "Use `ledger undo`.", "unknown-undo")
    if current.ended:
        return []
    undo = _Undo(run, record, events, current, now)
    if (rest := _due(undo.last) - now) > streams.AT_ONCE:
        return [streams.undo_run(run, current.id, delay=rest)]
    try:
        return _next(undo, streams.budget_of(budgets, current.asked.body["budget_id"]), fleet)
    except Conflict:
        return []


def _next(undo: _Undo, budget: Budget | None, fleet: Fleet) -> list[Message]:
    begun = next((event for event in reversed(undo.current.since) if event.kind == STAGE_BEGUN), None)
    read = next((event for event in reversed(undo.current.since) if event.kind == STAGE_READ), None)
    if begun is None:
        return _begin(undo, 1, budget, fleet)
    if read is None or read.sequence < begun.sequence:
        return _under_way(undo, begun)
    number = read.body["stage"]
    assert isinstance(number, int)  # written below
    return _begin(undo, number + 1, budget, fleet)


def _begin(undo: _Undo, number: int, budget: Budget | None, fleet: Fleet) -> list[Message]:
    """Everything that was checked when the undo was asked for is checked again, then the locks."""
    if reason := _forbidden(undo, budget):
        undo.add(HALTED, reason=reason, stage=number)
        return []
    assert budget is not None  # else it is forbidden
    targets = undo.current.stage(number)
    try:
        locks = _locks(targets, budget, fleet)
    except (Transient, Conflict) as fault:
        return _unlisted(undo, number, fault)
    except (Missing, Rejected) as fault:
        undo.add(HALTED, reason=f"{LOCK_UNREAD}: {fault}", stage=number)
        return []
    begun = undo.add(STAGE_BEGUN, stage=number, targets=[one["id"] for one in targets], locks=locks)
    return _opened(undo, begun)


def _forbidden(undo: _Undo, budget: Budget | None) -> str:
    if budget is None:
        return "the budget left the registry"
    if undo.now - undo.current.asked.at > MAX_AGE:
        return f"the undo waited longer than {MAX_AGE}"
    if reason := pause.standing(undo.record, budget):
        return reason
    if undo.current.asked.body["despite_budget"]:
        return ""
    return overspend.reason(overspend.told(undo.record, budget, undo.now), budget)


def _locks(targets: Sequence[Mapping[str, object]], budget: Budget, fleet: Fleet) -> dict[str, str]:
    """What forbids a call on a machine as its scope's listing tells it; a look at one machine does not."""
    ids = {str(target["id"]).lower() for target in targets}
    places = [place for place in (budget.scope, *budget.also) if any(below(id, place) for id in ids)]
    listed = (machine for place in places for machine in fleet.machines(place))
    return {one.id.lower(): one.unstoppable for one in listed if one.unstoppable and one.id.lower() in ids}


def _unlisted(undo: _Undo, number: int, fault: Transient | Conflict) -> list[Message]:
    """Tried until the undo is too old; each stage counts for itself."""
    asked, since = undo.current.asked, undo.since
    tries = streams.count(since, streams.DEFERRED) + 1
    delay = backoff.lasting(fault, tries)
    if undo.now + delay - asked.at > MAX_AGE:
        undo.add(HALTED, reason=f"{LOCK_UNREAD} in {MAX_AGE}: {fault}", stage=number)
        return []
    undo.add(streams.DEFERRED, reason=str(fault), attempt=tries, due=undo.now + delay)
    if tries > backoff.QUICK and not undo.is_dry:
        delays.of_undo(undo.run, asked.body, fault, tries, asked.at, undo.record, undo.now)
    return [streams.undo_run(undo.run, undo.current.id, delay=delay)]


def _opened(undo: _Undo, begun: Event) -> list[Message]:
    """Every order gets its stream first, so that a lost message can be found again."""
    messages, locks = [], begun.body["locks"]
    assert isinstance(locks, Mapping)  # written by _begin
    for target, wait, peers in pace.paced(undo.current.stage(begun.body["stage"])):
        key = undo.current.order(target)
        told = {"due": begun.at + wait, "peers": peers, "lock": locks.get(str(target["id"]).lower(), "")}
        first, _ = undo.record.once(
            streams.start_stream(key), lifecycle.PLANNED, {**_order(undo, target), **told}, undo.now
        )
        if _state(undo.record, key) is State.PLANNED:
            messages.append(streams.start(key, first.body, delay=max(begun.at + wait - undo.now, streams.AT_ONCE)))
    return messages


def _order(undo: _Undo, target: Mapping[str, object]) -> dict[str, object]:
    asked = undo.current.asked.body
    return {
        "alert": undo.run,
        "undo": undo.current.id,
        "budget_id": asked["budget_id"],
        "target": target["id"],
        "kind": target["kind"],
        "stop": target["stop"],
        "parts": target["parts"],
        "identity": target["identity"],
        "stage": target["stage"],
        "who": asked["who"],
        "input": undo.current.asked.digest,
        "why": f"undo of a stop: {asked['reason']}".removesuffix(": "),
        "plan": asked["plan"],
        "dry_run": asked["dry_run"],
        "despite_budget": asked["despite_budget"],
    }


def _under_way(undo: _Undo, begun: Event) -> list[Message]:
    number = begun.body["stage"]
    keys = {str(target["id"]): undo.current.order(target) for target in undo.current.stage(number)}
    states = {id: _state(undo.record, key) for id, key in keys.items()}
    if None in states.values():  # after a crash between the stage and the streams of its orders
        return _opened(undo, begun)
    if not all(lifecycle.is_over(state) for state in states.values()):
        return []
    told: dict[str, object] = {"stage": number, "states": {id: state.value for id, state in states.items() if state}}
    is_last = number == undo.current.asked.body["stages"]
    if failed := _failed(undo, number, is_last=is_last):
        undo.add(HALTED, reason=failed, **told)
    elif is_last:
        undo.add(FINISHED, **told)
    else:
        rest = timedelta() if undo.is_dry else _pause(undo)
        undo.add(STAGE_READ, due=undo.now + rest, **told)
        return [streams.undo_run(undo.run, undo.current.id, delay=rest)]
    return []


def _failed(undo: _Undo, number: object, *, is_last: bool) -> str:
    """Why it halts: what failed in this stage, and after the last in any. Until then `keep_going` overlooks it."""
    if undo.current.asked.body["keep_going"] and not is_last:
        return ""
    asked = streams.targets_in(undo.current.asked.body) if is_last else undo.current.stage(number)
    ends = {str(one["id"]): undo.record.events(streams.start_stream(undo.current.order(one))) for one in asked}
    failed = {_name(id): events for id, events in ends.items() if events and _fold(events) is State.FAILED}
    if not failed:
        return ""
    of, first = str(len(asked)) if is_last else f"stage {number}", next(iter(failed))
    why = failed[first][-1].body.get("reason", "given up by the queue")
    return f"{len(failed)} of {of} failed: {', '.join(failed)} ({f'{first}: ' if len(failed) > 1 else ''}{why})"


def _pause(undo: _Undo) -> timedelta:
    seconds = undo.current.asked.body["pause_seconds"]
    assert isinstance(seconds, int)  # written when it was asked for
    return timedelta(seconds=seconds)


def _state(record: Record, key: str) -> State | None:
    return _fold(record.events(streams.start_stream(key)))


def _fold(events: Sequence[Event]) -> State | None:
    return lifecycle.fold(event.kind for event in events)


def _due(event: Event) -> datetime:
    due = event.body.get("due")
    return datetime.fromisoformat(str(due)) if due else event.at


def _name(id: str) -> str:
    return id.rpartition("/")[2]
