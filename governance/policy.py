"""Which machines a budget alert may stop. Empty selects nothing; deny beats allow; each machine gets its reason.

Azure compares tag names without case and tag values with case: so does this file. Values are not trimmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from governance import production
from governance.canonical import digest
from governance.model import Alert, Budget, Machine, Plan, Target
from ledger.classify import Classification
from ledger.faults import reject

MACHINE_KIND = "azure_vm"
EXEMPT_KEY = "ledger-exempt"
OFF = "deallocated"
ALREADY_OFF = (OFF, "deallocating")
_SCOPE = re.compile(r"/subscriptions/[^/\s]+(/resourcegroups/[^/\s]+)?", re.IGNORECASE)


def decide(
    alert: Alert,
    budget: Budget,
    machines: Iterable[Machine],
    *,
    live: bool,
    rules: Classification = production.DEFAULT_RULES,
) -> Plan:
    """Every machine in or out, sorted by id. Rejected when the budget's selector or scope is blank."""
    require_selector(budget)
    targets: list[Target] = []
    spared: list[Target] = []
    for machine in sorted(_distinct(machines), key=lambda one: one.id.lower()):
        taken, reason = judge(machine, budget, rules)
        (targets if taken else spared).append(_target(machine, reason))
    plan = Plan(alert.key, tuple(targets), tuple(spared), dry_run=not (live and budget.live), digest="")
    return replace(plan, digest=digest([plan, alert, budget.opt_in_key, budget.opt_in_value]))


def require_selector(budget: Budget) -> None:
    """An empty selector must never be read as 'all'."""
    if not budget.opt_in_key.strip() or not budget.opt_in_value.strip():
        raise reject(
            f"budget {budget.name!r} has an empty opt-in tag",
            "Name the tag key and value that mark the machines this budget may stop.",
            "empty-selector",
        )
    if not _SCOPE.fullmatch(budget.scope):
        raise reject(
            f"budget {budget.name!r} has no usable scope",
            "Give the ARM id of a subscription or a resource group.",
            "empty-scope",
        )


def judge(machine: Machine, budget: Budget, rules: Classification) -> tuple[bool, str]:
    """Whether the machine may be stopped now, and why or why not."""
    refusal = forbidden(machine, budget, rules)
    if refusal:
        return False, refusal
    if machine.power in ALREADY_OFF:
        return False, f"already {machine.power}: its compute is not billed"
    tag = f"{budget.opt_in_key}={budget.opt_in_value}"
    if machine.power == "unknown":
        return True, f"opted in by {tag}; its power state is unknown, which is not off"
    return True, f"opted in by {tag}; {machine.power}, so its compute is billed"


def forbidden(machine: Machine, budget: Budget, rules: Classification) -> str:
    """What forbids a stop whatever the power state; empty when nothing does."""
    if not machine.id.lower().startswith(budget.scope.lower().rstrip("/") + "/"):
        return "outside the budget's scope"
    values = _values(machine.tags, budget.opt_in_key)
    if not values:
        return f"no opt-in tag {budget.opt_in_key}: treated as production"
    if set(values) != {budget.opt_in_value}:
        return f"opt-in tag {budget.opt_in_key} names another budget"
    # Any value exempts, 'false' too: a person who wrote the tag meant the machine to be left alone or to be asked.
    if _values(machine.tags, EXEMPT_KEY):
        return f"exempt by tag {EXEMPT_KEY}"
    return production.objection(machine.tags, rules) or production.owner_objection(machine.id.split("/")[2], rules)


def _values(tags: Mapping[str, str], key: str) -> list[str]:
    return [value for name, value in tags.items() if name.lower() == key.lower()]


def _distinct(machines: Iterable[Machine]) -> list[Machine]:
    """A machine that two pages list is one machine; the first reading stands."""
    found: dict[str, Machine] = {}
    for machine in machines:
        found.setdefault(machine.id.lower(), machine)
    return list(found.values())


def _target(machine: Machine, reason: str) -> Target:
    return Target(machine.id, MACHINE_KIND, dict(machine.tags), machine.power, reason)
