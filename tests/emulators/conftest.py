"""A cloud of seven machines in two groups, its control plane, and the real SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from azure.identity import ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient

from emulators.arm import Arm
from emulators.cloud import MACHINE, Cloud, resource_id

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud(datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(7):
        group = "rg-odd" if number % 2 else "rg-even"
        id = resource_id(SUBSCRIPTION, group, MACHINE, f"vm{number}")
        made.add_machine(id, tariff=Decimal("0.01"), tags={"number": str(number)})
    return made


@pytest.fixture
def arm(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(cloud, page_size=3, retry_after=0) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def client(arm: Arm) -> Iterator[ComputeManagementClient]:
    with (
        ManagedIdentityCredential() as credential,
        ComputeManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=arm.url,
            connection_verify=str(arm.ca_file),
            credential_scopes=["https://management.azure.com/.default"],
            retry_total=0,
        ) as made,
    ):
        yield made
