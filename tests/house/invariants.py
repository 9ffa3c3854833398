"""docs/invariants.md from its data file and from the names of tests: `python -m tests.house.invariants` writes it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.source import ROOT

DATA = Path(__file__).with_name("invariants.toml")
PAGE = ROOT / "docs/invariants.md"
HEAD = """# What must hold, and what proves it

Twenty-six invariants of a guard that stops machines on a budget alert, each with the tests that prove it. The page is
written by `python -m tests.house.invariants` from `tests/house/invariants.toml` and the names of the tests, and a test
holds it against both. The column on the right says honestly what is not proven, or not built.

| # | what must hold | tests | not proven |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Invariant:
    number: int
    text: str
    more: tuple[str, ...] = ()
    open: str = ""


def invariants() -> list[Invariant]:
    found = tomllib.loads(DATA.read_text(encoding="utf-8"))["invariant"]
    return [Invariant(one["number"], one["text"], tuple(one.get("more", ())), one.get("open", "")) for one in found]


def all_tests() -> list[str]:
    """Every test function as `path::name`, those of classes with their class between."""
    return [
        f"{path.relative_to(ROOT)}::{name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name in _tests(path)
    ]


def _tests(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        if isinstance(node, ast.ClassDef):
            inner = (one for one in node.body if isinstance(one, ast.FunctionDef))
            yield from (f"{node.name}::{one.name}" for one in inner if one.name.startswith("test_"))


def numbers(test: str) -> set[int]:
    """Those that a test's name says it proves."""
    found = re.match(r"test_invariant((?:_\d+)+)_", test.rpartition("::")[2])
    return {int(one) for one in found[1].split("_") if one} if found else set()


def proven_by(one: Invariant, tests: list[str]) -> list[str]:
    named = [test for test in tests if one.number in numbers(test)]
    return [*named, *(test for test in one.more if test not in named)]


def page() -> str:
    tests = all_tests()
    return HEAD + "".join(_row(one, proven_by(one, tests)) for one in invariants())


def _row(one: Invariant, tests: list[str]) -> str:
    by_file: dict[str, list[str]] = {}
    for test in tests:
        path, _, name = test.partition("::")
        by_file.setdefault(path, []).append(f"`{name}`")
    told = "<br>".join(f"{path}: {', '.join(names)}" for path, names in by_file.items())
    return f"| {one.number} | {one.text} | {told or '**none**'} | {one.open} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
