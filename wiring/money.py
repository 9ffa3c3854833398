"""The money story on real parts: bills in, totals, exports and checks out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, book, desk, engine, new_id, opener, quiet, settings, store

if TYPE_CHECKING:
    from focus.report import Report
    from governance.model import Message
    from ingest.flow import Progress
    from ingest.intake import Intake, Request
    from ingest.plan import Source
    from ingest.validation import Wish
    from ledger import export as exports


def take_in(
    locations: Sequence[str],
    request: Request,
    found: Settings,
    env: Env,
    now: datetime,
    progress: Progress,
    new_id: Callable[[], str] = new_id,
) -> Intake:
    """The whole money story for these locations."""
    from ingest.intake import take_in
    from ingest.sources.folder import collect

    collected = collect(locations, opener(env))
    with desk(found, env, progress) as hands:
        return take_in(collected, request, replace(hands, new_id=new_id), now)


def summary(found: Settings, env: Env) -> dict[str, object]:
    """The summary document of the ledger as it stands."""
    from ledger.summary import facts, facts_sql, summarise

    at = store(found.store_url, env)
    ledger = book(at)
    with engine(found) as connection:
        relation = ledger.relation_sql(ledger.files())
        rows = connection.execute(facts_sql(relation, found.classification)).fetchall()
    return summarise(facts(rows), at.url, ledger.version())


def export(
    out: str, request: exports.Request, found: Settings, env: Env, now: datetime, progress: Progress
) -> dict[str, object]:
    """The ledger's rows as FOCUS data in a folder or under az://container/prefix; the list of what was written."""
    from ledger.export import Workshop, export, own
    from ledger.export_place import place

    with engine(found) as connection:
        shop = Workshop(book(store(found.store_url, env)), connection, own(), progress, found.row_group_size)
        return export(place(out, opener(env), now), request, shop, now)


def validate(locations: Sequence[str], wish: Wish, found: Settings, env: Env, progress: Progress) -> list[Report]:
    """A report per dataset in these files, or on the ledger's rows where there are none."""
    from ingest import validation
    from ingest.delta_files import is_table, table_files
    from ingest.sources.folder import collect
    from ledger.metadata_files import metadata_beside

    with tempfile.TemporaryDirectory(prefix="ledger-check-") as work, engine(found) as connection:
        if locations:
            tables = [location for location in locations if is_table(location)]
            files = list(collect([one for one in locations if one not in tables], opener(env)).files)
            files += [file for table in tables for file in table_files(connection, table, Path(work))]
            beside = None if "://" in locations[0] else metadata_beside(Path(locations[0]))
            return validation.validate_files(connection, files, wish, Path(work), progress, beside)
        at = store(found.store_url, env)
        ledger = book(at)
        relation = ledger.relation_sql(ledger.files(), located=True)
        return validation.validate_ledger(connection, relation, at.url, wish, progress)


def plan_ingest(env: Env, now: datetime) -> list[Message]:
    """One message per (source, billing period) whose files differ from what the ledger holds.

    A source that cannot be read is told of and does not hold up the others.
    """
    from adapters import telemetry
    from ledger.faults import Conflict, Missing, Rejected, Transient

    found, messages = settings(env), []
    for source in (source for source in found.sources if source.location):
        try:
            messages += _due(source, found, env)
        except (Conflict, Missing, Rejected, Transient) as fault:
            telemetry.failed("source-not-planned", fault, source=source.name, at=now.isoformat())
    return messages


def _due(source: Source, found: Settings, env: Env) -> list[Message]:
    from governance.model import Message
    from ingest.intake import assembled_of, find, group
    from ingest.plan import due
    from ingest.sources.folder import collect

    request = _standing(source, found)
    with desk(found, env, quiet) as hands:
        files, _ = find(collect([source.location], opener(env)), request, hands)
        groups = group(files, request).items()
        ready = [assembled_of(*key, entries, request, hands) for key, entries in groups if key[0].name == source.name]
        offered = {(one.source.name, one.period): one.digest for one in ready if not one.missing}
        current = {key: hands.book.digest_of(*key) or "" for key in offered}
    return [Message("ingest-partition", one.as_message()) for one in due(offered, current)]


def ingest_partition(body: Mapping[str, object], env: Env, now: datetime, run_id: str) -> Mapping[str, object]:
    """Ingest one (source, billing period) from the source's location; the report of the run.

    Rejected when the message is none of ours, or the bill is refused: then the ledger keeps its last version.
    """
    from ledger.delivery import Period
    from ledger.faults import Rejected, reject

    found = settings(env)
    try:
        source, period = found.source(str(body["source"])), Period.parse(str(body["period"]))
    except (KeyError, ValueError) as fault:
        raise reject("not a message of ingest-partition", "It names a source and a period.", "message") from fault
    request = replace(_standing(source, found), partition=(source.name, period))
    intake = take_in([source.location], request, found, env, now, quiet, new_id=lambda: run_id)
    if intake.faults:
        raise Rejected(intake.faults)
    gone = {"outcome": "gone", "source": source.name, "period": str(period)}
    return intake.runs[0].as_json() if intake.runs else gone


def _standing(source: Source, found: Settings) -> Request:
    """What a configured source asks for; without a list of accounts its location alone says whose bill it is."""
    from ingest.intake import Request

    named = "" if source.accounts else source.name
    asked = Request(source.provider, named, basis=source.basis, sources=found.sources)
    return replace(asked, entities=found.entities, resellers=found.resellers)
