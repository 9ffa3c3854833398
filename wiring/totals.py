"""Providers' own totals behind one protocol: one table of how each is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, store, waiting

if TYPE_CHECKING:
    from ingest.flow import Progress
    from ingest.plan import Source
    from ingest.sources.cost_explorer import CostExplorer
    from ingest.sources.cost_query import CostQuery
    from ledger.delivery import Period
    from ledger.independent import DayCost, IndependentTotals, Measure
    from ledger.store import ObjectStore

NET, GROSS = "NetUnblendedCost", "UnblendedCost"


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose totals are asked for, and what asking needs; `scope` is what was named instead of the source's own."""

    source: Source
    found: Settings
    env: Env
    now: datetime
    progress: Progress
    scope: str = ""


class ExplorerTotals:
    """Cost Explorer of AWS, by service."""

    name, provider, service, price = "Cost Explorer", "AWS", "ServiceName", "USD 0.01"

    def __init__(self, explorer: CostExplorer, today: date, at: ObjectStore, source: str) -> None:
        self._explorer, self._today, self._at, self._source = explorer, today, at, source

    @property
    def requests(self) -> int:
        return self._explorer.requests

    def untold(self, period: Period) -> str:
        from ingest.daily_totals import askable

        return "" if askable(period, self._today) else "Cost Explorer no longer tells it"

    def days(self, period: Period) -> tuple[date, date]:
        from ingest.daily_totals import asked_days

        return asked_days(period, self._today)

    def measures(self, period: Period, /) -> Sequence[Measure]:
        from ledger.independent import Measure

        return [Measure("BilledCost", _metric(self._at, self._source, period))]

    def daily(self, measure: Measure, days: tuple[date, date]) -> Iterable[DayCost]:
        from ledger.independent import DayCost

        for cell in self._explorer.daily(days, [measure.asked], ["SERVICE"]):
            amount, unit = cell.amounts[measure.asked]
            yield DayCost(unit, cell.day, cell.keys[0], amount, cell.estimated)

    def names(self, _ledger: Sequence[DayCost], _other: Sequence[DayCost], /) -> Mapping[str, str]:
        from ingest.mappings import table_rows

        return {row["cost_explorer"]: row["bill"] for row in table_rows("aws_cost_explorer_names")}


class QueryTotals:
    """The Query API of Azure, by meter category; actual costs are what is billed, amortised ones what is effective."""

    name, provider, service, price = "Query API", "Azure", "x_ServiceCode", ""

    def __init__(self, query: CostQuery, today: date) -> None:
        self._query, self._today = query, today

    @property
    def requests(self) -> int:
        return self._query.requests

    def untold(self, period: Period) -> str:
        from ingest.cost_query_rows import askable

        return "" if askable(period, self._today) else "the Query API does not tell it"

    def days(self, period: Period) -> tuple[date, date]:
        from ingest.cost_query_rows import asked_days

        return asked_days(period, self._today)

    def measures(self, _period: Period, /) -> Sequence[Measure]:
        from ledger.independent import Measure

        return [Measure("BilledCost", "ActualCost"), Measure("EffectiveCost", "AmortizedCost", basis="amortized")]

    def daily(self, measure: Measure, days: tuple[date, date]) -> Iterable[DayCost]:
        return self._query.daily(measure.asked, days, self._today)

    def names(self, ledger: Sequence[DayCost], other: Sequence[DayCost], /) -> Mapping[str, str]:
        from ingest.cost_query_rows import alike

        return alike(ledger, other)


@dataclass(frozen=True, slots=True)
class Teller:
    """How a provider is asked, and whether a source of the settings says enough to do so."""

    rows: str
    ask: Callable[[Asking], IndependentTotals]
    reachable: Callable[[Source], bool]


def _explorer(asking: Asking) -> IndependentTotals:
    from adapters.aws_session import clients
    from ingest.sources.cost_explorer import CostExplorer

    access = asking.source.aws
    explorer = CostExplorer(clients(asking.env, access.role, access.audience))
    at = store(asking.found.store_url, asking.env)
    return ExplorerTotals(explorer, asking.now.date(), at, asking.source.name)


def _query(asking: Asking) -> IndependentTotals:
    from adapters.cost_management import PUBLIC, cost_management
    from ingest.azure_scopes import scope_of
    from ingest.sources.azure_patience import Patience
    from ingest.sources.cost_query import CostQuery
    from ledger.faults import reject

    named = asking.scope or asking.source.azure.scope
    if not named:
        advice = "Give --scope ID, or set `scope` of the source in ledger.toml."
        raise reject("no scope of Azure is named to ask for its costs", advice, "reconcile")
    client = cost_management(asking.env, Patience(waiting(asking.progress)))
    query = CostQuery(client, scope_of(named).path, asking.env.get("LEDGER_ARM_URL") or PUBLIC)
    return QueryTotals(query, asking.now.date())


# A further provider is one more line here, and a class like those above.
TELLERS: Mapping[str, Teller] = {
    "aws": Teller("AWS", _explorer, lambda source: bool(source.location or source.aws.role)),
    "azure": Teller("Azure", _query, lambda source: bool(source.azure.scope)),
}


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
