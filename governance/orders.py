"""One order: look again, ask for deallocation, read back. Each step is recorded before and after the call.

Any message may come twice or after a crash: the state is folded from the order's own events, and an event is added
only right behind the ones that were read. Whoever loses that race stops; the winner carries on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance import backoff, delays, instances, lifecycle, pause, policy, restarts, streams, undo
from governance.alert import MAX_AGE
from governance.model import Budget, Event, Fleet, Machine, Message, State
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
    mark,
    opened,
    period_over,
    too_old,
    turn,
    until_due,
)
from governance.production import DEFAULT_RULES
from governance.record import Record
from governance.undo_selection import ANSWER, NOT_TAKEN
from governance.whereabouts import sought
from ledger.classify import Classification
from ledger.faults import Conflict, Missing, Rejected, Transient

# Power before a call and what it cannot have become of itself.
STARTED = {"running": ("starting",), "stopping": ("starting", "running"), "stopped": ("starting", "running")}


@dataclass(frozen=True, slots=True)
class _Switches:
    """What may forbid a call as of now; without a budget nothing is allowed."""

    budget: Budget | None
    rules: Classification
    live: bool

    @property
    def dry_run(self) -> bool:
        return self.budget is None or not (self.live and self.budget.live)

    def refusal(self, machine: Machine, order: Order) -> str:
        """What forbids the call for good, by the machine as it is now."""
        if self.budget is None:
            return "the budget left the registry"
        if not order.is_dry and (by := undo.wished(str(order.planned["alert"]), order.record)):
            return f"an undo of this run was asked for by {by}"
        if _is_another(order, machine):
            return "another machine was made under its id since the plan"
        return policy.objection(machine, self.budget, self.rules, order.now, order.planned.get("policy", ""))

    def cools_off(self, machine: Machine, order: Order) -> str:
        assert self.budget is not None  # else it is held
        rule = order.planned.get("policy", "")
        return restarts.objection(order.record, machine, rule, self.budget, order.key, order.now)

    def held(self, order: Order) -> str:
        """What keeps a live order waiting until somebody ends it, or until it is too old."""
        if order.is_dry:
            return ""
        if self.budget is None:
            return "the budget left the registry"
        return "" if self.dry_run else pause.standing(order.record, self.budget)


def on_order(
    message: Mapping[str, object],
    *,
    budgets: Sequence[Budget],
    record: Record,
    fleet: Fleet,
    now: datetime,
    live: bool,
    rules: Classification = DEFAULT_RULES,
) -> list[Message]:
    """Begin one deallocation, if everything still allows it. Dry unless live, the budget and the plan all say live."""
    order = opened(message, record, now, streams.order_stream)
    if order.state is State.ACCEPTED:  # the crash was after the acceptance: only the read-back was lost
        return [_look(order)]
    if lifecycle.is_over(order.state):
        return []
    if (rest := max(in_flight(order), turn(order))) > streams.AT_ONCE:
        return [streams.carry_out(order.key, order.planned, delay=rest)]
    switches = _Switches(streams.budget_of(budgets, order.planned["budget_id"]), rules, live)
    try:
        return _carry_out(order, switches, fleet)
    except Overtaken:
        return []


def on_verify(
    message: Mapping[str, object], *, budgets: Sequence[Budget], record: Record, fleet: Fleet, now: datetime
) -> list[Message]:
    """Read the power state back: verified only when it reads deallocated, or the machine is gone."""
    order = opened(message, record, now, streams.order_stream)
    budget = streams.budget_of(budgets, order.planned["budget_id"])
    if order.state is not State.ACCEPTED:
        return []
    if (rest := max(until_due(order), held(order))) > streams.AT_ONCE:  # a copy of the message reads nothing twice
        return [streams.look(order.key, order.planned, delay=rest)]
    try:
        return _read_back(order, budget, fleet)
    except Overtaken:
        return []


def _carry_out(order: Order, switches: _Switches, fleet: Fleet) -> list[Message]:
    try:
        with sought(order, switches.budget, fleet):
            machine = fleet.machine(order.target)
        machine = replace(machine, unstoppable=machine.unstoppable or lock_now(order, fleet, ""))
    except (Transient, Conflict) as fault:
        return _defer(order, fault)
    except (Missing, Rejected) as fault:
        return _end(order, fault)
    return _act(order, machine, switches, fleet)


def _act(order: Order, machine: Machine, switches: _Switches, fleet: Fleet) -> list[Message]:
    """The last look before the call: what a lost call did, budget, tags, switches, power; then the call itself."""
    machine, told = _of_the_call(order, machine)
    before = _before(machine)
    is_ours = order.state is State.CALLING and not _is_another(order, machine)
    if is_ours and machine.power in policy.ALREADY_OFF:
        return _off(order, machine, before, told)
    if late := too_old(order) or period_over(order):
        order.add(lifecycle.FAILED, reason=late, before=before)
    elif held := switches.held(order):
        _hold(order, held, before)
    elif refusal := switches.refusal(machine, order):
        order.add(lifecycle.REFUSED, reason=refusal, before=before)
    elif order.is_dry or switches.dry_run:
        _dry(order, machine, before)
    elif cooling := switches.cools_off(machine, order):
        order.add(lifecycle.REFUSED, reason=cooling, before=before)
    elif machine.power in policy.ALREADY_OFF:
        return _off(order, machine, before, told)
    elif doubt := _doubt(order, machine):
        order.add(lifecycle.FAILED, reason=doubt, before=before)
    else:
        restarts.ordered(order.record, restarts.STOP_ORDERED, order.target, order.key, order.now)
        calling = order.add(lifecycle.CALLING, call="deallocate", before=before)
        return _call(calling, instances.on(machine), switches.budget, fleet)
    return []


def _off(order: Order, machine: Machine, before: Mapping[str, object], told: Mapping[str, object]) -> list[Message]:
    """By somebody else's stop, or by a call of ours whose answer was lost: no word of today takes that back."""
    if machine.power == policy.OFF:
        order.add(lifecycle.VERIFIED, power=machine.power, reason="found deallocated, no call made now", **told)
        return []
    reason = "found deallocating, no call made now"
    return _accepted(order, lifecycle.UNDERWAY, power=machine.power, reason=reason, before=before)


def _is_another(order: Order, machine: Machine) -> bool:
    planned = order.planned.get("identity")
    return bool(planned and machine.identity and planned != machine.identity)


def _hold(order: Order, reason: str, before: Mapping[str, object]) -> None:
    """Told once; the sweep asks again once it is over (rescue.py)."""
    last = order.events[-1]
    if last.kind != lifecycle.HELD or last.body["reason"] != reason:
        order.add(lifecycle.HELD, reason=reason, before=before)


def _dry(order: Order, machine: Machine, before: Mapping[str, object]) -> None:
    if order.state is State.CALLING:
        reason = "switched to dry-run after a call whose answer was lost"
        order.add(lifecycle.REFUSED, reason=reason, before=before)
    else:
        order.add(lifecycle.DRY_RUN, would=_would(machine), before=before)


def _of_the_call(order: Order, machine: Machine) -> tuple[Machine, dict[str, object]]:
    """The machine without the instances that came after the look that a call under way was made by; and which are on.

    Nothing is under way after one that was not taken: the next look is the last one before the next call.
    """
    if order.state not in (State.CALLING, State.ACCEPTED):
        return machine, {}
    known = instances.seen(order.planned["kind"], order.before)
    later = instances.later(machine, known)
    return instances.only(machine, known), {"left_alone": later} if later else {}


def _before(machine: Machine) -> dict[str, object]:
    """What undo goes back to: of a scale set only the parts that were on are started again."""
    seen: dict[str, object] = {"power": machine.power, "tags": dict(machine.tags)}
    told = {"parts": dict(machine.parts), "identity": machine.identity}
    return {**seen, **{name: value for name, value in told.items() if value}}


def _look(order: Order, delay: timedelta = streams.FIRST_LOOK, attempt: int = 0) -> Message:
    """Read back after the delay, or later where so many are read that the readings themselves would be refused."""
    delay = max(delay, between_readings(order))
    return streams.look(order.key, order.planned, attempt=attempt, delay=delay)


def _doubt(order: Order, machine: Machine) -> str:
    """Why a call whose answer was lost must not be made again, although the machine is on.

    Somebody may have started it since: seen starting, or running after it was not. A whole restart in between cannot
    be told from a call that never arrived, so one repeat is all there is.
    """
    lost = calls_lost(order)
    if not lost:
        return ""
    before = _power_before(lost[0])
    if machine.power in STARTED.get(before, ()):
        return f"the answer to the call was lost and the machine was started since: {before}, now {machine.power}"
    count = len(lost)
    return f"the answers to {count} calls were lost; the machine is {machine.power}" if count >= MAX_LOST else ""


def _power_before(calling: Event) -> str:
    before = calling.body["before"]
    return str(before["power"]) if isinstance(before, Mapping) else "unknown"


def _would(machine: Machine) -> str:
    return "nothing: already off" if machine.power in policy.ALREADY_OFF else "deallocate"


def _call(order: Order, parts: Sequence[str], budget: Budget | None, fleet: Fleet) -> list[Message]:
    try:
        with sought(order, budget, fleet):
            fleet.begin_stop(order.target, parts)
    except (Transient, Conflict) as fault:
        return _defer(order, fault)
    except (Missing, Rejected) as fault:
        return _end(order, fault, **{ANSWER: NOT_TAKEN})
    return _accepted(order, lifecycle.ACCEPTED, means="the call was taken; not yet that the machine is off")


def _accepted(order: Order, kind: str, **told: object) -> list[Message]:
    look = _look(order)
    order.add(kind, due=order.now + look.delay, **told)
    return [look]


def _defer(order: Order, fault: Transient | Conflict) -> list[Message]:
    """Come back when the other side asked to, until the order is too old; people are told when it takes long."""
    attempt = streams.count(order.events, lifecycle.DEFERRED) + 1
    delay = backoff.lasting(fault, attempt)
    if is_last(order, delay):
        order.add(lifecycle.FAILED, reason=f"the control plane took no call in {MAX_AGE}: {fault}")
        return []
    mark(order, fault)
    order.add(lifecycle.DEFERRED, reason=str(fault), attempt=attempt, due=order.now + delay)
    if attempt > backoff.QUICK and not order.is_dry:
        delays.told(order, fault, attempt)
    return [streams.carry_out(order.key, order.planned, attempt=attempt, delay=delay)]


def _end(order: Order, fault: Missing | Rejected, **told: object) -> list[Message]:
    if isinstance(fault, Missing):
        where = " in the budget's scopes" if order.planned.get("identity") else ""
        order.add(lifecycle.GONE, reason=f"the machine no longer exists{where}: nothing left to bill")
    else:
        order.add(lifecycle.FAILED, reason=str(fault), **told)
    return []


def _read_back(order: Order, budget: Budget | None, fleet: Fleet) -> list[Message]:
    try:
        with sought(order, budget, fleet):
            machine, told = _of_the_call(order, fleet.machine(order.target))
    except (Missing, Rejected) as fault:
        return _end(order, fault)
    except (Transient, Conflict) as fault:
        mark(order, fault)
        return _wait(order, "unread", backoff.asked(fault))
    if machine.power == policy.OFF:
        order.add(lifecycle.VERIFIED, power=machine.power, **told)
        return []
    return _wait(order, machine.power, None)


def _wait(order: Order, power: str, asked: timedelta | None) -> list[Message]:
    """Unknown is not off: anything but deallocated is read again, less and less often."""
    attempt = streams.count(order.events, lifecycle.WAITING) + 1
    if attempt >= MAX_READS:
        return _wait_on(order, power, attempt)
    look = _look(order, asked or backoff.growing(attempt), attempt)
    order.add(lifecycle.WAITING, power=power, attempt=attempt, due=order.now + look.delay)
    return [look]


def _wait_on(order: Order, power: str, attempt: int) -> list[Message]:
    """Hourly, and by the sweep alone: Snowflake lets queries run on for up to two days. People are told."""
    hour, reason = backoff.LONGEST_ASKED, f"not deallocated in {attempt} readings"
    if is_last(order, hour):
        order.add(lifecycle.FAILED, power=power, reason=reason)
    else:
        order.add(lifecycle.WAITING, power=power, attempt=attempt, due=order.now + hour, reason=reason)
        delays.still_on(order, power, attempt)
    return []
