"""From files to runs: stage them all, group them into deliveries, hold what waits for its pair, ingest the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.beside import NOTHING, Beside, Owned, beside, given_to, owned, stands_beside
from ingest.commitments import Table
from ingest.deliveries import Assembled, Found, assemble, source_name
from ingest.flow import Book, Partition, Progress, Tuning, ingest
from ingest.holding import Holding, Span, conflicts, from_report, span_of, strangers
from ingest.inspection import inspect, name_parties
from ingest.mapping import names_parties
from ingest.plan import Source, claims
from ingest.prices import is_sheet
from ingest.run import Run
from ingest.shapes import Shape
from ingest.shelf import Shelf
from ingest.shrinking import Held
from ingest.staging import Collected, stage
from ledger.delivery import SOURCE_NAME, Period, SourceRef
from ledger.faults import Fault, Rejected, reject
from ledger.store import ObjectStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Request:
    """What a person or a message asks for; empty means: take it from the files.

    `partition` leaves alone whatever else the files hold; `period` refuses it. `options` are what a source's settings
    ask of its mapping, by source.
    """

    provider: str = ""
    source: str = ""
    period: Period | None = None
    basis: str = "amortized"
    sources: tuple[Source, ...] = ()
    partition: tuple[str, Period] | None = None
    entities: Mapping[str, str] = field(default_factory=dict)
    resellers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of a call: a run per delivery, files that are no data, faults of deliveries that were refused.

    `later` are deliveries that could not be taken now, each with its reason.
    """

    runs: tuple[Run, ...]
    ignored: tuple[str, ...]
    faults: tuple[Fault, ...]
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """The hands of an intake: an open connection, the book, its store, a scratch folder, and who to tell.

    `terms` is the table of commitments.
    """

    connection: DuckDBPyConnection
    book: Book
    store: ObjectStore
    workspace: Path
    progress: Progress
    new_id: Callable[[], str]
    tuning: Tuning = field(default_factory=Tuning)
    shelf: Shelf = field(default_factory=Shelf)
    terms: Table | None = None


def take_in(collected: Collected, request: Request, desk: Desk, now: datetime) -> Intake:
    """Ingest every delivery the files hold. Nothing is committed while any file cannot be read or does not fit."""
    refuse_bad_name(request.source)
    found, others, ignored = find(collected, request, desk)
    groups, given = group(found, request), beside(others, found)
    names = {source.name: {other.provider for other, _ in groups if other.name == source.name} for source, _ in groups}
    if faults_of_names := strangers(names):
        raise Rejected(faults_of_names)
    runs: list[Run] = []
    faults: list[Fault] = []
    for source, period in sorted(groups):
        try:
            runs.append(take_one(source, period, groups[source, period], request, desk, now, given=given))
        except Rejected as refusal:
            faults += refusal.faults
    return Intake(tuple(runs), (*collected.ignored, *ignored), tuple(faults))


def joined(intakes: Sequence[Intake]) -> Intake:
    """Several places of one call."""
    return Intake(
        tuple(run for one in intakes for run in one.runs),
        tuple(label for one in intakes for label in one.ignored),
        tuple(fault for one in intakes for fault in one.faults),
        tuple(reason for one in intakes for reason in one.later),
    )


def refuse_bad_name(source: str) -> None:
    if source and not SOURCE_NAME.fullmatch(source):
        advice = "A source name is lower-case letters, digits and hyphens, at most 63."
        raise reject(f"{source!r:.80} is no source name", advice, "source-name")


def find(collected: Collected, request: Request, desk: Desk) -> tuple[list[Found], list[Owned], list[str]]:
    """What the bills hold, what stands beside them, and labels of files that are neither. Collects all faults."""
    found: list[Found] = []
    others: list[Owned] = []
    ignored: list[str] = []
    faults: list[Fault] = []
    name_parties(desk.connection, request.entities, request.resellers)
    for index, file in enumerate(collected.files):
        desk.progress("read", {"file": file.label, "number": index + 1, "of": len(collected.files)})
        try:
            staged = stage(desk.connection, file.path, file.label, desk.workspace)
            if stands_beside(staged):
                others.append(owned(desk.connection, staged))
            else:
                found += inspect(desk.connection, staged)
        except Rejected as refusal:
            unknown = not file.named and refusal.faults[0].rule == "unknown-shape"
            (ignored.append(f"{file.label} (no known bill)") if unknown else faults.extend(refusal.faults))
    faults += [fault for entry in found for fault in misfits(entry, request)]
    if not found and not faults and not others:
        faults.append(Fault("no bill was found", "Give the files of a bill or the folder that holds them.", "no-data"))
    if faults:
        raise Rejected(faults)
    return found, others, ignored


def group(found: Sequence[Found], request: Request) -> dict[tuple[SourceRef, Period], list[Found]]:
    """Files per (source, billing period) that was asked for."""
    named = claims(request.sources)
    groups: dict[tuple[SourceRef, Period], list[Found]] = {}
    for entry in found:
        provider = entry.provider
        name = request.source or source_name(provider, entry.account, named)
        if request.partition in (None, (name, entry.period)):
            groups.setdefault((SourceRef(name, provider), entry.period), []).append(entry)
    return groups


def assembled_of(
    source: SourceRef, period: Period, found: Sequence[Found], request: Request, desk: Desk, given: Beside = NOTHING
) -> Assembled:
    """The delivery as it stands with what was held back by earlier calls."""
    accounts = {entry.account for entry in found}
    held = _held(source, period, accounts, desk) if found[0].staged.shape.roles else []
    assembled = assemble(source, period, found, request.basis, held)
    parties, options = named_parties(found[0].staged.shape, request), options_of(source.name, request)
    others = given_to(found, given)
    sheets = tuple(one for one in others if is_sheet(one))
    besides = tuple(one for one in others if not is_sheet(one))
    return replace(assembled, parties=parties, options=options, prices=sheets, companions=besides)


def named_parties(shape: Shape, request: Request) -> tuple[tuple[str, str], ...]:
    """The settings' names of companies, where this shape's rows depend on them."""
    named = (*sorted(request.entities.items()), *sorted(request.resellers.items()))
    return named if names_parties(shape) else ()


def options_of(source: str, request: Request) -> tuple[tuple[str, str], ...]:
    """What the source's settings ask of the mapping."""
    return request.options.get(source, ())


def take_one(
    source: SourceRef,
    period: Period,
    found: Sequence[Found],
    request: Request,
    desk: Desk,
    now: datetime,
    manifest: str = "",
    given: Beside = NOTHING,
    is_listed: bool = False,
) -> Run:
    """One delivery, from its files' contents to its report; `manifest` is the digest of the one that lists them.

    `is_listed`: the provider listed them as its parts, also where no manifest can stand for them.
    """
    assembled = assembled_of(source, period, found, request, desk, given)
    assembled = replace(assembled, manifest=manifest, is_listed=is_listed)
    _one_account(source, assembled.found)
    _refuse_conflicts(assembled, desk)
    by_hand = not (manifest or request.partition or request.period)
    run_id = f"{now:%Y%m%dT%H%M%S}-{desk.new_id()}"
    work = desk.workspace / run_id
    run = ingest(
        assembled,
        connection=desk.connection,
        book=desk.book,
        workspace=work,
        now=now,
        run_id=run_id,
        progress=desk.progress,
        tuning=desk.tuning,
        shelf=desk.shelf,
        terms=desk.terms,
        held=_held_before(assembled, desk, by_hand),
        spans=partial(_spans, assembled, desk),
    )
    _after(run, assembled, desk)
    shutil.rmtree(work, ignore_errors=True)
    return run


def _refuse_conflicts(assembled: Assembled, desk: Desk) -> None:
    """Compare with what the ledger holds for that month, by the reports of the runs that wrote it."""
    held = [_holding(entry, desk) for entry in desk.book.partitions() if entry.period == assembled.period]
    current = next((entry for entry in held if entry.source == assembled.source.name), None)
    others = [entry for entry in held if entry.source != assembled.source.name]
    if faults := conflicts(assembled.holding, assembled.period, current, others):
        raise Rejected(faults)


def _spans(assembled: Assembled, desk: Desk) -> list[Span]:
    """What the ledger holds of the source's other months."""
    name, period = assembled.source.name, assembled.period
    others = [one for one in desk.book.partitions() if one.source == name and one.period != period]
    return [span for one in others if (span := span_of(report_of(one, desk)))]


def _held_before(assembled: Assembled, desk: Desk, by_hand: bool) -> Held | None:
    """What the ledger holds of this month."""
    place = (assembled.source.name, assembled.period)
    current = next((one for one in desk.book.partitions() if (one.source, one.period) == place), None)
    return Held(report_of(current, desk), by_hand) if current else None


def _holding(partition: Partition, desk: Desk) -> Holding:
    """By the run's report; a partition without one is known by its name alone."""
    report = report_of(partition, desk)
    return from_report(report) if report else Holding(partition.source, "", frozenset())


def report_of(partition: Partition, desk: Desk) -> Mapping[str, object]:
    """The newest report that tells of this very content; empty where there is none."""
    for name in reversed(desk.store.names(f"runs/{partition.source}/{partition.period}/")):
        report: Mapping[str, object] = json.loads(desk.store.read(name))
        if str(report.get("digest", "")).startswith(partition.digest):
            return report
    return {}


def _after(run: Run, assembled: Assembled, desk: Desk) -> None:
    """Keep the run's report; hold back a lone half, forget the halves of a finished pair."""
    if run.outcome == "waiting":
        _hold(assembled, desk)
    if run.outcome == "committed" or (run.outcome == "unchanged" and not _reported(run, desk)):
        report = json.dumps(run.as_json(), indent=1).encode()
        desk.store.create(f"runs/{run.source}/{run.period}/{run.id}.json", report)
    if run.outcome in ("committed", "unchanged") and assembled.basis == "amortized":
        for name in desk.store.names(_waiting(assembled.source, assembled.period)):
            desk.store.delete(name)


def _reported(run: Run, desk: Desk) -> bool:
    """Whether a report tells of this content; a crash right after a commit leaves none: the next call adds it."""
    names = desk.store.names(f"runs/{run.source}/{run.period}/")
    return any(json.loads(desk.store.read(name)).get("digest") == run.digest for name in reversed(names))


def misfits(entry: Found, request: Request) -> list[Fault]:
    """Where the file does not fit what was asked for or what the settings say of its source."""
    label, provider = entry.staged.file.label, entry.provider
    name = request.source or source_name(provider, entry.account, claims(request.sources))
    source = next((source for source in request.sources if source.name == name), Source(name, provider))
    faults = []
    meant = next((name for name in (request.provider, source.provider) if name and name != provider), "")
    if meant:
        faults.append(_misfit(f"this is a bill of {provider}, not of {meant}", "provider", label))
    if request.period and request.period != entry.period:
        faults.append(_misfit(f"the rows are of {entry.period}, not of {request.period}", "period", label))
    own = (source.currency, source.currency.upper())
    strangers = [code for code in entry.currencies if source.currency and code not in own]
    if strangers:
        text = f"the file bills in {', '.join(strangers)}, but source {name} is set to {source.currency}"
        faults.append(_misfit(text, "currency", label))
    return faults


def _misfit(message: str, rule: str, label: str) -> Fault:
    advice = {
        "provider": "Check --provider and --source, or the source's provider in ledger.toml.",
        "period": "Check --period, or leave it out: the period is read from the rows.",
        "currency": "Check the file, or the source's currency in ledger.toml; amounts are not converted on the way in.",
    }
    return Fault(message, advice[rule], rule, label)


def _one_account(source: SourceRef, found: Sequence[Found]) -> None:
    accounts = sorted({entry.account for entry in found})
    if len(accounts) > 1 and found[0].staged.shape.roles:
        text = f"files of several billing accounts ({', '.join(accounts)}) claim source {source.name}"
        raise Rejected([Fault(text, "Ingest each account under a source of its own: --source NAME.", "accounts")])


def _waiting(source: SourceRef, period: Period) -> str:
    return f"waiting/{source.name}/{period}/"


def _hold(assembled: Assembled, desk: Desk) -> None:
    prefix = _waiting(assembled.source, assembled.period)
    for role in {entry.staged.file.role for entry in assembled.found}:
        for name in desk.store.names(f"{prefix}{role}-"):
            desk.store.delete(name)
    for entry in assembled.found:
        copy = desk.workspace / f"hold-{entry.staged.digest[:16]}"
        shutil.copyfile(entry.staged.origin, copy)
        desk.store.put_file(f"{prefix}{entry.staged.file.role}-{entry.staged.digest[:16]}.csv", copy)


def _held(source: SourceRef, period: Period, accounts: set[str], desk: Desk) -> list[Found]:
    """Halves of earlier calls; of a file with several accounts only the part that is asked for, if it has any."""
    held: list[Found] = []
    for name in desk.store.names(_waiting(source, period)):
        role = name.rpartition("/")[2].partition("-")[0]
        staged = stage(desk.connection, desk.store.fetch(name), f"{role} file of an earlier call", desk.workspace)
        inside = [_as_role(entry, role) for entry in inspect(desk.connection, staged) if entry.period == period]
        held += [entry for entry in inside if entry.account in accounts] or inside
    return held


def _as_role(entry: Found, role: str) -> Found:
    return replace(entry, staged=replace(entry.staged, file=replace(entry.staged.file, role=role)))
