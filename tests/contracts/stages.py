"""Where each action plays in the contract: a cloud with machines on, an odd one, and what happens behind its back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.identity import credential
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Action

SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"
TAGS = {"ledger-stop": "dev-monthly", "environment": "development"}
COUNT, INSTANCES = 5, 3


@dataclass(frozen=True, slots=True)
class Stage:
    """`scope` holds COUNT machines, all on and tagged. `settle` lets the cloud finish; `hide` hides one's state."""

    action: Action
    kind: str
    scope: str
    ids: tuple[str, ...]
    absent: str
    settle: Callable[[], object]
    begun: Callable[[], int]
    hide: Callable[[str], object] | None = None


def _clients(arm: Arm) -> AzureClients:
    return AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))


@contextmanager
def _azure(patch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(Cloud(datetime(2026, 3, 1, tzinfo=UTC)), page_size=2) as arm:
        for name, value in arm.environment().items():
            patch.setenv(name, value)
        arm.cloud.add_subscription(SUBSCRIPTION, "dev")
        yield arm


@contextmanager
def virtual_machines(patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with _azure(patch) as arm:
        ids = tuple(resource_id(SUBSCRIPTION, "rg", MACHINE, f"vm-{number}") for number in range(COUNT))
        for id in ids:
            arm.cloud.add_machine(id, tariff=Decimal("0.1"), tags=TAGS)
        yield Stage(
            AzureVirtualMachines(_clients(arm)),
            "azure_vm",
            f"/subscriptions/{SUBSCRIPTION}",
            ids,
            resource_id(SUBSCRIPTION, "rg", MACHINE, "nobody"),
            lambda: arm.cloud.advance(timedelta(minutes=5)),
            lambda: len(arm.asked("/deallocate")),
            lambda id: arm.cloud.faults.add(faults.no_power_state(id.rpartition("/")[2])),
        )


def _hide_instances(cloud: Cloud, name: str) -> None:
    for number in range(INSTANCES):
        cloud.faults.add(faults.no_power_state(f"{name}_{number}"))


@contextmanager
def scale_sets(patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with _azure(patch) as arm:
        ids = tuple(resource_id(SUBSCRIPTION, "rg", SCALE_SET, f"set-{number}") for number in range(COUNT))
        for id in ids:
            arm.cloud.add_scale_set(id, tariff=Decimal("0.1"), instances=INSTANCES, tags=TAGS)
        yield Stage(
            AzureScaleSets(_clients(arm)),
            "azure_vmss",
            f"/subscriptions/{SUBSCRIPTION}",
            ids,
            resource_id(SUBSCRIPTION, "rg", SCALE_SET, "nobody"),
            lambda: arm.cloud.advance(timedelta(minutes=5)),
            lambda: len(arm.asked("/deallocate")),
            lambda id: _hide_instances(arm.cloud, id.rpartition("/")[2]),
        )


STAGES = {"azure_vm": virtual_machines, "azure_vmss": scale_sets}
