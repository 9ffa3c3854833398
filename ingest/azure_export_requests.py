"""New exports of Azure as what is sent to create them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ledger.delivery import Period
from ledger.faults import Fault, Rejected

RULE = "azure-exports"
YEARS = 5  # for which a new export runs
STORAGE = re.compile(
    r"/subscriptions/[^/?#\s]+/resourceGroups/[^/?#\s]+/providers/Microsoft\.Storage/storageAccounts/([a-z0-9]{3,24})",
    re.IGNORECASE,
)
_CONTAINER_ID = re.compile(
    rf"(?P<storage>{STORAGE.pattern})/blobServices/default/containers/(?P<container>[^/?#\s]+)", re.I
)
_CONTAINER_URL = re.compile(r"https://(?P<account>[a-z0-9]{3,24})\.blob\.[a-z0-9.-]+/(?P<container>[^/?#\s]+)/?", re.I)
CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")
FOLDER = re.compile(r"(?=.{1,200}$)(?!(?:.*/)?\.{1,2}(?:/|$))[A-Za-z0-9._=-]+(?:/[A-Za-z0-9._=-]+)*")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of export: how a new one is made, and what of an existing one can be read; empty versions mean any."""

    type: str
    name: str
    version: str
    readable: tuple[str, ...]
    timeframes: tuple[str, ...]
    granularity: str
    format: str
    compression: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where exports are to be delivered to; parts may be empty as long as nothing is to be created."""

    storage: str = ""
    container: str = ""
    folder: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        parts = (("--storage ID", self.storage), ("--container NAME", self.container), ("--folder PATH", self.folder))
        return tuple(option for option, value in parts if not value)

    def differs(self, storage: str, container: str) -> bool:
        """Whether what is named of this place is another one."""
        pairs = ((self.storage, storage), (self.container, container))
        return any(ours and ours.casefold() != theirs.casefold() for ours, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Request:
    """An export to create: exactly what is sent. `backfill` are the first and last day of a run to ask for then."""

    name: str
    type: str
    body: Mapping[str, Any]
    backfill: tuple[date, date] | None = None

    @property
    def days(self) -> dict[str, str]:
        """The period of that run, its last day counted in."""
        first, last = self.backfill or (date.min, date.min)
        return {"from": f"{first.isoformat()}T00:00:00Z", "to": f"{last.isoformat()}T00:00:00Z"}


def kinds_of(rows: Iterable[Mapping[str, str]]) -> tuple[Kind, ...]:
    """From the table azure_export_types."""
    return tuple(map(_kind, rows))


def place_of(storage: str, container: str, folder: str) -> Place:
    """From the options; the container may be a name, a resource id, or an address without a query. Rejected else."""
    parsed = _CONTAINER_ID.fullmatch(container)
    storage = storage or (parsed["storage"] if parsed else "")
    address = parsed or _CONTAINER_URL.fullmatch(container)
    place = Place(storage.rstrip("/"), address["container"] if address else container, folder.strip("/"))
    account = place.storage.rpartition("/")[2].lower()
    named = address["account"].lower() if address and not parsed else account
    faults = [
        *_unfit(place.storage, STORAGE, "--storage", "the resource id of a storage account (its JSON view shows it)"),
        *_unfit(place.container, CONTAINER, "--container", "a container's name, resource id or address without a key"),
        *_unfit(
            place.folder, FOLDER, "--folder", "a path of letters, digits, '.', '_', '=' and '-', such as exports/shop"
        ),
        *([] if named == account or not account else [_fault("--container lies in another account than --storage")]),
    ]
    if faults:
        raise Rejected(faults)
    return place


def request_of(kind: Kind, place: Place, now: datetime, taken: Collection[str], last_month: bool) -> Request:
    """Under a name that is not `taken`, which is in lower case."""
    base = f"ledger-{kind.name}"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    name = next(one for one in names if one not in taken)
    before = Period(now.year, now.month).before()
    days = (before.start.date(), before.end.date() - timedelta(days=1))
    # Azure runs no price sheet for chosen days.
    return Request(
        name, kind.type, _body(kind, place, now), days if last_month and kind.granularity == "Daily" else None
    )


def _kind(row: Mapping[str, str]) -> Kind:
    lists = ("readable", "timeframes", "scopes")
    return Kind(**{name: tuple(filter(None, text.split("|"))) if name in lists else text for name, text in row.items()})  # type: ignore[arg-type]  # the table's columns are Kind's fields


def _body(kind: Kind, place: Place, now: datetime) -> dict[str, Any]:
    start = now.date() + timedelta(days=1)  # a schedule has to begin in time to come
    end = date(start.year + YEARS, start.month, min(start.day, 28))
    period = {"from": f"{start.isoformat()}T00:00:00Z", "to": f"{end.isoformat()}T00:00:00Z"}
    version = {"configuration": {"dataVersion": kind.version}} if kind.version else {}
    blob = {"resourceId": place.storage, "container": place.container, "rootFolderPath": place.folder}
    return {
        "properties": {
            "schedule": {"status": "Active", "recurrence": "Daily", "recurrencePeriod": period},
            "format": kind.format,
            "compressionMode": kind.compression,
            "partitionData": True,
            "dataOverwriteBehavior": "OverwritePreviousReport",
            "deliveryInfo": {"destination": {"type": "AzureBlob", **blob}},
            "definition": {
                "type": kind.type,
                "timeframe": kind.timeframes[0],
                "dataSet": {"granularity": kind.granularity, **version},
            },
        }
    }


def _unfit(value: str, form: re.Pattern[str], option: str, what: str) -> list[Fault]:
    return [] if not value or form.fullmatch(value) else [_fault(f"{option} is to be {what}")]


def _fault(text: str) -> Fault:
    return Fault(text, "Correct it; a link with a key or signature is never needed.", RULE)
