"""The Azure edge through the real SDK, over real TLS and a real managed-identity exchange, against the emulated ARM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from adapters.identity import credential
from adapters.queue import MemoryQueue
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import Cloud
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.record import Record
from governance.terminal import Played, run_alert
from ledger.faults import Conflict, Missing, Rejected, Transient
from tests.governance.scene import BUDGETS, NOW, SUBSCRIPTION, machine, payload

NAMES = [f"vm-{number}" for number in range(7)]


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUBSCRIPTION.rpartition("/")[2], "dev")
    for name in NAMES:
        one = machine(name, group="RG-Dev")
        cloud.add_machine(one.id, tariff=Decimal("0.01"), tags=one.tags)
    return cloud


@pytest.fixture
def arm(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(cloud, page_size=3) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def fleet(arm: Arm) -> AzureVirtualMachines:
    clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
    return AzureVirtualMachines(clients)


def id_of(name: str) -> str:
    return machine(name, group="RG-Dev").id


def test_every_page_is_read_with_tags_and_power(arm: Arm, cloud: Cloud, fleet: AzureVirtualMachines) -> None:
    cloud.begin(id_of("vm-6"), "deallocate")
    found = fleet.machines(SUBSCRIPTION)
    assert [one.name for one in found] == NAMES
    assert [one.power for one in found] == ["running"] * 6 + ["deallocating"]
    assert {tuple(one.tags.items()) for one in found} == {tuple(machine("x").tags.items())}
    assert len(arm.asked("/virtualMachines")) == 6  # three pages, for the tags and for the power states


def test_a_group_is_read_with_power_by_machine(cloud: Cloud, fleet: AzureVirtualMachines) -> None:
    other = machine("elsewhere", group="rg-other")
    cloud.add_machine(other.id, tariff=Decimal("0.01"), tags=other.tags, power="stopped")
    assert [one.name for one in fleet.machines(f"{SUBSCRIPTION}/resourcegroups/rg-dev")] == NAMES
    (found,) = fleet.machines(f"{SUBSCRIPTION}/resourcegroups/rg-other")
    assert (found.power, found.resource_group) == ("stopped", "rg-other")


def test_invariant_14_a_power_state_that_is_not_shown_is_unknown(cloud: Cloud, fleet: AzureVirtualMachines) -> None:
    cloud.faults.add(faults.no_power_state("vm-3"))
    assert fleet.machine(id_of("vm-3")).power == "unknown"
    for scope in (SUBSCRIPTION, f"{SUBSCRIPTION}/resourcegroups/rg-dev"):
        powers = {one.name: one.power for one in fleet.machines(scope)}
        assert (powers["vm-3"], powers["vm-2"]) == ("unknown", "running")


def test_one_machine_whose_power_cannot_be_read_hides_no_other(cloud: Cloud, fleet: AzureVirtualMachines) -> None:
    cloud.faults.add(faults.denied("instanceView", "vm-1"))
    cloud.faults.add(faults.missing("instanceView", "vm-2"))
    found = fleet.machines(f"{SUBSCRIPTION}/resourcegroups/rg-dev")
    assert [one.name for one in found] == [name for name in NAMES if name != "vm-2"]
    assert [one.name for one in found if one.power == "unknown"] == ["vm-1"]


def test_invariant_11_a_stop_is_one_deallocation_and_nothing_else(
    arm: Arm, cloud: Cloud, fleet: AzureVirtualMachines
) -> None:
    fleet.begin_stop(id_of("vm-0"))
    assert [(one.method, one.status) for one in arm.asked("/deallocate")] == [("POST", 202)]
    assert {one.method for one in arm.requests if not one.path.endswith("/deallocate")} <= {"GET"}
    assert not arm.asked("/powerOff")
    assert fleet.machine(id_of("vm-0")).power == "deallocating"
    cloud.advance(timedelta(minutes=3))
    assert fleet.machine(id_of("vm-0")).power == "deallocated"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [(faults.denied("listLocks"), True), (faults.Fault("listLocks", status=400, code="InvalidApi"), False)],
)
def test_invariant_3_locks_that_cannot_be_read_are_not_taken_for_none(
    cloud: Cloud, fleet: AzureVirtualMachines, fault: faults.Fault, seen: bool
) -> None:
    """Whoever has no right to read them is refused by Azure itself; any other answer is no word about locks."""
    cloud.faults.add(fault)
    if seen:
        assert len(fleet.machines(SUBSCRIPTION)) == len(NAMES)
    else:
        with pytest.raises(Rejected, match="read locks"):
            fleet.machines(SUBSCRIPTION)


TABLE = {
    "throttled": (faults.throttled("*", retry_after=17), Transient),
    "unavailable": (faults.broken("*"), Transient),
    "broken": (faults.broken("*", status=500), Transient),
    "dropped": (faults.dropped("*"), Transient),
    "missing": (faults.missing("*"), Missing),
    "group gone": (faults.Fault("*", status=404, code="ResourceGroupNotFound"), Missing),
    "no such subscription": (faults.Fault("*", status=404, code="SubscriptionNotFound"), Rejected),
    "no such route": (faults.Fault("*", status=404, code="InvalidResourceType"), Rejected),
    "denied": (faults.denied("*"), Rejected),
    "locked": (faults.locked("*"), Rejected),
    "busy": (faults.Fault("*", status=409, code="AnotherOperationInProgress"), Conflict),
    "bad request": (faults.Fault("*", status=400, code="InvalidParameter"), Rejected),
}


@pytest.mark.parametrize(("fault", "expected"), TABLE.values(), ids=TABLE)
def test_one_table_from_sdk_errors_to_ours(
    arm: Arm, cloud: Cloud, fleet: AzureVirtualMachines, fault: faults.Fault, expected: type[Exception]
) -> None:
    calls: list[tuple[Callable[[str], object], str]] = [
        (fleet.machines, SUBSCRIPTION),
        (fleet.machine, id_of("vm-0")),
        (fleet.begin_stop, id_of("vm-0")),
    ]
    for call, id in calls:
        cloud.faults.clear()
        cloud.faults.add(fault)
        before = len(arm.requests)
        with pytest.raises(expected):
            call(id)
        assert len(arm.requests) == before + 1  # the queue is the retry, the SDK must not be one


def test_a_throttled_call_surfaces_at_once_with_what_was_asked(cloud: Cloud, fleet: AzureVirtualMachines) -> None:
    cloud.faults.add(faults.throttled("deallocate", retry_after=17))
    with pytest.raises(Transient) as caught:
        fleet.begin_stop(id_of("vm-0"))
    assert caught.value.retry_after == timedelta(seconds=17)


def test_invariant_9_no_token_leaves_without_trust_in_the_certificate(arm: Arm) -> None:
    strict = AzureVirtualMachines(AzureClients(credential(arm.environment()), base_url=arm.url))
    with pytest.raises(Transient):
        strict.machines(SUBSCRIPTION)
    assert not arm.requests


def test_invariant_9_a_token_for_another_audience_is_rejected(arm: Arm) -> None:
    elsewhere = AzureClients(
        credential(arm.environment()),
        base_url=arm.url,
        verify=str(arm.ca_file),
        token_scopes=["https://vault.azure.net/.default"],
    )
    astray = AzureVirtualMachines(elsewhere)
    with pytest.raises(Rejected, match="401"):
        astray.machines(SUBSCRIPTION)


@pytest.mark.parametrize(
    "id", ["", "/", "/subscriptions/x", "vm-0", SUBSCRIPTION + "/resourceGroups/g/providers/a/b/c"]
)
def test_what_is_no_machine_is_rejected_before_any_call(arm: Arm, fleet: AzureVirtualMachines, id: str) -> None:
    calls: list[Callable[[str], object]] = [fleet.machine, fleet.begin_stop]
    for call in calls:
        with pytest.raises(Rejected):
            call(id)
    assert not arm.requests


def play(record: Record, arm: Arm, fleet: AzureVirtualMachines) -> Played:
    cloud = arm.cloud

    def wait(until: datetime) -> datetime:
        return cloud.advance_to(until)

    queue = MemoryQueue(lambda: cloud.now)
    return run_alert(
        payload("common-actual"),
        budgets=BUDGETS,
        record=record,
        queue=queue,
        fleet=fleet,
        now=cloud.now,
        live=True,
        wait=wait,
    )


def outcomes(played: Played) -> dict[str, str]:
    """The last word of the receipt on each machine."""
    lines = (line.partition("  ")[2] for line in played.lines[-len(NAMES) :])
    return {line.partition(":")[0]: line.partition(": ")[2].partition(",")[0].partition(":")[0] for line in lines}


def test_an_alert_stops_and_reads_back_every_machine(record: Record, arm: Arm, fleet: AzureVirtualMachines) -> None:
    assert outcomes(play(record, arm, fleet)) == dict.fromkeys(NAMES, "verified")
    assert len(arm.asked("/deallocate")) == len(NAMES)
    assert {arm.cloud.power(id_of(name)) for name in NAMES} == {"deallocated"}


SPOILT = {
    "denied": (faults.denied("deallocate", "vm-3"), "FAILED"),
    "locked": (faults.locked("deallocate", "vm-3"), "FAILED"),
    "gone": (faults.missing("deallocate", "vm-3"), "verified"),
    "throttled": (faults.throttled("deallocate", "vm-3", times=2), "verified"),
    "dropped": (faults.dropped("deallocate", "vm-3", times=2), "verified"),
    "operation fails": (faults.operation_fails("deallocate", "vm-3"), "not finished"),
    "operation lies": (faults.operation_lies("deallocate", "vm-3"), "not finished"),
    "no power state": (faults.no_power_state("vm-3"), "not finished"),
}


@pytest.mark.parametrize(("fault", "outcome"), SPOILT.values(), ids=SPOILT)
def test_invariant_12_13_a_spoilt_machine_is_named_and_the_others_are_off(
    record: Record, arm: Arm, fleet: AzureVirtualMachines, fault: faults.Fault, outcome: str
) -> None:
    arm.cloud.faults.add(fault)
    assert outcomes(play(record, arm, fleet)) == {**dict.fromkeys(NAMES, "verified"), "vm-3": outcome}
