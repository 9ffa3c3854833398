"""JSON texts that no rule can tell apart, because they differ in the digits of a number alone. Pure.

Each row has a cost of its own, so nearly every text that holds one is its own too. Of a number inside a text the rules
ask only whether it is one.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence
from typing import TypeGuard

from focus.expression import Among, Call, Compare, Name, Node, names, walk
from focus.fields import literal

FRACTION = r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,40}"
LETTERS = string.ascii_letters + string.digits + "_"


def representative(text: str, kept: Sequence[str] = ()) -> str:
    """The text with 0.5 for every number with a point that stands under a key; but those `kept` keep theirs.

    A backslash could hide where a text ends, and two elements may differ in nothing but a number: such texts stay as
    they are. What ends a key's name shows that the quote after it does not begin a text.
    """
    ends = "".join(letter for letter in LETTERS if letter not in {key[-1] for key in kept})
    pattern = rf"([{ends}]\":){FRACTION}([,}}])"
    text = f"CAST({text} AS VARCHAR)"
    several = f"(contains({text}, '\\') OR {text} LIKE '%{{%{{%{{%')"
    return f"CASE WHEN {several} THEN {text} ELSE regexp_replace({text}, {literal(pattern)}, '\\10.5\\3', 'g') END"


def asks_no_digits(check: Node) -> bool:
    """Whether the check is the same for all numbers: it compares none with anything."""
    calls = [node for node in walk(check) if isinstance(node, Call) and node.name == "EVERY_KEY"]
    keys = {name for call in calls for name in names(call.arguments[1])}
    compared = [node.left if isinstance(node, Compare) else node.value for node in walk(check) if _compares(node)]
    return all(_is_key_or_kind(node, keys) for node in compared)


def _compares(node: Node) -> TypeGuard[Compare | Among]:
    return isinstance(node, (Compare, Among))


def _is_key_or_kind(node: Node, keys: Collection[str]) -> bool:
    """A property's name, in any case, how many there are, or the type of a value."""
    if isinstance(node, Call):
        return node.name in ("JSON_TYPE", "KEY_COUNT") or (
            node.name == "LOWER" and _is_key_or_kind(node.arguments[0], keys)
        )
    return isinstance(node, Name) and len(node.path) == 1 and node.path[0] in keys


__all__ = ["asks_no_digits", "representative"]
