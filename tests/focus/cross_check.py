"""The derived 1.2 rules beside the official model: `python -m tests.focus.cross_check` compares and records.

Compared are ids, keywords, columns, applicability criteria, lists of allowed values and which service category a
subcategory belongs to. A deviation is listed with its
reason in differences-1.2.json, or it is a fault.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench import official
from focus import versions
from focus.data import load

VERSION = "1.2"
RECORD = official.ROOT / f"focus/data/cross-check-{VERSION}.json"
PARENTS = "ServiceSubcategory-C-004-M"
ALLOWED = re.compile(r"^\w+ IN \((.+)\)$")

Model = Mapping[str, Any]


class Deviation(NamedTuple):
    difference: str
    rule: str


def deviations(model: Model) -> set[Deviation]:
    """Every difference between our rules of 1.2 and the model's."""
    theirs, ours = model["ModelRules"], {entry["id"]: entry for entry in versions.rule_entries(VERSION)}
    known = ours.keys() | {entry["id"] for entry in versions.unchecked_entries(VERSION)}
    leaves = {name for name, rule in theirs.items() if rule["Function"] != "Composite"}
    return {
        *(Deviation("only in the model", name) for name in leaves - known),
        *(Deviation("only ours", name) for name in known - theirs.keys()),
        *(Deviation("composite in the model", name) for name in (known & theirs.keys()) - leaves),
        *_unequal(theirs, {name: ours[name] for name in ours.keys() & leaves}),
    }


def explained(found: Iterable[Deviation]) -> set[Deviation]:
    """What differences-1.2.json lists; a listing by prefix stands for what was found of it."""
    listed = load(f"differences-{VERSION}.json")["known_deviations"]
    named = {Deviation(group["difference"], rule) for group in listed for rule in group.get("ids", ())}
    prefixes = {(group["difference"], prefix) for group in listed for prefix in group.get("id_prefixes", ())}
    return named | {one for one in found if any((one.difference, p) in prefixes for p in _prefixes(one.rule))}


def record(model_file: Path) -> dict[str, object]:
    """What the comparison of today found. ValueError if a deviation has no reason, or a listed one is gone."""
    model = json.loads(model_file.read_text(encoding="utf-8"))
    found = deviations(model)
    if found != explained(found):
        raise ValueError(f"not as listed: {sorted(found ^ explained(found))}")
    return {
        "focus_version": VERSION,
        "model_version": model["Details"]["ModelVersion"],
        "model_sha256": hashlib.sha256(model_file.read_bytes()).hexdigest(),
        "rules_digest": versions.rules_digest(VERSION),
        "counts": _counts(model, found),
    }


def _counts(model: Model, found: set[Deviation]) -> dict[str, int]:
    theirs, ours = model["ModelRules"], [entry["id"] for entry in versions.rule_entries(VERSION)]
    both = [name for name in ours if name in theirs]
    return {
        "rules of the model": len(theirs),
        "rules of the model, composites apart": sum(rule["Function"] != "Composite" for rule in theirs.values()),
        "rules of ours": len(ours),
        "rules on both sides": len(both),
        "of these equal": len(set(both) - {one.rule for one in found}),
        "deviations, each with a reason": len(found),
        "rules kept against a fault of the model": sum(
            "official_model_note" in entry for entry in versions.rule_entries(VERSION)
        ),
    }


def _unequal(theirs: Model, ours: Mapping[str, versions.Entry]) -> Iterator[Deviation]:
    parents = _parents(theirs)
    synonyms = load(f"differences-{VERSION}.json")["keyword_synonyms"]
    for name, entry in ours.items():
        keyword = theirs[name]["ValidationCriteria"]["Keyword"]
        pairs = {
            "keyword": (synonyms.get(keyword, keyword), entry["keyword"]),
            "column": (theirs[name]["Reference"], entry["column"]),
            "applicability": (_criteria(theirs, parents, name), set(entry["applicability"] or ())),
            "allowed values": (_their_values(theirs[name], entry), _our_values(entry)),
            "parents": (_their_parents(theirs[name]), _our_parents()) if name == PARENTS else ("", ""),
        }
        yield from (Deviation(what, name) for what, (their, our) in pairs.items() if their != our)


def _criteria(theirs: Model, parents: Mapping[str, list[str]], name: str) -> set[str]:
    """A rule's own criteria and those of the composites it stands in, which switch it off with them."""
    above = (_criteria(theirs, parents, parent) for parent in parents.get(name, ()))
    return set(theirs[name]["ApplicabilityCriteria"]).union(*above)


def _parents(theirs: Model) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, rule in theirs.items():
        for check in _checks(rule["ValidationCriteria"]["Requirement"]):
            if check.get("CheckFunction") == "CheckModelRule":
                found.setdefault(check["ModelRuleId"], []).append(name)
    return found


def _checks(requirement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield requirement
    for item in requirement.get("Items", ()):
        yield from _checks(item)


def _their_values(rule: Model, entry: versions.Entry) -> set[str]:
    """The branches of an OR over one column, where ours is a list of allowed values."""
    checks = _checks(rule["ValidationCriteria"]["Requirement"]) if _our_values(entry) else ()
    return {check["Value"] for check in checks if check.get("CheckFunction") == "CheckValue"}


def _their_parents(rule: Model) -> set[tuple[str, ...]]:
    """(subcategory, category) of each branch."""
    branches = rule["ValidationCriteria"]["Requirement"]["Items"]
    return {tuple(check["Value"] for check in branch["Items"]) for branch in branches}


def _our_parents() -> set[tuple[str, ...]]:
    return {(entry["value"], entry["parent"]) for entry in versions.column_file()["service_subcategories"]}


def _our_values(entry: versions.Entry) -> set[str]:
    listed = ALLOWED.match(entry["check"]) if entry["kind"] == "allowed_value" else None
    return set(re.findall(r"'([^']*)'", listed[1])) if listed else set()


def _prefixes(name: str) -> Iterator[str]:
    return (name[:length] for length in range(1, len(name) + 1))


if __name__ == "__main__":
    model_file = official.model()
    if model_file is None:
        sys.exit(official.SET_UP)
    written = {**record(model_file), "date": datetime.now(UTC).date().isoformat()}
    RECORD.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(RECORD.name, written["counts"])
