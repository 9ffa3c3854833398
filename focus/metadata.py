"""The metadata that goes with delivered data: Schema, DatasetInstance, Recency and DataGenerator of FOCUS 1.3."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from focus.data import load
from focus.schema import VERSION, Column

# FOCUS leaves the words for a delivered type open; these are the ones of its own examples.
DATA_TYPES = {"String": "STRING", "JSON": "JSON", "Decimal": "DECIMAL", "Date/Time": "DATETIME"}
TEXTS = ("String", "JSON")
PRECISION, SCALE, ENCODING = 38, 24, "UTF-8"
SHORTEST_BOUND, STEP = 64, 4

Definition = dict[str, object]
Metadata = dict[str, object]


@dataclass(frozen=True, slots=True, order=True)
class Sector:
    """A slice of the charge period axis: `start` inclusive, `end` exclusive, all instants UTC."""

    start: datetime
    end: datetime
    complete: bool
    updated: datetime


@dataclass(frozen=True, slots=True)
class Instance:
    """One delivered dataset instance; `id` is a GUID that stays the same from delivery to delivery.

    One that is no time series has no sectors: it is `complete` or not as a whole.
    """

    id: str
    name: str
    dataset: str
    updated: datetime
    sectors: tuple[Sector, ...]
    definitions: tuple[Definition, ...]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Generator:
    """Who made the data; `version` may be empty where it is not known."""

    name: str
    version: str


def definitions(
    columns: Sequence[Column], longest: Mapping[str, int], tag_prefixes: Sequence[str], version: str
) -> tuple[Definition, ...]:
    """The ColumnDefinition collection; `longest` gives the characters of the longest delivered text per column."""
    return tuple(_definition(column, longest, tag_prefixes, version) for column in columns)


def documents(
    instances: Sequence[Instance],
    generator: Generator,
    version: str,
    now: datetime,
    guid: Callable[[str], str],
    created: Mapping[str, str],
) -> Metadata:
    """The four documents under their top keys.

    `guid` turns a text into the same GUID each time. `created` holds the CreationDate of schemas delivered before.
    """
    schemas = [_schema(one, generator, version, now, guid, created) for one in instances]
    return {
        "DatasetInstance": [_instance(one) for one in instances],
        "Schema": schemas,
        "Recency": [_recency(one, now) for one in instances],
        "DataGenerator": {"DataGenerator": generator.name},
    }


@cache
def deprecated(version: str = VERSION) -> frozenset[str]:
    """Columns that a version calls deprecated, of every dataset."""
    datasets = load(f"columns-{VERSION}.json")["datasets"].values()
    since = {str(entry["id"]): entry["deprecated_in"] for dataset in datasets for entry in dataset["columns"]}
    return frozenset(name for name, first in since.items() if first and _order(str(first)) <= _order(version))


def bound(length: int) -> int:
    """64, 256, 1024 and so on: a bound moves, and with it the SchemaId, only when a text outgrows it."""
    limit = SHORTEST_BOUND
    while limit < length:
        limit *= STEP
    return limit


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _definition(column: Column, longest: Mapping[str, int], tag_prefixes: Sequence[str], version: str) -> Definition:
    found: Definition = {"ColumnName": column.name, "DataType": DATA_TYPES[column.data_type]}
    if column.name in deprecated(version):
        found["Deprecated"] = True
    if column.data_type == "Decimal":
        found |= {"NumericPrecision": PRECISION, "NumberScale": SCALE}
    if column.data_type in TEXTS:
        found |= {"StringMaxLength": bound(longest.get(column.name, 0)), "StringEncoding": ENCODING}
    if column.name == "Tags":
        found["ProviderTagPrefixes"] = list(tag_prefixes)
    return found


def _instance(one: Instance) -> Definition:
    return {"DatasetInstanceId": one.id, "DatasetInstanceName": one.name, "FocusDatasetId": one.dataset}


def _schema(
    one: Instance,
    generator: Generator,
    version: str,
    now: datetime,
    guid: Callable[[str], str],
    created: Mapping[str, str],
) -> Definition:
    """Its id follows from everything it says, so that it is new when, and only when, the structure is."""
    body: Definition = {"FocusVersion": version, "DatasetInstanceId": one.id}
    if generator.version:
        body["DataGeneratorVersion"] = generator.version
    body["ColumnDefinition"] = list(one.definitions)
    schema_id = guid(json.dumps(body, sort_keys=True))
    return {"SchemaId": schema_id, "CreationDate": created.get(schema_id, instant(now)), **body}


def _recency(one: Instance, now: datetime) -> Definition:
    sectors = {"TimeSectors": [_sector(sector) for sector in one.sectors]}
    return {
        "DatasetInstanceId": one.id,
        "DatasetInstanceLastUpdated": instant(one.updated),
        "RecencyLastUpdated": instant(now),
        **(sectors if one.sectors else {"DatasetInstanceComplete": one.complete}),
    }


def _sector(sector: Sector) -> Definition:
    return {
        "TimeSectorStart": instant(sector.start),
        "TimeSectorEnd": instant(sector.end),
        "TimeSectorComplete": sector.complete,
        "TimeSectorLastUpdated": instant(sector.updated),
    }
