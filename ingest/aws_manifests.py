"""What AWS says it delivered: manifests of Data Exports and of the legacy report, hostile until parsed. Pure.

Layouts (AWS, "Understanding export delivery" and "Understanding your report versions"):
`<prefix>/<export>/metadata/BILLING_PERIOD=YYYY-MM/<export>-Manifest.json` and
`<prefix>/<report>/YYYYMMDD-YYYYMMDD/<report>-Manifest.json`. Copies in a folder per execution or assembly are older.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from ingest.manifests import manifest_object
from ledger.delivery import Period
from ledger.faults import Fault, Rejected, reject

RULE = "aws-manifest"
LARGEST = 8 * 1024 * 1024  # bytes; a manifest of 10,000 files has about 2 MB
MOST_FILES = 10_000
AGAIN = "Wait for the next delivery; if it looks the same, create the export anew in the AWS console."

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_LOCATION = re.compile(rf"s3://({_BUCKET})(?:/(.*))?", re.DOTALL)
_ROOT = r"(?P<root>(?:.*/)?(?P<export>[^/]+)/)"
_LAYOUTS = (
    re.compile(rf"{_ROOT}metadata/(?i:billing_period)=(?P<month>\d{{4}}-\d\d)/(?P<name>[^/]+)-(?i:manifest\.json)"),
    re.compile(rf"{_ROOT}(?P<start>\d{{8}})-(?P<end>\d{{8}})/(?P<name>[^/]+)-(?i:manifest\.json)"),
)
_PARTITION = re.compile(r"(?i:billing_period)=\d{4}-\d\d")
_DATES = re.compile(r"\d{8}-\d{8}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?:^|/)\.{1,2}(?:/|$)|\\")


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and the prefix below which to look, with a '/' at its end unless it is empty."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the manifest of one month lies; `root` is the export's own folder, with a '/' at its end."""

    bucket: str
    key: str
    root: str
    export: str
    period: Period
    legacy: bool

    @property
    def label(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed manifest; `keys` are the data files in its order, `columns` as `Offer.columns`."""

    digest: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]


def place_of(location: str) -> Place:
    """From `s3://bucket/prefix`; Rejected otherwise."""
    match = _LOCATION.fullmatch(location)
    if not match or _UNFIT.search(match[2] or ""):
        raise reject(
            f"not a place in S3: {location.partition('?')[0]!r}",
            "Write s3://bucket/prefix, with the S3 prefix that the export was given.",
            "s3-location",
        )
    prefix = match[2] or ""
    return Place(match[1], prefix if not prefix or prefix.endswith("/") else f"{prefix}/")


def split_label(label: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = label.removeprefix("s3://").partition("/")
    return bucket, key


def spot_of(bucket: str, key: str) -> Spot | None:
    """Which month's current manifest this key is; None for any other object, and for copies of older executions."""
    for legacy, layout in enumerate(_LAYOUTS):
        match = layout.fullmatch(key)
        if match and match["name"].lower() == match["export"].lower():
            period = _span(match["start"], match["end"]) if legacy else _month(match["month"])
            return Spot(bucket, key, match["root"], match["export"], period, bool(legacy)) if period else None
    return None


def is_partition(name: str) -> bool:
    """Whether a folder (its last part) below `metadata` is a month's."""
    return _PARTITION.fullmatch(name) is not None


def is_dates(name: str) -> bool:
    """Whether a folder (its last part) below a legacy report's is a month's."""
    return _DATES.fullmatch(name) is not None


def _month(text: str) -> Period | None:
    try:
        return Period.parse(text)
    except ValueError:
        return None


def _span(start: str, end: str) -> Period | None:
    """The month of a legacy folder; its end is the next month's first day, in old ones this month's last."""
    period = _month(f"{start[:4]}-{start[4:6]}")
    if period is None or start[6:] != "01":
        return None
    last = period.end - timedelta(days=1)
    return period if end in (f"{period.end:%Y%m%d}", f"{last:%Y%m%d}") else None


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def parse(body: bytes, spot: Spot) -> Manifest:
    """The manifest that lies at `spot`; Rejected names it and everything wrong with it."""
    content = manifest_object(body, LARGEST, partial(_broken, spot))
    named = _strings(content, "reportKeys" if spot.legacy else "dataFiles", spot)
    faults = [*_header_faults(content, spot), *_file_faults(named, spot)]
    if faults:
        raise Rejected(faults)
    keys = tuple(_key(name) for name in named)
    return Manifest(digest_of(body), _columns(content, keys, spot), keys)


def _strings(content: dict[str, Any], field: str, spot: Spot) -> list[str]:
    """The file list: there, not empty, of text."""
    found = content.get(field)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise _broken(spot, f"{field} is not a list of names")
    if not found:
        raise _broken(spot, f"{field} is empty: the delivery has no files")
    if len(found) > MOST_FILES:
        raise _broken(spot, f"{field} names {len(found)} files, more than {MOST_FILES}")
    return found


def _header_faults(content: dict[str, Any], spot: Spot) -> Iterator[Fault]:
    bucket = content.get("bucket", spot.bucket)
    if bucket != spot.bucket:
        yield _elsewhere(spot, f"the bucket {_shown(bucket)}")
    start = content.get("billingPeriod")
    if spot.legacy and isinstance(start, dict) and not _begins(start.get("start"), spot.period):
        text = f"billingPeriod starts at {_shown(start.get('start'))}, but the folder is of {spot.period}"
        yield Fault(text, AGAIN, RULE, spot.label)


def _begins(start: object, period: Period) -> bool:
    return isinstance(start, str) and start.replace("-", "").startswith(f"{period.start:%Y%m%d}")


def _file_faults(named: Sequence[str], spot: Spot) -> Iterator[Fault]:
    seen: set[str] = set()
    for name in named:
        if fault := _file_fault(name, spot):
            yield fault
        if _key(name) in seen:
            yield Fault(f"the file {_shown(name)} is listed twice", AGAIN, RULE, spot.label)
        seen.add(_key(name))


def _file_fault(name: str, spot: Spot) -> Fault | None:
    """A file has to lie in the export's own folder of the manifest's own bucket."""
    bucket = split_label(name)[0] if name.startswith("s3://") else spot.bucket
    if bucket != spot.bucket:
        return _elsewhere(spot, f"the bucket {_shown(bucket)}")
    home, key = spot.root if spot.legacy else f"{spot.root}data/", _key(name)
    inner = key.removeprefix(home)
    if not key.startswith(home) or not inner or "//" in f"/{inner}" or inner.endswith("/") or _UNFIT.search(inner):
        return _elsewhere(spot, f"{_shown(name)}, which is outside s3://{spot.bucket}/{home}")
    if key.lower().endswith(".zip"):
        advice = "Let the export be compressed with GZIP or written as Parquet: ZIP cannot be read in one pass."
        return Fault(f"the file {_shown(name)} is a ZIP archive", advice, RULE, spot.label)
    return None


def _elsewhere(spot: Spot, where: str) -> Fault:
    advice = (
        "Point the location at the bucket and prefix that AWS itself delivers to: a copy may hold one delivery's "
        "manifest beside another's files."
    )
    return Fault(f"the manifest lists files in {where}", advice, RULE, spot.label)


def _key(name: str) -> str:
    return split_label(name)[1] if name.startswith("s3://") else name


def _columns(content: dict[str, Any], keys: Sequence[str], spot: Spot) -> tuple[str, ...]:
    """The header that the files have to have, where the manifest tells it for certain; else nothing."""
    found = content.get("columns")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return ()
    names = [item.get("name") for item in found]
    groups = [item.get("category") for item in found]
    if not all(isinstance(name, str) and name for name in names):
        return ()
    if not spot.legacy:
        return tuple(str(name) for name in names)
    return _legacy_columns([str(name) for name in names], groups, keys)


def _legacy_columns(names: Sequence[str], groups: Sequence[object], keys: Sequence[str]) -> tuple[str, ...]:
    """`lineItem/UnblendedCost` in text; in Parquet the whole snake-case name, which manifests give as the name."""
    if all(key.endswith((".csv.gz", ".csv")) for key in keys):
        named = all(isinstance(group, str) and group for group in groups)
        return tuple(f"{group}/{name}" for group, name in zip(groups, names, strict=True)) if named else ()
    whole = "identity_line_item_id" in names and all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
    return tuple(names) if whole else ()


def _broken(spot: Spot, text: str) -> Rejected:
    return reject(text, AGAIN, RULE, file=spot.label)


def _shown(value: object) -> str:
    """A stranger's text as it may stand in a message: short, printable, without a query."""
    text = ascii(value.partition("?")[0] if isinstance(value, str) else value)
    return text if len(text) <= 200 else f"{text[:200]}..."
