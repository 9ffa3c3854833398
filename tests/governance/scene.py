"""The scene the control tests play in: two budgets, their alerts, a fleet in memory that can be told to misbehave."""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.folder import FolderStore
from governance.model import Budget, Machine, Message
from ledger.faults import Missing

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/22222222-2222-4222-8222-222222222222"
TAGS = {"ledger-stop": "dev-dollar", "environment": "development"}

DOLLAR = Budget(
    name="dev-dollar",
    id=f"{SUBSCRIPTION}/providers/Microsoft.Consumption/budgets/dev-dollar",
    scope=SUBSCRIPTION,
    currency="USD",
    amount=Decimal("1.00"),
    opt_in_key="ledger-stop",
    opt_in_value="dev-dollar",
    live=True,
)
LAB = replace(
    DOLLAR,
    name="lab-monthly",
    id=f"{SUBSCRIPTION}/resourceGroups/rg-lab/providers/Microsoft.Consumption/budgets/lab-monthly",
    scope=f"{SUBSCRIPTION}/resourcegroups/rg-lab",
    amount=Decimal(9000),
    opt_in_value="lab-monthly",
)
BUDGETS = (DOLLAR, LAB)


def payload(form: str, **changes: object) -> bytes:
    """A sample body; each change replaces a field wherever its name stands. None removes it."""
    document = json.loads((PAYLOADS / f"{form}.json").read_text())
    for name, value in changes.items():
        assert _put(document, name, value), f"no field {name} in {form}"
    return json.dumps(document).encode()


def _put(node: Any, name: str, value: object) -> bool:
    if not isinstance(node, dict):
        return False
    if name not in node:
        found = [_put(child, name, value) for child in node.values()]  # all of them, so no generator
        return any(found)
    if value is None:
        del node[name]
    else:
        node[name] = copy.deepcopy(value)
    return True


def machine(name: str, power: str = "running", group: str = "rg-dev", **tags: str) -> Machine:
    """A machine opted in to the dollar budget; a tag 'a_b' is spelt 'a-b', an empty one is left off."""
    wanted = {**TAGS, **{key.replace("_", "-"): value for key, value in tags.items()}}
    kept = {key: value for key, value in wanted.items() if value}
    id = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    return Machine(id, name, group, "westeurope", kept, power)


class MemoryFleet:
    """A control plane in memory: a stop is accepted, reads deallocating once, then deallocated.

    `faults` are raised by the next calls of a method, first come first served.
    """

    def __init__(self, *machines: Machine) -> None:
        self.known = {one.id: one for one in machines}
        self.stops: list[str] = []
        self.named: list[list[str]] = []
        self.faults: dict[str, deque[Exception]] = {
            name: deque() for name in ("machines", "machine", "lock", "begin_stop")
        }
        self.starts: list[str] = []

    def machines(self, scope: str) -> list[Machine]:
        self._fail("machines")
        return [one for one in self.known.values() if one.id.lower().startswith(scope.lower() + "/")]

    def machine(self, id: str) -> Machine:
        self._fail("machine")
        if id not in self.known:
            raise Missing(id)
        seen = self.known[id]
        if seen.power == "deallocating":
            self.set(id, power="deallocated")
        return seen

    def lock(self, id: str) -> str:
        self._fail("lock")
        return self.known[id].unstoppable if id in self.known else ""

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        self.stops.append(id)
        self.named.append(list(parts))
        self._fail("begin_stop")
        if id not in self.known:
            raise Missing(id)
        self.set(id, power="deallocating")

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # these have none
        self.starts.append(id)
        if id not in self.known:
            raise Missing(id)
        self.set(id, power="starting")

    def set(self, id: str, **changes: Any) -> None:
        self.known[id] = replace(self.known[id], **changes)

    def _fail(self, method: str) -> None:
        if self.faults[method]:
            raise self.faults[method].popleft()


class ListQueue:
    """Keeps what is sent, in order; `down` makes it refuse the next sends."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.down: deque[Exception] = deque()

    def send(self, message: Message) -> None:
        if self.down:
            raise self.down.popleft()
        self.sent.append(message)


class Crash(BaseException):
    """The process died: nothing may catch this."""


class CrashingStore(FolderStore):
    """A real folder whose process dies at the given write, before it (or right after it)."""

    def __init__(self, root: Path, at: int, *, after: bool) -> None:
        super().__init__(root)
        self.left = at
        self.after = after

    def create(self, name: str, body: bytes) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Crash(name)
        super().create(name, body)
        if self.left == 0:
            raise Crash(name)
