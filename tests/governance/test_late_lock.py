"""A lock that is set while a plan waits is seen before the call; a fresh plan has just read them all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.identity import credential
from emulators.arm import Arm
from emulators.cloud import Cloud, resource_id
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Fleets
from governance.model import State
from governance.order import FRESH_LOCKS
from governance.record import Record
from ledger.faults import Missing, Transient
from tests.governance.control import Control
from tests.governance.scene import NOW, SUBSCRIPTION, TAGS, machine

SUB = SUBSCRIPTION.rpartition("/")[2]
SET = resource_id(SUB, "rg-dev", "Microsoft.Compute/virtualMachineScaleSets", "set")
LATE = NOW + FRESH_LOCKS + timedelta(seconds=1)


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUB, "dev")
    with Arm(cloud) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def planned(record: Record, arm: Arm) -> Control:
    control = Control(record)
    clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
    control.fleet = Fleets([AzureVirtualMachines(clients), AzureScaleSets(clients)])  # type: ignore[assignment]  # real
    return control


@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly"])
@pytest.mark.parametrize("kind", ["machine", "set"])
@pytest.mark.parametrize("scope", ["own", "group", "subscription"])
def test_invariant_3_a_lock_set_while_the_plan_waited_beats_it(
    record: Record, arm: Arm, level: str, kind: str, scope: str
) -> None:
    id = machine("a").id if kind == "machine" else SET
    if kind == "machine":
        arm.cloud.add_machine(id, tariff=Decimal("0.01"), tags=TAGS)
    else:
        arm.cloud.add_scale_set(id, tariff=Decimal("0.01"), tags=TAGS, instances=1)
    control = planned(record, arm)
    order = control.first()
    held = {"own": id, "group": id.partition("/providers/")[0], "subscription": SUBSCRIPTION}[scope]
    arm.cloud.lock_scope(held, level)
    assert control.order(order, LATE) == []
    assert control.state(order) is State.REFUSED
    assert f"lock keep ({level})" in control.events(order)[-1].body["reason"]
    assert arm.asked("/deallocate") == []


def test_a_fresh_plan_costs_no_further_reading(record: Record, arm: Arm) -> None:
    arm.cloud.add_machine(machine("a").id, tariff=Decimal("0.01"), tags=TAGS)
    control = planned(record, arm)
    order = control.first()
    before = len(arm.asked("/locks"))
    assert len(control.order(order, NOW + FRESH_LOCKS)) == 1
    assert len(arm.asked("/locks")) == before


@pytest.mark.parametrize("fault", [Transient("503"), Missing("404 NotFound")])
def test_locks_that_cannot_be_read_for_now_put_the_order_off(control: Control, fault: Exception) -> None:
    order = control.first()
    control.fleet.faults["lock"].append(fault)
    (again,) = control.order(order, LATE)
    assert control.kinds(order) == ["planned", "deferred"]
    (look,) = control.order(again, LATE + again.delay)
    assert look.queue == "verify-order"
