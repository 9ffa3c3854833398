"""Cost Details reports: what is asked for a month, and what the answer says. Hostile until parsed. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ingest.azure_scopes import ENROLLMENT, MANAGEMENT_GROUP, RESOURCE_GROUP, Scope
from ledger.delivery import Period
from ledger.faults import NotYet, Transient, reject

RULE = "cost-details"
KEPT = 13  # months before the open one
METRICS: Mapping[str, str] = {"actual": "ActualCost", "amortized": "AmortizedCost"}
LARGEST = 8 * 1024**3  # of a blob; Azure speaks of 2 GB a report
MOST_BLOBS = 1000
_LINK = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/[\x21-\x7e]*")
NARROWER = "Ask for a subscription, or for the billing account or profile; or read an export (docs/azure.md)."
AGAIN = "Try again; if it stays so, read an export instead (docs/azure.md)."
EXPORT = "Read an export instead (docs/azure.md), which can be run for older months."
NO_DATA = (
    "No data means unknown, not zero; nothing was changed. Look in the Azure portal whether the month has costs, and "
    "check the scope."
)


@dataclass(frozen=True, slots=True)
class Blob:
    """`link` is a secret: whoever has it may read the blob."""

    link: str
    size: int


@dataclass(frozen=True, slots=True)
class Report:
    """The blobs in their order, and until when (UTC) their links are good, where that is told."""

    blobs: tuple[Blob, ...]
    until: datetime | None

    def good(self, now: datetime) -> bool:
        return self.until is None or now < self.until


def roles_of(basis: str) -> tuple[str, ...]:
    return tuple(METRICS) if basis == "amortized" else ("actual",)


def refuse_scope(scope: Scope) -> None:
    """Rejected where Azure makes no such reports."""
    if scope.kind in (MANAGEMENT_GROUP, RESOURCE_GROUP):
        raise reject(f"Azure makes no Cost Details report for a {scope.kind}: {scope.path}", NARROWER, "azure-scope")


def question(scope: Scope, role: str, period: Period, today: date) -> dict[str, Any]:
    """The body of the request. Rejected where Azure keeps no such month any more, or does not have it yet.

    A closed month of an enrollment is asked for as its billing period: what is billed in it is in it, whatever its day.
    """
    age = (today.year - period.year) * 12 + today.month - period.month
    if age > KEPT:
        raise reject(f"Azure makes reports of the last {KEPT} months, and {period} is older", EXPORT, RULE)
    if age < 0:
        raise reject(f"{period} has not begun", "Ask for a month up to the open one.", RULE)
    if age and scope.kind == ENROLLMENT:
        return {"metric": METRICS[role], "billingPeriod": str(period).replace("-", "")}
    first, last = period.start.date(), min(date.fromordinal(period.end.toordinal() - 1), today)
    return {"metric": METRICS[role], "timePeriod": {"start": first.isoformat(), "end": last.isoformat()}}


def asking(source: str, scope: str, period: Period, basis: str, day: date) -> str:
    """The name under which it is kept that this was asked for on that day; names of one month begin alike."""
    mark = hashlib.sha256(f"{scope.strip('/').lower()} {basis}".encode()).hexdigest()[:8]
    return f"{asked_for(source, period)}{day.isoformat()}-{mark}"


def asked_for(source: str, period: Period | None = None) -> str:
    """What the names of one source's or month's asking begin with."""
    return f"asked/{source}/{period}/" if period else f"asked/{source}/"


def report_of(answer: Mapping[str, Any] | None, what: str, closed: bool, reason: str = "") -> Report:
    """`answer` is None where the service had nothing to say; `reason` is why it failed. Faults: Transient, Rejected."""
    status = str(answer.get("status") or "").lower() if answer else "nodatafound"
    if status == "failed":
        raise Transient(f"{what}: Azure could not make the report ({reason or 'no reason is told'}). {AGAIN}")
    if status not in ("completed", "nodatafound"):
        raise Transient(f"{what}: the report is neither made nor refused ({status[:40] or 'no status'})")
    manifest = _of(dict, (answer or {}).get("manifest"), {})
    blobs = _of(list, manifest.get("blobs"), [])
    if status == "nodatafound" or not blobs:
        raise _nothing(what, closed)
    found = tuple(_blob(_of(dict, one, {}), what) for one in blobs[:MOST_BLOBS])
    _refuse_contradictions(manifest, len(blobs), found, what)
    return Report(found, _instant((answer or {}).get("validTill")))


def reason_of(answer: Mapping[str, Any] | None) -> str:
    """As the service words it: to be cleaned of secrets before it is told."""
    error = _of(dict, (answer or {}).get("error"), {})
    return ", ".join(str(error[name]) for name in ("code", "message") if error.get(name))


def refuse_link(link: str, what: str) -> None:
    """Rejected unless it is an https address without a name and a password in it."""
    if not _LINK.fullmatch(link):
        raise reject(f"{what}: the link to a part of it is no https address", AGAIN, RULE)


def _blob(entry: Mapping[str, Any], what: str) -> Blob:
    link, size = entry.get("blobLink"), entry.get("byteCount")
    if not isinstance(link, str) or not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST:
        raise reject(f"{what}: the manifest names a part without its link or its length", AGAIN, RULE)
    refuse_link(link, what)
    return Blob(link, size)


def _refuse_contradictions(manifest: Mapping[str, Any], listed: int, found: Sequence[Blob], what: str) -> None:
    """What the manifest says of the whole has to fit its parts."""
    told = {"blobCount": listed, "byteCount": sum(blob.size for blob in found)}
    wrong = [name for name, is_ in told.items() if manifest.get(name) not in (None, is_)]
    if listed > MOST_BLOBS or wrong:
        text = f"{wrong[0]} of the manifest does not fit its parts" if wrong else f"it has {listed} parts"
        raise reject(f"{what}: {text}", AGAIN, RULE)


def _nothing(what: str, closed: bool) -> Exception:
    if closed:
        return reject(f"{what}: Azure found no data", NO_DATA, "no-rows")
    return NotYet(f"{what}: Azure found no data yet, which means unknown, not zero")


def _instant(text: object) -> datetime | None:
    """Azure writes seven digits after the point, and a Z or nothing at the end."""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _of(kind: type, value: object, otherwise: Any) -> Any:
    return value if isinstance(value, kind) else otherwise
