"""What may go wrong on request: each fault waits for its call and its machine, a number of times or always."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

ANY = "*"


class Effect(Enum):
    """Where a fault bites: in the answer, in the connection, in the operation behind a 202, or in what is shown."""

    ANSWER = "answer"
    DROP = "drop"
    OPERATION_FAILS = "operation fails"
    OPERATION_LIES = "operation succeeds, machine keeps running"
    OPERATION_STICKS = "operation never ends, machine keeps deallocating"
    NO_POWER_STATE = "no power state"


@dataclass(frozen=True, slots=True)
class Fault:
    """`call` is a kind of emulators.routes (list, get, deallocate, listSets, ...) or *; `times` None means always."""

    call: str
    machine: str = ANY
    times: int | None = 1
    effect: Effect = Effect.ANSWER
    status: int = 0
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def meets(self, call: str, machine: str, effects: frozenset[Effect]) -> bool:
        named = self.machine == ANY or self.machine.lower() == machine.lower()
        return self.effect in effects and self.call in (ANY, call) and named


@dataclass(slots=True)
class FaultPlan:
    """Faults in the order they were planned; the first that meets a call is spent on it."""

    planned: list[Fault] = field(default_factory=list)
    spent: dict[int, int] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        self.planned.append(fault)

    def clear(self) -> None:
        self.planned.clear()
        self.spent.clear()

    def take(self, call: str, machine: str, *effects: Effect) -> Fault | None:
        """The fault to play on this call now, counted as spent; None when there is none left."""
        for number, fault in enumerate(self.planned):
            used = self.spent.get(number, 0)
            if fault.meets(call, machine, frozenset(effects)) and (fault.times is None or used < fault.times):
                self.spent[number] = used + 1
                return fault
        return None


def throttled(call: str, machine: str = ANY, *, times: int = 1, retry_after: int = 1) -> Fault:
    return Fault(call, machine, times, status=429, code="TooManyRequests", headers={"Retry-After": str(retry_after)})


def denied(call: str, machine: str = ANY, *, times: int | None = None) -> Fault:
    return Fault(call, machine, times, status=403, code="AuthorizationFailed")


def missing(call: str, machine: str = ANY, *, times: int | None = None) -> Fault:
    return Fault(call, machine, times, status=404, code="ResourceNotFound")


def locked(call: str, machine: str = ANY, *, times: int | None = None) -> Fault:
    return Fault(call, machine, times, status=409, code="ScopeLocked")


def broken(call: str, machine: str = ANY, *, times: int = 1, status: int = 503) -> Fault:
    return Fault(call, machine, times, status=status, code="ServiceUnavailable")


def dropped(call: str, machine: str = ANY, *, times: int = 1) -> Fault:
    return Fault(call, machine, times, Effect.DROP)


def operation_fails(call: str, machine: str = ANY, *, code: str = "OperationNotAllowed", times: int = 1) -> Fault:
    return Fault(call, machine, times, Effect.OPERATION_FAILS, code=code)


def operation_lies(call: str, machine: str = ANY, *, times: int = 1) -> Fault:
    return Fault(call, machine, times, Effect.OPERATION_LIES)


def operation_sticks(call: str, machine: str = ANY, *, times: int = 1) -> Fault:
    return Fault(call, machine, times, Effect.OPERATION_STICKS)


def no_power_state(machine: str = ANY, *, times: int | None = None) -> Fault:
    return Fault(ANY, machine, times, Effect.NO_POWER_STATE)
