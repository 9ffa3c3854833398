"""A machine that is made of instances, such as a scale set: which of them a stop is about, and which came later. Pure.

A stop is about those that the last look before its call has seen. An autoscaler may add others at any time: they are
named in no call of it, nor by its undo, and whether the stop is done does not hang on them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from governance.model import Machine

MADE_OF_INSTANCES = ("azure_vmss",)
OFF = ("deallocated", "deallocating")
# What a set is said to be while its instances differ: the first of these that any of them is in.
_BY_WEIGHT = ("running", "starting", "stopped", "stopping", "unknown", "deallocating", "deallocated")


def power_of_all(powers: Mapping[str, str]) -> str:
    """Off only when every instance is; a set without instances bills nothing."""
    known = {power if power in _BY_WEIGHT else "unknown" for power in powers.values()}
    return next((power for power in _BY_WEIGHT if power in known), "deallocated")


def on(machine: Machine) -> list[str]:
    """What a call that stops it has to name; nothing where a machine has no instances."""
    if machine.kind not in MADE_OF_INSTANCES:
        return []
    return [name for name, power in machine.parts.items() if power not in OFF]


def seen(kind: object, before: object) -> frozenset[str] | None:
    """Those that a look has recorded; None where a machine has no instances, or none were looked at."""
    parts = before.get("parts") if kind in MADE_OF_INSTANCES and isinstance(before, Mapping) else None
    return frozenset(map(str, parts)) if isinstance(parts, Mapping) else None


def later(machine: Machine, known: Collection[str] | None) -> list[str]:
    """Those that are on and came after that look."""
    return [] if known is None else [name for name in on(machine) if name not in known]


def only(machine: Machine, known: Collection[str] | None) -> Machine:
    """The machine as if it had no others than these."""
    if known is None or set(machine.parts) <= set(known):
        return machine
    parts = {name: power for name, power in machine.parts.items() if name in known}
    return replace(machine, parts=parts, power=power_of_all(parts))
