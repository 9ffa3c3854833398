"""Checks that look into one JSON column alone: evaluated once for all texts that are alike. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from focus.alike import asks_no_digits, representative
from focus.expression import Name, Null, names, walk
from focus.fields import Facts, Field, quoted
from focus.predicate import Writer
from focus.rules import Check, Rule

Asked = tuple[str, Check]  # the rule's id and its check


class JsonChecks:
    """Gathers the checks that can be answered from a JSON column's distinct texts."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._by_column: dict[str, list[Asked]] = {}

    def takes(self, rule: Rule, check: Check) -> bool:
        """Whether the check is kept here: it asks of one JSON column where that is not null, and of no other."""
        column = self._column(check)
        if column:
            self._by_column.setdefault(column, []).append((rule.id, check))
        return bool(column)

    def items(self) -> Iterator[tuple[str, Sequence[Asked]]]:
        """Columns with their checks."""
        yield from self._by_column.items()

    def count_sql(self, relation: str, column: str, writer: Writer) -> str:
        """One row: per check the rows in scope and the rows that break it."""
        text = quoted(column)
        seen = replace(writer, facts=self._as_text(column))
        broken = [f"({seen.sql(check.check)}) IS FALSE" for _, check in self._by_column[column]]
        sums = ", ".join(f"{_sum('true')}, {_sum(condition)}" for condition in broken)
        values = f"SELECT {self._grouped(column)} AS {text}, count(*) AS n FROM ({relation}) GROUP BY 1"
        return f"SELECT {sums} FROM ({values}) WHERE {text} IS NOT NULL"

    def _grouped(self, column: str) -> str:
        """The text, or one for all that differ in digits no check looks at: lists of elements hold costs and shares."""
        text = self._facts.text(column)
        is_list = self._facts.spec[column]["value_format"] == "JsonObjectFormat"
        blind = is_list and all(asks_no_digits(check.check) for _, check in self._by_column[column])
        return representative(text) if blind else text

    def _as_text(self, column: str) -> Facts:
        """The facts where the column is text already: a map or structure is made JSON once."""
        nested = self._facts.kind(column) == "nested"
        fields = [Field(column, "VARCHAR") if nested and one.name == column else one for one in self._facts.fields]
        return replace(self._facts, fields=tuple(fields))

    def _column(self, check: Check) -> str:
        asked = check.condition
        if not isinstance(asked, Null) or not asked.negated or not isinstance(asked.value, Name):
            return ""
        column = asked.value.path[0]
        variables = {part.path[0] for part in walk(check.check) if isinstance(part, Name)} - set(self._facts.spec)
        alone = set(names(check.check)) - variables == {column}
        json = column in self._facts.spec and self._facts.spec[column]["data_type"] == "JSON"
        return column if alone and json and self._facts.has(column) else ""


def _sum(condition: str) -> str:
    return f"CAST(coalesce(sum(n) FILTER (WHERE {condition}), 0) AS BIGINT)"
