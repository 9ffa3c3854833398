"""Exports as Azure lists them, in plain values: hostile until parsed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.faults import reject

RULE = "azure-exports"
MOST = 1000  # exports of a scope


@dataclass(frozen=True, slots=True)
class Found:
    """An export that the scope has, as Azure tells it; what it does not tell is empty."""

    name: str
    type: str = ""
    version: str = ""
    timeframe: str = ""
    granularity: str = ""
    recurrence: str = ""
    status: str = ""
    ends: str = ""
    format: str = ""
    partitioned: bool = False
    overwrites: bool = False
    narrowed: bool = False
    storage: str = ""
    container: str = ""
    folder: str = ""
    last_status: str = ""
    last_run: str = ""

    @property
    def place(self) -> str:
        account = self.storage.rpartition("/")[2]
        return "/".join(part for part in (account, self.container, self.folder) if part)


def exports_of(document: object) -> list[Found]:
    """From the answer of the list operation, each with its last run; what is not as documented counts as not told."""
    listed = document.get("value") if isinstance(document, Mapping) else None
    if listed is None:
        listed = []
    if not isinstance(listed, Sequence) or isinstance(listed, str) or len(listed) > MOST:
        raise reject("the list of exports cannot be read", "Try again, then report it with the scope.", RULE)
    return [found_of(one) for one in listed]


def is_same(one: Found, other: Found) -> bool:
    """Whether they tell the same costs to the same place; names of resources are the same in any case."""
    return _essence(one) == _essence(other)


def _essence(found: Found) -> tuple[object, ...]:
    place = (found.storage, found.container, found.folder)
    return (
        *(found.type, found.version, found.timeframe, found.granularity, found.recurrence, found.format),
        *(found.partitioned, found.overwrites, found.narrowed),
        *(part.casefold() for part in place),
    )


def found_of(entry: object) -> Found:
    """One export, as an answer tells it or as it is sent."""
    about = _at(entry, "properties")
    definition, schedule = _at(about, "definition"), _at(about, "schedule")
    data = _at(definition, "dataSet")
    settings, place = _at(data, "configuration"), _at(about, "deliveryInfo", "destination")
    last = _last_run(about)
    return Found(
        name=_text(entry, "name"),
        type=_text(definition, "type"),
        version=_text(settings, "dataVersion"),
        timeframe=_text(definition, "timeframe"),
        granularity=_text(data, "granularity"),
        recurrence=_text(schedule, "recurrence"),
        status=_text(schedule, "status"),
        ends=_text(_at(schedule, "recurrencePeriod"), "to"),
        format=_text(about, "format"),
        partitioned=_value(about, "partitionData") is True,
        overwrites=_text(about, "dataOverwriteBehavior") == "OverwritePreviousReport",
        narrowed=bool(_value(settings, "columns") or _value(settings, "filters")),
        storage=_text(place, "resourceId") or _text(place, "storageAccount"),
        container=_text(place, "container"),
        folder=_text(place, "rootFolderPath").strip("/"),
        last_status=_text(last, "status"),
        last_run=_text(last, "submittedTime") or _text(last, "processingEndTime"),
    )


def _last_run(about: object) -> object:
    runs = _value(_at(about, "runHistory"), "value")
    found = [_at(run, "properties") for run in runs] if isinstance(runs, list) else []
    return max(found, key=lambda run: _text(run, "submittedTime"), default={})


def _at(entry: object, *names: str) -> Any:
    for name in names:
        entry = _value(entry, name)
    return entry if isinstance(entry, Mapping) else {}


def _value(entry: object, name: str) -> Any:
    return entry.get(name) if isinstance(entry, Mapping) else None


def _text(entry: object, name: str) -> str:
    found = _value(entry, name)
    return found[:1000] if isinstance(found, str) else ""
