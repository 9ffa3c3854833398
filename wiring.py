"""The one place that builds real adapters from settings, lazily: nothing heavy is imported until a job arrives."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from settings import Settings, load

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from focus.report import Report
    from governance.model import Fleet, Message, Queue
    from governance.record import Record
    from governance.terminal import Played
    from ingest.flow import Progress
    from ingest.intake import Desk, Intake, Request
    from ingest.plan import Source
    from ingest.validation import Wish
    from ledger import export as exports
    from ledger.book import Book
    from ledger.store import ObjectStore

Env = Mapping[str, str]


def settings(env: Env, path: Path | None = None) -> Settings:
    return load(path, env)


def store(url: str, env: Env) -> ObjectStore:
    """The ledger's own: a folder, or a blob container with a prefix for az://container/prefix."""
    from ledger.book import DATA_FILE

    return _opened(url, env, DATA_FILE)


def opener(env: Env) -> Callable[[str], ObjectStore]:
    """Opens what others write: there no name says what is in it, so a file is asked for each time."""
    return lambda url: _opened(url, env, None)


def _opened(url: str, env: Env, lasting: re.Pattern[str] | None) -> ObjectStore:
    from adapters.names import BLOBS, checked_url

    if not checked_url(url).startswith(BLOBS):
        from adapters.folder import FolderStore

        return FolderStore(url)
    from adapters.blob import BlobStore
    from adapters.storage_account import account_from

    container, _, prefix = url.removeprefix(BLOBS).partition("/")
    return BlobStore(account_from(env), container, prefix.rstrip("/"), lasting=lasting)


def book(at: ObjectStore) -> Book:
    from focus.schema import ledger_types
    from ledger.book import Book

    return Book(at, ledger_types())


def record(at: ObjectStore) -> Record:
    from governance.record import Record

    return Record(at)


def queue(env: Env) -> Queue:
    from adapters.queue import AzureQueue
    from adapters.storage_account import account_from

    return AzureQueue(account_from(env))


def fleet(env: Env) -> Fleet:
    """Azure virtual machines with the service's own identity; LEDGER_ARM_URL points at another control plane."""
    from adapters.identity import credential
    from governance.actions.azure_vm import PUBLIC_ARM, AzureVirtualMachines

    url, trust = env.get("LEDGER_ARM_URL") or PUBLIC_ARM, env.get("LEDGER_ARM_CA") or None
    return AzureVirtualMachines(credential(env), base_url=url, verify=trust)


@contextmanager
def engine(found: Settings) -> Iterator[DuckDBPyConnection]:
    """A DuckDB session in memory that spills to a scratch folder of its own."""
    import duckdb

    from ingest.inspection import prepare

    with tempfile.TemporaryDirectory(prefix="ledger-spill-") as spill, duckdb.connect() as connection:
        connection.execute("SET temp_directory = ?", [spill])
        if found.memory_limit:
            connection.execute("SET memory_limit = ?", [found.memory_limit])
        connection.execute(f"SET threads = {found.threads or os.cpu_count() or 1}")
        prepare(connection)
        yield connection


@contextmanager
def desk(found: Settings, env: Env, progress: Progress) -> Iterator[Desk]:
    """Everything an intake needs, with a scratch folder that goes when it is done."""
    from ingest.flow import Tuning
    from ingest.intake import Desk

    at = store(found.store_url, env)
    with tempfile.TemporaryDirectory(prefix="ledger-work-") as work, engine(found) as connection:
        tuning = Tuning(row_group_size=found.row_group_size, gate=found.gate)
        yield Desk(connection, book(at), at, Path(work), progress, new_id, tuning)


def new_id() -> str:
    return secrets.token_hex(4)


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
    from ingest.sources.folder import collect

    with tempfile.TemporaryDirectory(prefix="ledger-check-") as work, engine(found) as connection:
        if locations:
            files = collect(locations, opener(env)).files
            return validation.validate_files(connection, files, wish, Path(work), progress)
        at = store(found.store_url, env)
        ledger = book(at)
        relation = ledger.relation_sql(ledger.files(), located=True)
        return validation.validate_ledger(connection, relation, at.url, wish, progress)


def quiet(_event: str, _fields: Mapping[str, object]) -> None:
    """Progress that nobody watches."""


# What the triggers call: settings are read anew for each job, and messages come back as values for `send`.


def on_alert(body: bytes, env: Env, now: datetime) -> tuple[int, Mapping[str, object]]:
    """Status and JSON-ready body for the webhook's caller."""
    from governance import flow

    found = settings(env)
    kept = record(store(found.store_url, env))
    answer = flow.on_alert(body, budgets=found.budgets, record=kept, queue=queue(env), now=now, live=found.live)
    return answer.status, answer.body


def on_queue(name: str, body: Mapping[str, object], env: Env, now: datetime) -> list[Message]:
    """One message of a control queue; the faults of its flow surface, so that the queue brings it again."""
    from governance.terminal import handlers

    found = settings(env)
    kept = record(store(found.store_url, env))
    return handlers(found.budgets, kept, fleet(env), found.live, found.classification)[name](body, now)


def on_poison(name: str, text: str, env: Env, now: datetime) -> None:
    """Record that a message of queue `name` was given up; `text` may be anything."""
    from governance import flow

    flow.on_poison(name, json_or_text(text), record=record(store(settings(env).store_url, env)), now=now)


def json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def sweep(env: Env, now: datetime) -> list[Message]:
    """Messages that were lost on the way, again."""
    from governance import flow

    return flow.on_sweep(record=record(store(settings(env).store_url, env)), now=now)


def send(messages: Sequence[Message], env: Env) -> None:
    """Put each on its queue; a crash in between is made good by the flows' redelivery and by the sweep."""
    if not messages:
        return
    line = queue(env)
    for message in messages:
        line.send(message)


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


def alert(
    body: bytes,
    found: Settings,
    env: Env,
    now: datetime,
    *,
    execute: bool,
    sleep: Callable[[float], object] = time.sleep,
    progress: Progress | None = None,
) -> tuple[int, list[str], dict[str, object]]:
    """Play an alert through the flows of the service; machines stop only with `execute` and both switches on.

    Returns the status, the receipt's lines and a JSON-ready document.
    """
    from adapters.clock import Clock
    from adapters.queue import MemoryQueue
    from governance.terminal import run_alert

    clock = Clock(now, sleep, progress or quiet)
    kept = record(store(found.store_url, env))
    played = run_alert(
        body,
        budgets=found.budgets,
        record=kept,
        queue=MemoryQueue(clock.now),
        fleet=fleet(env),
        now=now,
        live=execute and found.live,
        wait=clock.wait_until,
        rules=found.classification,
    )
    off = _switches_off(played, found) if execute else []
    events = [{"kind": event.kind, "at": event.at.isoformat(), "body": dict(event.body)} for event in played.events]
    document = {"status": played.answer.status, "answer": dict(played.answer.body), "run": played.run, "events": events}
    return played.answer.status, [*off, *played.lines], {**document, "switches_off": off}


def _switches_off(played: Played, found: Settings) -> list[str]:
    """What keeps --execute from executing."""
    named = {str(event.body["budget_id"]).lower() for event in played.events if "budget_id" in event.body}
    asleep = [one.name for one in found.budgets if one.id.lower() in named and not one.live]
    return [
        *([] if found.live else ["not executed: the master switch is off ([ledger] live, or LEDGER_LIVE=true)"]),
        *(f"not executed: [budgets.{name}] is not live" for name in asleep),
    ]
