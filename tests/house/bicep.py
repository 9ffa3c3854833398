"""Bicep read with a real grammar: syntax faults, and the strings and object keys in it. No meaning is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))


def parse(path: Path) -> Node:
    return _PARSER.parse(path.read_bytes()).root_node


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def faults(path: Path) -> list[int]:
    """Lines that are no Bicep."""
    return [node.start_point[0] + 1 for node in walk(parse(path)) if node.is_error or node.is_missing]


def strings(path: Path) -> list[str]:
    return [_text(node).strip("'") for node in walk(parse(path)) if node.type == "string"]


def pairs(path: Path) -> dict[str, str]:
    """Every `key: value` of the file's objects, as written; of equal keys the last."""
    found = (node for node in walk(parse(path)) if node.type == "object_property" and node.named_child_count == 2)
    return {_text(node.named_children[0]): _text(node.named_children[1]).strip("'") for node in found}


def defaults(path: Path) -> dict[str, str]:
    """The parameters that have a literal default."""
    found = (node for node in walk(parse(path)) if node.type == "parameter_declaration")
    texts = ([_text(child).strip("'") for child in node.named_children] for node in found)
    return {words[0]: words[2] for words in texts if len(words) == 3}


def listed(path: Path, name: str) -> list[str]:
    """The strings of the array called `name`, be it a variable or a property."""
    for node in walk(parse(path)):
        if node.type in ("object_property", "variable_declaration") and _text(node.named_children[0]) == name:
            return [_text(item).strip("'") for item in walk(node.named_children[1]) if item.type == "string"]
    return []


def _text(node: Node) -> str:
    return (node.text or b"").decode()
