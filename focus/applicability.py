"""Which applicability criteria hold: all, none, those listed, or what the header shows. Pure."""

from __future__ import annotations

from collections.abc import Collection

from focus.data import load
from focus.rules import Rule
from focus.versions import applicability_criteria


def criteria(wish: str, version: str, header: Collection[str]) -> frozenset[str]:
    """`wish` is all, none, auto or names joined by commas. ValueError for a name that is none."""
    known = applicability_criteria(version)
    if wish == "all":
        return frozenset(known)
    if wish == "none":
        return frozenset()
    if wish == "auto":
        return frozenset(name for name in known if shown(name, header))
    listed = frozenset(name.strip().upper() for name in wish.split(",") if name.strip())
    if strangers := sorted(listed - set(known)):
        raise ValueError(f"{', '.join(strangers)}: no such criterion; known are {', '.join(sorted(known))}")
    return listed


def shown(criterion: str, header: Collection[str]) -> bool:
    """Whether the header's columns show that the generator supports it."""
    shown_by = load("applicability.json")["shown_by"][criterion]
    if "all" in shown_by:
        return all(name in header for name in shown_by["all"])
    return any(name in header for name in shown_by["any"])


def applies(rule: Rule, held: frozenset[str]) -> bool:
    """All of a rule's criteria have to hold."""
    return set(rule.applicability) <= held
