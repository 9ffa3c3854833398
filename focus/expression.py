"""The little language of the rule files: conditions and checks, parsed into trees. Pure.

It is SQL's boolean language over column names and `e.Key` paths, with named checks such as FMT_UNIT(x) and the
quantifiers EVERY(list, e, p) and EVERY_KEY(object, k, p).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<mark><>|<=|>=|[=<>*(),]))"
)
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


class Node:
    """A part of an expression."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column, a variable of a quantifier, a path below either, or a named list."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Many(Node):
    """A list in parentheses."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`operator` is one of =, <>, <, <=, >, >=, LIKE, IS DISTINCT FROM, IS NOT DISTINCT FROM."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Null(Node):
    """IS NULL, or IS NOT NULL when negated."""

    value: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class Among(Node):
    """IN, or NOT IN when negated; `choices` is a list, a named list, or LOWER of either."""

    value: Node
    choices: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class Not(Node):
    value: Node


@dataclass(frozen=True, slots=True)
class Both(Node):
    """`word` is AND or OR."""

    word: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Product(Node):
    left: Node
    right: Node


class NotAnExpression(ValueError):
    """The text is not of the language; the message shows where."""


@cache
def parse(text: str) -> Node:
    """The tree of a condition or check. NotAnExpression for anything else."""
    reader = _Reader(text, tuple(_tokens(text)))
    found = reader.either()
    if reader.peek():
        raise NotAnExpression(f"unexpected {reader.peek()!r} in {text!r:.120}")
    return found


def children(node: Node) -> Iterator[Node]:
    """The nodes right below it."""
    for field in fields(node):  # type: ignore[arg-type]  # every subclass of Node is a dataclass
        value = getattr(node, field.name)
        yield from (child for child in (value if isinstance(value, tuple) else (value,)) if isinstance(child, Node))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Node) -> tuple[str, ...]:
    """First parts of all names in order, each once: columns, and variables of quantifiers."""
    return tuple(dict.fromkeys(part.path[0] for part in walk(node) if isinstance(part, Name)))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise NotAnExpression(f"cannot read {text[place : place + 20]!r} in {text!r:.120}")
        yield match.lastgroup, match.group(match.lastgroup)
        place = match.end()


class _Reader:
    """Recursive descent over the tokens, one method a level of binding."""

    def __init__(self, text: str, tokens: tuple[tuple[str, str], ...]) -> None:
        self._text, self._tokens, self._place = text, tokens, 0

    def peek(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._tokens[place][1] if place < len(self._tokens) else ""

    def either(self) -> Node:
        left = self._both()
        while self._take("OR"):
            left = Both("OR", left, self._both())
        return left

    def _both(self) -> Node:
        left = self._negation()
        while self._take("AND"):
            left = Both("AND", left, self._negation())
        return left

    def _negation(self) -> Node:
        return Not(self._negation()) if self._take("NOT") else self._comparison()

    def _comparison(self) -> Node:
        left = self._product()
        if self._take("IS"):
            return self._is(left)
        negated = self._take("NOT")
        if self._take("IN"):
            return Among(left, self._product(), negated)
        if self._take("LIKE"):
            found: Node = Compare("LIKE", left, self._product())
            return Not(found) if negated else found
        if self.peek() in COMPARISONS:
            return Compare(self._next()[1], left, self._product())
        return left

    def _is(self, left: Node) -> Node:
        negated = self._take("NOT")
        if self._take("NULL"):
            return Null(left, negated)
        self._need("DISTINCT")
        self._need("FROM")
        return Compare("IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM", left, self._product())

    def _product(self) -> Node:
        left = self._atom()
        while self._take("*"):
            left = Product(left, self._atom())
        return left

    def _atom(self) -> Node:
        if self._take("("):
            return self._bracket()
        kind, value = self._next()
        if kind == "text":
            return Text(value[1:-1].replace("''", "'"))
        if kind == "number":
            return Number(value)
        if kind == "name":
            return Call(value, self._arguments()) if self._take("(") else Name(tuple(value.split(".")))
        raise NotAnExpression(f"unexpected {value!r} in {self._text!r:.120}")

    def _bracket(self) -> Node:
        items = self._arguments()
        return items[0] if len(items) == 1 and not isinstance(items[0], Text) else Many(items)

    def _arguments(self) -> tuple[Node, ...]:
        found = []
        while not self._take(")"):
            found.append(self.either())
            if self.peek() != ")":
                self._need(",")
        return tuple(found)

    def _next(self) -> tuple[str, str]:
        if self._place >= len(self._tokens):
            raise NotAnExpression(f"{self._text!r:.120} ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, word: str) -> bool:
        taken = self.peek() == word
        self._place += taken
        return taken

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise NotAnExpression(f"{word} is missing in {self._text!r:.120}")
