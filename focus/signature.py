"""All row rules in one pass over the data: rows are grouped by what the rules can see of them. Pure.

A rule sees of most columns only whether they are null, of closed lists their value, of the rest whether one check
holds. These bits and values are a row's signature; there are few different ones, however many rows there are. Rules
are then evaluated on signatures, each with the number of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from focus.expression import Both, Name, Node, Not, Null, children
from focus.fields import Facts, quoted
from focus.predicate import Scope, Writer
from focus.rules import Check

TABLE = "rule_signature"
BITS = 60  # of one BIGINT
COUNT = '"#rows"'


@dataclass(slots=True)
class Atoms:
    """Conditions seen on rows, each with its bit."""

    _found: dict[str, int] = field(default_factory=dict)

    def bit(self, condition: str) -> str:
        """How the signature tells whether the condition was true."""
        place = self._found.setdefault(condition, len(self._found))
        return f"((w{place // BITS} & {1 << (place % BITS)}) <> 0)"

    def words(self) -> list[str]:
        """The BIGINT columns that hold the bits."""
        conditions = list(self._found)
        blocks = [conditions[start : start + BITS] for start in range(0, len(conditions), BITS)]
        return [f"{' | '.join(map(_bit, block, range(BITS)))} AS w{index}" for index, block in enumerate(blocks)]


def _bit(condition: str, place: int) -> str:
    return f"CASE WHEN {condition} THEN {1 << place}::BIGINT ELSE 0::BIGINT END"


@dataclass(frozen=True, slots=True)
class OnSignatures(Writer):
    """Writes conditions over the signature table; what it cannot see there becomes a bit of the rows."""

    atoms: Atoms = field(default_factory=Atoms)

    def null(self, node: Null, scope: Scope) -> str:
        if not isinstance(node.value, Name) or node.value.path[0] in scope:
            return Writer.null(self, node, scope)
        column = node.value.path[0]
        if self.facts.kind(column) == "absent":
            return "false" if node.negated else "true"
        bit = self.atoms.bit(f"{quoted(column)} IS NULL")
        return f"(NOT {bit})" if node.negated else bit

    def holds(self, node: Node | None) -> str:
        """True where the condition is true; null and false alike are not."""
        if node is None:
            return "true"
        if self.visible(node):
            return f"(({self.sql(node)}) IS TRUE)"
        if isinstance(node, Both):
            return f"({self.holds(node.left)} {node.word} {self.holds(node.right)})"
        if isinstance(node, Not):
            return self.fails(node.value)
        return self.atoms.bit(f"({self._on_rows(node)}) IS TRUE")

    def fails(self, node: Node) -> str:
        """True where the check is false; a null leaves the word to another rule.

        Taken apart down to single checks, so that rules which share one share its bit.
        """
        if self.visible(node):
            return f"(({self.sql(node)}) IS FALSE)"
        if isinstance(node, Both):
            return f"({self.fails(node.left)} {'OR' if node.word == 'AND' else 'AND'} {self.fails(node.right)})"
        if isinstance(node, Not):
            return self.holds(node.value)
        check = self._on_rows(node)
        return "false" if check == "true" else self.atoms.bit(f"({check}) IS FALSE")

    def _on_rows(self, node: Node) -> str:
        return Writer(self.facts, self.tolerance).sql(node)

    def visible(self, node: Node) -> bool:
        """Whether signatures show all that the expression asks."""
        if isinstance(node, Name):
            return len(node.path) == 1 and self._closed(node.path[0])
        if isinstance(node, Null) and isinstance(node.value, Name) and len(node.value.path) == 1:
            return True
        return all(self.visible(child) for child in children(node))

    def _closed(self, name: str) -> bool:
        return name in self.facts.closed or (name in self.facts.may_lack and not self.facts.has(name))


@dataclass(frozen=True, slots=True)
class Counted:
    """A check as two conditions over the signature table: rows in scope, and rows that break it."""

    scope: str
    broken: str


def counted(check: Check, writer: OnSignatures) -> Counted:
    """AbsentColumn when a column is missing that ought to be there."""
    scope = writer.holds(check.condition)
    broken = writer.fails(check.check)
    return Counted(scope, broken if broken == "false" else f"{scope} AND {broken}")


def table_sql(relation: str, facts: Facts, atoms: Atoms) -> str:
    """Makes the signature table: one row a signature."""
    columns = [*(quoted(name) for name in sorted(facts.closed)), *atoms.words()]
    return (
        f"CREATE OR REPLACE TEMP TABLE {TABLE} AS "
        f"SELECT {', '.join([*columns, f'count(*) AS {COUNT}'])} FROM ({relation}) GROUP BY ALL"
    )


def count_sql(checks: Sequence[Counted]) -> str:
    """One row: per check the rows in scope and the rows that break it."""
    parts = [_sum(condition) for check in checks for condition in (check.scope, check.broken)]
    return f"SELECT {', '.join(parts)} FROM {TABLE}"


def _sum(condition: str) -> str:
    if condition == "false":
        return "0"
    return f"CAST(coalesce(sum({COUNT}) FILTER (WHERE {condition}), 0) AS BIGINT)"


def total_sql() -> str:
    """The number of rows."""
    return f"SELECT {_sum('true')} FROM {TABLE}"
