"""The reference scenario: a dollar a month for tagged resources, watched hourly, and two machines that must stay on.

Every figure is a parameter and every total is computed from running hours; nothing here knows the expected bill.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from emulators.budget import BudgetWatch, MonthlyBudget
from emulators.cloud import (
    ADDRESS,
    DISK,
    MACHINE,
    MICROSECOND,
    MICROSECONDS_AN_HOUR,
    Cloud,
    Resource,
    resource_id,
    total,
)

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Setup:
    """Tariffs are per hour in the budget's currency; `latency` is how late spend becomes visible to the budget."""

    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    hours: int = 64
    subscription: str = "11111111-1111-1111-1111-111111111111"
    group: str = "rg-lab"
    budget_name: str = "dev-monthly"
    amount: Decimal = Decimal("1.00")
    threshold: Decimal = Decimal("0.8")
    tag_key: str = "ledger-stop"
    latency: timedelta = timedelta()
    machine: Decimal = Decimal("0.01875")
    disk: Decimal = Decimal("0.00125")
    address: Decimal = Decimal("0.0003125")
    untagged: Decimal = Decimal("0.0104")
    production: Decimal = Decimal("0.096")

    def id(self, kind: str, name: str) -> str:
        return resource_id(self.subscription, self.group, kind, name)

    def budget(self) -> MonthlyBudget:
        tag = (self.tag_key, self.budget_name)
        scope = f"/subscriptions/{self.subscription}"
        return MonthlyBudget(self.budget_name, scope, self.amount, (self.threshold,), tag, latency=self.latency)


LAB, DISK_OF_LAB, ADDRESS_OF_LAB, UNTAGGED, PRODUCTION = "vm-lab", "vm-lab-disk", "vm-lab-ip", "vm-notebook", "vm-shop"


@dataclass(frozen=True, slots=True)
class Hour:
    """The clock at a full hour: true spend of the tagged resources, and what the budget could see of it."""

    number: int
    spent: Decimal
    reported: Decimal
    alerts: int


@dataclass(frozen=True, slots=True)
class Line:
    """One resource of the final bill."""

    name: str
    kind: str
    tagged: bool
    hours: Decimal
    tariff: Decimal
    cost: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`fired` is the hour of the first alert; None when spend never reached the threshold in time."""

    setup: Setup
    fired: int | None
    hours: tuple[Hour, ...]
    lines: tuple[Line, ...]

    @property
    def tagged_cost(self) -> Decimal:
        return total(line.cost for line in self.lines if line.tagged)

    @property
    def others_cost(self) -> Decimal:
        return total(line.cost for line in self.lines if not line.tagged)

    def line(self, name: str) -> Line:
        return next(line for line in self.lines if line.name == name)


@dataclass(slots=True)
class World:
    """A cloud of the setup's resources and the watch over its budget."""

    setup: Setup
    cloud: Cloud
    watch: BudgetWatch


def build(setup: Setup) -> World:
    cloud = Cloud(setup.start)
    lab = {"environment": "development", setup.tag_key: setup.budget_name}
    cloud.add_machine(setup.id(MACHINE, LAB), tariff=setup.machine, tags=lab)
    cloud.add_disk(setup.id(DISK, DISK_OF_LAB), tariff=setup.disk, tags=lab)
    cloud.add_address(setup.id(ADDRESS, ADDRESS_OF_LAB), tariff=setup.address, tags=lab)
    cloud.add_machine(setup.id(MACHINE, UNTAGGED), tariff=setup.untagged, tags={"environment": "development"})
    cloud.add_machine(setup.id(MACHINE, PRODUCTION), tariff=setup.production, tags={"environment": "production"})
    return World(setup, cloud, BudgetWatch(setup.budget()))


def play(
    world: World, on_alert: Callable[[bytes], object], on_hour: Callable[[Hour], object] = lambda _: None
) -> Outcome:
    """Hour by hour to the end; `on_alert` gets each webhook body and may move the clock while it acts."""
    hours = [_play_hour(world, number, on_alert, on_hour) for number in range(1, world.setup.hours + 1)]
    fired = next((hour.number for hour in hours if hour.alerts), None)
    return Outcome(world.setup, fired, tuple(hours), _bill(world))


def _play_hour(
    world: World, number: int, on_alert: Callable[[bytes], object], on_hour: Callable[[Hour], object]
) -> Hour:
    cloud, watch = world.cloud, world.watch
    cloud.advance_to(world.setup.start + number * HOUR)
    spent, reported = cloud.cost(watch.budget.covers), watch.reported(cloud)
    alerts = watch.evaluate(cloud)
    hour = Hour(number, spent, reported, len(alerts))
    on_hour(hour)
    for body in alerts:
        on_alert(body)
    return hour


def _bill(world: World) -> tuple[Line, ...]:
    return tuple(_line(world, resource) for resource in world.cloud.resources.values())


def _line(world: World, resource: Resource) -> Line:
    cloud = world.cloud
    billed = Decimal(resource.billed(cloud.born, cloud.now) // MICROSECOND) / MICROSECONDS_AN_HOUR
    tagged, cost = world.watch.budget.covers(resource), resource.cost(cloud.born, cloud.now)
    kind, state = resource.kind.rpartition("/")[2], resource.state(cloud.now)
    return Line(resource.name, kind, tagged, billed, resource.tariff, cost, state)
