"""Months of Cost Explorer taken in as bills, for accounts that have no export."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env
from wiring.sources import COST_EXPLORER

if TYPE_CHECKING:
    from ingest.intake import Desk, Intake, Request
    from ingest.plan import Source


def asked_source(request: Request, found: Settings) -> Source:
    """Whose account is asked: the source that is named, else the only one that reads Cost Explorer.

    Without any it is whoever is signed in. Rejected where there are several.
    """
    from ingest.plan import Source
    from ledger.faults import reject

    if request.source:
        return next((one for one in found.sources if one.name == request.source), Source(request.source, "aws"))
    here = [one for one in found.sources if one.location.startswith(COST_EXPLORER)]
    if len(here) > 1:
        names = ", ".join(one.name for one in here)
        raise reject(f"several sources read Cost Explorer: {names}", "Name one: --source NAME.", "cost-explorer")
    return here[0] if here else Source("", "aws")


def take_days(source: Source, request: Request, hands: Desk, env: Env, now: datetime) -> Intake:
    """One month: the one that is asked for, else the current one."""
    from adapters.aws_session import clients
    from ingest.intake import take_in
    from ingest.sources.cost_explorer import CostExplorer
    from ingest.sources.cost_explorer_rows import account_of, write_month
    from ingest.staging import Collected, LocalFile
    from ledger.delivery import Period

    period = request.partition[1] if request.partition else request.period or Period(now.year, now.month)
    made = clients(env, source.aws.role, source.aws.audience)
    label = f"{COST_EXPLORER} {period}"
    hands.progress("ask", {"location": label})
    target = hands.workspace / f"cost-explorer-{period}.csv"
    account = account_of(made, source.accounts)
    written = write_month(CostExplorer(made), account, period, now.date(), target)
    named = request if request.source or source.accounts else replace(request, source=source.name)
    return take_in(Collected((LocalFile(written, label, named=True),), ()), named, hands, now)
