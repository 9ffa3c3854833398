"""The receipt of a run's newest undo, from the record alone; and which run an id given by a person means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance import lifecycle, plans, streams
from governance.actor import named
from governance.canonical import plain
from governance.model import Event, State
from governance.record import Record
from governance.undo import ASKED, FINISHED, HALTED, STAGE_BEGUN, STAGE_READ, Attempt, attempt, attempts
from ledger.faults import reject

GREEN = (State.VERIFIED, State.REFUSED, State.DRY_RUN)
_TOLD: Mapping[str, str] = {
    STAGE_BEGUN: "stage {stage} begun",
    STAGE_READ: "stage {stage} read back, the next one from {due}",
    HALTED: "HALTED in stage {stage}: {reason}",
    FINISHED: "finished",
    streams.DEFERRED: "machines could not be listed, again at {due}: {reason}",
    streams.ABANDONED: "given up by queue {queue}",
    streams.REFUSED: "refused to {by}: {reason}",
}


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of an undo; `failed` are machines that were to be started and are not known to run."""

    run: str
    undo: str
    lines: tuple[str, ...]
    failed: tuple[str, ...]
    events: tuple[Event, ...]

    def document(self) -> dict[str, object]:
        """JSON-ready, whole."""
        events = [{"kind": event.kind, "at": event.at.isoformat(), "body": plain(event.body)} for event in self.events]
        return {"run": self.run, "undo": self.undo, "failed": list(self.failed), "events": events}


def found(record: Record, id: str) -> str:
    """The run that an id means: a run's, or that of a plan it made, or the first 8 digits or more of either.

    Rejected for none, for several, and for the id of an undo: what an undo has started only a new run may stop.
    """
    if not re.fullmatch(r"[0-9a-f]{8,64}(-dry-run)?", id):
        raise reject("a run's id is hexadecimal", "Give at least 8 digits, as `ledger alert` tells.", "run-id")
    if any(one.id.startswith(id) for one in _undos(record)):
        raise reject("an undo is not undone", "An alert may stop its machines again after their cool-off.", "undo")
    runs = {stream.removeprefix("alerts/") for stream in record.streams(f"alerts/{id.removesuffix(streams.DRY)}")}
    made = {one.run for one in plans.listed(record) if one.id.startswith(id)}
    # A dry run has stopped nothing, and a plan may be the same in both.
    chosen = {*streams.named(runs, id)} | made
    chosen = {run for run in chosen if not run.endswith(streams.DRY)} or chosen
    if len(chosen) != 1:
        text = f"{len(chosen)} runs begin with {id}" if chosen else f"there is no run {id}"
        raise reject(text, "See `ledger plan list`.", "run-id")
    return chosen.pop()


def undone(record: Record, run: str) -> Undone:
    """Where the newest undo of the run stands; Rejected when there is none."""
    events = record.events(streams.undo_stream(run))
    current = attempt(events)
    if current is None:
        raise reject("no undo of that run was asked for", "Use `ledger undo`.", "unknown-undo")
    targets = streams.targets_in(current.asked.body)
    orders = {str(one["id"]): record.events(streams.start_stream(current.order(one))) for one in targets}
    states = {id: lifecycle.fold(event.kind for event in found) for id, found in orders.items()}
    failed = tuple(id for id, state in states.items() if state not in GREEN)
    lines = [*_head(current), *map(_line, current.since)]
    lines += [f"    {_name(id)}: {_outcome(states[id], found)}" for id, found in orders.items()]
    told = [current.asked, *current.since, *(event for found in orders.values() for event in found)]
    return Undone(run, current.id, tuple(lines), failed, tuple(told))


def _undos(record: Record) -> Iterator[Attempt]:
    for stream in record.streams("undos/"):
        yield from attempts(record.events(stream))


def _head(current: Attempt) -> Iterator[str]:
    body, targets = current.asked.body, streams.targets_in(current.asked.body)
    who, left = body["who"], body["left"]
    assert isinstance(who, Mapping) and isinstance(left, list)  # written when it was asked for
    mode = "dry run: nothing is called" if body["dry_run"] else "live"
    why = f", {body['reason']}" if body["reason"] else ""
    yield f"{_at(current.asked)}  undo {current.id[:12]} asked for by {named(who['by'], who.get('actor'))}{why}; {mode}"
    if body["over"]:
        yield f"    although {body['over']}"
    yield from (f"    start  {_name(str(one['id']))} (stage {one['stage']} of {body['stages']})" for one in targets)
    yield from (f"    leave  {_name(str(one['id']))}: {one['reason']}" for one in left)


def _line(event: Event) -> str:
    told = _TOLD.get(event.kind, event.kind)
    return f"{_at(event)}  {told.format_map(event.body)}" if event.kind != ASKED else ""


def _outcome(state: State | None, events: Sequence[Event]) -> str:
    if state is None:
        return "NOT STARTED: its stage was not begun"
    last = events[-1].body
    if state is State.VERIFIED:
        return f"started, power state read back: {last['power']}" + (f" ({last['reason']})" if "reason" in last else "")
    if state is State.DRY_RUN:
        return f"dry run, would do: {last['would']}"
    if state is State.REFUSED:
        return f"left alone: {last['reason']}"
    if state is State.FAILED:
        return f"FAILED: {last.get('reason', 'given up by the queue')}"
    return f"not finished, state {state.value}"


def _name(id: str) -> str:
    return id.rpartition("/")[2]


def _at(event: Event) -> str:
    return event.at.strftime("%Y-%m-%d %H:%M:%SZ")
