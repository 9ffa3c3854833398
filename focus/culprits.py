"""Which rows break a rule, as conditions, and the columns that the rule asks about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from focus import groups
from focus.conformance import Question, Rows, columns_of
from focus.fields import Facts
from focus.predicate import Writer
from focus.rules import Check, Rule, rules


@dataclass(frozen=True, slots=True)
class Culprits:
    """Rows for which `where` holds break the rule by what stands in `columns`."""

    where: str
    columns: tuple[str, ...]


def culprits(rule: Rule, rows: Rows, question: Question) -> Iterator[Culprits]:
    """One for each check of a row rule or for the groups of a group rule; none for rules on the header."""
    facts = Facts(question.version, question.dataset, rows.fields)
    writer = Writer(facts, question.tolerance)
    for check in rule.checks:
        yield Culprits(_breaking(check, writer), _known(columns_of(check), facts))
    if rule.grouping:
        yield Culprits(_in_bad_groups(rule, rows, writer), _grouped(rule, facts))


def nulls_demanded(rows: Rows, question: Question) -> dict[str, str]:
    """Column to the condition under which a rule with MUST demands that it is null."""
    writer = Writer(Facts(question.version, question.dataset, rows.fields), question.tolerance)
    found: dict[str, list[str]] = {}
    for rule in rules(question.version, question.dataset):
        if rule.kind == "null_conditional" and rule.is_must and (condition := rule.checks[0].condition):
            found.setdefault(rule.column, []).append(f"({writer.sql(condition)}) IS TRUE")
    return {column: " OR ".join(conditions) for column, conditions in found.items()}


def _breaking(check: Check, writer: Writer) -> str:
    condition = f"({writer.sql(check.condition)}) IS TRUE AND " if check.condition else ""
    return f"{condition}({writer.sql(check.check)}) IS FALSE"


def _in_bad_groups(rule: Rule, rows: Rows, writer: Writer) -> str:
    """All rows of the groups; of those inside a JSON column, all rows that have it."""
    [query] = groups.queries([rule], rows.sql, writer)
    if any(key.startswith(groups.ELEMENT) for key in query.keys):
        assert rule.grouping and rule.grouping.where
        return writer.sql(rule.grouping.where)
    found = ", ".join(f"k{index}" for index in range(len(query.keys)))
    keys = ", ".join(writer.facts.typed(key) for key in query.keys)
    return f"({keys}) IN (SELECT {found if len(query.keys) == 1 else f'({found})'} FROM ({query.sql}) WHERE bad0)"


def _grouped(rule: Rule, facts: Facts) -> tuple[str, ...]:
    grouping = rule.grouping
    assert grouping
    texts = [*grouping.keys, *(name for name, _ in grouping.distinct), *(grouping.sums or ()), rule.text]
    return _known(tuple(dict.fromkeys(re.findall(r"\w+", " ".join(texts)))), facts)


def _known(names: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    return tuple(name for name in names if name in facts.spec)
