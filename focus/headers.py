"""Rules that the header alone decides: presence of columns, their names and their order. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from focus.report import Example
from focus.rules import COLUMN_RULES, Rule

Broken = Sequence[str]  # names of the columns at fault


def header_rules(rules: Sequence[Rule]) -> list[Rule]:
    """Those that no row is read for."""
    return [rule for rule in rules if rule.present or rule.kind in COLUMN_RULES]


def broken(rule: Rule, header: Sequence[str], known: Collection[str]) -> Broken:
    """Columns that break the rule: the missing ones, or those ill named or ill placed."""
    if rule.present:
        return [name for name in rule.present if name not in header]
    return _CHECKS[rule.id](header, known)


def examples(rule: Rule, names: Broken, header: Sequence[str], file: str) -> tuple[Example, ...]:
    """One for each column at fault, with the name that may have been meant."""
    return tuple(Example(file, None, {"column": name, **_meant(rule, name, header)}) for name in names)


def _meant(rule: Rule, name: str, header: Sequence[str]) -> dict[str, str]:
    alike = [other for other in header if other.lower() == name.lower() and other != name]
    return {"found instead": alike[0]} if rule.present and alike else {}


def _ill_cased(header: Sequence[str], known: Collection[str]) -> Broken:
    lowered = {name.lower() for name in known}
    return [name for name in header if name.lower() in lowered and not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]


def _without_prefix(header: Sequence[str], known: Collection[str]) -> Broken:
    return [name for name in header if name not in known and not name.startswith("x_")]


def _custom_before_focus(header: Sequence[str], known: Collection[str]) -> Broken:
    last = max((index for index, name in enumerate(header) if name in known), default=-1)
    return [name for name in header[: last + 1] if name not in known]


_CHECKS: Mapping[str, Callable[[Sequence[str], Collection[str]], Broken]] = {
    "ColumnHandling-A-001-M": _ill_cased,
    "ColumnHandling-A-010-M": _without_prefix,
    "ColumnHandling-A-012-O": _custom_before_focus,
    "ColumnHandling-A-013-O": _custom_before_focus,
}
