"""What stands in the emulated cloud: resources with their states over time, scale sets, locks, operations under way."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_AN_HOUR = Decimal(3_600_000_000)
# A machine that is only powered off keeps its hardware and its price; billing ends when deallocation begins.
BILLED = frozenset({"starting", "running", "stopping", "stopped", "allocated"})
MACHINE, DISK, ADDRESS = (
    "Microsoft.Compute/virtualMachines",
    "Microsoft.Compute/disks",
    "Microsoft.Network/publicIPAddresses",
)
SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCE = f"{SCALE_SET}/virtualMachines"
UNIFORM, FLEXIBLE = "Uniform", "Flexible"
NEVER = datetime.max.replace(tzinfo=UTC)


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


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine is made of; `eviction` makes it a spot machine, `scale_set` is the id of the set it is in."""

    size: str = "Standard_B1s"
    system: str = "Linux"
    ephemeral: bool = False
    eviction: str = ""
    scale_set: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class ScaleSet:
    """Uniform: its instances are nobody else's. Flexible: its machines are ordinary ones that name it."""

    id: str
    location: str
    tags: Mapping[str, str]
    mode: str
    hardware: Hardware

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ManagementLock:
    """`level` is CanNotDelete or ReadOnly; it holds for its scope and everything below."""

    name: str
    scope: str
    level: str

    def covers(self, id: str) -> bool:
        return f"{id.lower()}/".startswith(f"{self.scope.lower()}/")


@dataclass(slots=True)
class Resource:
    """Anything with a price per hour; `history` holds (since, state) in order and may reach into the future."""

    id: str
    location: str
    tags: dict[str, str]
    tariff: Decimal
    history: list[tuple[datetime, str]]
    hardware: Hardware = Hardware()
    made_as: str = ""  # the id it was made under, once it is moved

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """The namespace and the types, without the names between them."""
        namespace, *rest = self.id.split("/")[6:]
        return "/".join((namespace, *rest[::2]))

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


def resource_id(subscription: str, group: str, kind: str, name: str) -> str:
    """The ARM id; `kind` is MACHINE, DISK, ADDRESS or SCALE_SET."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"
