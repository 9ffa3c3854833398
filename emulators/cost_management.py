"""The Resource Manager's Cost Management under any scope: what follows the provider's name picks who answers.

    arm.cost.handlers["query"] = lambda asked: Reply(200, {...})

A fault of the cloud's plan names the same word as its call, and the scope in place of a machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulators.control_plane import Dropped, Reply, failure
from emulators.faults import Effect, FaultPlan

_PATH = re.compile(
    r"(?P<scope>/.*?)/providers/microsoft\.costmanagement/(?P<word>[^/]+)(?P<rest>(?:/[^/]+)*)/?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`word` is in lower case, `rest` is what follows it, `query` has lower-case names; `address` is the service's."""

    method: str
    scope: str
    word: str
    rest: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    address: str


Answer = Callable[[Asked], Reply]


@dataclass(slots=True)
class CostManagement:
    faults: FaultPlan
    handlers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes, address: str) -> Reply | None:
        """None where the path is none of Cost Management's; Dropped when the fault plan cuts the connection."""
        found = _PATH.fullmatch(path)
        if not found:
            return None
        low = {name.lower(): value for name, value in query.items()}
        rest = tuple(part for part in found["rest"].split("/") if part)
        asked = Asked(method, found["scope"], found["word"].lower(), rest, low, body, address)
        self.asked.append(asked)
        if "api-version" not in low:
            return failure(400, "MissingApiVersionParameter")
        if asked.word not in self.handlers:
            return failure(404, "InvalidResourceType", f"no route for {path}")
        return self._spoilt(asked) or self.handlers[asked.word](asked)

    def _spoilt(self, asked: Asked) -> Reply | None:
        fault = self.faults.take(asked.word, asked.scope, Effect.ANSWER, Effect.DROP)
        if fault and fault.effect is Effect.DROP:
            raise Dropped
        return failure(fault.status, fault.code, headers=fault.headers) if fault else None
