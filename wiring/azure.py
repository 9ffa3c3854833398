"""Exports of a scope of Azure: looked at, and created where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from wiring.parts import Env, waiting

if TYPE_CHECKING:
    from ingest.azure_export_plan import Done, Plan
    from ingest.azure_export_requests import Request
    from ingest.flow import Progress
    from ingest.sources.cost_exports import CostExports


@dataclass(frozen=True, slots=True)
class ExportWish:
    """Which exports a scope should have, where they go, and whether to create what is missing."""

    scope: str
    storage: str = ""
    container: str = ""
    folder: str = ""
    types: tuple[str, ...] = ()
    last_month: bool = False
    apply: bool = False


def exports(wish: ExportWish, env: Env, now: datetime, progress: Progress) -> tuple[Plan, list[Done] | None]:
    """What there is and what is missing; what was done, None when nothing was to be."""
    from adapters.cost_management import cost_management
    from ingest.azure_export_plan import checked, plan
    from ingest.azure_export_requests import kinds_of, place_of
    from ingest.azure_scopes import scope_of
    from ingest.mappings import table_rows
    from ingest.sources.azure_patience import Patience
    from ingest.sources.cost_exports import CostExports

    scope, place = scope_of(wish.scope), place_of(wish.storage, wish.container, wish.folder)
    kinds = kinds_of(table_rows("azure_export_types"))
    edge = CostExports(cost_management(env, Patience(waiting(progress))), scope)
    progress("ask", {"scope": scope.path})
    found = plan(scope, edge.found(), kinds, place, now, wanted=wish.types, last_month=wish.last_month)
    return found, _applied(checked(found).requests, edge, progress) if wish.apply else None


def _applied(requests: Sequence[Request], edge: CostExports, progress: Progress) -> list[Done]:
    """Each by itself: one that Azure refuses does not keep the others from being created."""
    done = []
    for request in requests:
        progress("create", {"export": request.name})
        done.append(_one(request, edge))
    return done


def _one(request: Request, edge: CostExports) -> Done:
    from ingest.azure_export_plan import Done
    from ledger.faults import Conflict, Missing, Rejected, Transient

    created = ran = False
    try:
        edge.create(request)
        created = True
        if request.backfill:
            edge.run(request)
            ran = True
    except (Rejected, Missing) as fault:
        return Done(request.name, created, ran, str(fault))
    except (Transient, Conflict) as fault:
        return Done(request.name, created, ran, str(fault), later=True)
    return Done(request.name, created, ran)
