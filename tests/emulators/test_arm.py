"""The emulated control plane as the real SDK sees it, over TLS with a token of the managed identity."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.error import HTTPError

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError, ServiceRequestError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import VirtualMachineInstanceView

from emulators.arm import Arm
from emulators.cloud import MACHINE, Cloud, resource_id
from tests.emulators.conftest import SUBSCRIPTION

VM1 = resource_id(SUBSCRIPTION, "rg-odd", MACHINE, "vm1")
SCOPE = "https://management.azure.com/.default"


def codes(view: VirtualMachineInstanceView | None) -> list[str | None]:
    assert view is not None
    return [status.code for status in view.statuses or []]


def test_a_subscription_is_listed_over_all_pages(arm: Arm, client: ComputeManagementClient) -> None:
    assert {one.name for one in client.virtual_machines.list_all()} == {f"vm{number}" for number in range(7)}
    pages = arm.asked("/virtualMachines")
    assert [page.query.get("$skiptoken") for page in pages] == [None, "3", "6"]


def test_a_group_lists_only_its_own_machines_with_their_tags(client: ComputeManagementClient) -> None:
    listed = {one.name: one.tags for one in client.virtual_machines.list("RG-ODD")}
    assert listed == {f"vm{number}": {"number": str(number)} for number in (1, 3, 5)}


def test_a_plain_listing_has_no_power_states(client: ComputeManagementClient) -> None:
    assert all(one.instance_view is None for one in client.virtual_machines.list_all())


def test_a_listing_of_states_has_them_on_every_page(client: ComputeManagementClient) -> None:
    listed = list(client.virtual_machines.list_all(status_only="true"))
    assert ["PowerState/running" in codes(one.instance_view) for one in listed] == [True] * 7


def test_get_shows_the_power_state_only_when_asked_to(client: ComputeManagementClient) -> None:
    assert client.virtual_machines.get("rg-odd", "vm1").instance_view is None
    expanded = client.virtual_machines.get("rg-odd", "vm1", expand="instanceView")
    assert codes(expanded.instance_view) == ["ProvisioningState/succeeded", "PowerState/running"]


@pytest.mark.parametrize(
    ("action", "during", "after"),
    [
        ("begin_deallocate", "deallocating", "deallocated"),
        ("begin_start", "starting", "running"),
        ("begin_power_off", "stopping", "stopped"),
    ],
)
def test_an_action_is_accepted_then_done_when_the_clock_has_moved(
    cloud: Cloud, client: ComputeManagementClient, action: str, during: str, after: str
) -> None:
    cloud.resource(VM1).history[0] = (cloud.now, "stopped" if action == "begin_start" else "running")
    poller = getattr(client.virtual_machines, action)("rg-odd", "vm1", polling_interval=0)
    assert codes(client.virtual_machines.instance_view("rg-odd", "vm1"))[1] == f"PowerState/{during}"
    cloud.advance(timedelta(minutes=2))
    poller.result()
    assert poller.status() == "Succeeded"
    assert codes(client.virtual_machines.instance_view("rg-odd", "vm1"))[1] == f"PowerState/{after}"


def test_what_does_not_exist_is_not_found(client: ComputeManagementClient) -> None:
    for group, name in (("rg-odd", "nobody"), ("nowhere", "vm1")):
        with pytest.raises(ResourceNotFoundError):
            client.virtual_machines.get(group, name)


def test_another_subscription_is_not_found(arm: Arm) -> None:
    stranger = "22222222-2222-2222-2222-222222222222"
    with sdk(arm, subscription=stranger) as client, pytest.raises(ResourceNotFoundError) as raised:
        list(client.virtual_machines.list_all())
    assert raised.value.error is not None
    assert raised.value.error.code == "SubscriptionNotFound"


@contextmanager
def sdk(
    arm: Arm, *, subscription: str = SUBSCRIPTION, scope: str = SCOPE, trust: bool = True
) -> Iterator[ComputeManagementClient]:
    with (
        ManagedIdentityCredential() as credential,
        ComputeManagementClient(
            credential,
            subscription,
            base_url=arm.url,
            connection_verify=str(arm.ca_file) if trust else True,
            credential_scopes=[scope],
            retry_total=0,
        ) as client,
    ):
        yield client


def test_a_token_for_another_audience_is_not_taken(arm: Arm) -> None:
    scope = "https://storage.azure.com/.default"
    with sdk(arm, scope=scope) as client, pytest.raises(ClientAuthenticationError) as raised:
        list(client.virtual_machines.list_all())
    assert raised.value.status_code == 401


def test_the_identity_endpoint_believes_only_its_own_header(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "guessed")
    with sdk(arm) as client, pytest.raises(ClientAuthenticationError):
        list(client.virtual_machines.list_all())
    assert arm.requests == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK drops the socket of a failed handshake
def test_without_the_certificate_there_is_no_trust(arm: Arm) -> None:
    with sdk(arm, trust=False) as client, pytest.raises(ServiceRequestError):
        list(client.virtual_machines.list_all())
    assert arm.requests == []


@pytest.mark.parametrize("header", [None, "Bearer guessed", "Basic guessed", "Bearer "])
def test_no_token_or_a_wrong_one_is_unauthorised(arm: Arm, header: str | None) -> None:
    url = f"{arm.url}{VM1}?api-version=2026-04-01"
    assert ask(arm, url, headers={"Authorization": header} if header else {})[0] == 401


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (VM1, "GET", 400),
        (f"{VM1}?api-version=1", "DELETE", 405),
        (f"{VM1}/deallocate?api-version=1", "GET", 405),
        (f"{VM1}/erase?api-version=1", "POST", 404),
        ("/nonsense?api-version=1", "GET", 404),
        (
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines?api-version=1&$skiptoken=x",
            "GET",
            400,
        ),
    ],
)
def test_requests_outside_the_api_are_refused(arm: Arm, path: str, method: str, status: int) -> None:
    with ManagedIdentityCredential() as credential:
        token = credential.get_token(SCOPE).token
    headers = {"Authorization": f"Bearer {token}"}
    assert ask(arm, arm.url + path, method=method, headers=headers)[0] == status
    assert arm.requests[-1].status == status


def ask(
    arm: Arm, url: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    context = ssl.create_default_context(cafile=str(arm.ca_file))
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as refusal:
        with refusal:
            return refusal.code, {}


def test_another_process_can_move_the_clock(arm: Arm, cloud: Cloud) -> None:
    before = cloud.now
    status, answer = ask(arm, f"{arm.url}/_clock", method="POST", body=b'{"hours": 1, "minutes": 30}')
    assert (status, cloud.now - before) == (200, timedelta(hours=1, minutes=30))
    assert answer == {"now": cloud.now.isoformat()} == ask(arm, f"{arm.url}/_clock")[1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"years": 1}', b'{"hours": "1"}', b'{"hours": -1}', b'{"days": 1e99}']
)
def test_a_clock_step_that_makes_no_sense_is_refused(arm: Arm, cloud: Cloud, body: bytes) -> None:
    before = cloud.now
    assert ask(arm, f"{arm.url}/_clock", method="POST", body=body)[0] == 400
    assert cloud.now == before


def test_two_control_planes_stand_side_by_side(arm: Arm) -> None:
    with Arm(Cloud(arm.cloud.now)) as other:
        assert other.url != arm.url
        assert ask(other, f"{other.url}/_clock")[0] == 200


def test_the_certificate_goes_with_the_server(cloud: Cloud) -> None:
    with Arm(cloud) as arm:
        folder = arm.ca_file.parent
        assert folder.exists()
    assert not folder.exists()
