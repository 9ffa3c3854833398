"""What is told of a scope's exports, to people and to machines. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ingest.azure_export_plan import Done, Judged, Plan
from ingest.azure_export_requests import Request
from ingest.azure_scopes import Scope

API_VERSION = "2025-03-01"
PROMISE = "existing exports are never changed or deleted"


def document(plan: Plan, done: Sequence[Done] | None) -> dict[str, object]:
    """JSON-ready; `done` is None where nothing was to be sent."""
    return {
        "scope": plan.scope.path,
        "kind": plan.scope.kind,
        "exports": [one.as_json() for one in plan.exports],
        "missing": list(plan.missing),
        "needs": list(plan.needs),
        "notes": list(plan.notes),
        "requests": [sent for one in plan.requests for sent in _sent(plan.scope, one)],
        "applied": done is not None,
        "done": [
            {"name": one.name, "created": one.created, "ran": one.ran, "fault": one.fault or None, "later": one.later}
            for one in done or ()
        ],
    }


def lines(plan: Plan, done: Sequence[Done] | None) -> Iterator[str]:
    yield f"{plan.scope.path} ({plan.scope.kind}): {len(plan.exports)} exports"
    for one in plan.exports:
        yield from _export(one)
    yield f"missing: {', '.join(plan.missing)}" if plan.missing else _complete(plan)
    yield from (f"note: {note}" for note in plan.notes)
    yield from _applied(done) if done is not None else _announced(plan)
    yield PROMISE


def _complete(plan: Plan) -> str:
    return "nothing is missing" if plan.offered else "nothing can be created at this scope"


def _export(one: Judged) -> Iterator[str]:
    found = one.found
    ran = f"last run {found.last_status.lower()} {found.last_run[:10]}".rstrip() if found.last_status else "no run yet"
    version = f" {found.version}" if found.version else ""
    use = "of use" if one.useful else "no use"
    yield f"  {use}  {found.name}: {found.type}{version}, {ran}, to {found.place or '?'}"
    yield from (f"          {fault}" for fault in one.faults)
    yield from (f"          ({remark})" for remark in one.remarks)


def _announced(plan: Plan) -> Iterator[str]:
    if plan.needs:
        yield f"to create them, give {', '.join(plan.needs)}"
    for one in plan.requests:
        for sent in _sent(plan.scope, one):
            yield f"would send: {sent['method']} {sent['path']}"
            yield json.dumps(sent["body"], indent=1)
    if plan.requests:
        yield "nothing was sent; --apply sends it"


def _applied(done: Sequence[Done]) -> Iterator[str]:
    for one in done:
        ran = ", asked to run for the last month" if one.ran else ""
        yield f"created: {one.name}{ran}" if one.created else f"not created: {one.name}"
        if one.fault:
            yield f"  {'try again later: ' if one.later else ''}{one.fault}"


def _sent(scope: Scope, request: Request) -> Iterator[dict[str, object]]:
    """Exactly what is sent, without the host."""
    path = f"{scope.path}/providers/Microsoft.CostManagement/exports/{request.name}"
    version = f"?api-version={API_VERSION}"
    yield {"method": "PUT", "path": path + version, "body": dict(request.body)}
    if request.backfill:
        yield {"method": "POST", "path": f"{path}/run{version}", "body": {"timePeriod": request.days}}
