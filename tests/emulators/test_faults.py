"""What goes wrong on request, as the real SDK reports it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.mgmt.compute import ComputeManagementClient

from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, Cloud, resource_id
from tests.emulators.conftest import SUBSCRIPTION

VM1 = resource_id(SUBSCRIPTION, "rg-odd", MACHINE, "vm1")


def deallocate(client: ComputeManagementClient, name: str = "vm1") -> None:
    client.virtual_machines.begin_deallocate("rg-odd", name, polling=False)


def test_throttling_surfaces_at_once_with_its_header(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.throttled("deallocate", "vm1", times=2, retry_after=7))
    for _ in range(2):
        with pytest.raises(HttpResponseError) as raised:
            deallocate(client)
        assert raised.value.status_code == 429
        assert getattr(raised.value.response, "headers", {})["Retry-After"] == "7"
    deallocate(client)
    assert cloud.power(VM1) == "deallocating"


@pytest.mark.parametrize(
    ("fault", "error", "status", "code"),
    [
        (faults.denied("deallocate"), HttpResponseError, 403, "AuthorizationFailed"),
        (faults.missing("deallocate"), ResourceNotFoundError, 404, "ResourceNotFound"),
        (faults.locked("deallocate"), ResourceExistsError, 409, "ScopeLocked"),
        (faults.broken("deallocate"), HttpResponseError, 503, "ServiceUnavailable"),
    ],
)
def test_an_answer_of_failure_leaves_the_machine_alone(
    cloud: Cloud,
    client: ComputeManagementClient,
    fault: faults.Fault,
    error: type[HttpResponseError],
    status: int,
    code: str,
) -> None:
    cloud.faults.add(fault)
    with pytest.raises(error) as raised:
        deallocate(client)
    assert raised.value.error is not None
    assert (raised.value.status_code, raised.value.error.code) == (status, code)
    assert cloud.power(VM1) == "running"


def test_a_fault_meets_only_its_machine_and_call(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.denied("deallocate", "VM1"))
    deallocate(client, "vm3")
    assert client.virtual_machines.get("rg-odd", "vm1").name == "vm1"
    with pytest.raises(HttpResponseError):
        deallocate(client)
    cloud.faults.clear()
    deallocate(client)


def test_an_operation_that_fails_leaves_the_machine_running(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.operation_fails("deallocate", code="AllocationFailed"))
    poller = client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling_interval=0)
    cloud.advance(timedelta(minutes=2))
    with pytest.raises(HttpResponseError) as raised:
        poller.result()
    assert raised.value.error is not None
    assert (raised.value.error.code, cloud.power(VM1)) == ("AllocationFailed", "running")


def test_an_operation_may_succeed_in_words_only(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.operation_lies("deallocate"))
    poller = client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling_interval=0)
    cloud.advance(timedelta(minutes=2))
    poller.result()
    assert (poller.status(), cloud.power(VM1)) == ("Succeeded", "running")
    cloud.advance(timedelta(hours=1))
    assert cloud.cost(lambda one: one.id == VM1) > 0


def test_the_status_of_an_operation_may_be_denied(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.denied("operation", "vm1"))
    poller = client.virtual_machines.begin_deallocate("rg-odd", "vm1", polling_interval=0)
    with pytest.raises(AzureError):
        poller.result()


def test_a_dropped_connection_is_no_answer(arm: Arm, cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.dropped("deallocate"))
    with pytest.raises(ServiceResponseError):
        deallocate(client)
    assert [one.status for one in arm.asked("/deallocate")] == [0]
    deallocate(client)


def test_a_power_state_may_be_missing_everywhere(cloud: Cloud, client: ComputeManagementClient) -> None:
    cloud.faults.add(faults.no_power_state("vm1"))
    machines = client.virtual_machines
    alone = machines.instance_view("rg-odd", "vm1")
    expanded = machines.get("rg-odd", "vm1", expand="instanceView").instance_view
    listed = {one.name: one.instance_view for one in machines.list_all(status_only="true")}
    for view in (alone, expanded, listed["vm1"]):
        assert view is not None
        assert [status.code for status in view.statuses or []] == ["ProvisioningState/succeeded"]
    assert listed["vm3"] is not None
    assert len(listed["vm3"].statuses or []) == 2
