"""The documented token buckets on the cloud's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient

from emulators.arm import Arm
from emulators.buckets import TokenBuckets
from emulators.cloud import MACHINE, Cloud, resource_id
from emulators.routes import Call
from tests.emulators.conftest import SUBSCRIPTION

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def call(kind: str, name: str = "vm", *, of_set: bool = False) -> Call:
    return Call(kind, "s", "g", name, {}, "", of_set)


def let_through(buckets: TokenBuckets, now: datetime, *calls: Call) -> int:
    return sum(buckets.wait(one, now) == 0 for one in calls)


@pytest.mark.parametrize(
    ("calls", "through"),
    [
        ([call("get", f"vm{number}") for number in range(300)], 250),
        ([call("deallocate", f"vm{number}") for number in range(300)], 200),
        ([call("deallocate") for _ in range(20)], 12),
        ([call("get") for _ in range(50)], 36),
        ([call("operation") for _ in range(50)], 45),
    ],
    ids=["reads", "writes", "one machine's stops", "one machine's readings", "one operation"],
)
def test_a_full_bucket_lets_its_capacity_through(calls: list[Call], through: int) -> None:
    assert let_through(TokenBuckets(), NOW, *calls) == through


def test_the_manager_refills_each_second_and_compute_each_minute() -> None:
    buckets = TokenBuckets()
    let_through(buckets, NOW, *(call("deallocate", f"vm{number}") for number in range(200)))
    later = NOW + timedelta(seconds=3)
    assert let_through(buckets, later, *(call("deallocate", f"vm{number}") for number in range(99))) == 30
    one = TokenBuckets()
    let_through(one, NOW, *(call("deallocate") for _ in range(12)))
    assert one.wait(call("deallocate"), NOW + timedelta(seconds=20)) == 40
    assert let_through(one, NOW + timedelta(minutes=1), *(call("deallocate") for _ in range(9))) == 4


def test_what_is_refused_takes_no_token() -> None:
    buckets = TokenBuckets()
    let_through(buckets, NOW, *(call("deallocate") for _ in range(50)))
    assert let_through(buckets, NOW, *(call("deallocate", f"vm{number}") for number in range(300))) == 188


def test_the_service_answers_429_with_the_wait_and_lets_through_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(NOW)
    id = resource_id(SUBSCRIPTION, "rg", MACHINE, "vm")
    cloud.add_machine(id, tariff=Decimal(1))
    with Arm(cloud, buckets=TokenBuckets()) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        with client(arm) as sdk:
            for _ in range(12):
                sdk.virtual_machines.begin_deallocate("rg", "vm", polling=False)
            with pytest.raises(HttpResponseError) as raised:
                sdk.virtual_machines.begin_deallocate("rg", "vm", polling=False)
            assert raised.value.status_code == 429
            assert getattr(raised.value.response, "headers", {})["Retry-After"] == "60"
            cloud.advance(timedelta(seconds=60))
            sdk.virtual_machines.begin_deallocate("rg", "vm", polling=False)


def client(arm: Arm) -> ComputeManagementClient:
    return ComputeManagementClient(
        ManagedIdentityCredential(),
        SUBSCRIPTION,
        base_url=arm.url,
        connection_verify=str(arm.ca_file),
        credential_scopes=["https://management.azure.com/.default"],
        retry_total=0,
    )
