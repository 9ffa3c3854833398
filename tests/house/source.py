"""The repository as data: its files, its modules, what they import and how long their functions are."""

from __future__ import annotations

import ast
import os
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("adapters", "commands", "focus", "governance", "ingest", "ledger", "settings", "wiring")
BESIDE = ("bench", "demo", "emulators", "tests", "tools")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module; `lazy` when inside a function, `typing` when only a type checker sees it."""

    target: str
    line: int
    lazy: bool
    typing: bool


@dataclass(frozen=True, slots=True)
class Body:
    """A function and the lines of its body without the docstring."""

    name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Module:
    path: Path
    name: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    def imports(self) -> list[Import]:
        return list(_imports(self.tree, lazy=False, typing=False))

    def calls(self) -> Iterator[tuple[str, int]]:
        """The last name of each called expression, with its line: `open`, `now`, `read_text`."""
        return _calls(ast.walk(self.tree))

    def calls_at_import(self) -> Iterator[tuple[str, int]]:
        """Of these, what is called when the module is imported: not in a function's body."""
        return _calls(_at_import(self.tree))

    def bodies(self) -> Iterator[Body]:
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield Body(f"{self.name}.{node.name}", _body_lines(node))


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or could be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def modules() -> tuple[Module, ...]:
    return tuple(_module(path) for path in files() if path.suffix == ".py")


def product() -> list[Module]:
    """What is installed and deployed: the rooms and the modules of the top level."""
    return [module for module in modules() if module.room not in BESIDE]


def top_level_modules() -> set[str]:
    return {path.stem for path in files() if path.suffix == ".py" and path.parent == ROOT}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, ast.parse(path.read_text(encoding="utf-8"), os.fspath(path)))


def _calls(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            yield (node.func.id if isinstance(node.func, ast.Name) else node.func.attr), node.lineno


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Also defaults and decorators of functions, and the bodies of classes."""
    if isinstance(node, ast.Lambda) or (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)):
        return
    yield node
    later = node.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    for child in ast.iter_child_nodes(node):
        if child not in later:
            yield from _at_import(child)


def _imports(node: ast.AST, *, lazy: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, lazy, typing) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from _from(child, lazy=lazy, typing=typing)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _imports(child, lazy=lazy or inside, typing=typing or _guards_types(child))


def _from(node: ast.ImportFrom, *, lazy: bool, typing: bool) -> Iterator[Import]:
    """`from ledger import book` may name a module: where one of that name exists it is what is imported."""
    assert not node.level, "imports are absolute in this house"
    parent = node.module or ""
    for alias in node.names:
        below = f"{parent}.{alias.name}"
        yield Import(below if _is_module(below) else parent, node.lineno, lazy, typing)


@cache
def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _guards_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
