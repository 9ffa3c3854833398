"""How a run ended, recorded once all its orders are over: what people are told is one event, not one per machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from governance import lifecycle, streams
from governance.alert import MAX_AGE
from governance.model import Event, State
from governance.notices import FRESH, outcome_stream
from governance.receipt import grown
from governance.record import Record

STOPPED = "stopped"
NOT_STOPPED = "not-stopped"
NOTHING = "nothing-to-stop"
DRY_RUN = "dry-run"
_GOOD = (State.VERIFIED, State.DRY_RUN)
_End = tuple[Mapping[str, object], Sequence[Event]]
_MONEY = ("per_hour", "currency", "price_source", "saves", "saves_until_end")


def record_outcome(record: Record, events: Sequence[Event], now: datetime) -> None:
    """`events` are the alert's. Nothing is recorded while an order is not over, nor of a run that is history."""
    planned = streams.find(events, streams.PLANNED)
    if planned is None or now - planned.at > FRESH + MAX_AGE:  # no order lasts longer
        return
    ends = _ends(record, planned)
    if ends is None or now - max((told[-1].at for _, told in ends), default=planned.at) > FRESH:
        return
    kind = _kind(ends, dry_run=planned.body["dry_run"] is True)
    body = {
        "run": planned.body["run"],
        "budget_id": planned.body["budget_id"],
        "plan": planned.body["digest"],
        "targets": [_target(*end) for end in ends],
    }
    record.once(outcome_stream(str(planned.body["run"])), kind, body, now)


def _ends(record: Record, planned: Event) -> list[_End] | None:
    """Every target with its order's events; None when one is not over. The last are asked first: they end last."""
    found: list[_End] = []
    for target in reversed(streams.targets_in(planned.body)):
        order = streams.order_key(str(planned.body["run"]), str(target["id"]))
        events = record.events(streams.order_stream(order))
        if not lifecycle.is_over(_state(events)):
            return None
        found.append((target, events))
    return found[::-1]


def _kind(ends: Sequence[_End], *, dry_run: bool) -> str:
    if not ends:
        return NOTHING
    if not all(_state(events) in _GOOD for _, events in ends):
        return NOT_STOPPED
    return DRY_RUN if dry_run or any(_state(events) is State.DRY_RUN for _, events in ends) else STOPPED


def _target(target: Mapping[str, object], events: Sequence[Event]) -> dict[str, object]:
    state, body = _state(events), events[-1].body
    reason = body.get("reason") or body.get("would") or body.get("power", "")
    told = ", ".join(str(one) for one in (state.value if state else "unknown", reason, grown(events[-1])) if one)
    known = {name: target[name] for name in _MONEY if name in target}
    return {"id": target["id"], "kind": target["kind"], "outcome": told, "stopped": state in _GOOD, **known}


def _state(events: Sequence[Event]) -> State | None:
    return lifecycle.fold(event.kind for event in events)
