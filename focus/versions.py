"""Rules and columns per version of FOCUS: 1.3 as its files have it, 1.2 derived from it by the recorded differences."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from focus.data import load

WRITTEN = "1.3"
DERIVED = ("1.2",)
VERSIONS = (*DERIVED, WRITTEN)

Entry = Mapping[str, Any]


@cache
def rule_entries(version: str) -> tuple[Entry, ...]:
    """Every rule of a version, of all its datasets, attributes and metadata. ValueError for an unknown version."""
    written = load(f"rules-{WRITTEN}.json")["rules"]
    if _is_written(version):
        return tuple(written)
    return (*_derived(version, written), *_differences(version)["added"])


@cache
def unchecked_entries(version: str) -> tuple[Entry, ...]:
    """Requirements of a version that no file can show: id, column, keyword, provenance."""
    written = load(f"rules-{WRITTEN}.json")["not_checkable_from_data"]
    if _is_written(version):
        return tuple(written)
    return (*_derived(version, written), *_differences(version)["added_not_checkable"])


@cache
def column_entries(version: str, dataset: str = "CostAndUsage") -> tuple[Entry, ...]:
    """A dataset's columns in the order of the version's column index. KeyError if the version has no such dataset."""
    written = sorted(_columns_file()["datasets"][dataset]["columns"], key=lambda entry: int(entry["ordinal"]))
    if _is_written(version):
        return tuple(written)
    found = _differences(version)
    if dataset not in found["datasets"]:
        raise KeyError(dataset)
    kept = [entry for entry in written if entry["id"] not in _newer_columns(version)]
    changed = found["columns"]["changed"]
    return tuple(
        {**entry, **changed.get(entry["id"], {}), "ordinal": place, "provenance": "derived"}
        for place, entry in enumerate(kept, 1)
    )


@cache
def dataset_names(version: str) -> tuple[str, ...]:
    """The datasets of a version that have rows."""
    names = tuple(_columns_file()["datasets"])
    return names if _is_written(version) else tuple(n for n in names if n in _differences(version)["datasets"])


@cache
def applicability_criteria(version: str) -> Mapping[str, str]:
    """Criterion to its meaning."""
    criteria: Mapping[str, str] = _columns_file()["applicability_criteria"]
    if _is_written(version):
        return criteria
    dropped = _differences(version)["applicability_criteria"]["dropped"]
    return {name: meaning for name, meaning in criteria.items() if name not in dropped}


@cache
def rules_digest(version: str) -> str:
    """SHA-256 over the rules as they are now, by id."""
    entries = sorted(rule_entries(version), key=lambda entry: str(entry["id"]))
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def cross_checked(version: str) -> bool:
    """Whether derived rules were compared with the official model as they are now; a written version needs no check."""
    return _is_written(version) or bool(load(f"cross-check-{version}.json")["rules_digest"] == rules_digest(version))


def _derived(version: str, written: Iterable[Entry]) -> Iterator[Entry]:
    found = _differences(version)
    gone, newer = {i for group in found["dropped"] for i in group["ids"]}, _newer_columns(version)
    changed = {i: change["set"] for change in found["changed"] for i in change["ids"]}
    for entry in written:
        name = entry["id"].removeprefix(found["id_prefix_removed"])
        if (
            entry.get("dataset", "CostAndUsage") in found["datasets"]
            and entry["column"] not in newer
            and name not in gone
        ):
            yield _renamed(entry, found["renamed"].get(name, name), changed.get(name))


def _renamed(entry: Entry, name: str, changes: Entry | None) -> Entry:
    return {**entry, "id": name, **({**changes, "provenance": "official-1.2-model"} if changes else {})}


def _newer_columns(version: str) -> frozenset[str]:
    newer = _differences(version)["columns"]["dropped_when_introduced_in"]
    entries = _columns_file()["datasets"]["CostAndUsage"]["columns"]
    names = [entry["id"] for entry in entries if entry["introduced_version"] in newer]
    return frozenset(names)


def _is_written(version: str) -> bool:
    if version not in VERSIONS:
        raise ValueError(f"FOCUS {version} is not known here; known are {', '.join(VERSIONS)}")
    return version == WRITTEN


def _differences(version: str) -> Any:
    return load(f"differences-{version}.json")


def _columns_file() -> Any:
    return load(f"columns-{WRITTEN}.json")


def column_file() -> Any:
    """The written version's column file: datasets, value lists, units, JSON objects, metadata."""
    return _columns_file()
