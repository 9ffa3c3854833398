"""The rules of a dataset and version, with what each applies to, its condition and its check as trees. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from focus.data import load
from focus.expression import Node, NotAnExpression, names, parse
from focus.versions import column_entries, rule_entries

MUST = ("MUST", "MUST NOT")
SHOULD = ("SHOULD", "SHOULD NOT")
ATTRIBUTE = "(attribute)"
WITHOUT_ROWS = ("metadata", "cross-dataset")
COLUMN_RULES = ("column_name", "column_order")


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's condition (None: always) and check on the columns of one row."""

    condition: Node | None
    check: Node


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows `where` grouped by `keys`: `distinct` columns have one value each; `exactly` refuses none too.

    Without `distinct`, a group has one row. `sums` are the two sides of an equation, as SQL. `term` needs all rows of
    a commitment's term.
    """

    keys: tuple[str, ...]
    where: Node | None
    distinct: tuple[tuple[str, bool], ...] = ()
    sums: tuple[str, str] | None = None
    term: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `checks` when rows show it, `grouping` when groups do, `reason` why no file shows it."""

    id: str
    dataset: str
    column: str
    keyword: str
    kind: str
    scope: str
    applicability: tuple[str, ...]
    text: str
    checks: tuple[Check, ...] = ()
    grouping: Grouping | None = None
    present: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_must(self) -> bool:
        return self.keyword in MUST


@cache
def rules(version: str, dataset: str = "CostAndUsage") -> tuple[Rule, ...]:
    """Every rule that files of this dataset can be held to, metadata apart. ValueError for a broken rule file."""
    entries = [*rule_entries(version), *load("checks-1.3.json")["own"]]
    chosen = [entry for entry in entries if entry["dataset"] in (dataset, ATTRIBUTE)]
    made = (_rule(entry, version, dataset) for entry in chosen)
    found = tuple(rule for rule in made if dataset == "CostAndUsage" or _is_about(rule, version, dataset))
    if len({rule.id for rule in found}) != len(found):
        raise ValueError(f"a rule of FOCUS {version} is there twice")
    return found


def _rule(entry: Mapping[str, Any], version: str, dataset: str) -> Rule:
    written = _written_checks().get(entry["id"], entry)
    condition, check = written.get("condition"), written["check"]
    made: dict[str, Any] = {}
    if entry["scope"] == "group":
        made["grouping"] = grouping(condition, check)
    elif entry["kind"] == "presence":
        made["present"] = tuple(re.findall(r"'(\w+)'", check))
    elif entry["scope"] == "row":
        made["checks"] = tuple(_checks(written, version, dataset))
    shown = any(made.values()) or entry["kind"] in COLUMN_RULES or entry["id"] == REFERENTIAL
    return Rule(
        id=entry["id"],
        dataset=dataset,
        column=entry["column"],
        keyword=entry["keyword"],
        kind=entry["kind"],
        scope=entry["scope"],
        applicability=tuple(entry["applicability"]),
        text=(f"{check}, if {condition}" if condition else str(check)).replace("{c}", "value"),
        reason="" if shown else _reason(entry),
        **made,
    )


def _is_about(rule: Rule, version: str, dataset: str) -> bool:
    """Attribute rules speak of cost columns, most of them; the others of whatever columns the dataset has."""
    own = {entry["id"] for entry in column_entries(version, dataset)}
    nodes = [node for check in rule.checks for node in (check.condition, check.check) if node]
    asked = {name for node in nodes for name in names(node)} | set(rule.present)
    asked |= set(rule.grouping.keys) if rule.grouping else set()
    return rule.kind in COLUMN_RULES or (bool(asked) and asked <= own)


REFERENTIAL = "OWN-Join-001"


def _reason(entry: Mapping[str, Any]) -> str:
    needs = entry.get("needs")
    return f"needs {needs}, which no cost file holds" if needs else "the rows alone do not show whether it applies"


@cache
def _written_checks() -> Mapping[str, Mapping[str, Any]]:
    """Expressions for rules whose own text is prose, by rule id."""
    return {entry["id"]: entry for entry in load("checks-1.3.json")["checks"]}


def _checks(entry: Mapping[str, Any], version: str, dataset: str) -> list[Check]:
    """One check, or one for each column an attribute rule is about; none when the text is prose."""
    columns = _each(entry["each"], version, dataset) if "each" in entry else ("",)
    texts = [(entry.get("condition"), entry["check"]) for _ in columns]
    pairs = [(_put(condition, c), _put(check, c)) for (condition, check), c in zip(texts, columns, strict=True)]
    try:
        return [Check(parse(condition) if condition else None, parse(str(check))) for condition, check in pairs]
    except NotAnExpression:
        if entry.get("machine_evaluable", True):
            raise
        return []


def _put(text: str | None, column: str) -> str | None:
    return text.replace("{c}", column) if text else text


def _each(wanted: Mapping[str, str], version: str, dataset: str) -> tuple[str, ...]:
    """Columns of the dataset whose entry has these values."""
    entries = column_entries(version, dataset)
    return tuple(
        entry["id"]
        for entry in entries
        if all(str(entry.get(key)).lower() == value.lower() for key, value in wanted.items())
    )


def grouping(condition: str | None, check: str) -> Grouping | None:
    """The grouping that a rule's two texts describe; None when they describe none that rows show."""
    keyed = re.fullmatch(r"GROUP BY ([\w, ]+?)( over .*)?(?:; (.*))?", condition or "")
    window = re.search(r"OVER \(PARTITION BY ([\w.]+)\)", check) or re.fullmatch(r"one row per \((.*)\)", check)
    if not keyed and not window:
        return None
    keys = (keyed or window).group(1) if keyed or window else ""  # type: ignore[union-attr]  # one of them is there
    where = keyed.group(3) if keyed else condition
    counted = re.findall(r"COUNT\(DISTINCT ([\w.]+)\)(?: OVER \([^)]*\))? (=|<=) 1", check)
    sums = re.fullmatch(r"(SUM\(.*\)) = (SUM\(.*\))", check)
    if not counted and not sums and not re.match(r"COUNT\(\*\)|one row", check):
        return None
    return Grouping(
        keys=tuple(key.strip() for key in keys.split(",")),
        where=parse(where) if where else None,
        distinct=tuple((name, sign == "=") for name, sign in counted),
        sums=(sums.group(1), sums.group(2)) if sums else None,
        term=bool(keyed and keyed.group(2)),
    )
