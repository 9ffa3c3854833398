"""From a received alert to a recorded plan and one message per target. Idempotent: the recorded plan is the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from governance import lifecycle, policy, streams
from governance.alert import MAX_AGE
from governance.canonical import plain
from governance.model import Budget, Event, Fleet, Message, Plan, State
from governance.record import Record
from ledger.faults import Rejected, reject


def on_plan(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
    live: bool,
) -> list[Message]:
    """Messages for the orders not yet begun. Transient when the fleet cannot be listed now; Rejected for a message
    that names no recorded alert.
    """
    run = streams.key_in(message, "alert")
    events = record.events(streams.alert_stream(run))
    received = streams.find(events, streams.RECEIVED)
    if received is None:
        raise reject(f"no alert {run} was received", "Replay the alert itself.", "unknown-alert")
    if streams.find(events, streams.REFUSED):
        return []
    planned = streams.find(events, streams.PLANNED) or _plan(received, budgets, record, fleet, now, live)
    return _messages(planned, record, now) if planned else []


def _plan(
    received: Event, budgets: Sequence[Budget], record: Record, fleet: Fleet, now: datetime, live: bool
) -> Event | None:
    """The 'planned' event, ours or that of whoever was first; None when planning is refused, which is recorded."""
    alert = streams.alert_of(received.body)
    budget = streams.budget_of(budgets, alert.budget_id)
    try:
        if budget is None:
            raise reject(f"budget {alert.budget_name!r} left the registry", "Add it again.", "unknown-budget")
        policy.require_selector(budget)
        _require_fresh(received, now)
    except Rejected as refusal:
        record.once(received.stream, streams.REFUSED, {"reason": str(refusal)}, now)
        return None
    wanted = live and received.body["dry_run"] is False
    plan = policy.decide(alert, budget, fleet.machines(budget.scope), live=wanted)
    event, _ = record.once(received.stream, streams.PLANNED, _body(plan, received, budget), now)
    return event


def _require_fresh(received: Event, now: datetime) -> None:
    """A backlog worked off next week must not stop what this week's budget allows."""
    if now - received.at > MAX_AGE:
        raise reject(f"the alert waited longer than {MAX_AGE}", "Replay a current alert.", "alert-too-old")


def _body(plan: Plan, received: Event, budget: Budget) -> dict[str, object]:
    return {
        "run": received.body["run"],
        "budget_id": budget.id,
        "dry_run": plan.dry_run,
        "digest": plan.digest,
        "targets": plain(plan.targets),
        "spared": plain(plan.spared),
    }


def targets_in(planned: Event) -> list[Mapping[str, object]]:
    """The targets a recorded plan names."""
    targets = planned.body["targets"]
    assert isinstance(targets, list)  # written by _body
    return targets


def _messages(planned: Event, record: Record, now: datetime) -> list[Message]:
    """Every order gets its stream first, so that a lost message can be found again."""
    messages = []
    for target in targets_in(planned):
        key = streams.order_key(str(planned.body["run"]), str(target["id"]))
        first, _ = record.once(streams.order_stream(key), lifecycle.PLANNED, _order(planned, target), now)
        if lifecycle.fold(event.kind for event in record.events(first.stream)) is State.PLANNED:
            messages.append(streams.carry_out(key, first.body))
    return messages


def _order(planned: Event, target: Mapping[str, object]) -> dict[str, object]:
    return {
        "alert": planned.body["run"],
        "budget_id": planned.body["budget_id"],
        "target": target["id"],
        "kind": target["kind"],
        "why": target["reason"],
        "power": target["power"],
        "plan": planned.body["digest"],
        "dry_run": planned.body["dry_run"],
    }
