"""Uniform scale sets of Azure behind the Fleet protocol: one machine each, whose parts are its instances.

Flexible sets are not listed here: their machines are ordinary ones (azure_vm.py), and would be stopped twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from governance.actions.azure_clients import SCOPE, ManagementLock, id_pattern, lock_on, parts_of
from governance.actions.azure_compute import AzureCompute, frozen, is_spot, managed, power_of, system_of, tags_of, word
from governance.actions.azure_faults import translated
from governance.instances import OFF, power_of_all
from governance.model import Machine
from ledger.faults import Conflict, Missing, Rejected, reject

if TYPE_CHECKING:
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.compute.models import (
        VirtualMachineScaleSet,
        VirtualMachineScaleSetVM,
        VirtualMachineScaleSetVMInstanceIDs,
    )

KIND = "azure_vmss"
FLEXIBLE = "flexible"
# "The provided instanceId 7 is not an active Virtual Machine Scale Set VM instanceId."
GONE_INSTANCE = "azure-InvalidParameter"
_ID = id_pattern("virtualMachineScaleSets")


class AzureScaleSets(AzureCompute):
    """Instances are named in every call: a call without would mean all of them, today's and tomorrow's."""

    TYPE, ID = "virtualMachineScaleSets", _ID

    def machines(self, scope: str) -> list[Machine]:
        """Every uniform set of a subscription or resource group, all pages, with the power of its instances."""
        parts = parts_of(SCOPE, scope)
        client = self._clients.of(parts["subscription"])
        with translated(f"list scale sets of {scope}"):
            sets = client.virtual_machine_scale_sets
            found = list(sets.list(parts["group"]) if parts["group"] else sets.list_all())
        uniform = [one for one in found if word(one.orchestration_mode).lower() != FLEXIBLE]
        locks = self._clients.locks(parts["subscription"], parts["group"]) if uniform else []
        return [shown for one in uniform if (shown := _look(client, one, locks))]

    def machine(self, id: str) -> Machine:
        """The set's tags and each instance's power state as they are now; locks are not among it."""
        parts = parts_of(_ID, id)
        client = self._clients.of(parts["subscription"])
        with translated(f"read {parts['name']}"):
            found = client.virtual_machine_scale_sets.get(parts["group"], parts["name"])
            return _machine(found, _instances(client, parts["group"], parts["name"]), ())

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        """Deallocate the instances named. Returning means accepted."""
        place = parts_of(_ID, id)
        with _all_there(f"deallocate instances of {place['name']}"):
            sets = self._clients.of(place["subscription"]).virtual_machine_scale_sets
            sets.begin_deallocate(place["group"], place["name"], _named(place["name"], parts), polling=False)

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        place = parts_of(_ID, id)
        with _all_there(f"start instances of {place['name']}"):
            sets = self._clients.of(place["subscription"]).virtual_machine_scale_sets
            sets.begin_start(place["group"], place["name"], _named(place["name"], parts), polling=False)


@contextmanager
def _all_there(what: str) -> Iterator[None]:
    """One of them that ended since the look makes Azure refuse the whole call: that is no word about the others."""
    try:
        with translated(what):
            yield
    except Rejected as refusal:
        if refusal.faults[0].rule != GONE_INSTANCE:
            raise
        raise Conflict(f"{what}: an instance is not there any more") from None


def _named(name: str, numbers: Sequence[str]) -> VirtualMachineScaleSetVMInstanceIDs:
    from azure.mgmt.compute.models import VirtualMachineScaleSetVMInstanceIDs

    if not numbers:
        raise reject(f"no instance of {name} is named", "Name those that the call is about.", "empty-selector")
    return VirtualMachineScaleSetVMInstanceIDs(instance_ids=list(numbers))


def _look(
    client: ComputeManagementClient, found: VirtualMachineScaleSet, locks: Sequence[ManagementLock]
) -> Machine | None:
    """None for a set that was erased since it was listed."""
    parts = parts_of(_ID, str(found.id))
    try:
        with translated(f"read instances of {found.name}"):
            return _machine(found, _instances(client, parts["group"], parts["name"]), locks)
    except Missing:
        return None


def _instances(client: ComputeManagementClient, group: str, name: str) -> list[VirtualMachineScaleSetVM]:
    return list(client.virtual_machine_scale_set_vms.list(group, name, expand="instanceView"))


def _powers(instances: Sequence[VirtualMachineScaleSetVM]) -> dict[str, str]:
    return {str(one.instance_id): power_of(one.instance_view) for one in instances}


def _machine(
    found: VirtualMachineScaleSet, instances: Sequence[VirtualMachineScaleSetVM], locks: Sequence[ManagementLock]
) -> Machine:
    id, profile, powers = str(found.id), found.virtual_machine_profile, _powers(instances)
    return Machine(
        id,
        str(found.name),
        parts_of(_ID, id)["group"],
        str(found.location),
        tags_of(found),
        power_of_all(powers),
        kind=KIND,
        size=str(found.sku.name or "") if found.sku else "",
        system=system_of(profile) if profile else "",
        purchase="spot" if profile and is_spot(profile) else "on-demand",
        units=sum(power not in OFF for power in powers.values()),
        unstoppable=managed(parts_of(_ID, id)["group"], tags_of(found))
        or (frozen(profile) if profile else "")
        or _protected(instances)
        or lock_on(id, locks),
        parts=powers,
        identity=word(found.unique_id),
    )


def _protected(instances: Sequence[VirtualMachineScaleSetVM]) -> str:
    """A call for the set passes such an instance over, so that the set would never be off."""
    held = [one.instance_id for one in instances if one.protection_policy and _is_held(one)]
    return f"instance {held[0]} is protected from the scale set's actions" if held else ""


def _is_held(instance: VirtualMachineScaleSetVM) -> bool:
    policy = instance.protection_policy
    return bool(policy and policy.protect_from_scale_set_actions)
