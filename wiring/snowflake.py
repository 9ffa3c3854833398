"""Months of Snowflake's usage taken in: views that are asked when a month is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env
from wiring.sources import SNOWFLAKE

if TYPE_CHECKING:
    from ingest.intake import Desk, Intake, Request
    from ingest.plan import Source
    from ingest.sources.snowflake import Connect
    from ledger.delivery import Period


def source_of_account(request: Request, found: Settings) -> Source:
    """Whose account is asked: the source that is named, else the only one that asks Snowflake. Rejected without one."""
    from ledger.faults import reject

    here = [one for one in found.sources if one.location.startswith(SNOWFLAKE)]
    chosen = [one for one in here if request.source in ("", one.name)]
    if len(chosen) != 1:
        text = f"several sources have one: {', '.join(one.name for one in chosen)}" if chosen else "no source has one"
        advice = f'Give --source NAME of a source with location = "{SNOWFLAKE}" in ledger.toml (docs/snowflake.md).'
        raise reject(f"which account of Snowflake is meant is not clear: {text}", advice, "snowflake-account")
    return chosen[0]


def months(source: Source, now: datetime) -> list[Period]:
    """The open month and the one before on every run: until a month is closed, any day of it may change."""
    from ingest.plan import months_to_ask
    from ingest.snowflake_views import latency_of

    silent = timedelta(hours=latency_of(source.snowflake.view))
    return months_to_ask(now, source.restated_for, source.since, silent=silent, before=True)


def take_views(source: Source, request: Request, hands: Desk, env: Env, now: datetime) -> Intake:
    """One month: the one that is asked for, else the current one."""
    from adapters import telemetry
    from ingest.remote import take_offers
    from ingest.sources.snowflake import SnowflakeViews
    from ledger.delivery import Period

    period = request.partition[1] if request.partition else request.period or Period(now.year, now.month)
    folder = hands.workspace / "snowflake"
    folder.mkdir(exist_ok=True)
    hands.progress("ask", {"location": f"{SNOWFLAKE} {source.snowflake.account} {period}"})
    session, allocation = _session(source, env), source.allocation
    views = SnowflakeViews(session, source.snowflake, period, folder, lambda: now, hands.progress, allocation)
    taken = take_offers(views.offers(), views, replace(request, source=source.name), hands, now)
    if left_out := (*taken.ignored, *views.left_out):
        telemetry.event("views-left-out", source=source.name, period=str(period), reasons=list(left_out))
    return replace(taken, ignored=left_out)


def _session(source: Source, env: Env) -> Connect:
    from adapters.snowflake_session import SignIn, connect

    asked = source.snowflake
    sign_in = SignIn(asked.account, asked.user, asked.role, asked.warehouse, asked.auth, source.name)
    return partial(connect, sign_in, env)
