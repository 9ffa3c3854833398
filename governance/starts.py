"""One order to start a machine again: look, start, read back. The same pace, holds and table of states as a stop has.

What the machine needs next is folded from the order's own events, so that a message may come twice or after a crash.
Each end of an order sends word to its undo, which alone knows what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from governance import backoff, delays, exemption, lifecycle, overspend, pause, restarts, streams
from governance.alert import MAX_AGE
from governance.model import Budget, Fleet, Machine, Message, State
from governance.order import (
    MAX_LOST,
    MAX_READS,
    Order,
    Overtaken,
    between_readings,
    calls_lost,
    held,
    in_flight,
    is_last,
    lock_now,
    locks_are_old,
    mark,
    opened,
    too_old,
    turn,
    until_due,
)
from governance.places import below
from governance.policy import ALREADY_OFF, OFF
from governance.record import Record
from governance.undo_selection import is_frozen, parts_wanted
from governance.whereabouts import MOVED, sought
from ledger.faults import Conflict, Missing, Rejected, Transient

RUNNING = "running"
STOP = "the stop"
DELETED = f"it was deleted since {STOP}"


def on_start(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
    live: bool,
) -> list[Message]:
    """One step of a start. Dry unless live, the budget and the undo all say live."""
    order = opened(message, record, now, streams.start_stream)
    if lifecycle.is_over(order.state):
        return _over(order)
    if (rest := _rest(order)) > streams.AT_ONCE:
        return [streams.start(order.key, order.planned, delay=rest)]
    try:
        if order.state is State.ACCEPTED:
            return _read_back(order, streams.budget_of(budgets, order.planned["budget_id"]), fleet)
        return _carry_out(order, streams.budget_of(budgets, order.planned["budget_id"]), fleet, live)
    except Overtaken:
        return []


def _rest(order: Order) -> timedelta:
    """How long until there is anything to do; a message that comes twice reads nothing twice."""
    if order.state is State.ACCEPTED:
        return max(until_due(order), held(order))
    return max(in_flight(order), turn(order))


def _over(order: Order) -> list[Message]:
    return [streams.undo_run(str(order.planned["alert"]), order.planned["undo"])]


def _carry_out(order: Order, budget: Budget | None, fleet: Fleet, live: bool) -> list[Message]:
    try:
        with sought(order, budget, fleet, since=STOP):
            machine = fleet.machine(order.target)
        lock = lock_now(order, fleet, str(order.planned["lock"]))
    except (Transient, Conflict) as fault:
        return _defer(order, fault)
    except Missing:
        return _end(order, lifecycle.REFUSED, reason=DELETED)
    except Rejected as fault:  # what was moved is left alone, and where it is now is told
        kind = lifecycle.REFUSED if fault.faults[0].rule == MOVED else lifecycle.FAILED
        return _end(order, kind, reason=str(fault))
    dry_run = order.is_dry or budget is None or not (live and budget.live)
    if refusal := _refusal(order, machine, budget, lock):
        return _end(order, lifecycle.REFUSED, reason=refusal, before=_seen(machine))
    return _act(order, machine, fleet, dry_run)


def _act(order: Order, machine: Machine, fleet: Fleet, dry_run: bool) -> list[Message]:
    """By the power it has now; what an undo did not start itself somebody else did."""
    powers, called = _powers(order, machine), any(event.kind == lifecycle.CALLING for event in order.events)
    if not powers:
        return _end(order, lifecycle.REFUSED, reason="its instances were deleted since the stop")
    to_call = OFF in powers or is_frozen(machine)
    if not to_call and not called and not powers & {*ALREADY_OFF, "unknown"}:
        restarts.looked(order.record, machine, order.key, order.now)
        return _end(order, lifecycle.REFUSED, reason=f"somebody started it since the stop: it is {machine.power}")
    if _runs(powers, machine):
        return _end(order, lifecycle.VERIFIED, power=RUNNING, reason="found running after a call whose answer was lost")
    if dry_run:
        return _dry(order, machine)
    if not to_call and called and "starting" in powers:
        return _accepted(order, lifecycle.UNDERWAY, reason="found starting, no call made now")
    if not to_call:
        return _defer(order, Transient(f"its power state is {machine.power}"))
    if (lost := len(calls_lost(order))) >= MAX_LOST:
        reason = f"the answers to {lost} calls were lost; the machine is {machine.power}"
        return _end(order, lifecycle.FAILED, reason=reason, before=_seen(machine))
    restarts.ordered(order.record, restarts.START_ORDERED, order.target, order.key, order.now)
    return _call(order.add(lifecycle.CALLING, call="start", before=_seen(machine)), machine, fleet)


def _dry(order: Order, machine: Machine) -> list[Message]:
    if order.state is State.CALLING:
        reason = "switched to dry-run after a call whose answer was lost"
        return _end(order, lifecycle.REFUSED, reason=reason, before=_seen(machine))
    return _end(order, lifecycle.DRY_RUN, would="start", before=_seen(machine))


def _refusal(order: Order, machine: Machine, budget: Budget | None, lock: str) -> str:
    """What forbids a start whatever the power: age, scope, people's switches and tags, and what became of it since."""
    if budget is None:
        return "the budget left the registry"
    return (
        too_old(order)
        or lock
        or _hands_off(machine, budget, order.now)
        or pause.standing(order.record, budget)
        or _overspent(order, budget)
        or _changed(order, machine)
    )


def _hands_off(machine: Machine, budget: Budget, now: datetime) -> str:
    """Only what the budget may stop may it start; an exemption is from stops, a hold is from both."""
    if not any(below(machine.id, place) for place in (budget.scope, *budget.also)):
        return "outside the budget's scope"
    if any(below(machine.id, place) for place in budget.safeguards.protected):
        return "protected by the settings"
    values = [value for name, value in machine.tags.items() if name.lower() == budget.opt_in_key.lower()]
    if set(values) != {budget.opt_in_value}:
        return f"it is not opted in by {budget.opt_in_key}={budget.opt_in_value} any more: start it yourself"
    return exemption.held(machine.tags, now)


def _overspent(order: Order, budget: Budget) -> str:
    """Its stage has looked at the budget: again only for a start that waited, and not where that was waived."""
    if order.planned.get("despite_budget", True) or not locks_are_old(order):
        return ""
    return overspend.reason(overspend.told(order.record, budget, order.now), budget)


def _changed(order: Order, machine: Machine) -> str:
    """Why it is not the machine any more as the run left it."""
    before = str(order.planned["identity"])
    if before and machine.identity and before != machine.identity:
        return "another machine was made under its id since the stop"
    past = restarts.past(order.record, order.target)
    stop = order.record.events(streams.order_stream(str(order.planned["stop"])))
    if past.stopped and stop and past.stopped < stop[0].at:
        return ""  # of an older stop: this one was given up before it was read back
    if past.order and past.order != order.planned["stop"]:
        return "another run stopped it since: undo that one"
    if past.seen and not past.grown:  # instances that came since are nobody's start of these
        return f"somebody started it since the stop: seen {past.seen:%Y-%m-%d %H:%M} UTC"
    return ""


def _powers(order: Order, machine: Machine) -> set[str]:
    """The power of what is to be started: the machine's, or that of its instances that were on and are still there."""
    wanted = parts_wanted(machine.kind, order.planned["parts"])
    return {machine.parts[one] for one in wanted if one in machine.parts} if wanted else {machine.power}


def _runs(powers: set[str], machine: Machine) -> bool:
    """A warehouse that runs under the monitor of its stop is not given back yet."""
    return powers == {RUNNING} and not is_frozen(machine)


def _seen(machine: Machine) -> dict[str, object]:
    seen: dict[str, object] = {"power": machine.power, "tags": dict(machine.tags)}
    return {**seen, "parts": dict(machine.parts)} if machine.parts else seen


def _call(order: Order, machine: Machine, fleet: Fleet) -> list[Message]:
    listed = order.planned["parts"]
    assert isinstance(listed, list)  # written by the undo
    wanted = parts_wanted(machine.kind, listed)
    parts = [one for one in wanted if machine.parts.get(one) == OFF] if wanted else list(map(str, listed))
    try:
        fleet.begin_start(order.target, parts)
    except (Transient, Conflict) as fault:
        return _defer(order, fault)
    except Missing:
        return _end(order, lifecycle.FAILED, reason=DELETED)
    except Rejected as fault:
        return _end(order, lifecycle.FAILED, reason=str(fault))
    return _accepted(order, lifecycle.ACCEPTED, means="the call was taken; not yet that the machine runs")


def _accepted(order: Order, kind: str, **told: object) -> list[Message]:
    look = _look(order, streams.FIRST_LOOK, 0)
    order.add(kind, due=order.now + look.delay, **told)
    return [look]


def _look(order: Order, delay: timedelta, attempt: int) -> Message:
    return streams.start(order.key, order.planned, attempt=attempt, delay=max(delay, between_readings(order)))


def _read_back(order: Order, budget: Budget | None, fleet: Fleet) -> list[Message]:
    try:
        with sought(order, budget, fleet, since=STOP):
            machine = fleet.machine(order.target)
    except Missing:
        return _end(order, lifecycle.FAILED, reason=DELETED)
    except Rejected as fault:
        return _end(order, lifecycle.FAILED, reason=str(fault))
    except (Transient, Conflict) as fault:
        mark(order, fault)
        return _wait(order, "unread", backoff.asked(fault))
    if _runs(_powers(order, machine), machine):
        return _end(order, lifecycle.VERIFIED, power=RUNNING)
    return _wait(order, machine.power, None)


def _wait(order: Order, power: str, asked: timedelta | None) -> list[Message]:
    attempt = streams.count(order.events, lifecycle.WAITING) + 1
    if attempt >= MAX_READS:
        return _end(order, lifecycle.FAILED, power=power, reason=f"{power}, not running, in {MAX_READS} readings")
    look = _look(order, asked or backoff.growing(attempt), attempt)
    due = order.now + look.delay
    order.add(lifecycle.WAITING, power=power, attempt=attempt, due=due, result="not running yet")
    return [look]


def _defer(order: Order, fault: Transient | Conflict) -> list[Message]:
    """Come back when the other side asked to, as long as a stop would; people are told when it takes long."""
    attempt = streams.count(order.events, lifecycle.DEFERRED) + 1
    delay = backoff.lasting(fault, attempt)
    if is_last(order, delay):
        return _end(order, lifecycle.FAILED, reason=f"the control plane took no call in {MAX_AGE}: {fault}")
    mark(order, fault)
    order.add(lifecycle.DEFERRED, reason=str(fault), attempt=attempt, due=order.now + delay)
    if attempt > backoff.QUICK and not order.is_dry:
        run, since = str(order.planned["alert"]), order.events[0].at
        delays.of_undo(run, order.planned, fault, attempt, since, order.record, order.now)
    return [streams.start(order.key, order.planned, attempt=attempt, delay=delay)]


def _end(order: Order, kind: str, **told: object) -> list[Message]:
    return _over(order.add(kind, **told))
