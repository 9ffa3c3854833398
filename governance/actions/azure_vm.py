"""Azure virtual machines behind the Fleet protocol: list, look, deallocate, start.

Machines of flexible scale sets are among them: they are ordinary machines, with tags of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from governance.actions.azure_clients import SCOPE, ManagementLock, id_pattern, lock_on, parts_of
from governance.actions.azure_compute import AzureCompute, frozen, is_spot, managed, power_of, system_of, tags_of, word
from governance.actions.azure_faults import translated
from governance.model import Machine
from ledger.faults import Conflict, Missing, Rejected, Transient

if TYPE_CHECKING:
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.compute.models import VirtualMachine

KIND = "azure_vm"
_ID = id_pattern("virtualMachines")


class AzureVirtualMachines(AzureCompute):
    """One deallocation a machine; what was already off is left alone by the caller."""

    TYPE, ID = "virtualMachines", _ID

    def machines(self, scope: str) -> list[Machine]:
        """Every machine of a subscription or resource group, all pages, with its power state."""
        parts = parts_of(SCOPE, scope)
        client = self._clients.of(parts["subscription"])
        with translated(f"list machines of {scope}"):
            found = _of_group(client, parts["group"]) if parts["group"] else _of_subscription(client)
        locks = self._clients.locks(parts["subscription"], parts["group"]) if found else []
        return [_machine(one, power, locks) for one, power in found]

    def machine(self, id: str) -> Machine:
        """Tags and power state as they are now, in one request; locks are not among it."""
        parts = parts_of(_ID, id)
        with translated(f"read {parts['name']}"):
            machines = self._clients.of(parts["subscription"]).virtual_machines
            found = machines.get(parts["group"], parts["name"], expand="instanceView")
        return _machine(found, power_of(found.instance_view), ())

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # it has no parts
        """Deallocate: a machine that is only powered off keeps its compute charges. Returning means accepted."""
        place = parts_of(_ID, id)
        with translated(f"deallocate {place['name']}"):
            machines = self._clients.of(place["subscription"]).virtual_machines
            machines.begin_deallocate(place["group"], place["name"], polling=False)

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # it has no parts
        place = parts_of(_ID, id)
        with translated(f"start {place['name']}"):
            machines = self._clients.of(place["subscription"]).virtual_machines
            machines.begin_start(place["group"], place["name"], polling=False)


def _of_subscription(client: ComputeManagementClient) -> list[tuple[VirtualMachine, str]]:
    """Two listings: with `status_only` the service gives the power states and promises nothing else."""
    listed = list(client.virtual_machines.list_all())
    statuses = client.virtual_machines.list_all(status_only="true") if listed else ()
    power = {str(one.id).lower(): power_of(one.instance_view) for one in statuses}
    return [(one, power.get(str(one.id).lower(), "unknown")) for one in listed]


def _of_group(client: ComputeManagementClient, group: str) -> list[tuple[VirtualMachine, str]]:
    """A listing of a group has no power states, and the rights may end at the group: one look per machine.

    Once told to wait it asks no more: the rest is unknown, and each order looks again.
    """
    found: list[tuple[VirtualMachine, str]] = []
    throttled = False
    for one in client.virtual_machines.list(group):
        try:
            found.append((one, "unknown" if throttled else _power(client, group, str(one.name))))
        except Missing:  # erased since it was listed
            continue
        except Transient as fault:
            throttled = fault.retry_after is not None
            found.append((one, "unknown"))
    return found


def _power(client: ComputeManagementClient, group: str, name: str) -> str:
    """'unknown' when it may not be read: one machine must not hide the others."""
    try:
        with translated(f"read power of {name}"):
            return power_of(client.virtual_machines.instance_view(group, name))
    except (Conflict, Rejected):
        return "unknown"


def _machine(found: VirtualMachine, power: str, locks: Sequence[ManagementLock]) -> Machine:
    id, hardware = str(found.id), found.hardware_profile
    return Machine(
        id,
        str(found.name),
        parts_of(_ID, id)["group"],
        str(found.location),
        tags_of(found),
        power,
        kind=KIND,
        size=word(hardware.vm_size) if hardware else "",
        system=system_of(found),
        purchase="spot" if is_spot(found) else "on-demand",
        unstoppable=managed(parts_of(_ID, id)["group"], tags_of(found)) or frozen(found) or lock_on(id, locks),
        identity=word(found.vm_id),
    )
