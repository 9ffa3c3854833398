"""The timer and its queue on real parts: which partitions are due, and one of them ingested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from settings import Settings
from wiring.answers import answers
from wiring.feeds import noted
from wiring.money import take_source
from wiring.parts import Env, desk, opener, quiet, settings
from wiring.reports import reports_due
from wiring.snowflake import months
from wiring.sources import COST_DETAILS, COST_EXPLORER, SNOWFLAKE, deliveries, listed, passed_over

if TYPE_CHECKING:
    from governance.model import Message
    from ingest.intake import Request
    from ingest.plan import Due, Source

PATIENCE = 240  # seconds for one source, of the half hour that the timer has for all
TOLD = 20  # of what was passed over, in one line of the log


def plan_ingest(env: Env, now: datetime, seconds: float = PATIENCE) -> list[Message]:
    """One message per (source, billing period) whose files differ from what the ledger holds.

    A source that cannot be read, or does not answer in so many seconds, is told of and does not hold up the others.
    """
    from adapters import telemetry
    from governance.model import Message
    from ledger.faults import Conflict, Missing, Rejected, Transient

    found = settings(env)
    planned: dict[str, list[Due]] = {}
    tasks = {source.name: partial(_due, source, found, env, now) for source in found.sources}
    for name, answer in answers(tasks, seconds):
        if isinstance(answer, (Conflict, Missing, Rejected, Transient)):
            telemetry.failed("source-not-planned", answer, source=name, at=now.isoformat())
        elif isinstance(answer, Exception):
            raise answer
        else:
            planned[name] = answer
    due = [one for source in found.sources for one in planned.get(source.name, [])]
    return [Message("ingest-partition", one.as_message()) for one in due]


def _due(source: Source, found: Settings, env: Env, now: datetime) -> list[Due]:
    from ingest.plan import Due, months_to_ask

    if source.location.startswith(COST_DETAILS):
        return reports_due(source, found, env, now)
    if source.location.startswith(COST_EXPLORER):
        return [Due(source.name, period) for period in months_to_ask(now, source.restated_for, source.since)]
    if source.location.startswith(SNOWFLAKE):
        return [Due(source.name, period) for period in months(source, now)]
    if listed(source, env):
        return _due_of_offers(source, found, env, now)
    return _due_of_files(source, found, env) if source.location else []


def _due_of_offers(source: Source, found: Settings, env: Env, now: datetime) -> list[Due]:
    """By the manifests alone; what cannot be taken now is told of, and so is a month that is no longer there."""
    from adapters import telemetry
    from ingest.plan import Due
    from ingest.remote import unchanged, wanted

    request, messages = standing(source, found, whole=True), []
    made = deliveries(source, source.basis, env, now)
    offers = wanted(made.offers(), request)
    with desk(found, env, quiet) as hands:
        for offer in offers:
            if offer.fault:
                telemetry.failed("delivery-not-ready", offer.fault, source=source.name, period=str(offer.period))
            elif not unchanged(offer, request, hands, now):
                messages.append(Due(source.name, offer.period))
        held = {one.period for one in hands.book.partitions() if one.source == source.name}
    if ignored := passed_over(made):
        telemetry.event("exports-passed-over", source=source.name, count=len(ignored), labels=list(ignored[:TOLD]))
    if gone := sorted(held - {offer.period for offer in offers}):
        telemetry.event("months-not-offered", source=source.name, periods=[str(period) for period in gone])
    return messages


def _due_of_files(source: Source, found: Settings, env: Env) -> list[Due]:
    from ingest.beside import beside
    from ingest.intake import assembled_of, find, group
    from ingest.plan import due
    from ingest.sources.folder import collect

    request = standing(source, found, whole=False)
    with desk(found, env, quiet) as hands:
        files, others, _ = find(collect([source.location], opener(env)), request, hands)
        given = beside(others, files)
        groups = [(key, entries) for key, entries in group(files, request).items() if key[0].name == source.name]
        ready = [assembled_of(*key, entries, request, hands, given) for key, entries in groups]
        offered = {(one.source.name, one.period): one.digest for one in ready if not one.missing}
        current = {key: hands.book.digest_of(*key) or "" for key in offered}
    return due(offered, current)


def ingest_partition(body: Mapping[str, object], env: Env, now: datetime, run_id: str) -> Mapping[str, object]:
    """Ingest one (source, billing period) from the source's location; the report of the run.

    Rejected when the message is none of ours, or the bill is refused; Transient when it cannot be had now: then the
    ledger keeps its last version.
    """
    from ledger.delivery import Period
    from ledger.faults import NotYet, Rejected, Transient, reject

    found = settings(env)
    try:
        source, period = found.source(str(body["source"])), Period.parse(str(body["period"]))
    except (KeyError, ValueError) as fault:
        raise reject("not a message of ingest-partition", "It names a source and a period.", "message") from fault
    request = replace(standing(source, found, listed(source, env)), partition=(source.name, period))
    try:
        intake = take_source(source, request, found, env, now, lambda: run_id)
    except NotYet as nothing:
        return {"outcome": "no data yet", "source": source.name, "period": str(period), "told": str(nothing)}
    if intake.faults:
        raise Rejected(intake.faults)
    if intake.later:
        raise Transient("; ".join(intake.later))
    gone = {"outcome": "gone", "source": source.name, "period": str(period)}
    report = intake.runs[0].as_json() if intake.runs else gone
    noted(report, found, env, now)
    return report


def standing(source: Source, found: Settings, whole: bool) -> Request:
    """What a configured source asks for; a location of `whole` deliveries says alone whose bill it is."""
    from ingest.intake import Request

    named = "" if source.accounts and not whole else source.name
    asked = Request(source.provider, named, basis=source.basis, sources=found.sources)
    options = {one.name: one.options for one in found.sources}
    return replace(asked, entities=found.entities, resellers=found.resellers, options=options)
