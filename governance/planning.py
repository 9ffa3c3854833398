"""From a received alert to a recorded plan and one message per target. Idempotent: the recorded plan is the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import backoff, lifecycle, policy, streams
from governance.alert import MAX_AGE
from governance.canonical import plain
from governance.model import Alert, Budget, Event, Fleet, Message, Plan, State
from governance.production import DEFAULT_RULES
from governance.record import Record
from ledger.classify import Classification
from ledger.faults import Conflict, Missing, Rejected, Transient, reject

MAX_LISTINGS = 6
# After that the sweep asks again this much later, until the alert is too old.
REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Planner:
    """What a plan is made with; `events` are the alert's as read now."""

    record: Record
    events: Sequence[Event]
    received: Event
    fleet: Fleet
    now: datetime


def on_plan(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
    live: bool,
    rules: Classification = DEFAULT_RULES,
) -> list[Message]:
    """Messages for the orders not yet begun, or the same message for later when the fleet cannot be listed now.

    Rejected for a message that names no recorded alert.
    """
    run = streams.key_in(message, "alert")
    events = record.events(streams.alert_stream(run))
    received = streams.find(events, streams.RECEIVED)
    if received is None:
        raise reject(f"no alert {run} was received", "Replay the alert itself.", "unknown-alert")
    if streams.find(events, streams.REFUSED):
        return []
    planned = streams.find(events, streams.PLANNED)
    if planned:
        return _messages(planned, record, now)
    return _plan(_Planner(record, events, received, fleet, now), budgets, live, rules)


def _plan(planner: _Planner, budgets: Sequence[Budget], live: bool, rules: Classification) -> list[Message]:
    """Record the plan, or that planning is refused for good, or that the listing failed for now."""
    received, alert = planner.received, streams.alert_of(planner.received.body)
    try:
        budget = _usable(streams.budget_of(budgets, alert.budget_id), alert)
        _require_fresh(received, planner.now)
    except Rejected as refusal:
        planner.record.once(received.stream, streams.REFUSED, {"reason": str(refusal)}, planner.now)
        return []
    try:
        machines = planner.fleet.machines(budget.scope)
    except (Transient, Conflict, Missing, Rejected) as fault:
        return _unlisted(planner, fault)
    plan = policy.decide(alert, budget, machines, live=live and received.body["dry_run"] is False, rules=rules)
    event, _ = planner.record.once(received.stream, streams.PLANNED, _body(plan, received, budget), planner.now)
    return _messages(event, planner.record, planner.now)


def _usable(budget: Budget | None, alert: Alert) -> Budget:
    if budget is None:
        raise reject(f"budget {alert.budget_name!r} left the registry", "Add it again.", "unknown-budget")
    policy.require_selector(budget)
    return budget


def _unlisted(planner: _Planner, fault: Exception) -> list[Message]:
    """Come back a bounded number of times, then rest: the sweep or the alert itself, sent again, revives it."""
    attempt = _attempts(planner.events) + 1
    lasting = isinstance(fault, (Missing, Rejected)) or attempt > MAX_LISTINGS
    kind, delay = (streams.UNLISTED, REST) if lasting else (streams.DEFERRED, backoff.delay(fault, attempt))
    body = {"reason": str(fault) or type(fault).__name__, "attempt": attempt, "due": planner.now + delay}
    try:
        planner.record.append(planner.received.stream, kind, body, planner.now, after=planner.events)
    except Conflict:  # another handler of the same alert wrote first, and carries on
        return []
    return [] if lasting else [streams.plan_stop(str(planner.received.body["run"]), delay=delay)]


def _attempts(events: Sequence[Event]) -> int:
    """Failed listings since the alert was taken or last sent again."""
    revived = streams.revived_at(events)
    return streams.count((event for event in events if event.sequence > revived), streams.DEFERRED)


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
