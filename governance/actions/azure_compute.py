"""What virtual machines and scale sets of Azure have in common: whose they are, what forbids a stop, their make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from governance.actions.azure_clients import SCOPE, AzureClients, lock_on, parts_of

if TYPE_CHECKING:
    from azure.mgmt.compute.models import VirtualMachineInstanceView, VirtualMachineScaleSetVMInstanceView

NAMESPACE = "Microsoft.Compute"
# MC_ resource group _ cluster _ region.
_NODE_GROUP = re.compile(r"mc_.+_.+_[a-z0-9]+$", re.IGNORECASE)


class AzureCompute:
    """The Fleet protocol as far as it is the same for every resource type of NAMESPACE, such as `virtualMachines`."""

    TYPE: ClassVar[str]
    ID: ClassVar[re.Pattern[str]]

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    def lists(self, scope: str) -> bool:
        return SCOPE.fullmatch(scope) is not None

    def owns(self, id: str) -> bool:
        return self.ID.fullmatch(id) is not None

    def lock(self, id: str) -> str:
        parts = parts_of(self.ID, id)
        return lock_on(id, self._clients.locks(parts["subscription"], parts["group"]))

    def missing_rights(self, id: str) -> Sequence[str]:
        return self._clients.missing_rights(id, parts_of(self.ID, id)["subscription"], f"{NAMESPACE}/{self.TYPE}")


def frozen(profile: Any) -> str:
    """Why a machine of this make cannot be deallocated and started again; '' when it can.

    `profile` is a virtual machine or the machine profile of a scale set.
    """
    disk = getattr(profile.storage_profile, "os_disk", None)
    if disk is not None and disk.diff_disk_settings is not None:
        return "its OS disk is ephemeral: it cannot be deallocated"
    if is_spot(profile) and word(profile.eviction_policy).lower() == "delete":
        return "a spot machine with eviction policy Delete: deallocation is not offered for it"
    return ""


def managed(group: str, tags: Mapping[str, str]) -> str:
    """Why a node of AKS is left to AKS; '' for what is none. AKS gives the tags of a pool to its machines, so an opt-in
    on the pool reaches them; and its default takes the deallocation of a node for a wish to be rid of it.

    The group AKS makes is known by its name; one that somebody named, by the tags that AKS keeps on its machines.
    """
    pool = any(name.lower().startswith("aks-managed-") for name in tags) or _NODE_GROUP.match(group)
    return "a node pool of AKS, which may erase deallocated nodes: stop the cluster instead" if pool else ""


def is_spot(profile: Any) -> bool:
    return word(profile.priority).lower() in ("spot", "low")


def system_of(profile: Any) -> str:
    disk = getattr(profile.storage_profile, "os_disk", None)
    return word(disk.os_type) if disk is not None else ""


def word(value: Any) -> str:
    """What the service wrote: the SDK makes known words members of an enumeration, whose text is its own."""
    return str(getattr(value, "value", value) or "")


def power_of(view: VirtualMachineInstanceView | VirtualMachineScaleSetVMInstanceView | None) -> str:
    """The word after 'PowerState/'; 'unknown' when the service gives none, which it may."""
    for status in (view.statuses or []) if view else []:
        kind, _, word = (status.code or "").partition("/")
        if kind == "PowerState" and word:
            return word.lower()
    return "unknown"


def tags_of(found: Any) -> dict[str, str]:
    return {str(key): str(value or "") for key, value in (found.tags or {}).items()}
