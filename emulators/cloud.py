"""A small cloud as a model: machines, disks and addresses, a clock that only the caller moves, meters that burn on it.

Nothing here knows HTTP. What a resource has cost is derived from its history of states and never stored, so it does
not matter in how many steps the clock was moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import RLock

from emulators.faults import Effect, FaultPlan
from emulators.resources import ACTIONS as ACTIONS
from emulators.resources import ADDRESS as ADDRESS
from emulators.resources import DISK as DISK
from emulators.resources import INSTANCE as INSTANCE
from emulators.resources import MACHINE as MACHINE
from emulators.resources import MICROSECOND as MICROSECOND
from emulators.resources import MICROSECONDS_AN_HOUR as MICROSECONDS_AN_HOUR
from emulators.resources import NEVER, UNIFORM, Action, Hardware, ManagementLock, ScaleSet
from emulators.resources import SCALE_SET as SCALE_SET
from emulators.resources import Operation as Operation
from emulators.resources import Resource as Resource
from emulators.resources import resource_id as resource_id


class UnknownResource(LookupError):
    """Nothing with that id in the cloud."""


@dataclass(slots=True)
class Cloud:
    """`now` moves only through `advance` and `advance_to`; `lock` makes a move and a served request take turns.

    `denied` are operations that the identity's role has lost, as permissions tell them; a fault makes the calls fail.
    """

    now: datetime
    subscriptions: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    scale_sets: dict[str, ScaleSet] = field(default_factory=dict)
    locks: list[ManagementLock] = field(default_factory=list)
    faults: FaultPlan = field(default_factory=FaultPlan)
    denied: set[str] = field(default_factory=set)
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
        hardware: Hardware | None = None,
    ) -> Resource:
        return self._add(id, MACHINE, tariff, tags, power, location, hardware)

    def add_scale_set(
        self,
        id: str,
        *,
        tariff: Decimal,
        instances: int,
        tags: Mapping[str, str] | None = None,
        mode: str = UNIFORM,
        hardware: Hardware | None = None,
    ) -> ScaleSet:
        """A uniform set's instances are numbered from 0; of a flexible one they are machines named after it."""
        made = ScaleSet(id, "westeurope", dict(tags or {}), mode, hardware or Hardware())
        self.scale_sets[id.lower()] = made
        self.grow(id, range(instances), tariff=tariff)
        return made

    def grow(self, id: str, numbers: Iterable[int], *, tariff: Decimal, tags: Mapping[str, str] | None = None) -> None:
        """Instances of these numbers, as an autoscaler adds them; `tags` are for the machines of a flexible set."""
        made = self.scale_set(id)
        for number in numbers:
            if made.mode == UNIFORM:
                place = f"{id}/virtualMachines/{number}"
                self._add(place, INSTANCE, tariff, made.tags, "running", made.location, made.hardware)
            else:
                beside = id.rpartition("/")[0].replace(SCALE_SET, MACHINE)
                member = replace(made.hardware, scale_set=id)
                self.add_machine(f"{beside}/{made.name}_{number}", tariff=tariff, hardware=member, tags=tags)

    def lock_scope(self, scope: str, level: str = "ReadOnly", name: str = "keep") -> None:
        self.locks.append(ManagementLock(name, scope, level))

    def add_disk(self, id: str, *, tariff: Decimal, tags: Mapping[str, str] | None = None) -> Resource:
        return self._add(id, DISK, tariff, tags, "allocated", "westeurope")

    def add_address(self, id: str, *, tariff: Decimal, tags: Mapping[str, str] | None = None) -> Resource:
        return self._add(id, ADDRESS, tariff, tags, "allocated", "westeurope")

    def machines(self, subscription: str, group: str = "") -> list[Resource]:
        """Machines that exist, by id; names are compared without case, as the service does."""
        scope = f"/subscriptions/{subscription}/" + (f"resourceGroups/{group}/" if group else "")
        found = (one for key, one in sorted(self.resources.items()) if key.startswith(scope.lower()))
        return [one for one in found if one.kind == MACHINE]

    def scale_sets_in(self, subscription: str, group: str = "") -> list[ScaleSet]:
        scope = f"/subscriptions/{subscription}/" + (f"resourceGroups/{group}/" if group else "")
        return [one for key, one in sorted(self.scale_sets.items()) if key.startswith(scope.lower())]

    def scale_set(self, id: str) -> ScaleSet:
        try:
            return self.scale_sets[id.lower()]
        except KeyError:
            raise UnknownResource(id) from None

    def instances(self, id: str) -> list[Resource]:
        """Of a uniform set, by number."""
        prefix = f"{id}/virtualMachines/".lower()
        found = (one for key, one in self.resources.items() if key.startswith(prefix))
        return sorted(found, key=lambda one: int(one.name))

    def locked(self, id: str) -> bool:
        """Whether a lock refuses every call that is no reading."""
        return any(lock.level == "ReadOnly" and lock.covers(id) for lock in self.locks)

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

    def move(self, id: str, to: str) -> None:
        """A person moves the resource to another group: another id, and everything else as it was."""
        found = self.resource(id)
        self.erase(id)
        self.resources[to.lower()] = replace(found, id=to, made_as=found.made_as or found.id)

    def begin(self, id: str, action: str) -> Operation:
        """Start an action of ACTIONS; the machine's states follow at once, unless a fault spoils the operation."""
        return self.begin_all(id, [self.resource(id)], action)

    def begin_all(self, target: str, machines: Sequence[Resource], action: str) -> Operation:
        """One operation over the instances of a set; a fault names the set."""
        plan, name = self.actions[action], target.rpartition("/")[2]
        fault = self.faults.take(action, name, Effect.OPERATION_FAILS, Effect.OPERATION_LIES, Effect.OPERATION_STICKS)
        failure = fault.code if fault and fault.effect is Effect.OPERATION_FAILS else ""
        if fault and fault.effect is Effect.OPERATION_STICKS:
            ends = max(self._stick(machine, plan) for machine in machines)
        elif fault:
            ends = self.now + plan.takes
        else:
            ends = max((self._steer(machine, action, plan) for machine in machines), default=self.now)
        number = f"00000000-0000-4000-8000-{len(self.operations) + 1:012d}"
        operation = Operation(number, target, machines[0].location, action, self.now, ends, failure)
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

    def _stick(self, machine: Resource, plan: Action) -> datetime:
        """On its way and never there."""
        machine.history = [*(entry for entry in machine.history if entry[0] <= self.now), (self.now, plan.during)]
        return NEVER

    def _add(
        self,
        id: str,
        kind: str,
        tariff: Decimal,
        tags: Mapping[str, str] | None,
        state: str,
        location: str,
        hardware: Hardware | None = None,
    ) -> Resource:
        made = Resource(id, location, dict(tags or {}), tariff, [(self.now, state)], hardware or Hardware())
        if made.kind.lower() != kind.lower():
            raise ValueError(f"{id} is no {kind}")
        if tariff < 0:
            raise ValueError("a tariff is not negative")
        subscription = id.split("/")[2].lower()
        self.subscriptions.setdefault(subscription, subscription)
        self.resources[id.lower()] = made
        return made


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
