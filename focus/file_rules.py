"""Verdicts on the file itself: what no rule on rows can tell, because the row could not be read as one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from focus.data import load
from focus.report import PASSED, VIOLATED, Example, Verdict


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a file; `kind` is that of a file rule, `row` counts data rows from 1."""

    kind: str
    file: str
    row: int | None
    values: Mapping[str, str | None]


def file_verdicts(flaws: Sequence[Flaw], files: int, max_examples: int) -> tuple[Verdict, ...]:
    """One verdict for every file rule."""
    return tuple(_verdict(entry, flaws, files, max_examples) for entry in load("file-rules.json")["rules"])


def _verdict(entry: Mapping[str, str], flaws: Sequence[Flaw], files: int, max_examples: int) -> Verdict:
    mine = [flaw for flaw in flaws if flaw.kind == entry["kind"]]
    examples = tuple(Example(flaw.file, flaw.row, flaw.values) for flaw in mine[:max_examples])
    status = VIOLATED if mine else PASSED
    return Verdict(entry["id"], entry["keyword"], "", entry["text"], status, files, len(mine), "", examples)
