"""Which machines a budget alert may stop. Empty selects nothing; deny beats allow; each machine gets its reason.

Azure compares tag names without case and tag values with case: so does this file. Values are not trimmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from governance import instances, period, production
from governance.canonical import digest
from governance.exemption import keeps_out
from governance.model import Alert, Budget, Machine, Plan, Target
from governance.places import account_named, account_of, below, is_scope
from governance.rules import BUILT_IN, NO_PRICE, NOTICE, SPARE, STOP, Policy, Price
from ledger.classify import Classification
from ledger.faults import reject

OFF = "deallocated"
ALREADY_OFF = instances.OFF
_HOUR = Decimal(3600)


def decide(
    alert: Alert,
    budget: Budget,
    machines: Iterable[Machine],
    *,
    live: bool,
    now: datetime,
    rules: Classification = production.DEFAULT_RULES,
    prices: Mapping[str, Price] | None = None,
) -> Plan:
    """Every machine in or out, sorted by id. Rejected when the budget's selector or scope is blank."""
    require_selector(budget)
    until = period.ends(alert.period)
    found = sorted(_distinct(machines), key=lambda one: one.id.lower())
    targets: list[Target] = []
    spared: list[Target] = []
    for machine in found:
        policy, reason = judge(machine, alert, budget, rules, now)
        price = (prices or {}).get(machine.id, NO_PRICE)
        (targets if policy else spared).append(_target(machine, reason, policy, price, until - now))
    dry_run = not (live and budget.live)
    return sealed(Plan(alert.key, tuple(targets), tuple(spared), dry_run, "", len(found), until), alert, budget)


def sealed(plan: Plan, alert: Alert, budget: Budget) -> Plan:
    """The plan with the digest of all that is in it."""
    return replace(plan, digest=digest([replace(plan, digest=""), alert, budget.opt_in_key, budget.opt_in_value]))


def require_selector(budget: Budget) -> None:
    """An empty selector must never be read as 'all'."""
    if not budget.opt_in_key.strip() or not budget.opt_in_value.strip():
        raise reject(
            f"budget {budget.name!r} has an empty opt-in tag",
            "Name the tag key and value that mark the machines this budget may stop.",
            "empty-selector",
        )
    if not all(is_scope(place) for place in (budget.scope, *budget.also)):
        raise reject(
            f"budget {budget.name!r} has no usable scope",
            "Give the ARM id of a subscription or a resource group, or an account of AWS or Snowflake.",
            "empty-scope",
        )


def policies_of(budget: Budget) -> tuple[Policy, ...]:
    """The budget's rules; without any, stop at its threshold on actual costs."""
    return budget.policies or (Policy(BUILT_IN, (budget.name,), budget.action_threshold),)


def in_force(alert: Alert, budget: Budget) -> list[Policy]:
    """The rules that answer this alert with a stop or a notice, in the order of the settings as they are now."""
    return [one for one in policies_of(budget) if one.name in alert.policies and _answers(one, alert)]


def _answers(policy: Policy, alert: Alert) -> bool:
    """They did when it came. Printed amounts may be rounded to whole ones, so that the share is known no better."""
    reached = alert.threshold + Decimal("0.5") / alert.limit >= policy.threshold
    return policy.action != SPARE and reached and alert.kind in policy.alerts


def judge(
    machine: Machine, alert: Alert, budget: Budget, rules: Classification, now: datetime
) -> tuple[Policy | None, str]:
    """The rule by which the machine may be stopped now, or none; and why."""
    refusal = forbidden(machine, budget, rules, now)
    if refusal:
        return None, refusal
    policy = next((one for one in in_force(alert, budget) if not misses(one, machine, rules)), None)
    if policy is None:
        return None, _unselected(machine, alert, budget, rules)
    if policy.action == NOTICE:
        return None, f"rule {policy.name} only tells of it"
    if machine.power in ALREADY_OFF:
        return None, f"already {machine.power}: its compute is not billed"
    tag = f"{budget.opt_in_key}={budget.opt_in_value}"
    if machine.power == "unknown":
        return policy, f"opted in by {tag}; its power state is unknown, which is not off"
    return policy, f"opted in by {tag}; {machine.power}, so its compute is billed"


def objection(machine: Machine, budget: Budget, rules: Classification, now: datetime, name: object) -> str:
    """Why the machine, read again right before the call, may not be stopped by the rule of that name any more.

    Orders planned before there were rules name none.
    """
    policy = next((one for one in policies_of(budget) if one.name == name and one.action == STOP), None)
    if refusal := forbidden(machine, budget, rules, now):
        return refusal
    if policy is None:
        return f"rule {name} left the settings" if name else ""
    missed = misses(policy, machine, rules)
    return f"not selected by rule {name} any more: {missed}" if missed else ""


def forbidden(machine: Machine, budget: Budget, rules: Classification, now: datetime) -> str:
    """What forbids a stop whatever the power state and the alert; empty when nothing does."""
    if not any(below(machine.id, place) for place in (budget.scope, *budget.also)):
        return "outside the budget's scope"
    if any(below(machine.id, place) for place in budget.safeguards.protected):
        return "protected by the settings"
    values = _values(machine.tags, budget.opt_in_key)
    if not values:
        return f"no opt-in tag {budget.opt_in_key}: treated as production"
    if set(values) != {budget.opt_in_value}:
        return f"opt-in tag {budget.opt_in_key} names another budget"
    return keeps_out(machine.tags, now) or _denied(machine, budget, rules) or machine.unstoppable


def _denied(machine: Machine, budget: Budget, rules: Classification) -> str:
    """What its environment, its account and the rules that spare say against a stop."""
    refusal = production.objection(machine.tags, rules) or production.owner_objection(account_of(machine.id), rules)
    if refusal:
        return refusal
    sparing = (one for one in policies_of(budget) if one.action == SPARE)
    return next((f"spared by rule {one.name}" for one in sparing if not misses(one, machine, rules)), "")


def misses(policy: Policy, machine: Machine, rules: Classification) -> str:
    """Which filter of the rule the machine does not pass; empty when it passes all."""
    if policy.kinds and machine.kind not in policy.kinds:
        return f"its kind is {machine.kind}"
    for key, value in sorted(policy.tags.items()):
        if set(_values(machine.tags, key)) != {value}:
            return f"tag {key} is not {value}"
    account = account_of(machine.id)
    if policy.accounts and account.casefold() not in map(account_named, policy.accounts):
        return f"account {account or 'unknown'} is not listed"
    environment = production.environment(machine.tags, account, rules)
    if policy.environments and environment not in policy.environments:
        return f"its environment is {environment or 'unknown'}"
    return ""


def _unselected(machine: Machine, alert: Alert, budget: Budget, rules: Classification) -> str:
    told = [f"{one.name}: {misses(one, machine, rules)}" for one in in_force(alert, budget)]
    return f"selected by no rule ({'; '.join(told)})" if told else "no rule answers this alert with a stop"


def _values(tags: Mapping[str, str], key: str) -> list[str]:
    return [value for name, value in tags.items() if name.lower() == key.lower()]


def _distinct(machines: Iterable[Machine]) -> list[Machine]:
    """A machine that two pages list is one machine; the first reading stands."""
    found: dict[str, Machine] = {}
    for machine in machines:
        found.setdefault(machine.id.lower(), machine)
    return list(found.values())


def _target(machine: Machine, reason: str, policy: Policy | None, price: Price, left: timedelta) -> Target:
    """What is off saves nothing; what is on saves its price an hour, so long as nobody starts it again."""
    off = machine.power in ALREADY_OFF
    saves = Decimal(0) if off and price.per_hour is not None else price.per_hour
    seconds = Decimal(max(left, timedelta()) // timedelta(seconds=1))
    return Target(
        machine.id,
        machine.kind,
        dict(machine.tags),
        machine.power,
        reason,
        policy=policy.name if policy else "",
        per_hour=price.per_hour,
        currency=price.currency,
        price_source=price.source,
        saves=saves,
        saves_until_end=saves * seconds / _HOUR if saves is not None else None,
        identity=machine.identity,
    )
