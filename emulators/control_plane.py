"""The Resource Manager's compute API over the cloud model: a request in, a reply out, no sockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from emulators import shapes
from emulators.buckets import TokenBuckets
from emulators.cloud import ACTIONS, MACHINE, SCALE_SET, Cloud, Resource, UnknownResource, resource_id
from emulators.faults import Effect
from emulators.resources import ScaleSet
from emulators.routes import READS, Call, call_of
from emulators.routes import Reply as Reply
from emulators.routes import failure as failure

T = TypeVar("T")


class Dropped(Exception):
    """The connection is to be cut without an answer."""


class ControlPlane:
    """`address` is where clients reach it, for the links it hands out; `retry_after` is advised to pollers.

    Without `buckets` nothing is throttled.
    """

    def __init__(
        self, cloud: Cloud, address: str, *, page_size: int, retry_after: int, buckets: TokenBuckets | None = None
    ) -> None:
        self._cloud, self._address, self._buckets = cloud, address, buckets
        self._page_size, self._retry_after = page_size, retry_after
        self._answers: Mapping[str, Callable[[Call], Reply]] = {
            "list": self._list,
            "get": self._get,
            "instanceView": self._instance_view,
            "operation": self._operation,
            "listSets": self._list_sets,
            "getSet": self._get_set,
            "listInstances": self._list_instances,
            "listLocks": self._list_locks,
            "listPermissions": self._list_permissions,
            **dict.fromkeys(ACTIONS, self._act),
        }

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes = b"") -> Reply:
        """The reply to an authenticated request; Dropped when the fault plan cuts the connection."""
        call = call_of(path, query, body)
        if call is None:
            return failure(404, "InvalidResourceType", f"no route for {path}")
        if "api-version" not in call.query:
            return failure(400, "MissingApiVersionParameter")
        if method != ("GET" if call.kind in READS else "POST"):
            return failure(405, "MethodNotAllowed")
        return self._throttled(call) or self._spoilt(call) or self._unknown(call) or self._served(call)

    def _throttled(self, call: Call) -> Reply | None:
        wait = self._buckets.wait(call, self._cloud.now) if self._buckets else 0
        return failure(429, "TooManyRequests", headers={"Retry-After": str(wait)}) if wait else None

    def _served(self, call: Call) -> Reply:
        try:
            return self._answers[call.kind](call)
        except UnknownResource as fault:
            return failure(404, "ResourceNotFound", f"The resource {fault} was not found.")

    def _spoilt(self, call: Call) -> Reply | None:
        fault = self._cloud.faults.take(call.kind, self._machine_of(call), Effect.ANSWER, Effect.DROP)
        if fault and fault.effect is Effect.DROP:
            raise Dropped
        return failure(fault.status, fault.code, headers=fault.headers) if fault else None

    def _machine_of(self, call: Call) -> str:
        """The machine a fault may name: of an operation it is the one that the operation steers."""
        operation = self._cloud.operations.get(call.name)
        return operation.target.rpartition("/")[2] if operation else call.name

    def _unknown(self, call: Call) -> Reply | None:
        if call.subscription.lower() not in self._cloud.subscriptions:
            return failure(404, "SubscriptionNotFound")
        if call.group and call.group.lower() not in self._cloud.groups(call.subscription):
            return failure(404, "ResourceGroupNotFound")
        return None

    def _list(self, call: Call) -> Reply:
        with_status = call.query.get("statusonly", "").lower() == "true" and not call.group
        machines = self._cloud.machines(call.subscription, call.group)
        return self._page(
            call, machines, lambda one: shapes.shown_machine(one, self._view(one) if with_status else None)
        )

    def _page(self, call: Call, all_of_them: Sequence[T], shown: Callable[[T], object]) -> Reply:
        token = call.query.get("$skiptoken", "0")
        if not token.isdecimal():
            return failure(400, "InvalidSkipToken")
        start = int(token)
        end = start + self._page_size
        body: dict[str, object] = {"value": [shown(one) for one in all_of_them[start:end]]}
        if end < len(all_of_them):
            query = urlencode({**call.query, "$skiptoken": str(end)})
            body["nextLink"] = f"{self._address}{call.path}?{query}"
        return Reply(200, body)

    def _get(self, call: Call) -> Reply:
        machine, expand = self._machine(call), call.query.get("$expand", "").lower()
        return Reply(200, shapes.shown_machine(machine, self._view(machine) if expand == "instanceview" else None))

    def _instance_view(self, call: Call) -> Reply:
        return Reply(200, self._view(self._machine(call)))

    def _list_sets(self, call: Call) -> Reply:
        found = self._cloud.scale_sets_in(call.subscription, call.group)
        return self._page(call, found, self._shown_set)

    def _get_set(self, call: Call) -> Reply:
        return Reply(200, self._shown_set(self._set(call)))

    def _list_instances(self, call: Call) -> Reply:
        found, expand = self._set(call), call.query.get("$expand", "").lower() == "instanceview"
        return self._page(
            call,
            self._cloud.instances(found.id),
            lambda one: shapes.shown_instance(
                one, found.name, self._view(one, f"{found.name}_{one.name}") if expand else None
            ),
        )

    def _list_locks(self, call: Call) -> Reply:
        scope = f"/subscriptions/{call.subscription}" + (f"/resourcegroups/{call.group}" if call.group else "")
        found = [lock for lock in self._cloud.locks if f"{lock.scope}/".lower().startswith(f"{scope}/".lower())]
        return self._page(call, found, shapes.shown_lock)

    def _list_permissions(self, call: Call) -> Reply:
        return self._page(call, [shapes.shown_permissions(self._cloud.denied)], lambda one: one)

    def _act(self, call: Call) -> Reply:
        target, machines = self._steered(call)
        if self._cloud.locked(target):
            return failure(409, "ScopeLocked", f"The scope {target} cannot be changed because of a lock.")
        if call.kind == "deallocate" and any(one.hardware.ephemeral for one in machines):
            return failure(409, "OperationNotAllowed", "A machine with an ephemeral OS disk cannot be deallocated.")
        if not machines:
            return failure(400, "InvalidParameter", "The provided instanceId is not an active instanceId.")
        operation = self._cloud.begin_all(target, machines, call.kind)
        base = f"{self._address}/subscriptions/{call.subscription}/providers/Microsoft.Compute/locations/"
        status = f"{base}{operation.location}/operations/{operation.id}?api-version={call.query['api-version']}"
        return Reply(
            202, None, {**self._patience(), "Azure-AsyncOperation": status, "Location": f"{status}&monitor=true"}
        )

    def _steered(self, call: Call) -> tuple[str, list[Resource]]:
        """The id that is acted on and its machines: of a set those that the body names, else all."""
        if not call.of_set:
            machine = self._machine(call)
            return machine.id, [machine]
        found = self._set(call)
        named = json.loads(call.body or b"{}").get("instanceIds")
        instances = self._cloud.instances(found.id)
        there = {one.name for one in instances}
        if not set(named or ()) <= there:  # one that is gone makes it refuse the whole call
            return found.id, []
        return found.id, [one for one in instances if named is None or one.name in named]

    def _operation(self, call: Call) -> Reply:
        operation = self._cloud.operations.get(call.name)
        if operation is None:
            return failure(404, "OperationNotFound")
        status = operation.status(self._cloud.now)
        if call.query.get("monitor"):
            return Reply(202, None, self._patience()) if status == "InProgress" else Reply(200)
        progress = shapes.shown_progress(operation, status)
        return Reply(200, progress, self._patience() if status == "InProgress" else {})

    def _patience(self) -> dict[str, str]:
        return {"Retry-After": str(self._retry_after)}

    def _machine(self, call: Call) -> Resource:
        return self._cloud.resource(resource_id(call.subscription, call.group, MACHINE, call.name))

    def _set(self, call: Call) -> ScaleSet:
        return self._cloud.scale_set(resource_id(call.subscription, call.group, SCALE_SET, call.name))

    def _shown_set(self, found: ScaleSet) -> dict[str, object]:
        return shapes.shown_set(found, len(self._cloud.instances(found.id)))

    def _view(self, machine: Resource, name: str = "") -> dict[str, object]:
        """The provisioning status always comes; the power state only when no fault hides it."""
        codes = ["ProvisioningState/succeeded"]
        if not self._cloud.faults.take("instanceView", name or machine.name, Effect.NO_POWER_STATE):
            codes.append(f"PowerState/{machine.state(self._cloud.now)}")
        return shapes.view_of(codes)
