"""The Resource Manager's compute API over the cloud model: a request in, a reply out, no sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from emulators.cloud import ACTIONS, MACHINE, Cloud, Operation, Resource, UnknownResource, resource_id
from emulators.faults import Effect


class Dropped(Exception):
    """The connection is to be cut without an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is JSON-ready, or the bytes as they are sent; None sends no body."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, taken apart: `name` is the machine or the operation, the query's keys are lower case."""

    kind: str
    subscription: str
    group: str
    name: str
    query: Mapping[str, str]
    path: str


_COMPUTE = r"/subscriptions/(?P<subscription>[^/]+)(/resourcegroups/(?P<group>[^/]+))?/providers/microsoft\.compute"
_ROUTES: Sequence[tuple[str, re.Pattern[str]]] = [
    ("list", re.compile(rf"{_COMPUTE}/virtualmachines/?", re.IGNORECASE)),
    ("get", re.compile(rf"{_COMPUTE}/virtualmachines/(?P<name>[^/]+)/?", re.IGNORECASE)),
    ("act", re.compile(rf"{_COMPUTE}/virtualmachines/(?P<name>[^/]+)/(?P<verb>[^/]+)/?", re.IGNORECASE)),
    ("operation", re.compile(rf"{_COMPUTE}/locations/[^/]+/operations/(?P<name>[^/]+)/?", re.IGNORECASE)),
]
_VERBS = {verb.lower(): verb for verb in ("instanceView", *ACTIONS)}
_READS = frozenset({"list", "get", "instanceView", "operation"})


def failure(status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message or code}}, headers or {})


class ControlPlane:
    """`address` is where clients reach it, for the links it hands out; `retry_after` is advised to pollers."""

    def __init__(self, cloud: Cloud, address: str, *, page_size: int, retry_after: int) -> None:
        self._cloud, self._address = cloud, address
        self._page_size, self._retry_after = page_size, retry_after
        self._answers: Mapping[str, Callable[[Call], Reply]] = {
            "list": self._list,
            "get": self._get,
            "instanceView": self._instance_view,
            "operation": self._operation,
            **dict.fromkeys(ACTIONS, self._act),
        }

    def answer(self, method: str, path: str, query: Mapping[str, str]) -> Reply:
        """The reply to an authenticated request; Dropped when the fault plan cuts the connection."""
        call = _call(path, query)
        if call is None:
            return failure(404, "InvalidResourceType", f"no route for {path}")
        if "api-version" not in call.query:
            return failure(400, "MissingApiVersionParameter")
        if method != ("GET" if call.kind in _READS else "POST"):
            return failure(405, "MethodNotAllowed")
        return self._spoilt(call) or self._unknown(call) or self._served(call)

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
        machines = self._cloud.machines(call.subscription, call.group)
        token = call.query.get("$skiptoken", "0")
        if not token.isdecimal():
            return failure(400, "InvalidSkipToken")
        start = int(token)
        end = start + self._page_size
        with_status = call.query.get("statusonly", "").lower() == "true" and not call.group
        body: dict[str, object] = {"value": [self._shown(one, with_status) for one in machines[start:end]]}
        if end < len(machines):
            query = urlencode({**call.query, "$skiptoken": str(end)})
            body["nextLink"] = f"{self._address}{call.path}?{query}"
        return Reply(200, body)

    def _get(self, call: Call) -> Reply:
        return Reply(200, self._shown(self._machine(call), call.query.get("$expand", "").lower() == "instanceview"))

    def _instance_view(self, call: Call) -> Reply:
        return Reply(200, self._view(self._machine(call)))

    def _act(self, call: Call) -> Reply:
        operation = self._cloud.begin(self._machine(call).id, call.kind)
        base = f"{self._address}/subscriptions/{call.subscription}/providers/Microsoft.Compute/locations/"
        status = f"{base}{operation.location}/operations/{operation.id}?api-version={call.query['api-version']}"
        return Reply(
            202, None, {**self._patience(), "Azure-AsyncOperation": status, "Location": f"{status}&monitor=true"}
        )

    def _operation(self, call: Call) -> Reply:
        operation = self._cloud.operations.get(call.name)
        if operation is None:
            return failure(404, "OperationNotFound")
        status = operation.status(self._cloud.now)
        if call.query.get("monitor"):
            return Reply(202, None, self._patience()) if status == "InProgress" else Reply(200)
        return Reply(200, _progress(operation, status), self._patience() if status == "InProgress" else {})

    def _patience(self) -> dict[str, str]:
        return {"Retry-After": str(self._retry_after)}

    def _machine(self, call: Call) -> Resource:
        return self._cloud.resource(resource_id(call.subscription, call.group, MACHINE, call.name))

    def _shown(self, machine: Resource, with_view: bool) -> dict[str, object]:
        properties: dict[str, object] = {
            "provisioningState": "Succeeded",
            "hardwareProfile": {"vmSize": "Standard_B1s"},
        }
        if with_view:
            properties["instanceView"] = self._view(machine)
        return {
            "id": machine.id,
            "name": machine.name,
            "type": MACHINE,
            "location": machine.location,
            "tags": dict(machine.tags),
            "properties": properties,
        }

    def _view(self, machine: Resource) -> dict[str, object]:
        """The provisioning status always comes; the power state only when no fault hides it."""
        codes = ["ProvisioningState/succeeded"]
        if not self._cloud.faults.take("instanceView", machine.name, Effect.NO_POWER_STATE):
            codes.append(f"PowerState/{machine.state(self._cloud.now)}")
        return {"statuses": [{"code": code, "level": "Info", "displayStatus": code} for code in codes]}


def _call(path: str, query: Mapping[str, str]) -> Call | None:
    for kind, pattern in _ROUTES:
        found = pattern.fullmatch(path)
        if found:
            parts = {name: text or "" for name, text in found.groupdict().items()}
            name = _VERBS.get(parts.get("verb", "").lower(), "") if kind == "act" else kind
            low = {key.lower(): value for key, value in query.items()}
            return Call(name, parts["subscription"], parts["group"], parts.get("name", ""), low, path) if name else None
    return None


def _progress(operation: Operation, status: str) -> dict[str, object]:
    body: dict[str, object] = {"name": operation.id, "status": status, "startTime": operation.started.isoformat()}
    if status != "InProgress":
        body["endTime"] = operation.ends.isoformat()
    if status == "Failed":
        body["error"] = {"code": operation.failure, "message": f"{operation.action} did not succeed"}
    return body
