"""What a check of a file against the rules found: a verdict a rule, a summary by keyword, and coverage. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from focus.rules import MUST, SHOULD

PASSED, VIOLATED = "passed", "violated"
NOT_APPLICABLE, NOT_CHECKABLE = "not applicable", "not checkable"
EVALUATED = (PASSED, VIOLATED)


@dataclass(frozen=True, slots=True)
class Example:
    """One place where a rule is broken; `row` counts data rows of `file` from 1, None where no row is at fault."""

    file: str
    row: int | None
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule on one file. `scope` and `violations` count rows, or values where a rule is about many columns."""

    rule: str
    keyword: str
    column: str
    text: str
    status: str
    scope: int = 0
    violations: int = 0
    reason: str = ""
    examples: tuple[Example, ...] = ()

    def as_json(self) -> dict[str, object]:
        examples = [{"file": one.file, "row": one.row, "values": dict(one.values)} for one in self.examples]
        return {
            "rule": self.rule,
            "keyword": self.keyword,
            "column": self.column,
            "status": self.status,
            "rows_in_scope": self.scope,
            "violations": self.violations,
            "reason": self.reason,
            "requirement": self.text,
            "examples": examples,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """`partial` says why the rules themselves are not complete; `unchecked` counts what no file can show."""

    version: str
    dataset: str
    rows: int
    criteria: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    unchecked: int = 0
    partial: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    def violated(self, keywords: Sequence[str] = MUST) -> tuple[Verdict, ...]:
        """Broken rules of these keywords."""
        return tuple(one for one in self.verdicts if one.status == VIOLATED and one.keyword in keywords)

    @property
    def conformant(self) -> bool:
        return not self.violated(MUST)

    def coverage(self) -> dict[str, int]:
        """Rules per status, and what no file can show."""
        counts = Counter(one.status for one in self.verdicts)
        evaluated = sum(counts[status] for status in EVALUATED)
        others = {status: counts[status] for status in (NOT_APPLICABLE, NOT_CHECKABLE)}
        return {"evaluated": evaluated, **others, "never checkable from data": self.unchecked}

    def summary(self) -> dict[str, dict[str, int]]:
        """Rules passed and violated, and violations, by keyword."""
        keywords = dict.fromkeys(one.keyword for one in self.verdicts)
        return {keyword: self._of(keyword) for keyword in sorted(keywords)}

    def _of(self, keyword: str) -> dict[str, int]:
        mine = [one for one in self.verdicts if one.keyword == keyword]
        counts = Counter(one.status for one in mine)
        return {**{status: counts[status] for status in EVALUATED}, "violations": sum(one.violations for one in mine)}

    def as_json(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        return {
            "focus_version": self.version,
            "dataset": self.dataset,
            "conformant": self.conformant,
            "warnings": len(self.violated(SHOULD)),
            "partial": self.partial,
            "rows": self.rows,
            "applicability": list(self.criteria),
            "summary": self.summary(),
            "coverage": self.coverage(),
            "notes": list(self.notes),
            "verdicts": [one.as_json() for one in self.verdicts],
        }
