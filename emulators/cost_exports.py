"""Exports of Cost Management under any scope: listed, made, run; refused as Azure documents it.

arm.cost.handlers["exports"] = ExportsApi()
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.control_plane import Reply, failure
from emulators.cost_management import Asked

GROUP = "/providers/microsoft.management/managementgroups/"


@dataclass(slots=True)
class ExportsApi:
    """`known` has the exports by scope and name, both in lower case; `refused` types that no agreement here offers."""

    known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    runs: list[tuple[str, Any]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def __call__(self, asked: Asked) -> Reply:
        name, verb = (*asked.rest, "", "")[:2]
        match asked.method, bool(name), verb.lower():
            case "GET", False, "":
                return Reply(200, {"value": [self._shown(one, asked) for key, one in self._of(asked.scope)]})
            case "GET", True, "":
                one = self.known.get((asked.scope.lower(), name.lower()))
                return Reply(200, self._shown(one, asked)) if one else failure(404, "NotFound")
            case "PUT", True, "":
                return self._put(asked, name)
            case "POST", True, "run":
                return self._run(asked, name)
        return failure(405, "MethodNotAllowed")

    def add(self, scope: str, name: str, properties: Mapping[str, Any]) -> None:
        """An export that somebody made before."""
        key = (scope.lower(), name.lower())
        path = f"{scope}/providers/Microsoft.CostManagement/exports/{name}"
        self.known[key] = {"id": path, "name": name, "eTag": '"1"', "properties": dict(properties)}

    def _of(self, scope: str) -> list[tuple[tuple[str, str], dict[str, Any]]]:
        return [pair for pair in sorted(self.known.items()) if pair[0][0] == scope.lower()]

    def _shown(self, one: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """The last run is told only to who asks for it."""
        hidden = () if asked.query.get("$expand") == "runHistory" else ("runHistory",)
        return {**one, "properties": {name: part for name, part in one["properties"].items() if name not in hidden}}

    def _put(self, asked: Asked, name: str) -> Reply:
        body = json.loads(asked.body)
        key = (asked.scope.lower(), name.lower())
        if key in self.known and body.get("eTag") != self.known[key]["eTag"]:
            return failure(412, "PreconditionFailed", "The export was changed; its latest eTag is needed.")
        refusal = self._refusal(asked.scope, body.get("properties", {}))
        if refusal:
            return refusal
        self.add(asked.scope, name, body["properties"])
        return Reply(201, self.known[key])

    def _refusal(self, scope: str, properties: Mapping[str, Any]) -> Reply | None:
        kind = properties.get("definition", {}).get("type")
        place = properties.get("deliveryInfo", {}).get("destination", {})
        if not kind or not place.get("container") or not place.get("resourceId"):
            return failure(400, "BadRequest", "definition and deliveryInfo are needed")
        if kind in self.refused or (kind == "FocusCost" and scope.lower().startswith(GROUP)):
            return failure(400, "BadRequest", f"Export type {kind} is not supported for this scope.")
        return None

    def _run(self, asked: Asked, name: str) -> Reply:
        if (asked.scope.lower(), name.lower()) not in self.known:
            return failure(404, "NotFound")
        self.runs.append((name, json.loads(asked.body or b"null")))
        return Reply(200)
