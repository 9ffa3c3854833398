"""Scale sets, locks and machines that cannot be deallocated, as the real SDK sees them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachineScaleSetVMInstanceIDs

from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from emulators.resources import FLEXIBLE, Hardware
from tests.emulators.conftest import SUBSCRIPTION

SET = resource_id(SUBSCRIPTION, "rg-odd", SCALE_SET, "web")
VM1 = resource_id(SUBSCRIPTION, "rg-odd", MACHINE, "vm1")


def powers(client: ComputeManagementClient) -> list[str]:
    listed = client.virtual_machine_scale_set_vms.list("rg-odd", "web", expand="instanceView")
    views = [one.instance_view for one in listed]
    return [str((view.statuses or [])[1].code).partition("/")[2] for view in views if view]


def test_a_uniform_set_is_listed_with_its_instances_over_all_pages(
    cloud: Cloud, client: ComputeManagementClient, arm: Arm
) -> None:
    cloud.add_scale_set(SET, tariff=Decimal(1), instances=7, tags={"a": "b"}, hardware=Hardware(eviction="Delete"))
    (found,) = client.virtual_machine_scale_sets.list_all()
    assert (found.name, found.tags, found.sku.capacity if found.sku else 0) == ("web", {"a": "b"}, 7)
    assert powers(client) == ["running"] * 7
    assert len(arm.asked("/virtualMachineScaleSets/web/virtualMachines")) == 3
    assert "web" not in {one.name for one in client.virtual_machines.list_all()}


def test_named_instances_are_deallocated_and_burn_no_more(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.add_scale_set(SET, tariff=Decimal(60), instances=3)
    cloud.advance(timedelta(hours=1))
    ids = VirtualMachineScaleSetVMInstanceIDs(instance_ids=["0", "2"])
    poller = client.virtual_machine_scale_sets.begin_deallocate("rg-odd", "web", ids, polling_interval=0)
    assert powers(client) == ["deallocating", "running", "deallocating"]
    cloud.advance(timedelta(minutes=2))
    poller.result()
    assert powers(client) == ["deallocated", "running", "deallocated"]
    assert cloud.cost(lambda one: one.id.startswith(SET)) == 3 * 60 + 2


def test_a_flexible_set_is_made_of_ordinary_machines(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.add_scale_set(SET, tariff=Decimal(1), instances=2, mode=FLEXIBLE)
    members = [one for one in client.virtual_machines.list("rg-odd") if one.virtual_machine_scale_set]
    assert [one.name for one in members] == ["web_0", "web_1"]
    assert {one.virtual_machine_scale_set.id for one in members if one.virtual_machine_scale_set} == {SET}
    assert powers(client) == []


def test_a_lock_that_lets_nobody_write_refuses_the_call_and_is_listed(
    cloud: Cloud, client: ComputeManagementClient
) -> None:
    cloud.lock_scope(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-odd", "ReadOnly", "audit")
    with pytest.raises(ResourceExistsError) as raised:
        client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling=False)
    assert raised.value.error is not None
    assert raised.value.error.code == "ScopeLocked"
    address = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/locks?api-version=2016-09-01"
    (lock,) = client.send_request(HttpRequest("GET", address)).json()["value"]
    assert (lock["name"], lock["properties"]["level"]) == ("audit", "ReadOnly")


def test_a_lock_against_deletion_lets_a_machine_be_deallocated(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.lock_scope(VM1, "CanNotDelete")
    client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling=False)
    assert cloud.power(VM1) == "deallocating"


def test_an_ephemeral_disk_cannot_be_deallocated(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.add_machine(f"{VM1}0", tariff=Decimal(1), hardware=Hardware(ephemeral=True))
    with pytest.raises(HttpResponseError):
        client.virtual_machines.begin_deallocate("rg-odd", "vm10", polling=False)
    assert cloud.power(f"{VM1}0") == "running"


def test_an_operation_may_never_end(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.operation_sticks("deallocate"))
    poller = client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling_interval=0)
    cloud.advance(timedelta(days=30))
    assert (poller.status(), cloud.power(VM1)) == ("InProgress", "deallocating")


def test_what_is_not_there_is_not_found(client: ComputeManagementClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.virtual_machine_scale_sets.get("rg-odd", "web")
    with pytest.raises(ResourceNotFoundError):
        list(client.virtual_machine_scale_set_vms.list("rg-odd", "web"))
