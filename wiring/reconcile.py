"""The ledger's costs against what a provider tells by another way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, book, engine, store

if TYPE_CHECKING:
    from ingest.flow import Progress
    from ingest.plan import Source
    from ingest.sources.cost_explorer import CostExplorer
    from ledger.delivery import Period
    from ledger.independent import DayCost, Reconciled
    from ledger.store import ObjectStore

NET, GROSS = "NetUnblendedCost", "UnblendedCost"


@dataclass(frozen=True, slots=True)
class Question:
    """Which provider's costs; no periods mean all that the ledger holds and the provider still tells."""

    provider: str
    source: str = ""
    periods: tuple[Period, ...] = ()
    tolerance: Decimal = Decimal("0.01")


def reconcile(
    question: Question, found: Settings, env: Env, now: datetime, progress: Progress
) -> tuple[list[Reconciled], list[str]]:
    """A comparison per month, and the months that cannot be compared, each with its reason."""
    from ingest.daily_totals import askable
    from ledger.faults import reject

    if question.provider != "aws":
        advice = "For now only AWS is asked for totals of its own: --provider aws."
        raise reject(f"there are no independent totals of {question.provider}", advice, "reconcile")
    source = _source(question, found)
    question = replace(question, source=source.name)
    held = _held(question, found, env)
    askables = [period for period in held if askable(period, now.date())]
    too_old = [f"{period}: Cost Explorer no longer tells it" for period in held if period not in askables]
    return [_month(period, source, question, found, env, now, progress) for period in askables], too_old


def _source(question: Question, found: Settings) -> Source:
    """The source whose account is asked: the one named, else the only one of the provider."""
    from ingest.plan import Source
    from ledger.faults import reject

    if question.source:
        return next((one for one in found.sources if one.name == question.source), Source(question.source, "aws"))
    reachable = [one for one in found.sources if one.provider == "aws" and (one.location or one.aws.role)]
    if len(reachable) > 1:
        names = ", ".join(one.name for one in reachable)
        raise reject(f"several sources are of AWS: {names}", "Name one: --source NAME.", "reconcile")
    return reachable[0] if reachable else Source("", "aws")


def _held(question: Question, found: Settings, env: Env) -> list[Period]:
    """The months asked for, else those in which the ledger has rows of the provider."""
    from ledger.delivery import Period
    from ledger.faults import reject
    from ledger.independent import months_sql

    if question.periods:
        return sorted(question.periods)
    ledger = book(store(found.store_url, env))
    with engine(found) as connection:
        sql = months_sql(ledger.relation_sql(ledger.files()), "AWS")
        rows = connection.execute(sql, [question.source]).fetchall()
    if not rows:
        advice = "Ingest a bill first: ledger ingest PATH."
        raise reject("the ledger holds no month of AWS to compare", advice, "reconcile")
    return [Period.parse(month) for (month,) in rows]


def _month(
    period: Period, source: Source, question: Question, found: Settings, env: Env, now: datetime, progress: Progress
) -> Reconciled:
    from ingest.daily_totals import asked_days
    from ingest.mappings import table_rows
    from ledger.independent import Reconciled, compare

    at = store(found.store_url, env)
    metric, explorer = _metric(at, source.name, period), _explorer(source, env)
    progress("ask", {"provider": question.provider, "period": str(period), "metric": metric})
    days = asked_days(period, now.date())
    other = list(_told(explorer, days, metric))
    names = {row["cost_explorer"]: row["bill"] for row in table_rows("aws_cost_explorer_names")}
    compared = compare(_booked(found, at, question, days), other, names, question.tolerance)
    return Reconciled(str(period), metric, explorer.requests, compared)


def _explorer(source: Source, env: Env) -> CostExplorer:
    from adapters.aws_session import clients
    from ingest.sources.cost_explorer import CostExplorer

    return CostExplorer(clients(env, source.aws.role, source.aws.audience))


def _told(explorer: CostExplorer, days: tuple[date, date], metric: str) -> Iterator[DayCost]:
    from ledger.independent import DayCost

    for cell in explorer.daily(days, [metric], ["SERVICE"]):
        amount, unit = cell.amounts[metric]
        yield DayCost(unit, cell.day, cell.keys[0], amount, cell.estimated)


def _booked(found: Settings, at: ObjectStore, question: Question, days: tuple[date, date]) -> list[DayCost]:
    from ledger.independent import DayCost, daily_sql

    ledger = book(at)
    with engine(found) as connection:
        sql = daily_sql(ledger.relation_sql(ledger.files()), "AWS")
        rows = connection.execute(sql, [*days, question.source]).fetchall()
    return [DayCost(*row) for row in rows]


def _metric(at: ObjectStore, source: str, period: Period) -> str:
    """Net where the bill's own billed costs are net, as the newest report of the month tells; FOCUS exports are."""
    here = f"runs/{source}/" if source else "runs/"
    names = [name for name in at.names(here) if f"/{period}/" in name]
    for name in sorted(names, key=lambda one: one.rpartition("/")[2], reverse=True):
        report = json.loads(at.read(name))
        if report.get("provider") == "aws":
            net = report.get("facts", {}).get("has_net_costs", "true")
            return NET if net == "true" else GROSS
    return GROSS
