"""From a received alert to a recorded plan and one message per target. Idempotent: the recorded plan is the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance import approval, backoff, gates, lifecycle, overspend, pace, period, policy, restarts, revival, streams
from governance.alert import MAX_AGE
from governance.canonical import plain
from governance.drill import one_of_each_kind
from governance.gates import Gate
from governance.model import Alert, Budget, Event, Fleet, Machine, Message, Plan, State, Target
from governance.production import DEFAULT_RULES
from governance.record import Record
from governance.rules import NO_PRICES, Prices, terms
from ledger.classify import Classification
from ledger.faults import Conflict, Missing, Rejected, Transient, reject

MAX_LISTINGS = 6
# After that the sweep asks again this much later, until the alert is too old.
REST = timedelta(hours=1)
WAITS = (streams.PAUSED, streams.OUTSIDE_HOURS, streams.NOTICE_GIVEN, streams.PROPOSED)
UNWARNED = "its owner was not warned: it came after the notice was given"


@dataclass(frozen=True, slots=True)
class _Planner:
    """What a plan is made with; `events` are the alert's as read now."""

    record: Record
    events: Sequence[Event]
    received: Event
    fleet: Fleet
    now: datetime
    live: bool
    rules: Classification
    prices: Prices

    @property
    def run(self) -> str:
        return str(self.received.body["run"])


def on_plan(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
    live: bool,
    rules: Classification = DEFAULT_RULES,
    prices: Prices = NO_PRICES,
) -> list[Message]:
    """Messages for the orders not yet begun, or the same message for later when the plan cannot be made or must wait.

    Rejected for a message that names no recorded alert.
    """
    run = streams.key_in(message, "alert")
    events = record.events(streams.alert_stream(run))
    received = streams.taken(events)
    if received is None:
        raise reject(f"no alert {run} was received", "Replay the alert itself.", "unknown-alert")
    if streams.is_settled(events):
        return []
    planned = streams.find(events, streams.PLANNED)
    if planned:
        return _messages(planned, record, now)
    planner = _Planner(record, events, received, fleet, now, live, rules, prices)
    waiting = gates.not_yet(events, run, now)
    return _next(planner, budgets) if waiting is None else waiting


def _next(planner: _Planner, budgets: Sequence[Budget]) -> list[Message]:
    """Go on with the plan that was proposed, or make one; a refusal is recorded."""
    alert = streams.alert_of(planner.received.body)
    try:
        budget = _usable(streams.budget_of(budgets, alert.budget_id), alert)
    except Rejected as fault:  # it may be a deployment's, and put right by the next one
        return _resting(planner, streams.UNUSABLE, fault)
    try:
        proposal = approval.proposed(planner.events)
        if proposal:
            return _decided(planner, alert, budget, proposal)
        _require_fresh(planner, alert)
    except Rejected as refusal:
        return _refused(planner, str(refusal))
    return _plan(planner, alert, budget)


def _refused(planner: _Planner, reason: str) -> list[Message]:
    """Once since planning was last begun."""
    since = streams.revived_at(planner.events)
    planner.record.once(
        planner.received.stream, streams.REFUSED, {"reason": reason}, planner.now, same=lambda one: one.sequence > since
    )
    return []


def _plan(planner: _Planner, alert: Alert, budget: Budget) -> list[Message]:
    """Record the plan or what holds it, or that the listing failed for now."""
    try:
        machines, unseen = _listed(planner, budget)
    except (Transient, Conflict, Missing, Rejected) as fault:
        return _unlisted(planner, fault)
    plan = policy.decide(
        alert,
        budget,
        machines,
        live=planner.live and planner.received.body["dry_run"] is False,
        now=planner.now,
        rules=planner.rules,
        prices=planner.prices.of(machines, budget.currency, planner.now),
    )
    if streams.is_drill(planner.run):
        plan = one_of_each_kind(plan, alert, budget)
    else:
        plan = _left_alone(_warned(plan, planner, alert, budget), machines, planner, alert, budget)
    spend = overspend.projected(planner.record, budget, planner.now)
    body = {**_body(plan, planner, budget), **unseen, streams.ESTIMATE: plain(spend)}
    gate = Gate(planner.record, planner.events, budget, body, planner.now, spend.breaks_at)
    return _release(planner, gate, approved=False)


def _listed(planner: _Planner, budget: Budget) -> tuple[list[Machine], Mapping[str, object]]:
    """What is in the budget's scopes. A further one that is refused, or stays down, does not hold up the others."""
    machines, unseen = list(planner.fleet.machines(budget.scope)), {}
    for place in budget.also:
        try:
            machines += planner.fleet.machines(place)
        except (Transient, Conflict, Missing, Rejected) as fault:
            if isinstance(fault, (Transient, Conflict)) and _attempts(planner.events) < MAX_LISTINGS:
                raise
            unseen[place] = str(fault) or type(fault).__name__
    return machines, {streams.UNSEEN: unseen} if unseen else {}


def _decided(planner: _Planner, alert: Alert, budget: Budget, proposal: Event) -> list[Message]:
    """A proposed plan stays as it is: it is carried out as it was approved, or not at all."""
    decision = approval.decision(planner.events, proposal)
    if decision is None:
        if planner.now >= approval.expires(proposal):
            raise reject("nobody approved the plan in its window", _again(planner), "approval-expired")
        return []
    _require_period(planner, alert)
    if planner.now - max(decision.at, _deferred_to(planner)) > MAX_AGE:
        raise reject(f"the approved plan waited longer than {MAX_AGE}", _again(planner), "approval-too-old")
    waits = ("due", "expires")  # of the proposal: nobody waits for these any more
    kept = {name: value for name, value in proposal.body.items() if name not in waits}
    body = {**kept, "approved_by": decision.body["by"], **_approver(decision)}
    return _release(planner, Gate(planner.record, planner.events, budget, body, planner.now), approved=True)


def _approver(decision: Event) -> dict[str, object]:
    return {"approver": decision.body["actor"]} if "actor" in decision.body else {}


def _release(planner: _Planner, gate: Gate, *, approved: bool) -> list[Message]:
    waiting = gates.held(gate, approved=approved)
    if waiting is not None:
        return waiting
    event, _ = planner.record.once(planner.received.stream, streams.PLANNED, gate.body, planner.now)
    return _messages(event, planner.record, planner.now)


def _warned(plan: Plan, planner: _Planner, alert: Alert, budget: Budget) -> Plan:
    """The plan without machines whose owners had no notice, once notice was given."""
    notice = gates.notice_given(planner.events)
    picked = {target.policy for target in plan.targets}
    if notice is None or not terms(one for one in policy.policies_of(budget) if one.name in picked).notice:
        return plan
    warned = {str(target["id"]).lower(): target.get("identity") for target in streams.targets_in(notice.body)}
    late = {target.id: UNWARNED for target in plan.targets if not _is_among(warned, target)}
    return _without(plan, late, alert, budget)


def _is_among(warned: Mapping[str, object], target: Target) -> bool:
    """By id, and by identity where both have one."""
    id = target.id.lower()
    return id in warned and (not warned[id] or not target.identity or warned[id] == target.identity)


def _left_alone(plan: Plan, machines: Sequence[Machine], planner: _Planner, alert: Alert, budget: Budget) -> Plan:
    """The plan without machines that were started again after a stop and are in their cool-off."""
    by = f"plan of {planner.run}"
    reasons = restarts.left_alone(plan.targets, machines, planner.record, budget, by, planner.now)
    return _without(plan, reasons, alert, budget) if reasons else plan


def _without(plan: Plan, reasons: Mapping[str, str], alert: Alert, budget: Budget) -> Plan:
    """The plan with these machines spared, each for its reason."""
    kept = tuple(target for target in plan.targets if target.id not in reasons)
    moved = (replace(one, reason=reasons[one.id], policy="") for one in plan.targets if one.id in reasons)
    spared = tuple(sorted((*plan.spared, *moved), key=_by_id))
    return policy.sealed(replace(plan, targets=kept, spared=spared), alert, budget)


def _by_id(target: Target) -> str:
    return target.id.lower()


def _usable(budget: Budget | None, alert: Alert) -> Budget:
    if budget is None:
        raise reject(f"budget {alert.budget_name!r} left the registry", "Add it again.", "unknown-budget")
    policy.require_selector(budget)
    if (budget.scope, budget.currency, budget.amount) != (alert.scope, alert.currency, alert.limit):
        what = "the budget's scope, currency or amount was changed since the alert"
        raise reject(what, "If that was meant, the budget tells of its new threshold itself.", "budget-changed")
    return budget


def _unlisted(planner: _Planner, fault: Exception) -> list[Message]:
    """Come back a bounded number of times, then rest: the sweep or the alert itself, sent again, revives it."""
    attempt = _attempts(planner.events) + 1
    if isinstance(fault, (Missing, Rejected)) or attempt > MAX_LISTINGS:
        return _resting(planner, streams.UNLISTED, fault)
    delay = backoff.delay(fault, attempt)
    is_told = _told(planner, streams.DEFERRED, fault, delay)
    return [streams.plan_stop(planner.run, delay=delay)] if is_told else []


def _resting(planner: _Planner, kind: str, fault: Exception) -> list[Message]:
    _told(planner, kind, fault, REST)
    return []


def _told(planner: _Planner, kind: str, fault: Exception, delay: timedelta) -> bool:
    """False where another handler of the same alert wrote first: that one carries on."""
    attempt = _attempts(planner.events) + 1
    body = {"reason": str(fault) or type(fault).__name__, "attempt": attempt, "due": planner.now + delay}
    try:
        planner.record.append(planner.received.stream, kind, body, planner.now, after=planner.events)
    except Conflict:
        return False
    return True


def _again(planner: _Planner) -> str:
    return f"`{revival.command(planner.run)}` plans it anew."


def _attempts(events: Sequence[Event]) -> int:
    """Failed listings since the alert was taken or last sent again."""
    return streams.count(streams.since_revival(events), streams.DEFERRED)


def _require_fresh(planner: _Planner, alert: Alert) -> None:
    """A backlog worked off next week must not stop what this week's budget allows; a rule's wait is no backlog."""
    _require_period(planner, alert)
    deferred = _deferred_to(planner)
    if planner.now - max(streams.begun(planner.events), deferred) > MAX_AGE:
        raise reject(f"the alert waited longer than {MAX_AGE}", _again(planner), "alert-too-old")


def _require_period(planner: _Planner, alert: Alert) -> None:
    """What was held into the next month is for money that counts from nothing again; a late message was not held."""
    waited = any(event.kind in (*WAITS, streams.REVIVED) for event in planner.events)
    late = waited or planner.now - planner.received.at > MAX_AGE
    if late and planner.now >= period.ends(alert.period):
        told = f"the budget's period {alert.period} is over"
        raise reject(told, "The new one has alerts of its own.", "alert-too-old")


def _deferred_to(planner: _Planner) -> datetime:
    """The latest moment a rule's hours or notice put the plan off to; that of the alert when none did."""
    kinds = (streams.OUTSIDE_HOURS, streams.NOTICE_GIVEN)
    waits = (gates.due(event) for event in planner.events if event.kind in kinds)
    return max(waits, default=planner.received.at)


def _body(plan: Plan, planner: _Planner, budget: Budget) -> dict[str, object]:
    return {
        "run": planner.run,
        "who": planner.received.body.get("who", {}),
        "input": planner.received.body["digest"],
        "budget_id": budget.id,
        "listed": planner.now.isoformat(),
        "opt_in": {"key": budget.opt_in_key, "value": budget.opt_in_value},
        "dry_run": plan.dry_run,
        "digest": plan.digest,
        "population": plan.population,
        "until": plain(plan.until),
        "targets": plain(plan.targets),
        "spared": plain(plan.spared),
    }


def targets_in(planned: Event) -> list[Mapping[str, object]]:
    """The targets a recorded plan names."""
    return streams.targets_in(planned.body)


def _messages(planned: Event, record: Record, now: datetime) -> list[Message]:
    """Every order gets its stream first, so that a lost message can be found again."""
    messages = []
    for target, wait, peers in pace.paced(targets_in(planned)):
        key = streams.order_key(str(planned.body["run"]), str(target["id"]))
        body = {**_order(planned, target), "due": planned.at + wait, "peers": peers}
        first, _ = record.once(streams.order_stream(key), lifecycle.PLANNED, body, now)
        if lifecycle.fold(event.kind for event in record.events(first.stream)) is State.PLANNED:
            delay = max(pace.due(first.body, now) - now, streams.AT_ONCE)
            messages.append(streams.carry_out(key, first.body, delay=delay))
    return messages


def _order(planned: Event, target: Mapping[str, object]) -> dict[str, object]:
    return {
        "who": _who(planned.body),
        "input": planned.body.get("input", ""),
        "alert": planned.body["run"],
        "budget_id": planned.body["budget_id"],
        "target": target["id"],
        "kind": target["kind"],
        "why": target["reason"],
        "power": target["power"],
        "policy": target.get("policy", ""),
        "identity": target.get("identity", ""),
        "plan": planned.body["digest"],
        "listed": planned.body.get("listed", ""),
        "until": planned.body.get("until", ""),
        "dry_run": planned.body["dry_run"],
    }


def _who(plan: Mapping[str, object]) -> dict[str, object]:
    """How the alert came in, and who approved its plan."""
    who = plan.get("who")
    approved = {name: plan[name] for name in ("approved_by", "approver") if name in plan}
    return {**(who if isinstance(who, Mapping) else {}), **approved}
