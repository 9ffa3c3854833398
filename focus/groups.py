"""Rules about groups of rows: one value a key, one row a key, sums that must agree; one query a set of keys. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from focus.alike import representative
from focus.expression import names, parse
from focus.named_checks import elements
from focus.predicate import Writer
from focus.rules import Grouping, Rule

SUM = re.compile(r"SUM\((\w+)\)(?: FILTER \(WHERE (.*)\))?")
ELEMENT = "e."
ALL_GROUPED = "coalesce(sum(n), 0)::BIGINT"


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Rules that share keys and rows; `sql` groups them: the keys, rows, first place, a flag per rule.

    `counted` is the same without places, as it is counted fastest; `scope` is the number of rows, as SQL over it.
    """

    rules: tuple[Rule, ...]
    keys: tuple[str, ...]
    sql: str
    counted: str
    scope: str

    def counts(self) -> str:
        """One row: rows in scope, then per rule the rows of groups that break it."""
        sums = ", ".join(f"coalesce(sum(n) FILTER (WHERE bad{index}), 0)::BIGINT" for index in range(len(self.rules)))
        return f"SELECT {self.scope}, {sums} FROM ({self.counted})"

    def examples(self, index: int, limit: int) -> str:
        """(file, row, keys...) of the first row of groups that break the rule at `index`."""
        keys = ", ".join(f"CAST(k{place} AS VARCHAR)" for place in range(len(self.keys)))
        return f"SELECT place.f, place.r, {keys} FROM ({self.sql}) WHERE bad{index} ORDER BY 1, 2 LIMIT {limit}"


def compared(rule: Rule) -> tuple[str, ...]:
    """Columns whose values a group rule compares or groups by."""
    assert rule.grouping
    return (*rule.grouping.keys, *(name for name, _ in rule.grouping.distinct))


def queries(rules: Sequence[Rule], relation: str, writer: Writer) -> list[GroupQuery]:
    """One query per set of keys and rows. AbsentColumn when a column is missing that ought to be there."""
    shared: dict[tuple[tuple[str, ...], str], list[Rule]] = {}
    for rule in rules:
        assert rule.grouping
        shared.setdefault((rule.grouping.keys, repr(rule.grouping.where)), []).append(rule)
    return [_query(tuple(found), relation, writer) for found in shared.values()]


def _query(rules: tuple[Rule, ...], relation: str, writer: Writer) -> GroupQuery:
    first = rules[0].grouping
    assert first
    keys = [_key(key, writer) for key in first.keys]
    flags = [f"{_bad(rule.grouping, writer)} AS bad{index}" for index, rule in enumerate(rules) if rule.grouping]
    named = [f"{key} AS k{index}" for index, key in enumerate(keys)]
    place = """min({'f': "#file", 'r': "#row"}) AS place"""
    select = ", ".join([*named, "count(*) AS n", place, *flags])
    rows = _rows(first, relation, writer)
    looked_at = _doubtful(rules, rows, keys[0], writer) if len(keys) > 1 else rows
    sql = f"SELECT {select} FROM ({looked_at}) GROUP BY {', '.join(keys)}"
    if first.keys[0].startswith(ELEMENT) and all(rule.grouping and rule.grouping.distinct for rule in rules):
        alike = _alike(rules, relation, writer)
        counted = f"SELECT {', '.join([*named, 'sum(n) AS n', *flags])} FROM ({alike}) GROUP BY {', '.join(keys)}"
        return GroupQuery(rules, first.keys, sql, counted, ALL_GROUPED)
    scope = ALL_GROUPED if looked_at == rows else f"(SELECT count(*) FROM ({rows}))"
    return GroupQuery(rules, first.keys, sql, sql, scope)


def _doubtful(rules: tuple[Rule, ...], rows: str, key: str, writer: Writer) -> str:
    """Rows whose first key alone does not clear them: what has one value for it has one in every finer group.

    Fine groups are many; most never have to be made.
    """
    groupings = [rule.grouping for rule in rules if rule.grouping]
    if not all(grouping.distinct and not any(exactly for _, exactly in grouping.distinct) for grouping in groupings):
        return rows
    several = " OR ".join(_bad(grouping, writer) for grouping in groupings)
    return f"SELECT * FROM ({rows}) WHERE {key} IN (SELECT {key} FROM ({rows}) GROUP BY 1 HAVING {several})"


def _rows(grouping: Grouping, relation: str, writer: Writer) -> str:
    """The rows in question; for paths into a JSON list, one row per element."""
    where = [writer.sql(grouping.where)] if grouping.where else []
    inside = grouping.keys[0].startswith(ELEMENT)
    if grouping.distinct or grouping.sums:
        where += [] if inside else [f"{writer.facts.raw(key)} IS NOT NULL" for key in grouping.keys]
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    if not inside:
        return f"SELECT * FROM ({relation}){condition}"
    column = _holder(grouping)
    rows = f'SELECT "#file", "#row", unnest({elements(writer.facts.text(column))}) AS e FROM ({relation}){condition}'
    return f"SELECT * FROM ({rows}){_keyed(grouping, writer)}"


def _alike(rules: tuple[Rule, ...], relation: str, writer: Writer) -> str:
    """The elements that matter to rules inside a JSON column, each with the number `n` of rows that have it."""
    grouping = rules[0].grouping
    assert grouping
    assert grouping.where
    named = [name.removeprefix(ELEMENT) for rule in rules for name in compared(rule)]
    text = f"{representative(writer.facts.text(_holder(grouping)), named)} AS text"
    texts = f"SELECT {text}, count(*) AS n FROM ({relation}) WHERE {writer.sql(grouping.where)} GROUP BY 1"
    return f"SELECT * FROM (SELECT n, unnest({elements('text')}) AS e FROM ({texts})){_keyed(grouping, writer)}"


def _keyed(grouping: Grouping, writer: Writer) -> str:
    return f" WHERE {' AND '.join(f'{_key(key, writer)} IS NOT NULL' for key in grouping.keys)}"


def _holder(grouping: Grouping) -> str:
    """The column whose elements are meant: the one that the condition names."""
    assert grouping.where
    return names(grouping.where)[0]


def _key(key: str, writer: Writer) -> str:
    if key.startswith(ELEMENT):
        return f"json_extract_string(e, '$.{key.removeprefix(ELEMENT)}')"
    return writer.facts.typed(key)


def _bad(grouping: Grouping | None, writer: Writer) -> str:
    assert grouping
    if grouping.sums:
        left, right = (_sum(side, writer) for side in grouping.sums)
        return f"NOT {writer.tolerance.sums(left, right, 'count(*)')}"
    if not grouping.distinct:
        return "count(*) > 1"
    return "(" + " OR ".join(_several(_key(name, writer), exactly) for name, exactly in grouping.distinct) + ")"


def _several(value: str, exactly: bool) -> str:
    """More than one value in a group; least and greatest are quicker than counting."""
    return f"coalesce(min({value}) <> max({value}), {'true' if exactly else 'false'})"


def _sum(side: str, writer: Writer) -> str:
    found = SUM.fullmatch(side)
    assert found, side
    condition = f" FILTER (WHERE {writer.sql(parse(found.group(2)))})" if found.group(2) else ""
    return f"coalesce(sum({writer.tolerance.addend(writer.facts, found.group(1))}){condition}, 0)"
