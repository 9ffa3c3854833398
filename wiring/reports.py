"""Months of Azure's Cost Details taken in: reports that are made when they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, store
from wiring.sources import COST_DETAILS

if TYPE_CHECKING:
    from ingest.intake import Desk, Intake, Request
    from ingest.plan import Due, Source
    from ledger.delivery import Period
    from ledger.store import ObjectStore


def source_of_scope(location: str, request: Request, found: Settings) -> Source:
    """Whose costs are asked for: those of the scope in the location, else of the source that is named, else of the
    only one that has a scope. Rejected where that leaves none, or several.
    """
    from ingest.plan import AzureAccess, Source
    from ledger.faults import reject

    scope = location.removeprefix(COST_DETAILS).strip()
    here = [one for one in found.sources if one.azure.scope and one.location.startswith(COST_DETAILS)]
    named = [one for one in found.sources if one.name == request.source]
    if scope:
        same = [one for one in here if _folded(one.azure.scope) == _folded(scope)]
        chosen = named if request.source else same if len(same) == 1 else []
        blank = Source(request.source, "azure")
        return replace(next(iter(chosen), blank), azure=AzureAccess(scope=scope))
    chosen = [one for one in named if one.azure.scope] if request.source else here
    if len(chosen) != 1:
        text = f"several sources have one: {', '.join(one.name for one in chosen)}" if chosen else "none is named"
        advice = "Give --scope ID, or --source NAME of a source that has a `scope` in ledger.toml."
        raise reject(f"which scope of Azure is meant is not clear: {text}", advice, "azure-scope")
    return chosen[0]


def take_reports(
    source: Source, request: Request, hands: Desk, env: Env, now: datetime, wait: Callable[[int], None] = time.sleep
) -> Intake:
    """One month: the one that is asked for, else the current one."""
    from adapters.cost_management import cost_management
    from ingest.azure_scopes import scope_of
    from ingest.remote import take_offers
    from ingest.sources.azure_links import Links
    from ingest.sources.azure_patience import Patience
    from ingest.sources.cost_details import CostDetails
    from ledger.delivery import Period

    scope, patience = scope_of(source.azure.scope), Patience(wait)
    period = request.partition[1] if request.partition else request.period or Period(now.year, now.month)
    asked = replace(request, source=source.name or request.source)
    links = Links(wait, env.get("LEDGER_ARM_CA") or None)
    with cost_management(env, patience) as client:
        reports = CostDetails(client, scope, period, _clock(now), patience, links, request.basis)
        hands.progress("ask", {"location": f"{COST_DETAILS} {scope.path} {period}"})
        with _remembered(hands.store, asked.source, scope.path, period, request.basis, now) as later:
            taken = take_offers(reports.offers(), reports, asked, hands, now)
            later += taken.later
    return taken


def reports_due(source: Source, found: Settings, env: Env, now: datetime) -> list[Due]:
    """Azure renews its data a few times a day and advises to ask once: months that were asked for today are not due."""
    from ingest.cost_reports import asked_for, asking
    from ingest.plan import Due, months_to_ask

    known = set(store(found.store_url, env).names(asked_for(source.name)))
    months = months_to_ask(now, source.restated_for, source.since)
    names = {period: asking(source.name, source.azure.scope, period, source.basis, now.date()) for period in months}
    return [Due(source.name, period) for period in months if names[period] not in known]


@contextmanager
def _remembered(
    at: ObjectStore, source: str, scope: str, period: Period, basis: str, now: datetime
) -> Iterator[list[str]]:
    """Keeps that Azure has answered, whatever it said; not where it has to be asked once more, as the body may add."""
    from ingest.cost_reports import asked_for, asking
    from ledger.faults import NotYet, Transient

    later: list[str] = []
    try:
        yield later
    except Transient as fault:
        if not isinstance(fault, NotYet):
            later.append(str(fault))
        raise
    finally:
        if source and not later:
            _keep(at, asked_for(source, period), asking(source, scope, period, basis, now.date()))


def _keep(at: ObjectStore, prefix: str, name: str) -> None:
    """In place of the days before."""
    from ledger.faults import Conflict

    for other in at.names(prefix):
        if other != name:
            at.delete(other)
    with suppress(Conflict):
        at.create(name, b"")


def _clock(now: datetime) -> Callable[[], datetime]:
    """Goes on from `now`: links are good for a time, and reports take theirs."""
    started = time.monotonic()
    return lambda: now + timedelta(seconds=int(time.monotonic() - started))


def _folded(scope: str) -> str:
    return scope.strip().strip("/").casefold()
