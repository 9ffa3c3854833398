"""Holds rows against the rules of a FOCUS version: rules become a few SQL queries, their counts become verdicts.

Pure but for the connection it is given: the rows are read once for all row rules together, once for each JSON column
and once for each set of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from focus import groups, headers, joins, signature, terms
from focus.applicability import applies, criteria
from focus.expression import names
from focus.fields import AbsentColumn, Facts, Field
from focus.json_rules import JsonChecks
from focus.predicate import Writer
from focus.report import NOT_APPLICABLE, NOT_CHECKABLE, PASSED, VIOLATED, Example, Report, Verdict
from focus.rules import REFERENTIAL, Check, Rule, rules
from focus.signature import OnSignatures
from focus.tolerance import Relative, Tolerance
from focus.versions import column_entries, cross_checked, unchecked_entries

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")
A_SELECT = 50  # rules in one query: measured best
PLACE = '"#file", "#row"'
Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """What is checked: a query that gives `fields` and the columns #file (text) and #row (from 1).

    `partly` are columns that some of several files lack: their rows read as null, and presence rules call them missing.
    """

    sql: str
    fields: tuple[Field, ...]
    label: str
    partly: frozenset[str] = frozenset()

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields if one.name not in self.partly)


@dataclass(frozen=True, slots=True)
class Question:
    """What to hold the rows to. `commitments` is a query of ContractCommitment rows, where there are any."""

    version: str = "1.3"
    dataset: str = "CostAndUsage"
    applicability: str = "auto"
    tolerance: Tolerance = field(default_factory=Relative)
    max_examples: int = 3
    commitments: str = ""


def _untold(_event: str, _fields: Mapping[str, object]) -> None:
    """Progress that nobody watches."""


def check(connection: DuckDBPyConnection, rows: Rows, question: Question, tell: Tell = _untold) -> Report:
    """A verdict for every rule of the dataset. ValueError for an unknown version, dataset or criterion."""
    return _Run(connection, rows, question, tell).report()


@dataclass(slots=True)
class _Run:
    """One check as it goes on: verdicts gather by rule id."""

    connection: DuckDBPyConnection
    rows: Rows
    question: Question
    tell: Tell
    found: dict[str, Verdict] = field(default_factory=dict)
    facts: Facts = field(init=False)
    held: frozenset[str] = field(init=False)
    notes: list[str] = field(default_factory=list)
    total: int = 0

    def __post_init__(self) -> None:
        asked = self.question
        self.held = criteria(asked.applicability, asked.version, self.rows.header)
        known = [str(entry["id"]) for entry in column_entries(asked.version, asked.dataset)]
        needed = {name for rule in self._rules() if applies(rule, self.held) and rule.is_must for name in rule.present}
        self.facts = Facts(asked.version, asked.dataset, self.rows.fields, frozenset(known) - needed)

    def report(self) -> Report:
        open_rules = [rule for rule in self._rules() if self._is_open(rule)]
        self._headers(open_rules)
        rows = [rule for rule in open_rules if rule.checks]
        self._rows(rows)
        self._groups([rule for rule in open_rules if rule.grouping and not rule.grouping.term], self.rows.sql)
        self._terms([rule for rule in open_rules if rule.grouping and rule.grouping.term])
        self._joins([rule for rule in open_rules if rule.id == REFERENTIAL])
        for rule in open_rules:
            if rule.id not in self.found:
                self._close(rule, NOT_CHECKABLE, "needs the dataset ContractCommitment beside these rows")
        return self._told()

    def _told(self) -> Report:
        asked = self.question
        partial = "" if cross_checked(asked.version) else f"the rules of {asked.version} are not cross-checked"
        verdicts = tuple(self.found[rule.id] for rule in self._rules())
        unchecked = len(unchecked_entries(asked.version))
        criteria_held = tuple(sorted(self.held))
        told = (self.total, criteria_held, verdicts, unchecked, partial, tuple(self.notes))
        return Report(asked.version, asked.dataset, *told)

    def _rules(self) -> tuple[Rule, ...]:
        return rules(self.question.version, self.question.dataset)

    def _is_open(self, rule: Rule) -> bool:
        """Whether the rule is to be evaluated; others get their verdict here."""
        if not applies(rule, self.held):
            missing = ", ".join(sorted(set(rule.applicability) - self.held))
            self._close(rule, NOT_APPLICABLE, f"{missing} does not hold")
        elif rule.reason:
            self._close(rule, NOT_CHECKABLE, rule.reason)
        else:
            return True
        return False

    def _headers(self, chosen: Sequence[Rule]) -> None:
        for rule in headers.header_rules(chosen):
            faulty = headers.broken(rule, self.rows.header, self.facts.spec)
            shown = headers.examples(rule, faulty, self.rows.header, self.rows.label)
            self._count(rule, 1, len(faulty), partial(iter, shown))

    def _rows(self, chosen: Sequence[Rule]) -> None:
        """Row rules: each check on the signatures, or on the distinct texts of the one JSON column it asks of."""
        writer, by_column = OnSignatures(self.facts, self.question.tolerance), JsonChecks(self.facts)
        tally: dict[str, list[int]] = {}
        counted: list[tuple[str, signature.Counted]] = []
        for rule in self._present(chosen):
            with self._missing_told(rule):
                found = [signature.counted(one, writer) for one in self._checks(rule) if not by_column.takes(rule, one)]
                tally[rule.id] = [0, 0]
                counted += [(rule.id, one) for one in found]
        self.tell("read", {"rows of": self.rows.label, "row rules": len(tally)})
        self.connection.execute(signature.table_sql(self.rows.sql, self.facts, writer.atoms))
        self.total = self._one(signature.total_sql())[0]
        for block in _blocks(counted, A_SELECT):
            self._add(tally, [name for name, _ in block], signature.count_sql([one for _, one in block]))
        for column, mine in by_column.items():
            self.tell("json", {"column": column, "checks": len(mine)})
            self._add(tally, [name for name, _ in mine], by_column.count_sql(self.rows.sql, column, self._writer))
        by_id = {rule.id: rule for rule in chosen}
        for name, (scope, broken) in tally.items():
            self._count(by_id[name], scope, broken, partial(self._row_examples, by_id[name]))

    def _add(self, tally: dict[str, list[int]], names: Sequence[str], sql: str) -> None:
        """The query's row holds pairs: what is in scope and what breaks the rule of that name."""
        row = self._one(sql)
        for index, name in enumerate(names):
            tally[name][0] += row[2 * index]
            tally[name][1] += row[2 * index + 1]

    def _checks(self, rule: Rule) -> Iterator[Check]:
        """A rule about many columns leaves out those that are not there; their presence rules tell."""
        for one in rule.checks:
            if len(rule.checks) == 1 or self.facts.has(columns_of(one)[0]):
                yield one

    def _present(self, chosen: Sequence[Rule]) -> Iterator[Rule]:
        """Rules about columns that are there; of one that is not, only the presence rule has to tell."""
        for rule in chosen:
            if rule.column in self.facts.spec and not self.facts.has(rule.column) and len(rule.checks) == 1:
                self._close(rule, NOT_APPLICABLE, f"there is no column {rule.column}")
            else:
                yield rule

    @contextmanager
    def _missing_told(self, rule: Rule) -> Iterator[None]:
        try:
            yield
        except AbsentColumn as absent:
            self._close(rule, NOT_CHECKABLE, f"needs the column {absent}, which is missing")

    def _groups(self, chosen: Sequence[Rule], relation: str) -> None:
        ready = []
        for rule in self._present(chosen):
            if lacking := [
                name for name in groups.compared(rule) if name in self.facts.spec and not self.facts.has(name)
            ]:
                self._close(rule, NOT_APPLICABLE, f"there is no column {lacking[0]}")
                continue
            with self._missing_told(rule):
                groups.queries([rule], relation, self._writer)
                ready.append(rule)
        for query in groups.queries(ready, relation, self._writer):
            self.tell("group", {"by": list(query.keys), "rules": len(query.rules)})
            scope, *broken = self._one(query.counts())
            for index, (rule, count) in enumerate(zip(query.rules, broken, strict=True)):
                self._count(rule, scope, count, partial(self._group_examples, query, index))

    def _terms(self, chosen: Sequence[Rule]) -> None:
        """Rules over a whole term, on the commitments whose term these rows cover."""
        covered = terms.Terms(self.rows.sql, self.question.commitments, self.facts)
        known = self._commitments_have(terms.NEEDED)
        inside, outside = self._one(covered.counts()) if known and self.facts.has(terms.KEY) else (0, 0)
        if inside:
            self.notes += [f"{outside} commitments whose term these rows do not cover were left out"] if outside else []
            self._groups(chosen, covered.rows())
            return
        for rule in self._present(chosen):
            self._close(rule, NOT_CHECKABLE, terms.UNCOVERED if known else terms.UNKNOWN)

    def _commitments_have(self, columns: Sequence[str]) -> bool:
        if not self.question.commitments:
            return False
        described = self.connection.execute(f"DESCRIBE {self.question.commitments}").fetchall()
        return {name for name, *_ in described} >= set(columns)

    def _joins(self, chosen: Sequence[Rule]) -> None:
        """The rule across datasets, where the other one is there with the columns that it is known by."""
        for rule in self._present(chosen):
            if self._commitments_have(joins.KEYS):
                join = joins.Join(self.rows.sql, self.question.commitments, self.facts.text(joins.COLUMN))
                scope, broken = self._one(join.counts())
                self._count(rule, scope, broken, partial(self._join_examples, join))

    @property
    def _writer(self) -> Writer:
        return Writer(self.facts, self.question.tolerance)

    def _row_examples(self, rule: Rule) -> Iterator[Example]:
        for one in self._checks(rule):
            condition = f"({self._writer.sql(one.condition)}) IS TRUE AND " if one.condition else ""
            columns = [name for name in columns_of(one) if name in self.facts.spec and self.facts.has(name)]
            shown = ", ".join([PLACE, *map(self.facts.text, columns)])
            where = f"{condition}({self._writer.sql(one.check)}) IS FALSE"
            sql = f"SELECT {shown} FROM ({self.rows.sql}) WHERE {where} LIMIT {self.question.max_examples}"
            for file, row, *values in self.connection.execute(sql).fetchall():
                told = zip(columns, map(self._shown, columns, values), strict=True)
                yield Example(str(file), int(row), dict(told))

    def _shown(self, column: str, value: str | None) -> str | None:
        """A decimal without the zeros that only its type adds; a text as it is written."""
        if value is None or "." not in value or self.facts.kind(column) != "decimal":
            return value
        return value.rstrip("0").rstrip(".")

    def _group_examples(self, query: groups.GroupQuery, index: int) -> Iterator[Example]:
        sql = query.examples(index, self.question.max_examples)
        for file, row, *keys in self.connection.execute(sql).fetchall():
            yield Example(str(file), int(row), dict(zip(query.keys, keys, strict=True)))

    def _join_examples(self, join: joins.Join) -> Iterator[Example]:
        for file, row, text in self.connection.execute(join.examples(self.question.max_examples)).fetchall():
            yield Example(str(file), int(row), {joins.COLUMN: text})

    def _count(self, rule: Rule, scope: int, violations: int, examples: Callable[[], Iterable[Example]]) -> None:
        shown = _first(examples(), self.question.max_examples) if violations and self.question.max_examples else ()
        status = VIOLATED if violations else PASSED
        self.found[rule.id] = _verdict(rule, status, scope, violations, "", shown)

    def _close(self, rule: Rule, status: str, reason: str) -> None:
        self.found[rule.id] = _verdict(rule, status, 0, 0, reason, ())

    def _one(self, sql: str) -> tuple[int, ...]:
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)


def _verdict(
    rule: Rule, status: str, scope: int, violations: int, reason: str, examples: tuple[Example, ...]
) -> Verdict:
    return Verdict(rule.id, rule.keyword, rule.column, rule.text, status, scope, violations, reason, examples)


def _first(found: Iterable[Example], limit: int) -> tuple[Example, ...]:
    return tuple(one for one, _ in zip(found, range(limit), strict=False))


def columns_of(check: Check) -> tuple[str, ...]:
    """Columns that a check names, in order; among them may be a quantifier's variables."""
    asked = names(check.condition) if check.condition else ()
    return tuple(dict.fromkeys((*names(check.check), *asked)))


def _blocks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))


__all__ = ["Question", "Rows", "check", "columns_of"]
