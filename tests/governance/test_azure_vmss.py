"""What is particular to scale sets, and which machines of Azure cannot be stopped and why: through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity import credential
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from emulators.resources import FLEXIBLE, Hardware
from governance.actions.azure_clients import AzureClients, same_host
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Fleets
from governance.instances import on, power_of_all
from governance.model import Alert
from governance.policy import decide
from ledger.faults import Conflict, Missing, Rejected, Transient
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, TAGS
from tests.governance.test_policy import ALERT

SUB = SUBSCRIPTION.rpartition("/")[2]
SET, VM = resource_id(SUB, "rg-dev", SCALE_SET, "web"), resource_id(SUB, "rg-dev", MACHINE, "vm")
PRICE = Decimal("0.1")


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUB, "dev")
    return cloud


@pytest.fixture
def arm(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(cloud, page_size=2) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def fleets(arm: Arm) -> Fleets:
    clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
    return Fleets([AzureVirtualMachines(clients), AzureScaleSets(clients)])


def instance(number: int) -> str:
    return f"{SET}/virtualMachines/{number}"


def test_a_uniform_set_is_one_machine_with_its_instances_as_parts(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=5, tags=TAGS, hardware=Hardware(size="Standard_D2s_v5"))
    (found,) = fleets.machines(SUBSCRIPTION)
    assert (found.id, found.kind, found.size, found.system, found.units) == (
        SET,
        "azure_vmss",
        "Standard_D2s_v5",
        "Linux",
        5,
    )
    assert dict(found.parts) == {str(number): "running" for number in range(5)}


def test_only_instances_that_are_on_are_named_in_the_call(cloud: Cloud, fleets: Fleets, arm: Arm) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=4, tags=TAGS)
    cloud.begin(instance(0), "deallocate")
    cloud.begin(instance(2), "powerOff")
    cloud.advance(timedelta(minutes=5))
    before = fleets.machine(SET)
    assert dict(before.parts) == {"0": "deallocated", "1": "running", "2": "stopped", "3": "running"}
    assert (before.power, before.units) == ("running", 3)
    fleets.begin_stop(SET, on(before))
    assert [cloud.power(instance(number)) for number in range(4)] == ["deallocated", *["deallocating"] * 3]
    assert len(arm.asked("/deallocate")) == 1


def test_a_set_is_off_only_when_every_instance_is(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=3, tags=TAGS)
    fleets.begin_stop(SET, on(fleets.machine(SET)))
    cloud.begin(instance(1), "start")
    cloud.advance(timedelta(minutes=5))
    assert fleets.machine(SET).power == "running"
    cloud.faults.add(faults.no_power_state("web_1"))
    assert fleets.machine(SET).power == "unknown"


def test_an_instance_added_since_the_stop_is_seen(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=2, tags=TAGS)
    fleets.begin_stop(SET, on(fleets.machine(SET)))
    cloud.advance(timedelta(minutes=5))
    cloud.add_scale_set(SET, tariff=PRICE, instances=2, tags=TAGS)  # an autoscaler put two new ones in their place
    assert fleets.machine(SET).power == "running"


def test_a_set_without_instances_is_off_and_a_stop_that_names_none_is_refused(
    cloud: Cloud, fleets: Fleets, arm: Arm
) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    cloud.add_scale_set(SET, tariff=PRICE, instances=0, tags=TAGS)
    assert fleets.machine(SET).power == "deallocated"
    with pytest.raises(Rejected, match="empty-selector"):
        fleets.begin_stop(SET, on(fleets.machine(SET)))
    assert not arm.asked("/deallocate")


def test_invariant_17_undo_starts_the_named_instances_and_none_unnamed(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=3, tags=TAGS)
    fleets.begin_stop(SET, on(fleets.machine(SET)))
    cloud.advance(timedelta(minutes=5))
    with pytest.raises(Rejected, match="empty-selector"):
        fleets.begin_start(SET)
    fleets.begin_start(SET, ["0", "2"])
    cloud.advance(timedelta(minutes=5))
    assert [cloud.power(instance(number)) for number in range(3)] == ["running", "deallocated", "running"]


def test_members_of_a_flexible_set_are_machines_that_are_listed_once(cloud: Cloud, fleets: Fleets) -> None:
    """The tags of the machine decide, not those of the set."""
    cloud.add_scale_set(SET, tariff=PRICE, instances=3, tags=TAGS, mode=FLEXIBLE)
    found = fleets.machines(SUBSCRIPTION)
    assert sorted((one.name, one.kind) for one in found) == [(f"web_{number}", "azure_vm") for number in range(3)]
    assert [dict(one.tags) for one in found] == [{}] * 3


def test_a_set_erased_while_listing_is_left_out_and_hides_no_other(cloud: Cloud, fleets: Fleets) -> None:
    for name in ("a", "b", "c"):
        cloud.add_scale_set(resource_id(SUB, "rg-dev", SCALE_SET, name), tariff=PRICE, instances=1)
    cloud.faults.add(faults.missing("listInstances", "b"))
    assert [one.name for one in fleets.machines(SUBSCRIPTION)] == ["a", "c"]


@pytest.mark.parametrize("verb", ["deallocate", "start"])
def test_an_instance_that_ended_since_the_look_is_a_reason_to_look_again(
    cloud: Cloud, fleets: Fleets, verb: str
) -> None:
    """Azure refuses the whole call then, with a code that says no more than that something is wrong with it."""
    cloud.add_scale_set(SET, tariff=PRICE, instances=2)
    call = fleets.begin_stop if verb == "deallocate" else fleets.begin_start
    with pytest.raises(Conflict, match="an instance is not there any more"):
        call(SET, ["0", "7"])
    assert [cloud.power(instance(number)) for number in range(2)] == ["running"] * 2


FAULTS = {
    "throttled": (faults.throttled("listInstances", "web", retry_after=9), Transient),
    "denied": (faults.denied("listInstances", "web"), Rejected),
    "missing": (faults.missing("listInstances", "web"), Missing),
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=FAULTS)
def test_instances_that_cannot_be_listed_are_a_set_that_cannot_be_looked_at(
    cloud: Cloud, fleets: Fleets, fault: faults.Fault, expected: type[Exception]
) -> None:
    cloud.add_scale_set(SET, tariff=PRICE, instances=1)
    cloud.faults.add(fault)
    with pytest.raises(expected):
        fleets.machine(SET)


@given(
    st.dictionaries(st.text("0123456789", min_size=1), st.sampled_from(["running", "deallocated", "odd", "unknown"]))
)
def test_no_mixture_reads_off_unless_all_are(powers: dict[str, str]) -> None:
    assert (power_of_all(powers) == "deallocated") == (set(powers.values()) <= {"deallocated"})


HARD = {
    "ephemeral disk": (Hardware(ephemeral=True), "ephemeral"),
    "spot, delete": (Hardware(eviction="Delete"), "eviction policy Delete"),
    "spot, deallocate": (Hardware(eviction="Deallocate"), ""),
    "ordinary": (Hardware(), ""),
}


@pytest.mark.parametrize(("hardware", "reason"), HARD.values(), ids=HARD)
def test_invariant_15_what_cannot_be_deallocated_is_named_in_every_reading(
    cloud: Cloud, fleets: Fleets, hardware: Hardware, reason: str
) -> None:
    cloud.add_machine(VM, tariff=PRICE, hardware=hardware)
    cloud.add_scale_set(SET, tariff=PRICE, instances=1, hardware=hardware)
    for found in (*fleets.machines(SUBSCRIPTION), fleets.machine(VM), fleets.machine(SET)):
        assert reason in found.unstoppable
        assert bool(found.unstoppable) == bool(reason)
        assert found.purchase == ("spot" if hardware.eviction else "on-demand")


@pytest.mark.parametrize(
    ("group", "more", "reason"),
    [
        ("MC_rg-dev_dev_westeurope", {}, "a node pool of AKS"),
        ("nodes", {"aks-managed-poolName": "nodepool1"}, "a node pool of AKS"),
        ("rg-mc_dev", {"aks-owner": "kim"}, ""),
    ],
    ids=["group", "tag", "neither"],
)
def test_invariant_15_a_node_pool_of_aks_is_left_to_its_cluster(
    cloud: Cloud, fleets: Fleets, group: str, more: dict[str, str], reason: str
) -> None:
    """Its tags are those of the pool, so it opts in like any other; AKS may erase a node that is deallocated."""
    tags = {**TAGS, **more}
    pool, node = resource_id(SUB, group, SCALE_SET, "aks-pool"), resource_id(SUB, group, MACHINE, "aks-node")
    cloud.add_scale_set(pool, tariff=PRICE, instances=2, tags=tags)
    cloud.add_machine(node, tariff=PRICE, tags=tags)
    for found in (*fleets.machines(SUBSCRIPTION), fleets.machine(pool), fleets.machine(node)):
        assert bool(found.unstoppable) == bool(reason) and found.unstoppable.startswith(reason)
    assert isinstance(ALERT, Alert)
    planned = decide(ALERT, DOLLAR, fleets.machines(SUBSCRIPTION), live=True, now=NOW)
    assert [one.reason for one in planned.spared] == ([found.unstoppable] * 2 if reason else [])


@pytest.mark.parametrize("level", ["ReadOnly", "CanNotDelete"])
@pytest.mark.parametrize("scope", [SUBSCRIPTION, f"{SUBSCRIPTION}/resourceGroups/RG-DEV", VM])
@pytest.mark.parametrize("listed", [SUBSCRIPTION, f"{SUBSCRIPTION}/resourcegroups/rg-dev"])
def test_invariant_3_15_a_lock_is_named_wherever_it_is_inherited_from(
    cloud: Cloud, fleets: Fleets, level: str, scope: str, listed: str
) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    cloud.add_machine(f"{VM}2", tariff=PRICE)
    cloud.lock_scope(scope, level)
    found = {one.id: one.unstoppable for one in fleets.machines(listed)}
    assert found[VM] == f"lock keep ({level}) holds on {scope.lower()}"
    assert bool(found[f"{VM}2"]) == (scope != VM)


@pytest.mark.parametrize(
    ("link", "stays"),
    [
        ("https://management.azure.com/subscriptions/x?page=2", True),
        ("https://MANAGEMENT.azure.com/subscriptions/x", True),
        ("/subscriptions/x?page=2", True),
        ("https://management.azure.com.evil.example/x", False),
        ("https://management.azure.com@evil.example/x", False),
        ("https://management.azure.com:8443/x", False),
        ("http://management.azure.com/x", False),
        ("//evil.example/x", False),
        ("https://[evil/x", False),
    ],
)
def test_a_token_is_shown_to_no_host_whose_name_only_begins_like_the_control_plane_s(link: str, stays: bool) -> None:
    assert same_host(link, "https://management.azure.com") is stays


def test_a_lock_on_something_else_says_nothing(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    for scope in (f"{VM}2", f"{VM}/extensions/agent", f"{SUBSCRIPTION}/resourceGroups/rg-dev2"):
        cloud.lock_scope(scope)
    assert [one.unstoppable for one in fleets.machines(SUBSCRIPTION)] == [""]


def test_locks_are_read_over_all_pages(cloud: Cloud, fleets: Fleets, arm: Arm) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    for number in range(4):
        cloud.lock_scope(f"{VM}-{number}")
    cloud.lock_scope(VM)
    assert fleets.machines(SUBSCRIPTION)[0].unstoppable
    assert len(arm.asked("/locks")) == 3


def test_where_locks_may_not_be_read_the_machines_are_listed_all_the_same(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    cloud.faults.add(faults.denied("listLocks"))
    for scope in (SUBSCRIPTION, f"{SUBSCRIPTION}/resourcegroups/rg-dev"):
        assert [one.id for one in fleets.machines(scope)] == [VM]


def test_locks_that_cannot_be_read_now_put_the_listing_off(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    cloud.faults.add(faults.throttled("listLocks", retry_after=9))
    with pytest.raises(Transient) as caught:
        fleets.machines(SUBSCRIPTION)
    assert caught.value.retry_after == timedelta(seconds=9)


def test_a_lock_set_since_the_plan_ends_the_order_when_azure_refuses(cloud: Cloud, fleets: Fleets) -> None:
    cloud.add_machine(VM, tariff=PRICE)
    cloud.lock_scope(SUBSCRIPTION)
    with pytest.raises(Rejected, match="ScopeLocked"):
        fleets.begin_stop(VM)


def test_a_group_that_is_throttled_while_read_asks_no_more_and_hides_nothing(
    cloud: Cloud, fleets: Fleets, arm: Arm
) -> None:
    for number in range(6):
        cloud.add_machine(f"{VM}-{number}", tariff=PRICE)
    cloud.faults.add(faults.throttled("instanceView", "vm-2", times=9))
    found = fleets.machines(f"{SUBSCRIPTION}/resourcegroups/rg-dev")
    assert [one.power for one in found] == ["running"] * 2 + ["unknown"] * 4
    assert len(arm.asked("/instanceView")) == 3
