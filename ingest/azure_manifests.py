"""What Azure says it delivered: manifests of Cost Management exports, hostile until parsed. Pure.

Every run of an export writes its files and then a `manifest.json`, usually below
`<root>/<export>/<YYYYMMDD-YYYYMMDD>/<run>/`; newer and older exports order these folders otherwise, so only the
manifest tells whose run of which month it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from ingest.manifests import manifest_object
from ledger.delivery import Period
from ledger.faults import Fault, Rejected, reject

RULE = "azure-manifest"
LARGEST = 8 * 1024 * 1024  # bytes; a manifest of 10,000 files has about 2 MB
MOST_FILES = 10_000
MOST = 2**53  # bytes or rows
SKEW = timedelta(minutes=5)  # of two clocks; a blob's own time has whole seconds
AGAIN = "Run the export again (Cost Management, Exports, Run now); if it stays so, create it anew."
PUBLIC = "blob.core.windows.net"

_CONTAINER = r"(?P<container>(?=[^/]{3,63}(?:/|$))[a-z0-9]+(?:-[a-z0-9]+)*)"
_REST = rf"{_CONTAINER}(?:/(?P<prefix>.*))?"
_LOCATIONS = (
    re.compile(rf"az://(?P<account>){_REST}", re.DOTALL),
    re.compile(rf"https://(?P<account>[a-z0-9]{{3,24}})\.{re.escape(PUBLIC)}/{_REST}", re.DOTALL),
)
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?:^|/)\.{1,2}(?:/|$)|\\|//|^/")
_MANIFEST = re.compile(r"(?:.*/)?_?manifest\.json", re.DOTALL | re.IGNORECASE)
_DATED = re.compile(r"((?:[^/]*/)*?)(\d{8})-(\d{8})/")
_EXPORTS = re.compile(r"/?providers/microsoft\.costmanagement/exports/", re.IGNORECASE)

# What the manifest calls it, in lower case -> what Azure calls it; others are told as they stand.
TYPES = {
    one.lower(): one
    for one in (
        *("FocusCost", "ActualCost", "AmortizedCost", "Usage", "PriceSheet"),
        *("ReservationDetails", "ReservationTransactions", "ReservationRecommendations"),
    )
}
DATED = frozenset({"focuscost", "actualcost", "amortizedcost", "usage", "pricesheet"})


@dataclass(frozen=True, slots=True)
class Place:
    """A container and the prefix below which to look, with a '/' at its end unless it is empty or a manifest's name.

    `account` is empty for the service's own storage account.
    """

    account: str
    container: str
    prefix: str

    def label(self, name: str) -> str:
        """The name as a person may see it."""
        return f"https://{self.account}.{PUBLIC}/{self.path(name)}" if self.account else f"az://{self.path(name)}"

    def path(self, name: str) -> str:
        return f"{self.container}/{name}"

    def __str__(self) -> str:
        return self.label(self.prefix)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a manifest lies, and when it was written (UTC)."""

    place: Place
    name: str
    written: datetime

    @property
    def label(self) -> str:
        return self.place.label(self.name)

    @property
    def folder(self) -> str:
        """With a '/' at its end, unless it is the container itself."""
        return self.name[: self.name.rfind("/") + 1]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a run by its name in the container; what the manifest does not say is None."""

    name: str
    size: int | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an export; `scope` is its billing scope in lower case, `first` and `last` the days that it is of.

    `size` and `rows` are those of all files together, where the manifest does not say them of each. `fault` is
    what is wrong with its list of files: then `parts` is empty.
    """

    spot: Spot
    digest: str
    type: str
    export: str
    scope: str
    version: str
    first: date
    last: date
    submitted: datetime
    parts: tuple[Part, ...] = ()
    fault: Rejected | None = None
    size: int | None = None
    rows: int | None = None


def place_of(location: str) -> Place:
    """From `az://container/prefix` or `https://ACCOUNT.blob.core.windows.net/container/prefix`; Rejected otherwise.

    An address that is refused is not repeated: it may hold a signature.
    """
    if "?" in location or "#" in location:
        advice = "Leave out everything from the '?' on; the identity needs the role Storage Blob Data Reader."
        raise reject("the address of a container holds a query, such as a shared access signature", advice, "location")
    match = next((found for one in _LOCATIONS if (found := one.fullmatch(location))), None)
    if not match or _UNFIT.search(match["prefix"] or "") or (match["account"] and "%" in location):
        advice = f"Write az://container/prefix, or https://ACCOUNT.{PUBLIC}/container/prefix without %-signs."
        raise reject("this is no place in blob storage", advice, "location")
    prefix = match["prefix"] or ""
    whole = not prefix or prefix.endswith("/") or is_manifest(prefix)
    return Place(match["account"], match["container"], prefix if whole else f"{prefix}/")


def is_manifest(name: str) -> bool:
    return _MANIFEST.fullmatch(name) is not None


def dated_folder(name: str) -> str:
    """The name up to and with its first folder of the form YYYYMMDD-YYYYMMDD and the '/' after it; empty without."""
    match = _DATED.match(name)
    return match[0] if match else ""


def month_of_folder(name: str) -> Period | None:
    """The month that the dated folder of this name begins with."""
    match = _DATED.match(name)
    try:
        return Period.parse(f"{match[2][:4]}-{match[2][4:6]}") if match else None
    except ValueError:
        return None


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def parse(body: bytes, spot: Spot) -> Run:
    """The run whose manifest this is. Rejected when it does not say what it is of; other faults are the run's."""
    content = manifest_object(body, LARGEST, partial(_broken, spot))
    config, info = _section(content, "exportConfig"), _section(content, "runInfo")
    resource, kind = _text(config, "resourceId", spot), _text(config, "type", spot)
    if not kind:
        raise _broken(spot, "exportConfig.type is missing: the manifest does not say what it is of")
    first, last = _days(kind, info, spot)
    faults = list(_blob_faults(content, spot))
    return Run(
        spot=spot,
        digest=digest_of(body),
        type=TYPES.get(kind.lower(), kind),
        export=_text(config, "exportName", spot) or resource.rpartition("/")[2] or _folder_name(spot),
        scope=_EXPORTS.split(resource)[0].strip("/").lower(),
        version=_text(config, "dataVersion", spot),
        first=first,
        last=last,
        submitted=_submitted(info, spot),
        parts=() if faults else tuple(_parts(content, spot)),
        fault=Rejected(faults) if faults else None,
        size=None if faults else _together("byteCount", content),
        rows=None if faults else _together("dataRowCount", content),
    )


def _section(content: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = content.get(field)
    return found if isinstance(found, dict) else {}


def _text(section: Mapping[str, Any], field: str, spot: Spot) -> str:
    """A short text, empty where there is none."""
    found = section.get(field)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > 2000 or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", found):
        raise _broken(spot, f"{field} is no name: {_shown(found)}")
    return found.strip()


def _days(kind: str, info: Mapping[str, Any], spot: Spot) -> tuple[date, date]:
    """The first and the last day; of what is neither a bill nor a price sheet it does not matter which."""
    if kind.lower() not in DATED and not (info.get("startDate") and info.get("endDate")):
        return spot.written.date(), spot.written.date()
    first, last = _day(info, "startDate", spot), _day(info, "endDate", spot)
    if last < first:
        raise _broken(spot, f"the run ends on {last}, before it begins on {first}")
    return first, last


def _day(info: Mapping[str, Any], field: str, spot: Spot) -> date:
    text = _text(info, field, spot)
    try:
        found = date.fromisoformat(text[:10])
        if not 2000 <= found.year < 2200:
            raise ValueError(text)
    except ValueError:
        raise _broken(spot, f"runInfo.{field} is no date: {_shown(text)}") from None
    return found


def _submitted(info: Mapping[str, Any], spot: Spot) -> datetime:
    """When the run was asked for; when its manifest was written, where that is not told or told to be later."""
    found = info.get("submittedTime")
    try:
        moment = datetime.fromisoformat(found) if isinstance(found, str) else spot.written
        asked = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return asked if asked <= spot.written + SKEW else spot.written
    except (ValueError, OverflowError):
        return spot.written


def _folder_name(spot: Spot) -> str:
    """Old manifests do not name their export: the folder that the dated one lies in does, else the manifest's own."""
    home = dated_folder(spot.name).rstrip("/").rpartition("/")[0] or spot.folder.rstrip("/")
    return home.rpartition("/")[2] or spot.place.container


def _blob_faults(content: Mapping[str, Any], spot: Spot) -> Iterator[Fault]:
    """Whatever keeps the list of files from being one delivery."""
    blobs = content.get("blobs")
    if not isinstance(blobs, list) or not all(isinstance(one, dict) for one in blobs):
        yield _fault(spot, "blobs is not a list of files")
    elif not blobs:
        yield _fault(spot, "blobs is empty: the run delivered no files, which means unknown, not zero")
    elif len(blobs) > MOST_FILES:
        yield _fault(spot, f"blobs names {len(blobs)} files, more than {MOST_FILES}")
    elif faults := [fault for one in blobs for fault in _entry_faults(one, spot)]:
        yield from faults[:10]
    else:
        yield from _doubled(blobs, spot)
        yield from _total_faults(content, blobs, spot)


def _entry_faults(entry: Mapping[str, Any], spot: Spot) -> Iterator[Fault]:
    name = entry.get("blobName")
    if not isinstance(name, str) or not name or name.endswith("/"):
        yield _fault(spot, f"a blobName is no name of a file: {_shown(name)}")
        return
    if _UNFIT.search(name) or "://" in name:
        yield _fault(spot, f"the manifest lists {_shown(name)}, which is outside the container")
    for field in ("byteCount", "dataRowCount", "headerRowCount"):
        if not _is_count(entry.get(field)):
            yield _fault(spot, f"{field} of {_shown(name)} is no count: {_shown(entry[field])}")
    if entry.get("headerRowCount") == 0 and not name.lower().endswith(".parquet"):
        yield _fault(spot, f"{_shown(name)} has no header: without the names of its columns it cannot be read")


def _is_count(found: object) -> bool:
    return found is None or (isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST)


def _doubled(blobs: Sequence[Mapping[str, Any]], spot: Spot) -> Iterator[Fault]:
    seen: set[str] = set()
    for name in (_inner(entry["blobName"], spot) for entry in blobs):
        if name in seen:
            yield _fault(spot, f"the file {_shown(name)} is listed twice")
        seen.add(name)


def _total_faults(content: Mapping[str, Any], blobs: Sequence[Mapping[str, Any]], spot: Spot) -> Iterator[Fault]:
    """What the manifest says of all files against what it says of each, where it says both."""
    if content.get("blobCount") not in (None, len(blobs)):
        yield _fault(spot, f"blobCount is {_shown(content['blobCount'])}, but {len(blobs)} files are listed")
    for field in ("byteCount", "dataRowCount"):
        told, each = content.get(field), [entry.get(field) for entry in blobs]
        if not _is_count(told):
            yield _fault(spot, f"{field} is no count: {_shown(told)}")
        elif told is not None and None not in each and told != sum(one for one in each if one is not None):
            text = f"{field} is {_shown(told)}, but the files' add up to {sum(one for one in each if one is not None)}"
            yield _fault(spot, text)


def _parts(content: Mapping[str, Any], spot: Spot) -> Iterator[Part]:
    """Of a single file the manifest's own counts are the file's."""
    alone = content if len(content["blobs"]) == 1 else {}
    for entry in content["blobs"]:
        size, rows = (entry.get(field, alone.get(field)) for field in ("byteCount", "dataRowCount"))
        yield Part(_inner(entry["blobName"], spot), size, rows)


def _together(field: str, content: Mapping[str, Any]) -> int | None:
    """Of several files, some of which do not have their own."""
    several = len(content["blobs"]) > 1 and any(entry.get(field) is None for entry in content["blobs"])
    found: int | None = content.get(field) if several else None
    return found


def _inner(name: str, spot: Spot) -> str:
    """The name in the container; some manifests write the container's name before it."""
    outer = f"{spot.place.container}/"
    within = bool(spot.folder) and name.startswith(spot.folder)
    return name if within else name.removeprefix(outer)


def _broken(spot: Spot, text: str) -> Rejected:
    return Rejected([_fault(spot, text)])


def _fault(spot: Spot, text: str) -> Fault:
    return Fault(text, AGAIN, RULE, spot.label)


def _shown(value: object) -> str:
    """A stranger's text as it may stand in a message: short, printable, without a query."""
    if isinstance(value, (list, dict)):
        return f"a {type(value).__name__}"
    text = ascii(value.partition("?")[0] if isinstance(value, str) else value)
    return text if len(text) <= 200 else f"{text[:200]}..."
