"""A thousand machines behind the documented token buckets, and a tenth of many failing in each way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.identity import credential
from adapters.queue import MemoryQueue
from emulators import faults
from emulators.arm import Arm
from emulators.buckets import MANAGER, Limit, TokenBuckets
from emulators.cloud import ACTIONS, MACHINE, Cloud, resource_id
from governance import streams
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Fleets
from governance.model import Event
from governance.record import Record
from governance.rules import Ceilings, Safeguards
from governance.terminal import Played, run_alert
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, TAGS, payload

MANY = 1000
SUB = SUBSCRIPTION.rpartition("/")[2]
BUDGETS = (replace(DOLLAR, safeguards=Safeguards(ceilings=Ceilings())),)
PARALLEL = 4


def id_of(number: int) -> str:
    return resource_id(SUB, f"rg-{number % 7}", MACHINE, f"vm-{number:04d}")


def filled(count: int) -> Cloud:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUB, "dev")
    for number in range(count):
        cloud.add_machine(id_of(number), tariff=Decimal("0.01"), tags=TAGS)
    return cloud


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Cloud, TokenBuckets | None], Arm]]:
    running: list[Arm] = []

    def start(cloud: Cloud, buckets: TokenBuckets | None) -> Arm:
        arm = Arm(cloud, page_size=100, buckets=buckets).__enter__()
        running.append(arm)
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        return arm

    yield start
    for arm in running:
        arm.__exit__()


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def fleets_of(arm: Arm) -> Fleets:
    clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
    return Fleets([AzureVirtualMachines(clients), AzureScaleSets(clients)])


def play(arm: Arm, record: Record) -> Played:
    cloud = arm.cloud
    with ThreadPoolExecutor(PARALLEL) as pool:
        return run_alert(
            payload("common-actual"),
            budgets=BUDGETS,
            record=record,
            queue=MemoryQueue(lambda: cloud.now),
            fleet=fleets_of(arm),
            now=cloud.now,
            live=True,
            wait=cloud.advance_to,
            each=pool.map,
        )


def last_events(played: Played) -> dict[str, Event]:
    """The last event of each order, by the machine's name."""
    targets = {
        event.stream: str(event.body["target"]).rpartition("/")[2]
        for event in played.events
        if event.stream.startswith("orders/") and event.kind == streams.PLANNED
    }
    return {targets[event.stream]: event for event in played.events if event.stream in targets}


@pytest.mark.timeout(240)
def test_a_thousand_machines_are_off_and_read_back_in_little_more_than_the_buckets_allow(
    record: Record, opened: Callable[[Cloud, TokenBuckets | None], Arm]
) -> None:
    arm = opened(filled(MANY), TokenBuckets())
    played = play(arm, record)
    writes = MANAGER["writes"]
    least = timedelta(seconds=(MANY - writes.capacity) / writes.refill) + ACTIONS["deallocate"].takes
    ratio = (arm.cloud.now - NOW) / least
    refused = sum(one.status == 429 for one in arm.requests)
    print(f"\n{MANY} machines: {arm.cloud.now - NOW} on the cloud's clock, least {least}, ratio {ratio:.2f}; ", end="")
    print(f"{len(arm.requests)} requests, {refused} refused")
    assert Counter(event.kind for event in last_events(played).values()) == {"verified": MANY}
    assert {arm.cloud.power(id_of(number)) for number in range(MANY)} == {"deallocated"}
    assert Counter(one.path for one in arm.asked("/deallocate")).most_common(1)[0][1] == 1
    assert ratio <= 1.3
    assert refused <= MANY // 20


WAYS: dict[str, tuple[Callable[[str], faults.Fault], str, str]] = {
    "403": (lambda name: faults.denied("deallocate", name), "failed", "403 AuthorizationFailed"),
    "404": (lambda name: faults.missing("deallocate", name), "gone", "no longer exists"),
    "409": (lambda name: faults.locked("deallocate", name), "failed", "409 ScopeLocked"),
    "busy": (
        lambda name: faults.Fault("deallocate", name, None, status=409, code="AnotherOperationInProgress"),
        "failed",
        "took no call in 3 days",
    ),
    "429": (lambda name: faults.throttled("deallocate", name, times=99), "failed", "took no call in 3 days"),
    "operation failed": (
        lambda name: faults.operation_fails("deallocate", name, times=9),
        "waiting",
        "not deallocated in 20 readings",
    ),
    "operation lied": (
        lambda name: faults.operation_lies("deallocate", name, times=9),
        "waiting",
        "not deallocated in 20 readings",
    ),
    "operation stuck": (
        lambda name: faults.operation_sticks("deallocate", name),
        "waiting",
        "not deallocated in 20 readings",
    ),
    "state unknown": (faults.no_power_state, "waiting", "not deallocated in 20 readings"),
}


@pytest.mark.parametrize(("fault", "kind", "reason"), WAYS.values(), ids=WAYS)
def test_invariant_13_one_in_ten_fails_the_rest_is_off_and_each_reason_is_told(
    record: Record,
    opened: Callable[[Cloud, TokenBuckets | None], Arm],
    fault: Callable[[str], faults.Fault],
    kind: str,
    reason: str,
) -> None:
    arm = opened(filled(20), None)
    odd = {f"vm-{number:04d}" for number in (3, 13)}
    for name in odd:
        arm.cloud.faults.add(fault(name))
    played = play(arm, record)
    last = last_events(played)
    assert {name for name, event in last.items() if event.kind != "verified"} == odd
    assert {(event.kind, reason in str(event.body["reason"])) for name, event in last.items() if name in odd} == {
        (kind, True)
    }
    assert {id.rpartition("/")[2] for id in played.failed} == (odd if kind != "gone" else set())
    off = {id_of(number) for number in range(20) if id_of(number).rpartition("/")[2] not in odd}
    assert {arm.cloud.power(id) for id in off} == {"deallocated"}
    told = [line for line in played.lines if any(name in line for name in odd) and "stop  " not in line]
    assert all(reason in line or "gone" in line for line in told)
    assert len(told) == len(odd)


def test_others_who_drain_the_same_buckets_cost_the_time_they_take_and_no_storm(
    record: Record, opened: Callable[[Cloud, TokenBuckets | None], Arm]
) -> None:
    """Somebody else has emptied the bucket of writing calls: one is refused, the others wait without asking."""
    arm = opened(filled(60), None)
    arm.cloud.faults.add(faults.throttled("deallocate", times=PARALLEL, retry_after=45))
    played = play(arm, record)
    assert Counter(event.kind for event in last_events(played).values()) == {"verified": 60}
    early = [one for one in arm.asked("/deallocate") if one.at < NOW + timedelta(seconds=45)]
    assert 1 <= len(early) <= 3 * PARALLEL  # those that were under way when the first was refused


@pytest.mark.timeout(240)
def test_where_half_the_bucket_is_used_by_others_the_calls_that_are_refused_teach_all_of_them(
    record: Record, opened: Callable[[Cloud, TokenBuckets | None], Arm]
) -> None:
    count, left = 300, Limit(100, 5, timedelta(seconds=1))
    arm = opened(filled(count), TokenBuckets({**MANAGER, "writes": left}))
    played = play(arm, record)
    least = timedelta(seconds=(count - left.capacity) / left.refill) + ACTIONS["deallocate"].takes
    ratio = (arm.cloud.now - NOW) / least
    refused = sum(one.status == 429 for one in arm.requests)
    print(
        f"\n{count} machines, half a bucket: {arm.cloud.now - NOW}, least {least}, ratio {ratio:.2f}, refused {refused}"
    )
    assert Counter(event.kind for event in last_events(played).values()) == {"verified": count}
    assert ratio <= 1.3
    assert refused <= count // 3
