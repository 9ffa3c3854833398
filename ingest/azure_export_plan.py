"""Which exports a scope of Azure has, of what use each is, and what is missing. Pure.

An export of use rewrites the month to date every day, whole, beside a manifest, and is still running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.azure_export_list import Found
from ingest.azure_export_requests import Kind, Place, Request, request_of
from ingest.azure_scopes import MANAGEMENT_GROUP, RESOURCE_GROUP, SUBSCRIPTION, Scope
from ledger.faults import reject

RULE = "azure-exports"
SOON, STALE, FOR_EVER = timedelta(days=60), timedelta(days=3), timedelta(days=1_000_000)
FORMATS = ("Csv", "Parquet")


@dataclass(frozen=True, slots=True)
class Judged:
    """`faults` are why an export is of no use to the ledger, `remarks` what else to know about it."""

    found: Found
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def useful(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, object]:
        one = self.found
        told = {"name": one.name, "type": one.type, "version": one.version, "status": one.status, "place": one.place}
        last = {"last_run": one.last_run or None, "last_status": one.last_status or None}
        return {**told, **last, "of_use": self.useful, "faults": list(self.faults), "remarks": list(self.remarks)}


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` are types of which no export is of use; `needs` options without which nothing can be requested."""

    scope: Scope
    exports: tuple[Judged, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    needs: tuple[str, ...]
    requests: tuple[Request, ...]
    offered: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request: created, and run for the last month; `fault` is why not, `later` when that passes."""

    name: str
    created: bool
    ran: bool = False
    fault: str = ""
    later: bool = False


def plan(
    scope: Scope,
    found: Sequence[Found],
    kinds: Sequence[Kind],
    place: Place,
    now: datetime,
    *,
    wanted: Sequence[str] = (),
    last_month: bool = False,
) -> Plan:
    """What to tell and to create; `wanted` are types, all that the scope offers where none is named."""
    exports = tuple(judged(one, kinds, place, now) for one in sorted(found, key=lambda one: one.name.casefold()))
    chosen = [kind for kind in kinds if kind.type in (wanted or [one.type for one in kinds])]
    offered = [kind for kind in chosen if scope.kind in kind.scopes]
    have = {one.found.type.casefold() for one in exports if one.useful}
    missing = [kind for kind in offered if kind.type.casefold() not in have]
    ready = missing if not place.needs else []
    taken = {one.name.casefold() for one in found}
    requests = tuple(request_of(kind, place, now, taken, last_month) for kind in ready)
    notes = _notes(scope, [kind for kind in chosen if kind not in offered], missing)
    types, needs = tuple(kind.type for kind in missing), place.needs if missing else ()
    return Plan(scope, exports, types, notes, needs, requests, bool(offered))


def checked(found: Plan) -> Plan:
    """The plan, where it can be carried out; Rejected before anything is sent where it cannot."""
    if not found.offered:
        advice = "Use --scope of a billing account, a billing profile, or of each subscription."
        raise reject(f"Azure offers none of these exports at a {found.scope.kind}", advice, RULE)
    if found.needs:
        advice = f"Give {', '.join(found.needs)} as well: where the new exports are to be delivered to."
        raise reject(f"to create {', '.join(found.missing)} it has to be known where to", advice, RULE)
    return found


def judged(found: Found, kinds: Sequence[Kind], place: Place, now: datetime) -> Judged:
    kind = next((one for one in kinds if one.type.casefold() == found.type.casefold()), None)
    if kind is None:
        return Judged(found, (f"{found.type or 'its type'} is not read",), ())
    checks = (
        (found.status != "Active", f"its schedule is {found.status.lower() or 'not told'}"),
        (found.recurrence != "Daily", f"it runs {found.recurrence.lower() or 'once'}, not daily"),
        (found.timeframe not in kind.timeframes, f"it covers {found.timeframe or 'no known days'}"),
        (found.granularity not in ("", kind.granularity), f"its rows are {found.granularity.lower()}"),
        # An export that names no version is made in the newest one.
        (bool(kind.readable) and found.version not in ("", *kind.readable), f"version {found.version} is not read"),
        (not found.partitioned, "it is not partitioned, so it has no manifest"),
        (found.format not in FORMATS, f"its format is {found.format or 'not told'}"),
        (found.narrowed, "it leaves columns or rows out"),
        (_until(found.ends, now) < timedelta(), f"it ended on {found.ends[:10]}"),
        (place.differs(found.storage, found.container), f"it delivers elsewhere: {found.place}"),
    )
    return Judged(found, tuple(text for wrong, text in checks if wrong), _remarks(found, now))


def _remarks(found: Found, now: datetime) -> tuple[str, ...]:
    left, since = _until(found.ends, now), -_until(found.last_run, now)
    checks = (
        (not found.overwrites, "keeps every run: the storage grows"),
        (timedelta() <= left < SOON, f"ends on {found.ends[:10]}"),
        (not found.last_status, "has not run yet"),
        (found.last_status not in ("", "Completed", "Queued", "InProgress"), f"last run: {found.last_status}"),
        (bool(found.last_run) and since > STALE, f"last ran on {found.last_run[:10]}"),
    )
    return tuple(text for true, text in checks if true)


def _until(text: str, now: datetime) -> timedelta:
    """From now to a moment as Azure writes it; for ever where it is none."""
    try:
        return datetime.fromisoformat(text) - now
    except (ValueError, TypeError, OverflowError):
        return FOR_EVER


def _notes(scope: Scope, not_offered: Sequence[Kind], missing: Sequence[Kind]) -> tuple[str, ...]:
    notes = [f"{kind.type}: not offered at a {scope.kind}, only at: {', '.join(kind.scopes)}" for kind in not_offered]
    if scope.kind == MANAGEMENT_GROUP:
        notes.append("A management group's costs are exported by its billing account, or subscription by subscription.")
    if missing and scope.kind in (SUBSCRIPTION, RESOURCE_GROUP):
        notes.append(
            "Azure offers these exports under Enterprise, Customer and Partner Agreements; under pay-as-you-go it may "
            "refuse them, and then nothing is created."
        )
    return tuple(notes)
