"""From trees of the rules' language to SQL over the columns of a file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from focus.expression import Among, Both, Call, Compare, Many, Name, Node, Not, Null, Number, Product, Text
from focus.fields import AbsentColumn, Facts, literal
from focus.named_checks import (
    COLUMN_CHECKS,
    KEY_CHECKS,
    NAMED_LISTS,
    TEXT_CHECKS,
    elements,
    listed,
    no_repeats,
    one_type,
    sku_keys,
)
from focus.tolerance import Tolerance

# A variable of a quantifier: ("element", SQL) for a JSON value, ("key", SQL of its object) for a property name.
Scope = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one expression; `tolerance` says when two amounts are equal."""

    facts: Facts
    tolerance: Tolerance

    def sql(self, node: Node, scope: Scope | None = None) -> str:
        """A SQL expression. AbsentColumn when it needs a column that ought to be there and is not."""
        return _WRITERS[type(node)](self, node, scope or {})

    def either(self, node: Both, scope: Scope) -> str:
        return f"({self.sql(node.left, scope)} {node.word} {self.sql(node.right, scope)})"

    def negation(self, node: Not, scope: Scope) -> str:
        return f"(NOT {self.sql(node.value, scope)})"

    def null(self, node: Null, scope: Scope) -> str:
        if _is_key_path(node.value, scope):
            kind = f"coalesce(json_type({self._element(node.value, scope)}), 'NULL')"
            return f"({kind} {'<>' if node.negated else '='} 'NULL')"
        return f"({self._bare(node.value, scope)} IS {'NOT ' if node.negated else ''}NULL)"

    def among(self, node: Among, scope: Scope) -> str:
        values, lowered = self._choices(node.choices)
        if _is_json_type(node.value):
            values = tuple(value.upper() for value in values)
        given = self.sql(node.value, scope)
        choices = listed(tuple(value.lower() for value in values) if lowered else values)
        return f"({given} {'NOT ' if node.negated else ''}IN {choices})"

    def compare(self, node: Compare, scope: Scope) -> str:
        if _is_json_type(node.left):
            return self._kind_is(node, scope)
        if node.operator == "LIKE":
            return f"({self.sql(node.left, scope)} LIKE {self.sql(node.right, scope)} ESCAPE '\\')"
        if node.operator == "=" and self._amounts(node):
            return self._equal_amounts(node)
        return f"({self._operand(node.left, scope)} {node.operator} {self._operand(node.right, scope)})"

    def name(self, node: Name, scope: Scope) -> str:
        first, *keys = node.path
        if first in scope:
            kind, sql = scope[first]
            return f"json_extract_string({sql}, {literal('$.' + keys[0])})" if keys else _variable(first, kind)
        if keys:
            return elements(self.facts.text(first))
        return self.facts.text(first)

    def call(self, node: Call, scope: Scope) -> str:
        if node.name in _QUANTIFIERS:
            return _QUANTIFIERS[node.name](self, node, scope)
        given = node.arguments[0]
        if node.name in KEY_CHECKS and isinstance(given, Name) and given.path[0] in scope and len(given.path) > 1:
            return KEY_CHECKS[node.name](scope[given.path[0]][1], given.path[1])
        if node.name in COLUMN_CHECKS and isinstance(given, Name):
            return COLUMN_CHECKS[node.name](self.facts, given.path[0])
        return TEXT_CHECKS[node.name](self.sql(given, scope))

    def every(self, node: Call, scope: Scope) -> str:
        """A check that is null for an element speaks of nothing there."""
        found, variable, check = node.arguments
        assert isinstance(variable, Name)
        inner = {**scope, variable.path[0]: ("element", variable.path[0])}
        broken = (
            f"list_filter({self.sql(found, scope)}, lambda {variable.path[0]}: ({self.sql(check, inner)}) IS FALSE)"
        )
        return f"(len({broken}) = 0)"

    def every_key(self, node: Call, scope: Scope) -> str:
        holder, variable, check = node.arguments
        assert isinstance(variable, Name)
        text = self.sql(holder, scope)
        inner = {**scope, variable.path[0]: ("key", text)}
        keys = f"list_filter(json_keys({text}), lambda {variable.path[0]}: ({self.sql(check, inner)}) IS FALSE)"
        return f"CASE WHEN json_valid({text}) THEN len({keys}) = 0 END"

    def has_key(self, node: Call, scope: Scope) -> str:
        holder, key = node.arguments
        text = self.sql(holder, scope)
        if isinstance(key, Text):
            return f"(json_type({text}, {literal('$.' + key.value)}) IS NOT NULL)"
        return f"CASE WHEN json_valid({text}) THEN list_contains(json_keys({text}), {self.sql(key, scope)}) END"

    def has_keys(self, node: Call, scope: Scope) -> str:
        wanted = node.arguments[1]
        assert isinstance(wanted, Many)
        parts = [self.has_key(Call("HAS_KEY", (node.arguments[0], key)), scope) for key in wanted.items]
        return f"({' AND '.join(parts)})"

    def key_count(self, node: Call, scope: Scope) -> str:
        return f"len(json_keys({self.sql(node.arguments[0], scope)}))"

    def lower(self, node: Call, scope: Scope) -> str:
        return f"lower({self.sql(node.arguments[0], scope)})"

    def json_type(self, node: Call, scope: Scope) -> str:
        """Of a value, of the value at a path, or of the value under a key that is a variable."""
        holder, *rest = node.arguments
        if isinstance(holder, Name) and holder.path[0] in scope and scope[holder.path[0]][0] == "key":
            return _type_at(scope[holder.path[0]][1], holder.path[0])
        text = self.sql(holder, scope)
        if rest and isinstance(rest[0], Name):
            return _type_at(text, rest[0].path[0])
        path = f", {self.sql(rest[0], scope)}" if rest else ""
        return f"CASE WHEN json_valid({text}) THEN json_type({text}{path}) END"

    def alike(self, node: Call, scope: Scope) -> str:
        check = {"ONE_TYPE": one_type, "NO_REPEATS": no_repeats}[node.name]
        return check(self.sql(node.arguments[0], scope))

    def _kind_is(self, node: Compare, scope: Scope) -> str:
        found = self.sql(node.left, scope)
        if isinstance(node.right, Call):  # SKU_KEY_TYPE(k)
            numeric = f"{found} IN ('UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE', 'DECIMAL')"
            key = self.sql(node.right.arguments[0], scope)
            cases = f"WHEN {key} IN {listed(sku_keys('Numeric'))} THEN {numeric}"
            return f"CASE {cases} WHEN {key} IN {listed(sku_keys('String'))} THEN {found} = 'VARCHAR' END"
        assert isinstance(node.right, Text)
        return f"(coalesce({found}, 'MISSING') {node.operator} {literal(node.right.value.upper())})"

    def _choices(self, node: Node) -> tuple[tuple[str, ...], bool]:
        """The values of a list, and whether they are to be lower-cased."""
        if isinstance(node, Call):
            return self._choices(node.arguments[0])[0], True
        if isinstance(node, Name):
            return NAMED_LISTS[node.path[0]](), False
        items = node.items if isinstance(node, Many) else (node,)
        return tuple(item.value for item in items if isinstance(item, Text)), False

    def _amounts(self, node: Compare) -> bool:
        left = isinstance(node.left, Name) and self.facts.is_decimal(node.left.path[0])
        return left and isinstance(node.right, (Name, Product))

    def _equal_amounts(self, node: Compare) -> str:
        assert isinstance(node.left, Name)
        cost, right = node.left.path[0], node.right
        if isinstance(right, Product):
            assert isinstance(right.left, Name)
            assert isinstance(right.right, Name)
            return self.tolerance.product(self.facts, cost, right.left.path[0], right.right.path[0])
        assert isinstance(right, Name)
        return self.tolerance.equal(self.facts, cost, right.path[0])

    def _operand(self, node: Node, scope: Scope) -> str:
        if isinstance(node, Name) and node.path[0] not in scope and len(node.path) == 1:
            return self.facts.typed(node.path[0])
        return self.sql(node, scope)

    def _bare(self, node: Node, scope: Scope) -> str:
        return (
            self.facts.raw(node.path[0])
            if isinstance(node, Name) and node.path[0] not in scope
            else self.sql(node, scope)
        )

    def _element(self, node: Node, scope: Scope) -> str:
        assert isinstance(node, Name)
        return f"json_extract({scope[node.path[0]][1]}, {literal('$.' + node.path[1])})"


def _is_key_path(node: Node, scope: Scope) -> bool:
    return isinstance(node, Name) and node.path[0] in scope and len(node.path) > 1


def _is_json_type(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "JSON_TYPE"


def _variable(name: str, kind: str) -> str:
    return f"CAST({name} AS VARCHAR)" if kind == "element" else name


def _type_at(text: str, key: str) -> str:
    """Keys may hold anything, a quote too: what makes no path has no type here."""
    return f"""TRY(json_type({text}, '$."' || replace({key}, '"', '\\"') || '"'))"""


_QUANTIFIERS: Mapping[str, Callable[[Writer, Call, Scope], str]] = {
    "EVERY": Writer.every,
    "EVERY_KEY": Writer.every_key,
    "HAS_KEY": Writer.has_key,
    "HAS_KEYS": Writer.has_keys,
    "KEY_COUNT": Writer.key_count,
    "LOWER": Writer.lower,
    "JSON_TYPE": Writer.json_type,
    "ONE_TYPE": Writer.alike,
    "NO_REPEATS": Writer.alike,
}

_WRITERS: Mapping[type[Node], Callable[[Writer, Any, Scope], str]] = {
    Both: Writer.either,
    Not: Writer.negation,
    Null: lambda writer, node, scope: writer.null(node, scope),  # a signature's writer sees nulls in its own way
    Among: Writer.among,
    Compare: Writer.compare,
    Name: Writer.name,
    Call: Writer.call,
    Text: lambda _, node, __: literal(node.value),
    Number: lambda _, node, __: node.value,
}

__all__ = ["AbsentColumn", "Writer"]
