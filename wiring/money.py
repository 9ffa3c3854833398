"""The money story on real parts: bills in, totals, exports and checks out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings
from wiring.days import asked_source, take_days
from wiring.parts import Env, book, commitments, desk, engine, new_id, opener, quiet, store
from wiring.reports import source_of_scope, take_reports
from wiring.snowflake import source_of_account, take_views
from wiring.sources import (
    COST_DETAILS,
    COST_EXPLORER,
    SNOWFLAKE,
    deliveries,
    listed,
    passed_over,
    refuse_unclear,
    source_at,
)

if TYPE_CHECKING:
    from focus.report import Report
    from ingest.flow import Progress
    from ingest.intake import Desk, Intake, Request
    from ingest.plan import Source
    from ingest.validation import Wish
    from ledger import export as exports

# Places that are asked for one month at a time.
ASKED: dict[str, Callable[[Source, Request, Desk, Env, datetime], Intake]] = {
    COST_EXPLORER: take_days,
    COST_DETAILS: take_reports,
    SNOWFLAKE: take_views,
}


def take_in(
    locations: Sequence[str],
    request: Request,
    found: Settings,
    env: Env,
    now: datetime,
    progress: Progress,
    new_id: Callable[[], str] = new_id,
) -> Intake:
    """The whole money story for these locations: files at hand, deliveries by manifest, what is asked for."""
    from ingest.intake import joined, take_in
    from ingest.sources.folder import collect

    places = [one for one in locations if listed(source_at(one, request.source, found), env)]
    days = [one for one in locations if one.startswith(COST_EXPLORER)]
    scopes = [one for one in locations if one.startswith(COST_DETAILS)]
    accounts = [one for one in locations if one.startswith(SNOWFLAKE)]
    files = [one for one in locations if one not in (*places, *days, *scopes, *accounts)]
    asked = replace(request, options={one.name: one.options for one in found.sources})
    with desk(found, env, progress) as hands:
        hands = replace(hands, new_id=new_id)
        taken = [take_in(collect(files, opener(env)), asked, hands, now)] if files else []
        for one in places:
            taken.append(_told(partial(_at_place, one, asked, found, hands, env, now)))
        for _ in days[:1]:
            taken.append(_told(lambda: take_days(asked_source(asked, found), asked, hands, env, now)))
        for one in scopes:
            taken.append(_told(partial(_of_scope, one, asked, found, hands, env, now)))
        for _ in accounts[:1]:
            taken.append(_told(lambda: take_views(source_of_account(asked, found), asked, hands, env, now)))
    return joined(taken)


def _told(take: Callable[[], Intake]) -> Intake:
    """What one place says, also when it fails whole: the runs of the others are told all the same."""
    from ingest.intake import Intake
    from ledger.faults import Rejected, Transient

    try:
        return take()
    except Rejected as refusal:
        return Intake((), (), refusal.faults)
    except Transient as fault:
        return Intake((), (), (), (str(fault),))


def take_source(
    source: Source, request: Request, found: Settings, env: Env, now: datetime, new_id: Callable[[], str] = new_id
) -> Intake:
    """The same for a configured source, wherever it says that its bills are."""
    whole = listed(source, env)
    if not whole and not source.location.startswith((*ASKED,)):
        return take_in([source.location], request, found, env, now, quiet, new_id)
    with desk(found, env, quiet) as hands:
        hands = replace(hands, new_id=new_id)
        if whole:
            return _delivered(source, request, hands, env, now)
        take = next(take for place, take in ASKED.items() if source.location.startswith(place))
        return take(source, request, hands, env, now)


def _at_place(location: str, request: Request, found: Settings, hands: Desk, env: Env, now: datetime) -> Intake:
    """Under the name of the source that lies there, as by the timer, so that it is one bill."""
    refuse_unclear(location, request.source, found)
    source = source_at(location, request.source, found)
    return _delivered(source, replace(request, source=request.source or source.name), hands, env, now)


def _of_scope(location: str, request: Request, found: Settings, hands: Desk, env: Env, now: datetime) -> Intake:
    return take_reports(source_of_scope(location, request, found), request, hands, env, now)


def _delivered(source: Source, request: Request, hands: Desk, env: Env, now: datetime) -> Intake:
    from ingest.remote import take_offers

    made = deliveries(source, request.basis, env, now)
    hands.progress("list", {"location": source.location or source.aws.export})
    taken = take_offers(made.offers(), made, request, hands, now)
    return replace(taken, ignored=(*taken.ignored, *passed_over(made)))


def summary(found: Settings, env: Env) -> dict[str, object]:
    """The summary document of the ledger as it stands."""
    from ledger.summary import counts_sql, facts, facts_sql, summarise

    at = store(found.store_url, env)
    ledger, terms = book(at), commitments(at)
    with engine(found) as connection:
        relation = ledger.relation_sql(ledger.files())
        rows = connection.execute(facts_sql(relation, found.classification)).fetchall()
        counted = connection.execute(counts_sql(terms.relation_sql(terms.files()))).fetchall()
    return summarise(facts(rows), at.url, ledger.version(), dict(counted))


def contracts(found: Settings, env: Env, until: date) -> dict[str, object]:
    """How far the ledger's contracts are used, by its rows up to that day."""
    from ledger.burn_down import document
    from ledger.contracts import Draw, Term, draws_sql, held, held_sql, pools, terms_sql

    at = store(found.store_url, env)
    ledger, terms = book(at), commitments(at)
    with engine(found) as connection:
        relation = ledger.relation_sql(ledger.files())
        rows = connection.execute(terms_sql(terms.relation_sql(terms.files()))).fetchall()
        drawn = connection.execute(draws_sql(relation), [until]).fetchall()
        days = connection.execute(held_sql(relation), [until]).fetchall()
    told, unknown = pools([Term(*row) for row in rows], [Draw(*row) for row in drawn])
    return document(told, unknown, held(days), at.url)


def export(
    out: str, request: exports.Request, found: Settings, env: Env, now: datetime, progress: Progress
) -> dict[str, object]:
    """The ledger's rows as FOCUS data in a folder or under az://container/prefix; the list of what was written."""
    from ledger.export import Workshop, export, own
    from ledger.export_place import place
    from ledger.export_sql import COSTS

    table = book if request.dataset == COSTS else commitments
    with engine(found) as connection:
        shop = Workshop(table(store(found.store_url, env)), connection, own(), progress, found.row_group_size)
        return export(place(out, opener(env), now), request, shop, now)


def validate(locations: Sequence[str], wish: Wish, found: Settings, env: Env, progress: Progress) -> list[Report]:
    """A report per dataset in these files, or on the ledger's rows where there are none."""
    from ingest import validation
    from ingest.delta_files import is_table, table_files
    from ingest.sources.folder import collect
    from ledger.export_sql import newest_sql
    from ledger.metadata_files import metadata_beside

    with tempfile.TemporaryDirectory(prefix="ledger-check-") as work, engine(found) as connection:
        if locations:
            tables = [location for location in locations if is_table(location)]
            files = list(collect([one for one in locations if one not in tables], opener(env)).files)
            files += [file for table in tables for file in table_files(connection, table, Path(work))]
            beside = None if "://" in locations[0] else metadata_beside(Path(locations[0]))
            return validation.validate_files(connection, files, wish, Path(work), progress, beside)
        at = store(found.store_url, env)
        costs, terms = (table.relation_sql(table.files(), located=True) for table in (book(at), commitments(at)))
        return validation.validate_ledger(connection, costs, newest_sql(terms), at.url, wish, progress)
