"""From which raw columns a mapping may take a FOCUS column's value: read off the mapping's own SQL. Pure.

Whether it did take it unchanged is seen on a row; this says where to look. The engine's parser gives the tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.mapping import derived
from ingest.mappings import text
from ingest.shapes import Shape

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tree = Mapping[str, Any]
CONDITIONS = ("when_expr", "filter")  # what only decides gives no value
RAW = ("raw", "typed")  # the same columns, as texts and as what they are


def origins(connection: DuckDBPyConnection, shape: Shape) -> dict[str, tuple[str, ...]]:
    """FOCUS column to the raw columns that its value may be a copy of, in the order of the SQL."""
    select, rows = (_parsed(connection, text(name)) for name in (shape.select_sql, shape.rows_sql))
    known = frozenset([*(column.name for column in shape.columns), *(entry.name for entry in shape.maps)])
    typed = {"typed": _parsed(connection, f"SELECT *{derived(shape)} FROM raw")} if shape.derived else {}
    told = {"kinds": _parsed(connection, text(shape.kinds.sql))} if shape.kinds else {}
    scope = _Scope(select, {}, {"rows": rows, **typed, **told}, known)
    return {name: scope.raw(name) for name in _aliases(select)}


def _parsed(connection: DuckDBPyConnection, sql: str) -> Tree:
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    found: Tree = json.loads(row[0])["statements"][0]["node"] if row else {}
    return found


def _aliases(select: Tree) -> list[str]:
    return [name for name in map(_name, select["select_list"]) if name]


def _name(expression: Tree) -> str:
    """The column an expression of a select list gives; none for a star."""
    if expression["alias"]:
        return str(expression["alias"])
    return str(expression["column_names"][-1]) if expression["class"] == "COLUMN_REF" else ""


@dataclass(frozen=True, slots=True)
class _Scope:
    """One SELECT with the tables it can name: those before it, views, and the raw columns at the bottom."""

    select: Tree
    before: Mapping[str, _Scope]
    views: Mapping[str, Tree]
    known: frozenset[str]
    _open: set[str] = field(default_factory=set)

    def raw(self, name: str) -> tuple[str, ...]:
        """Raw columns behind a column of this SELECT; a name already being looked for leads nowhere new."""
        if name in self._open:
            return ()
        self._open.add(name)
        try:
            if "children" in self.select:  # of a UNION every SELECT may give it
                return tuple(
                    dict.fromkeys(one for part in self.select["children"] for one in self._inner(part).raw(name))
                )
            own = next((one for one in self.select["select_list"] if _name(one) == name), None)
            found = self._behind(name) if own is None else tuple(self._of(own, name))
            return tuple(dict.fromkeys(found))
        finally:
            self._open.discard(name)

    def _of(self, expression: Tree, name: str) -> Iterator[str]:
        for reference in _references(expression):
            last = str(reference[-1])
            lateral = len(reference) == 1 and last != name and last in _aliases(self.select)
            yield from self.raw(last) if lateral else self._behind(last)

    def _behind(self, name: str) -> tuple[str, ...]:
        """Through the tables that the SELECT reads."""
        return tuple(found for table in _tables(self.select["from_table"]) for found in self._in(table, name))

    def _in(self, table: Tree, name: str) -> tuple[str, ...]:
        if table["type"] == "SUBQUERY":
            return self._inner(table["subquery"]["node"]).raw(name)
        place = str(table.get("table_name", ""))
        ctes = {entry["key"]: entry["value"]["query_node"] for entry in self.select["cte_map"]["map"]}
        if place in ctes:
            return self._inner(ctes[place], ctes).raw(name)
        if place in self.before:
            return self.before[place].raw(name)
        if place in self.views:
            return self._inner(self.views[place]).raw(name)
        return (name,) if place in RAW and name in self.known else ()

    def _inner(self, select: Tree, ctes: Mapping[str, Tree] | None = None) -> _Scope:
        """A SELECT inside this one sees the tables named beside it."""
        seen = dict(self.before)
        seen.update({key: _Scope(node, seen, self.views, self.known) for key, node in (ctes or {}).items()})
        return _Scope(select, seen, self.views, self.known)


def _tables(source: Tree) -> Iterator[Tree]:
    if source["type"] == "JOIN":
        yield from _tables(source["left"])
        yield from _tables(source["right"])
    else:
        yield source


def _references(node: object) -> Iterator[list[str]]:
    """Names of columns in an expression that may give its value."""
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield node["column_names"]
        yield from (name for key, child in node.items() if key not in CONDITIONS for name in _references(child))
    elif isinstance(node, list):
        yield from (name for child in node for name in _references(child))
