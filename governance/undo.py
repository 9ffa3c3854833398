"""Asking for the undo of a run. Refused for good reasons only, each of them told; what is asked live is recorded.

Every undo of a run is one more attempt in the run's own stream of undos. An attempt starts what no earlier one has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from governance import lifecycle, overspend, pause, streams
from governance.actor import beside
from governance.canonical import digest, plain
from governance.model import Budget, Event, Message, State
from governance.record import Record
from governance.undo_selection import Left, Stopped, selected, staged
from ledger.faults import Rejected, reject

ASKED = "asked"
STAGE_BEGUN = "stage-begun"
STAGE_READ = "stage-read"
HALTED = "halted"
FINISHED = "finished"
ENDED = (HALTED, FINISHED, streams.ABANDONED)
NOTHING = "nothing-to-undo"
STARTED_BEFORE = "an earlier undo started it"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants the undo, and how: `keep_going` after a stage that failed, `despite_budget` though it is over.

    `by` is a name that was typed, `actor` whom Azure had signed in there (actor.py).
    """

    by: str
    reason: str = ""
    dry_run: bool = True
    keep_going: bool = False
    despite_budget: bool = False
    entry: str = "terminal"
    actor: Mapping[str, object] = field(default_factory=dict)


def ask(run: str, wish: Wish, *, budgets: Sequence[Budget], record: Record, now: datetime) -> list[Message]:
    """Record what is to be started, in stages, and by whose wish; the messages that begin it, or carry it on.

    Rejected for what is not to be undone; Conflict when somebody else asked at the same moment.
    """
    events, planned = record.events(streams.undo_stream(run)), planned_in(run, record)
    current = attempt(events)
    if current and not current.ended and not current.asked.body["dry_run"]:
        if wish.dry_run:
            raise reject("an undo of that run is under way", "Wait for its end.", "undo-under-way")
        return carried_on(run, current, record)
    try:
        body = _asked(run, planned, wish, _budget(planned, budgets), events, record, now)
    except Rejected as refusal:
        if not wish.dry_run:
            told = {
                "by": wish.by,
                "why": wish.reason,
                "reason": str(refusal),
                "rule": refusal.faults[0].rule,
                **beside(wish.actor),
            }
            record.append(streams.undo_stream(run), streams.REFUSED, told, now, after=events)
        raise
    record.append(streams.undo_stream(run), ASKED, body, now, after=events)
    return [streams.undo_run(run, body["undo"])]


def wished(run: str, record: Record) -> str:
    """By whom a live undo of the run was asked for; from then on nothing more of it is stopped.

    Also where nothing was left to start: then it came before anything was stopped.
    """
    for event in reversed(record.events(streams.undo_stream(run))):
        if event.kind == ASKED and event.body["dry_run"] is False:
            who = event.body["who"]
            return str(who["by"]) if isinstance(who, Mapping) else "somebody"
        if event.kind == streams.REFUSED and event.body.get("rule") == NOTHING:
            return str(event.body["by"])
    return ""


def planned_in(run: str, record: Record) -> Event:
    """The plan the run carried out; Rejected for a run that stopped nothing, or is none."""
    planned = streams.find(record.events(streams.alert_stream(run)), streams.PLANNED)
    if planned is None:
        raise reject("that run carried out no plan: there is nothing to undo", "See `ledger plan list`.", "undo")
    if planned.body["dry_run"] is not False:
        raise reject("that run was a dry run: it stopped nothing", "Name the live run.", "undo")
    return planned


@dataclass(frozen=True, slots=True)
class Attempt:
    """One undo: the event that asked for it, and those since."""

    asked: Event
    since: tuple[Event, ...]

    @property
    def id(self) -> str:
        return str(self.asked.body["undo"])

    @property
    def ended(self) -> Event | None:
        return next((event for event in self.since if event.kind in ENDED), None)

    def stage(self, number: object) -> list[Mapping[str, object]]:
        return [one for one in streams.targets_in(self.asked.body) if one["stage"] == number]

    def order(self, target: Mapping[str, object]) -> str:
        return streams.order_key(self.id, str(target["id"]))


def attempts(events: Sequence[Event]) -> list[Attempt]:
    """All of a run, the newest last."""
    begins = [index for index, event in enumerate(events) if event.kind == ASKED]
    spans = pairwise([*begins, len(events)])
    return [Attempt(events[begin], tuple(events[begin + 1 : end])) for begin, end in spans]


def attempt(events: Sequence[Event]) -> Attempt | None:
    """The newest."""
    return next(reversed(attempts(events)), None)


def carried_on(run: str, current: Attempt, record: Record) -> list[Message]:
    """Everything an undo still needs, whatever was lost on the way."""
    messages = [streams.undo_run(run, current.id)]
    for target in streams.targets_in(current.asked.body):
        events = record.events(streams.start_stream(current.order(target)))
        if events and not lifecycle.is_over(_state(events)):
            messages.append(streams.start(current.order(target), events[0].body))
    return messages


def _budget(planned: Event, budgets: Sequence[Budget]) -> Budget:
    budget = streams.budget_of(budgets, planned.body["budget_id"])
    if budget is None:
        raise reject("the budget of that run left the registry", "Add it again.", "unknown-budget")
    return budget


def _asked(
    run: str,
    planned: Event,
    wish: Wish,
    budget: Budget,
    events: Sequence[Event],
    record: Record,
    now: datetime,
) -> dict[str, object]:
    over = _require_allowed(planned, wish, budget, record, now)
    stopped, left = _selected(run, planned, events, record)
    if not stopped:
        raise reject("nothing of that run is left to start", _told(left), NOTHING)
    stages = staged(stopped, budget.safeguards.undo.batch)
    targets = [_target(one, number) for number, stage in enumerate(stages, start=1) for one in stage]
    return {
        "run": run,
        "undo": digest(["undo", run, len(events)]),
        "who": {"entry": wish.entry, "by": wish.by.strip(), **beside(wish.actor)},
        "reason": wish.reason.strip(),
        "dry_run": wish.dry_run,
        "keep_going": wish.keep_going,
        "despite_budget": wish.despite_budget,
        "over": over,
        "budget_id": budget.id,
        "plan": planned.body["digest"],
        "stages": len(stages),
        "pause_seconds": budget.safeguards.undo.pause // timedelta(seconds=1),
        "targets": targets,
        "left": plain(left),
    }


def _require_allowed(planned: Event, wish: Wish, budget: Budget, record: Record, now: datetime) -> str:
    """Why the budget counts as over, where that was waived."""
    if not wish.by.strip():
        raise reject("an undo needs who", "Give --by; it is recorded.", "undo")
    if now - planned.at > budget.safeguards.undo.age:
        days = budget.safeguards.undo.age.days
        raise reject(f"that run is older than {days} days", "Start the machines yourself.", "undo-too-old")
    if reason := pause.standing(record, budget):
        raise reject(reason, "`ledger resume` ends a pause.", "paused")
    over = overspend.reason(overspend.told(record, budget, now), budget)
    if over and not wish.despite_budget:
        raise reject(over, "Give --despite-budget and --reason to start them all the same.", "budget-over")
    if wish.despite_budget and not wish.reason.strip():
        raise reject("starting despite the budget needs why", "Give --reason; it is recorded.", "undo")
    return over


def _selected(run: str, planned: Event, events: Sequence[Event], record: Record) -> tuple[list[Stopped], list[Left]]:
    """What the run stopped, less what earlier undos of it have started."""
    keys = (streams.order_key(run, str(target["id"])) for target in streams.targets_in(planned.body))
    orders = [found for key in keys if (found := record.events(streams.order_stream(key)))]
    stopped, left = selected(orders)
    done = _started(events, record)
    return (
        [one for one in stopped if one.id not in done],
        [*left, *(Left(one.id, STARTED_BEFORE) for one in stopped if one.id in done)],
    )


def _started(events: Sequence[Event], record: Record) -> set[str]:
    """The machines that earlier undos started. Rejected while one of their starts is not over."""
    done: set[str] = set()
    for one in attempts(events):
        for target in streams.targets_in(one.asked.body):
            state = _state(record.events(streams.start_stream(one.order(target))))
            if state is State.VERIFIED:
                done.add(str(target["id"]))
            elif state is not None and not lifecycle.is_over(state) and not one.asked.body["dry_run"]:
                raise reject("a start of an earlier undo is under way", "Ask again later.", "undo-under-way")
    return done


def _target(one: Stopped, stage: int) -> dict[str, object]:
    facts = {"id": one.id, "kind": one.kind, "stop": one.order}
    return {**facts, "parts": list(one.parts), "identity": one.identity, "stage": stage}


def _told(left: Sequence[Left]) -> str:
    return "; ".join(f"{one.id.rpartition('/')[2]}: {one.reason}" for one in left) or "It stopped no machine."


def _state(events: Sequence[Event]) -> State | None:
    return lifecycle.fold(event.kind for event in events)
