"""Deliveries that lie elsewhere: chunk by chunk fetched, held against their manifest, looked at and let go again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ingest.beside import Owned, beside, beside_if_any, owned, takes
from ingest.commitments import settled
from ingest.deliveries import Found, basis_of, delivery_digest, with_role
from ingest.flow import Partition
from ingest.inspection import inspect, name_parties
from ingest.intake import (
    Desk,
    Intake,
    Request,
    group,
    misfits,
    named_parties,
    options_of,
    refuse_bad_name,
    report_of,
    take_one,
)
from ingest.offers import DeliverySource, Offer, RemoteFile, several
from ingest.promises import miscounted, short
from ingest.run import Run
from ingest.shapes import Shape, plain, shapes, sniff
from ingest.staging import Staged, holds_nothing, stage
from ingest.tally import instant
from ledger.faults import Fault, Rejected, Transient, reject

WHOLE_MONTHS = (
    "Let the provider deliver it again. Azure bills late usage a month later: there, let the export cover billing "
    "months (BillingMonthToDate, TheLastBillingMonth)."
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of an offer, staged, with what it holds: nothing where there is a header and no rows."""

    file: RemoteFile
    staged: Staged
    held: tuple[Found, ...]


def take_offers(offers: Sequence[Offer], source: DeliverySource, request: Request, desk: Desk, now: datetime) -> Intake:
    """Ingest every delivery that differs from what the ledger holds; one that fails does not hold up the others."""
    runs: list[Run] = []
    faults: list[Fault] = []
    later: list[str] = []
    left_out: list[str] = []
    refuse_bad_name(request.source)
    name_parties(desk.connection, request.entities, request.resellers)
    for offer in wanted(offers, request):
        try:
            with _month_of(offer, desk):
                runs += unchanged(offer, request, desk, now) or _taken(offer, source, request, desk, now, left_out)
        except Rejected as refusal:
            faults += refusal.faults
        except Transient as fault:
            later.append(f"{offer.export} {offer.period}: {fault}")
        finally:
            desk.shelf.clear()
    return Intake(tuple(runs), tuple(left_out), tuple(faults), tuple(later))


@contextmanager
def _month_of(offer: Offer, desk: Desk) -> Iterator[None]:
    """Rows of a delivery belong to its month, also those that a mapping knows to be billed with another one."""
    desk.connection.execute(f"SET VARIABLE delivered_month = '{offer.period}-01'")
    try:
        yield
    finally:
        desk.connection.execute("RESET VARIABLE delivered_month")


def wanted(offers: Sequence[Offer], request: Request) -> list[Offer]:
    """Those of the months that were asked for; a month that several exports offer is one faulty offer.

    An export offers a month once, so two offers of a month are two exports, whatever their names.
    """
    periods = {request.period or (request.partition[1] if request.partition else None)} - {None}
    since = {one.name: one.since for one in request.sources}.get(request.source)
    chosen = [offer for offer in offers if not periods or offer.period in periods]
    chosen = [offer for offer in chosen if since is None or offer.period >= since]
    months = {offer.period: [one for one in chosen if one.period == offer.period] for offer in chosen}
    return [same[0] if len(same) == 1 else several(same) for same in months.values()]


def shape_of(offer: Offer) -> Shape | None:
    """By the columns that the manifest names; None when only the files can tell."""
    formats = {"parquet" if file.label.endswith(".parquet") else "csv" for file in offer.files}
    return sniff(offer.columns, formats.pop()) if offer.columns and len(formats) == 1 else None


def offered_digest(offer: Offer, shape: Shape, source: str, request: Request) -> str:
    """The digest that the ledger holds once this offer is committed."""
    content, options = [f"manifest {offer.digest}"], options_of(source, request)
    basis, parties = basis_of(shape, request.basis), named_parties(shape, request)
    prices = [file.version for file in offer.prices] if shape.prices else []
    besides = [file.version for file in offer.beside] if shape.companions else []
    return delivery_digest(content, basis, offer.period, source, shape, parties, options, prices, besides)


def unchanged(offer: Offer, request: Request, desk: Desk, now: datetime) -> list[Run]:
    """The run of a delivery that the ledger already holds, told by its manifest alone; none for any other."""
    for held in desk.book.partitions():
        if held.period == offer.period and request.source in ("", held.source):
            shape = shape_of(offer) or shape_held(held, desk)
            digest = offered_digest(offer, shape, held.source, request) if shape else ""
            if shape and held.digest == digest[:16] and _whole(held, shape, digest, desk):
                return [_unchanged(offer, shape, held.source, digest, request, desk, now)]
    return []


def _whole(held: Partition, shape: Shape, digest: str, desk: Desk) -> bool:
    """A run that died on its way leaves no report, or other commitments: then the delivery is taken once more."""
    return bool(report_of(held, desk)) and settled(shape, desk.terms, held.source, held.period, digest)


def shape_held(held: Partition, desk: Desk) -> Shape | None:
    """The shape of what a partition holds, by the report of the run that wrote it."""
    name = str(report_of(held, desk).get("shape", ""))
    return next((shape for shape in shapes() if shape.name == name), None)


def _unchanged(
    offer: Offer, shape: Shape, source: str, digest: str, request: Request, desk: Desk, now: datetime
) -> Run:
    return Run(
        id=f"{now:%Y%m%dT%H%M%S}-{desk.new_id()}",
        source=source,
        provider=request.provider or shape.provider,
        shape=shape.name,
        period=str(offer.period),
        basis=basis_of(shape, request.basis),
        outcome="unchanged",
        digest=digest,
        files=tuple({"file": file.label, "role": "", "size": file.size} for file in offer.files),
        started=instant(now),
        manifest=offer.digest,
    )


def _taken(
    offer: Offer, source: DeliverySource, request: Request, desk: Desk, now: datetime, left_out: list[str]
) -> list[Run]:
    if offer.fault:
        raise offer.fault
    chunks = _chunks(offer, source, desk)
    found = [entry for chunk in chunks for entry in chunk.held]
    faults = [*_twice(chunks), *(fault for chunk in chunks for fault in _strangers(offer, chunk))]
    faults += short(offer.promises, {chunk.file.label: sum(entry.rows for entry in chunk.held) for chunk in chunks})
    faults += [fault for entry in found for fault in (*misfits(entry, request), *_foreign(entry, request))]
    if faults:
        raise Rejected(faults)
    if not found:
        raise _nothing(offer)
    if empty := {file.role for file in offer.files} - {entry.staged.file.role for entry in found} - {""}:
        raise _half(offer, *empty)
    groups = group(found, request)
    if len(groups) > 1:
        raise _payers(offer, sorted({entry.account for entry in found}))
    others = _others(offer, found[0].staged.shape, source, desk)
    # What an account's views tell at the moment nobody has put together: they need not be of the same accounts.
    given = beside(others, found) if offer.digest else beside_if_any(others, found, left_out)
    return [take_one(*key, groups[key], request, desk, now, offer.digest, given, True) for key in groups]


def _chunks(offer: Offer, source: DeliverySource, desk: Desk) -> list[Chunk]:
    """Every file that holds something; an export that shrank leaves empty ones behind."""
    chunks: list[Chunk] = []
    filled = [file for file in offer.files if file.size or file.rows]
    for number, file in enumerate(filled, 1):
        told = {"file": file.label, "bytes": file.size, "number": number, "of": len(filled)}
        desk.progress("fetch", told)
        chunks += _chunk(file, source, desk)
    return chunks


def _others(offer: Offer, bill: Shape, source: DeliverySource, desk: Desk) -> list[Owned]:
    """What stands beside it and its mapping reads. A delivery told by a manifest has it by its versions.

    A price sheet is of the bill's scope, whatever it names.
    """
    sheets, others = (offer.prices if bill.prices else (), offer.beside if bill.companions else ())
    found = [replace(one, accounts=frozenset()) for one in _besides(sheets, bill, offer, source, desk)]
    return found + _besides(others, bill, offer, source, desk)


def _besides(files: Sequence[RemoteFile], bill: Shape, offer: Offer, source: DeliverySource, desk: Desk) -> list[Owned]:
    besides: list[Owned] = []
    for file in files:
        path = _fetched(file, source, desk)
        if holds_nothing(path):
            _refuse_miscounted(file, 0)
            continue
        staged = _shelved(file, source, desk, path)
        if not takes(bill, staged.shape):
            what = "price sheet" if file in offer.prices else "view that goes with the bill"
            text, advice = f"the file is no {what}", "Let the provider deliver it again."
            raise reject(text, advice, "price-sheet" if file in offer.prices else "companion", file=file.label)
        with desk.shelf.at_hand([staged.file.path]):
            found = owned(desk.connection, staged)
            _refuse_miscounted(file, *desk.connection.execute("SELECT count(*) FROM raw").fetchall()[0])
            known = replace(staged, digest=file.version) if offer.digest else staged
            besides.append(replace(found, staged=known))
    return besides


def _refuse_miscounted(file: RemoteFile, rows: int) -> None:
    if file.rows not in (None, rows):
        raise Rejected([miscounted(file, rows)])


def _chunk(file: RemoteFile, source: DeliverySource, desk: Desk) -> list[Chunk]:
    path = _fetched(file, source, desk)
    if holds_nothing(path):
        path.unlink()
        _refuse_miscounted(file, 0)
        return []
    staged = _shelved(file, source, desk, path)
    with desk.shelf.at_hand([staged.file.path]):
        held = (replace(with_role(entry, file.role), promised=file.rows) for entry in _held(staged, desk))
        return [Chunk(file, staged, tuple(held))]


def _fetched(file: RemoteFile, source: DeliverySource, desk: Desk) -> Path:
    path = desk.workspace / f"chunk-{hashlib.sha256(file.label.encode()).hexdigest()[:16]}"
    source.download(file, path)
    return path


def _shelved(file: RemoteFile, source: DeliverySource, desk: Desk, path: Path) -> Staged:
    """The downloaded file, staged and on the shelf."""
    staged = stage(desk.connection, path, file.label, desk.workspace)
    local = Path(staged.file.path)
    desk.shelf.put(local, partial(_again, file, source, desk, path))
    if local != path:
        path.unlink()
    return staged


def _again(file: RemoteFile, source: DeliverySource, desk: Desk, path: Path) -> None:
    """The same file once more; the source sees to it that it is still the same version."""
    desk.progress("fetch", {"file": file.label, "bytes": file.size, "again": True})
    source.download(file, path)
    staged = stage(desk.connection, path, file.label, desk.workspace)
    if staged.file.path != str(path):
        path.unlink()


def _held(staged: Staged, desk: Desk) -> tuple[Found, ...]:
    try:
        return tuple(inspect(desk.connection, staged))
    except Rejected as refusal:
        if refusal.faults[0].rule == "no-rows":
            return ()
        raise


def _twice(chunks: Sequence[Chunk]) -> list[Fault]:
    """Data that one manifest lists under two names would be added up, or lost as a copy.

    Without commitments a month's actual and amortized report are one and the same.
    """
    first: dict[tuple[str, str], Chunk] = {}
    faults = []
    for chunk in chunks:
        other = first.setdefault((chunk.staged.digest, chunk.file.role), chunk)
        if other is not chunk and chunk.held:
            text = f"{other.file.label} and {chunk.file.label} hold the same data"
            faults.append(
                Fault(text, "Let the provider deliver the export again.", "same-data-twice", chunk.file.label)
            )
    return faults


def _strangers(offer: Offer, chunk: Chunk) -> list[Fault]:
    """What the chunk has that its manifest does not know: other columns, another month."""
    expected, there = _folded(offer.columns), _folded(chunk.staged.file.headers)
    faults: list[Fault] = []
    if expected and expected != there:
        lacks, more = sorted(expected - there), sorted(there - expected)
        text = f"the file has other columns than its manifest: {_named('lacks', lacks)}{_named('has beside', more)}"
        advice = "The delivery is not whole: wait for the next one, or let the provider deliver it again."
        faults.append(Fault(text.rstrip("; "), advice, "manifest-columns", chunk.file.label))
    if chunk.file.rows not in (None, rows := sum(entry.rows for entry in chunk.held)):
        faults.append(miscounted(chunk.file, rows))
    for entry in chunk.held:
        if entry.period != offer.period:
            text = f"the file holds rows of {entry.period}, but its manifest is of {offer.period}"
            faults.append(Fault(text, WHOLE_MONTHS, "manifest-period", chunk.file.label))
    return faults


def _foreign(entry: Found, request: Request) -> list[Fault]:
    """A bill of an account that the source does not claim."""
    claimed = next((one.accounts for one in request.sources if one.name == request.source), ())
    if not claimed or entry.account in claimed:
        return []
    text = f"the bill is of account {entry.account}, which source {request.source} does not claim"
    advice = "Check the location; or add the account to the source's accounts in ledger.toml."
    return [Fault(text, advice, "account", entry.staged.file.label)]


def _folded(names: Sequence[str]) -> set[str]:
    return {plain(name) for name in names}


def _named(word: str, names: Sequence[str]) -> str:
    return f"{word} {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}; " if names else ""


def _payers(offer: Offer, accounts: Sequence[str]) -> Rejected:
    """The manifest stands for one partition: half of it committed would pass for all of it."""
    text = f"one delivery holds bills of several accounts ({', '.join(accounts)}) that belong to several sources"
    advice = "Give them one source: --source NAME, or list the accounts under one in ledger.toml."
    return reject(text, advice, "accounts", file=offer.manifest)


def _half(offer: Offer, role: str) -> Rejected:
    """Nothing may be held back for later here: the next run offers both once more."""
    return reject(
        f"the {role} report of {offer.period} has no rows at all, while the other one has",
        "No rows means unknown, not zero. Let both run again; a bill by the actual report alone is basis = actual.",
        "no-rows",
        file=offer.manifest,
    )


def _nothing(offer: Offer) -> Rejected:
    return reject(
        f"the delivery of {offer.period} has no rows at all",
        "No rows means unknown, not zero; nothing was changed. Ask the provider's console whether the month is empty.",
        "no-rows",
        file=offer.manifest,
    )
