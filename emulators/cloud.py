"""A small cloud as a model: machines, disks and addresses, a clock that only the caller moves, meters that burn on it.

Nothing here knows HTTP. What a resource has cost is derived from its history of states and never stored, so it does
not matter in how many steps the clock was moved.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock

from emulators.faults import Effect, FaultPlan

MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_AN_HOUR = Decimal(3_600_000_000)
# A machine that is only powered off keeps its hardware and its price; billing ends when deallocation begins.
BILLED = frozenset({"starting", "running", "stopping", "stopped", "allocated"})
MACHINE, DISK, ADDRESS = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/disks",
    "Microsoft.Network/publicIPAddresses",
)


@dataclass(frozen=True, slots=True)
class Action:
    """The power state during and after, and how long the way takes."""

    during: str
    after: str
    takes: timedelta


ACTIONS: Mapping[str, Action] = {
    "deallocate": Action("deallocating", "deallocated", timedelta(minutes=2)),
    "start": Action("starting", "running", timedelta(minutes=1)),
    "powerOff": Action("stopping", "stopped", timedelta(seconds=30)),
}


@dataclass(slots=True)
class Resource:
    """Anything with a price per hour; `history` holds (since, state) in order and may reach into the future."""

    id: str
    location: str
    tags: dict[str, str]
    tariff: Decimal
    history: list[tuple[datetime, str]]

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def kind(self) -> str:
        return "/".join(self.id.split("/")[-3:-1])

    @property
    def group(self) -> str:
        return self.id.split("/")[4]

    def state(self, at: datetime) -> str:
        """The state at that instant; 'absent' before it was made."""
        index = bisect.bisect_right([since for since, _ in self.history], at)
        return self.history[index - 1][1] if index else "absent"

    def billed(self, since: datetime, until: datetime) -> timedelta:
        """Time in a state that costs, between two instants."""
        ends = [start for start, _ in self.history[1:]] + [until]
        spans = (
            min(end, until) - max(start, since)
            for (start, state), end in zip(self.history, ends, strict=True)
            if state in BILLED
        )
        return sum((max(span, timedelta()) for span in spans), timedelta())

    def cost(self, since: datetime, until: datetime) -> Decimal:
        """Billed hours times tariff; one division at the end, so that whole hours come out exact."""
        return self.billed(since, until) // MICROSECOND * self.tariff / MICROSECONDS_AN_HOUR


@dataclass(frozen=True, slots=True)
class Operation:
    """A long-running operation; it is over when the clock says so."""

    id: str
    target: str
    location: str
    action: str
    started: datetime
    ends: datetime
    failure: str = ""

    def status(self, now: datetime) -> str:
        if now < self.ends:
            return "InProgress"
        return "Failed" if self.failure else "Succeeded"


class UnknownResource(LookupError):
    """Nothing with that id in the cloud."""


@dataclass(slots=True)
class Cloud:
    """`now` moves only through `advance` and `advance_to`; `lock` makes a move and a served request take turns."""

    now: datetime
    subscriptions: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    faults: FaultPlan = field(default_factory=FaultPlan)
    actions: Mapping[str, Action] = field(default_factory=lambda: dict(ACTIONS))
    born: datetime = field(init=False)
    lock: RLock = field(default_factory=RLock, repr=False)

    def __post_init__(self) -> None:
        self.now = self.born = self.now.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        if by < timedelta():
            raise ValueError("this clock only goes forward")
        with self.lock:
            self.now += by
            return self.now

    def advance_to(self, instant: datetime) -> datetime:
        """Forward to that instant; a clock that is already past it stays."""
        with self.lock:
            self.now = max(self.now, instant.astimezone(UTC))
            return self.now

    def add_subscription(self, id: str, name: str) -> None:
        self.subscriptions[id.lower()] = name

    def add_machine(
        self,
        id: str,
        *,
        tariff: Decimal,
        tags: Mapping[str, str] | None = None,
        power: str = "running",
        location: str = "westeurope",
    ) -> Resource:
        return self._add(id, MACHINE, tariff, tags, power, location)

    def add_disk(self, id: str, *, tariff: Decimal, tags: Mapping[str, str] | None = None) -> Resource:
        return self._add(id, DISK, tariff, tags, "allocated", "westeurope")

    def add_address(self, id: str, *, tariff: Decimal, tags: Mapping[str, str] | None = None) -> Resource:
        return self._add(id, ADDRESS, tariff, tags, "allocated", "westeurope")

    def machines(self, subscription: str, group: str = "") -> list[Resource]:
        """Machines that exist, by id; names are compared without case, as the service does."""
        scope = f"/subscriptions/{subscription}/" + (f"resourceGroups/{group}/" if group else "")
        found = (one for key, one in sorted(self.resources.items()) if key.startswith(scope.lower()))
        return [one for one in found if one.kind == MACHINE]

    def groups(self, subscription: str) -> set[str]:
        prefix = f"/subscriptions/{subscription}/".lower()
        return {one.group.lower() for key, one in self.resources.items() if key.startswith(prefix)}

    def resource(self, id: str) -> Resource:
        try:
            return self.resources[id.lower()]
        except KeyError:
            raise UnknownResource(id) from None

    def power(self, id: str) -> str:
        return self.resource(id).state(self.now)

    def erase(self, id: str) -> None:
        """A person removes the resource; its past cost goes with it, as this model keeps no bills."""
        del self.resources[self.resource(id).id.lower()]

    def begin(self, id: str, action: str) -> Operation:
        """Start an action of ACTIONS; the machine's states follow at once, unless a fault spoils the operation."""
        machine, plan = self.resource(id), self.actions[action]
        fault = self.faults.take(action, machine.name, Effect.OPERATION_FAILS, Effect.OPERATION_LIES)
        failure = fault.code if fault and fault.effect is Effect.OPERATION_FAILS else ""
        ends = self.now + plan.takes if fault else self._steer(machine, action, plan)
        number = f"00000000-0000-4000-8000-{len(self.operations) + 1:012d}"
        operation = Operation(number, machine.id, machine.location, action, self.now, ends, failure)
        self.operations[number] = operation
        return operation

    def cost(
        self,
        which: Callable[[Resource], bool] = lambda _: True,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Decimal:
        """What the chosen resources have cost, from the beginning until now unless said otherwise."""
        chosen = (one for one in self.resources.values() if which(one))
        return total(one.cost(since or self.born, min(until or self.now, self.now)) for one in chosen)

    def _steer(self, machine: Resource, action: str, plan: Action) -> datetime:
        """Write the way to the new state into the history; the moment the machine arrives."""
        power = machine.state(self.now)
        if power == plan.during:
            return machine.history[-1][0]
        if power == plan.after or (action == "powerOff" and power == "deallocated"):
            return self.now
        past = [entry for entry in machine.history if entry[0] <= self.now]
        arrival = self.now + plan.takes
        machine.history = [*past, (self.now, plan.during), (arrival, plan.after)]
        return arrival

    def _add(
        self, id: str, kind: str, tariff: Decimal, tags: Mapping[str, str] | None, state: str, location: str
    ) -> Resource:
        made = Resource(id, location, dict(tags or {}), tariff, [(self.now, state)])
        if made.kind.lower() != kind.lower():
            raise ValueError(f"{id} is no {kind}")
        if tariff < 0:
            raise ValueError("a tariff is not negative")
        subscription = id.split("/")[2].lower()
        self.subscriptions.setdefault(subscription, subscription)
        self.resources[id.lower()] = made
        return made


def resource_id(subscription: str, group: str, kind: str, name: str) -> str:
    """The ARM id; `kind` is MACHINE, DISK or ADDRESS."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
