"""What the Resource Manager shows of things, JSON-ready."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import NAMESPACE_OID, uuid5

from emulators.resources import MACHINE, SCALE_SET, Hardware, ManagementLock, Operation, Resource, ScaleSet

View = dict[str, object]


def view_of(codes: list[str]) -> View:
    return {"statuses": [{"code": code, "level": "Info", "displayStatus": code} for code in codes]}


def shown_machine(machine: Resource, view: View | None) -> dict[str, object]:
    hardware = machine.hardware
    properties: dict[str, object] = {
        "provisioningState": "Succeeded",
        "vmId": _made(machine),
        "hardwareProfile": {"vmSize": hardware.size},
        **_profile(hardware),
    }
    if hardware.scale_set:
        properties["virtualMachineScaleSet"] = {"id": hardware.scale_set}
    if view is not None:
        properties["instanceView"] = view
    return {
        "id": machine.id,
        "name": machine.name,
        "type": MACHINE,
        "location": machine.location,
        "tags": dict(machine.tags),
        "properties": properties,
    }


def _made(machine: Resource) -> str:
    """Another one under the same id has another; one that is moved keeps its own."""
    return str(uuid5(NAMESPACE_OID, f"{(machine.made_as or machine.id).lower()} {machine.history[0][0].isoformat()}"))


def shown_set(found: ScaleSet, capacity: int) -> dict[str, object]:
    return {
        "id": found.id,
        "name": found.name,
        "type": SCALE_SET,
        "location": found.location,
        "tags": dict(found.tags),
        "sku": {"name": found.hardware.size, "tier": "Standard", "capacity": capacity},
        "properties": {
            "orchestrationMode": found.mode,
            "provisioningState": "Succeeded",
            "virtualMachineProfile": _profile(found.hardware),
        },
    }


def shown_instance(instance: Resource, set_name: str, view: View | None) -> dict[str, object]:
    properties: dict[str, object] = {
        "provisioningState": "Succeeded",
        "protectionPolicy": {"protectFromScaleSetActions": instance.hardware.protected},
        **({"instanceView": view} if view is not None else {}),
    }
    return {
        "id": instance.id,
        "name": f"{set_name}_{instance.name}",
        "instanceId": instance.name,
        "location": instance.location,
        "properties": properties,
    }


def shown_lock(lock: ManagementLock) -> dict[str, object]:
    kind = "Microsoft.Authorization/locks"
    id = f"{lock.scope}/providers/{kind}/{lock.name}"
    return {"id": id, "name": lock.name, "type": kind, "properties": {"level": lock.level}}


def shown_progress(operation: Operation, status: str) -> dict[str, object]:
    body: dict[str, object] = {"name": operation.id, "status": status, "startTime": operation.started.isoformat()}
    if status != "InProgress":
        body["endTime"] = operation.ends.isoformat()
    if status == "Failed":
        body["error"] = {"code": operation.failure, "message": f"{operation.action} did not succeed"}
    return body


def _profile(hardware: Hardware) -> dict[str, object]:
    disk: dict[str, object] = {"osType": hardware.system}
    if hardware.ephemeral:
        disk["diffDiskSettings"] = {"option": "Local"}
    spot = {"priority": "Spot", "evictionPolicy": hardware.eviction} if hardware.eviction else {}
    return {"storageProfile": {"osDisk": disk}, **spot}


def shown_permissions(denied: Iterable[str]) -> dict[str, object]:
    """Of one role: reads and the two actions, but for what it has lost."""
    actions = [f"{kind}/{verb}/action" for kind in (MACHINE, SCALE_SET) for verb in ("deallocate", "start")]
    kept = [one for one in actions if one not in denied]
    return {"actions": ["*/read", *kept], "notActions": [], "dataActions": [], "notDataActions": []}
