"""The metadata rules of FOCUS, read from the rule file and evaluated over the documents as one mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from focus.data import load
from focus.metadata import deprecated
from focus.schema import VERSION
from focus.versions import rule_entries

GUID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
CHECK = re.compile(r"PRESENT\('(?P<path>[\w.]+)'\) AND NOT NULL AND TYPE = (?P<type>.+)")
TEXTS = re.compile("(?i)string|varchar|char|text")
NUMBERS = re.compile("(?i)decimal|numeric|number|int|bigint|double|float")
NO_TIME_SERIES = ("ContractCommitment",)
GUID_ADVISED = "String (GUID recommended)"

Object = Mapping[str, object]
Condition = Callable[[Object, Object, str], bool]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule; `path` counts from 0: 'Schema[0].ColumnDefinition[3].DataType'."""

    rule: str
    keyword: str
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A property of the documents: where it is, what it is, and of which objects it is asked."""

    id: str
    keyword: str
    path: tuple[str, ...]
    kind: str
    condition: str


@cache
def rules(version: str = VERSION) -> tuple[Rule, ...]:
    """A version's metadata rules, in the order of its rules; AssertionError for a check that is not understood."""
    meanings = {str(entry["path"]): str(entry["meaning"]) for entry in load(f"columns-{VERSION}.json")["metadata"]}
    entries = [entry for entry in rule_entries(version) if entry["kind"] == "metadata_presence"]
    return tuple(_rule(entry, meanings) for entry in entries)


def rule_findings(document: Object, version: str = VERSION) -> list[Finding]:
    """What the rules of this version find in the documents."""
    return [finding for rule in rules(version) for finding in _findings(rule, document, version)]


def _rule(entry: Mapping[str, object], meanings: Mapping[str, str]) -> Rule:
    check = CHECK.fullmatch(str(entry["check"]))
    assert check and check["type"] in TYPES, entry
    # "numeric columns" and "string columns" stand with the property's meaning, the other conditions with the rule.
    meaning = meanings[check["path"]]
    condition = str(entry["condition"] or (meaning if meaning in CONDITIONS else ""))
    assert not condition or condition in CONDITIONS, entry
    return Rule(str(entry["id"]), str(entry["keyword"]), tuple(check["path"].split(".")), check["type"], condition)


def _findings(rule: Rule, document: Object, version: str) -> Iterator[Finding]:
    name = rule.path[-1]
    for owner, place in _owners(rule, document, version):
        if rule.condition and not CONDITIONS[rule.condition](owner, document, version):
            continue
        if message := _fault(rule, owner):
            yield Finding(rule.id, rule.keyword, f"{place}{name}", message)
        elif rule.kind == GUID_ADVISED and not GUID.fullmatch(str(owner.get(name, ""))):
            yield Finding(rule.id, "SHOULD", f"{place}{name}", "is no GUID, which the specification recommends")


def _fault(rule: Rule, owner: Object) -> str:
    name = rule.path[-1]
    if name not in owner:
        return "" if rule.keyword == "MAY" else "is not there"
    if owner[name] is None:
        return "is null"
    return "" if TYPES[rule.kind](owner[name]) else f"is not of type {rule.kind}"


def _owners(rule: Rule, document: Object, version: str) -> list[tuple[Object, str]]:
    """The objects that should have the property, with the path to each and its dot.

    Where a parent is missing, its own rule says so; a parent without a rule counts as an object without properties.
    """
    found: list[tuple[Object, str]] = [(document, "")]
    for depth, name in enumerate(rule.path[:-1], 1):
        ruled = rule.path[:depth] in {other.path for other in rules(version)}
        found = [below for owner, place in found for below in _below(owner, name, place, ruled=ruled)]
    return found


def _below(owner: Object, name: str, place: str, *, ruled: bool) -> list[tuple[Object, str]]:
    value = owner.get(name)
    if isinstance(value, Mapping):
        return [(value, f"{place}{name}.")]
    if isinstance(value, list) and (value or ruled):
        return [(one if isinstance(one, Mapping) else {}, f"{place}{name}[{at}].") for at, one in enumerate(value)]
    return [] if ruled else [({}, f"{place}{name}.")]


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_instant(value: object) -> bool:
    """The specification's one way to write an instant, and a day that exists."""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        return False
    try:
        return bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _objects(value: object) -> bool:
    return isinstance(value, Mapping) or (_filled(value) and _collection(value))


def _collection(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)


def _filled(value: object) -> bool:
    return isinstance(value, list) and bool(value)


TYPES: Mapping[str, Callable[[object], bool]] = {
    "String": _text,
    GUID_ADVISED: _text,
    "Boolean": lambda value: isinstance(value, bool),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Date/Time": is_instant,
    "collection": _collection,
    "collection (>=1)": lambda value: _collection(value) and _filled(value),
    "collection of String": lambda value: isinstance(value, list) and all(map(_text, value)),
    "object(s)": _objects,
}


def time_series(owner: Object, document: Object) -> bool:
    """Whether the object's instance spreads over time; one that is not described, or of no known dataset, does."""
    return dataset_of(owner, document) not in NO_TIME_SERIES


def dataset_of(owner: Object, document: Object) -> object:
    """FocusDatasetId of the instance the object names; None when it is not described."""
    found = document.get("DatasetInstance")
    instances = found if isinstance(found, list) else [found]
    named = [one for one in instances if isinstance(one, Mapping)]
    wanted = owner.get("DatasetInstanceId")
    return next((one.get("FocusDatasetId") for one in named if one.get("DatasetInstanceId") == wanted), None)


def _typed(owner: Object, kinds: re.Pattern[str]) -> bool:
    return kinds.match(str(owner.get("DataType", ""))) is not None


# (object, documents, version). A column counts as renamed where it says so: one document cannot tell it otherwise.
CONDITIONS: Mapping[str, Condition] = {
    "instance is a time series": lambda owner, document, _: time_series(owner, document),
    "instance is not a time series": lambda owner, document, _: not time_series(owner, document),
    "column is deprecated": lambda owner, _, version: str(owner.get("ColumnName")) in deprecated(version),
    "column was renamed": lambda owner, *_: "PreviousColumnName" in owner,
    "numeric columns": lambda owner, *_: _typed(owner, NUMBERS),
    "string columns": lambda owner, *_: _typed(owner, TEXTS),
    "string column": lambda owner, *_: _typed(owner, TEXTS),
    "tag columns": lambda owner, *_: owner.get("ColumnName") == "Tags",
}
