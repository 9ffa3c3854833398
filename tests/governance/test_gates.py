"""What the code of the control room may not contain, read from its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[2] / "governance"
FILES = sorted(ROOM.rglob("*.py"))
PURE = (
    *("alert", "amounts", "canonical", "fleets", "flow", "lifecycle", "model", "pace", "payload", "period", "places"),
    *("policy", "receipt", "streams", "throttle"),
)
IMPURE_MODULES = {"os", "time", "random", "logging", "pathlib", "socket", "subprocess", "uuid", "secrets", "io"}
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today", "getenv"}
DESTRUCTIVE = re.compile(r"delete|power_?off|purge|terminate|reimage|redeploy|generalize|hibernate", re.IGNORECASE)


def imports(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield str(getattr(node.func, "attr", None) or getattr(node.func, "id", ""))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_invariant_18_nothing_destructive_is_called_or_even_named(file: Path) -> None:
    tree = ast.parse(file.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {keyword.arg or "" for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords}
    assert not [name for name in {*names, *called(tree)} if DESTRUCTIVE.search(name)]


@pytest.mark.parametrize("file", sorted(ROOM.glob("actions/*.py")), ids=lambda file: file.name)
def test_invariant_11_18_what_an_edge_can_ask_for_is_a_deallocation_or_a_start(file: Path) -> None:
    begun = {name for name in called(ast.parse(file.read_text())) if name.startswith("begin_")}
    assert begun <= {"begin_deallocate", "begin_start"}
    assert begun or not file.name.startswith(("azure_vm", "azure_vmss"))


@pytest.mark.parametrize("file", sorted(ROOM.glob("actions/*.py")), ids=lambda file: file.name)
def test_invariant_18_no_statement_destroys_anything(file: Path) -> None:
    tree = ast.parse(file.read_text())
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    assert not [text for text in texts if re.search(r"\b(DROP|DELETE|TRUNCATE|REMOVE|REPLACE|CREATE|ABORT)\b", text)]


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_touch_nothing_outside(name: str) -> None:
    tree = ast.parse((ROOM / f"{name}.py").read_text())
    assert not {module.partition(".")[0] for module in imports(tree)} & IMPURE_MODULES
    assert not set(called(tree)) & IMPURE_CALLS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_room_imports_only_the_ledger_and_sdks_only_at_its_edge(file: Path) -> None:
    found = {module.partition(".")[0] for module in imports(ast.parse(file.read_text()))}
    assert not found & {"ingest", "adapters", "wiring", "cli", "function_app", "emulators", "demo", "tests"}
    assert file.parent.name == "actions" or not found & {"azure", "boto3", "snowflake"}
