"""Which of the Resource Manager's calls a path is, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emulators.resources import ACTIONS


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is JSON-ready, or the bytes as they are sent; None sends no body."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """`name` is the machine, the scale set or the operation; the query's keys are lower case."""

    kind: str
    subscription: str
    group: str
    name: str
    query: Mapping[str, str]
    path: str
    of_set: bool = False
    body: bytes = b""


_SCOPE = r"/subscriptions/(?P<subscription>[^/]+)(/resourcegroups/(?P<group>[^/]+))?"
_COMPUTE = rf"{_SCOPE}/providers/microsoft\.compute"
_SETS = rf"{_COMPUTE}/virtualmachinescalesets"
_ROUTES: Sequence[tuple[str, re.Pattern[str]]] = [
    (kind, re.compile(f"{pattern}/?", re.IGNORECASE))
    for kind, pattern in (
        ("list", rf"{_COMPUTE}/virtualmachines"),
        ("get", rf"{_COMPUTE}/virtualmachines/(?P<name>[^/]+)"),
        ("act", rf"{_COMPUTE}/virtualmachines/(?P<name>[^/]+)/(?P<verb>[^/]+)"),
        ("operation", rf"{_COMPUTE}/locations/[^/]+/operations/(?P<name>[^/]+)"),
        ("listSets", _SETS),
        ("getSet", rf"{_SETS}/(?P<name>[^/]+)"),
        ("listInstances", rf"{_SETS}/(?P<name>[^/]+)/virtualmachines"),
        ("actSet", rf"{_SETS}/(?P<name>[^/]+)/(?P<verb>[^/]+)"),
        (
            "listPermissions",
            rf"{_COMPUTE}/(virtualmachines|virtualmachinescalesets)/(?P<name>[^/]+)"
            r"/providers/microsoft\.authorization/permissions",
        ),
        ("listLocks", rf"{_SCOPE}/providers/microsoft\.authorization/locks"),
    )
]
_VERBS = {verb.lower(): verb for verb in ("instanceView", *ACTIONS)}
READS = frozenset(
    {"list", "get", "instanceView", "operation", "listSets", "getSet", "listInstances", "listLocks", "listPermissions"}
)


def failure(status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message or code}}, headers or {})


def call_of(path: str, query: Mapping[str, str], body: bytes = b"") -> Call | None:
    """None for a path that is no call of this plane."""
    for route, pattern in _ROUTES:
        found = pattern.fullmatch(path)
        if found:
            parts = {name: text or "" for name, text in found.groupdict().items()}
            kind = _VERBS.get(parts["verb"].lower(), "") if "verb" in parts else route
            low = {key.lower(): value for key, value in query.items()}
            of_set = route in ("getSet", "listInstances", "actSet")
            call = Call(kind, parts["subscription"], parts["group"], parts.get("name", ""), low, path, of_set, body)
            return call if kind and not (of_set and kind == "instanceView") else None
    return None
