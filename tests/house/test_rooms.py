"""Who may import whom, what a pure module may not do, and where SDKs may live; read from the syntax trees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from graphlib import TopologicalSorter

from tests.house.source import BESIDE, ROOMS, Import, Module, modules, product, relative, top_level_modules

# A room (or module of the top level) and what of ours it may import beside itself.
MAY_IMPORT = {
    "focus": (),
    "ledger": ("focus",),
    "ingest": ("focus", "ledger"),
    "governance": ("ledger",),
    "adapters": ("ledger", "governance.letter", "governance.model", "governance.notices", "governance.rules"),
    "settings": (
        "governance.caller",
        "governance.notices",
        "governance.templates",
        "governance.model",
        "governance.places",
        "governance.rules",
        "ingest.azure_scopes",
        "ingest.plan",
        "ledger",
    ),
    "terminal": ("focus.rendering", "focus.report", "governance", "ingest", "ledger"),
    "wiring": tuple(room for room in ROOMS if room != "commands"),
    "commands": ("governance", "ledger.faults", "settings", "terminal", "wiring"),
    "cli": ("commands", "governance", "ingest", "ledger", "settings", "terminal", "wiring"),
    "function_app": ("adapters.telemetry", "governance.approval_page", "governance.model", "ledger.faults", "wiring"),
}
EDGES = ("adapters", "governance.actions", "ingest.sources")
SDKS = ("azure", "boto3", "botocore", "snowflake")
# Slow to import: only inside functions, so that a cold start does not pay for them.
HEAVY = (*SDKS, "deltalake", "duckdb", "pyarrow", "requests", "rich")

# Shells do I/O; DuckDB is no SDK, but a connection is an argument. Every other module here is pure, unnamed.
WITH_PURE_MODULES = ("focus", "governance", "ingest", "ledger")
SHELLS = (
    "focus.data",
    "focus.upgrade",
    "governance.actions",
    "governance.flow",
    "governance.record",
    "governance.templates",
    "ingest.flow",
    "ingest.delimited",
    "ingest.delta_files",
    "ingest.focus_files",
    "ingest.intake",
    "ingest.mappings",
    "ingest.remote",
    "ingest.shelf",
    "ingest.sources",
    "ingest.staging",
    "ledger.book",
    "ledger.export",
    "ledger.export_place",
    "ledger.metadata_files",
)
WORLDLY = {
    *("asyncio", "concurrent", "glob", "http", "io", "logging", "multiprocessing", "os", "random", "secrets", "shutil"),
    *("socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid"),
    *(*SDKS, "deltalake", "requests", "rich"),
}
WORLDLY_CALLS = {
    *("connect", "open", "print", "input", "now", "utcnow", "today"),
    *("read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "iterdir", "rglob", "is_file"),
}


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def ours(found: Import) -> bool:
    return found.target.split(".")[0] in {*ROOMS, *BESIDE, *top_level_modules()}


def pure(module: Module) -> bool:
    return module.room in WITH_PURE_MODULES and not within(module.name, SHELLS)


def trigger(module: Module, found: Import) -> bool:
    return module.name == "function_app" and found.target == "azure.functions"


def offences(chosen: Iterable[Module], offends: Callable[[Module, Import], bool]) -> list[str]:
    """`file:line imports target` for each import that offends."""
    pairs = [(module, found) for module in chosen for found in module.imports()]
    return [f"{relative(m.path)}:{found.line} imports {found.target}" for m, found in pairs if offends(m, found)]


def calls(chosen: Iterable[Module], names: set[str]) -> list[str]:
    pairs = [(module, name, line) for module in chosen for name, line in module.calls()]
    return [f"{relative(module.path)}:{line} calls {name}" for module, name, line in pairs if name in names]


def eager(found: Import) -> bool:
    return not (found.lazy or found.typing)


def test_a_room_imports_only_what_it_may() -> None:
    def strays(module: Module, found: Import) -> bool:
        return ours(found) and not within(found.target, (module.room, *MAY_IMPORT[module.room]))

    assert offences(product(), strays) == []


def test_only_the_wiring_knows_a_concrete_edge() -> None:
    edges = ("governance.actions", "ingest.sources")
    chosen = [module for module in product() if module.room != "wiring" and not within(module.name, edges)]
    assert offences(chosen, lambda _, found: within(found.target, edges)) == []


def test_sdks_live_at_the_edges() -> None:
    chosen = [module for module in product() if not within(module.name, EDGES)]
    assert offences(chosen, lambda m, found: within(found.target, SDKS) and not trigger(m, found)) == []


def test_heavy_packages_are_imported_when_the_job_arrives() -> None:
    def early(module: Module, found: Import) -> bool:
        return eager(found) and within(found.target, HEAVY) and not trigger(module, found)

    assert offences(product(), early) == []


def test_the_triggers_import_only_the_standard_library_and_the_functions_package() -> None:
    chosen = [module for module in product() if module.name == "function_app"]
    known = (*sys.stdlib_module_names, "azure.functions")
    assert len(chosen) == 1
    assert offences(chosen, lambda _, found: eager(found) and not within(found.target, known)) == []


def test_a_pure_module_imports_nothing_of_the_world() -> None:
    chosen = filter(pure, product())
    assert offences(chosen, lambda _, found: within(found.target, tuple(WORLDLY)) and not found.typing) == []


def test_a_pure_module_reads_prints_and_asks_the_time_of_nothing() -> None:
    assert calls(filter(pure, product()), WORLDLY_CALLS) == []


def test_money_is_never_a_float() -> None:
    assert calls([module for module in product() if module.room in ROOMS], {"float"}) == []


def test_each_shell_exists() -> None:
    assert [shell for shell in SHELLS if not any(within(module.name, (shell,)) for module in product())] == []


def test_nothing_imports_the_demo() -> None:
    guests = [module for module in modules() if not within(module.name, ("demo", "tests"))]
    assert offences(guests, lambda _, found: within(found.target, ("demo",))) == []


def test_no_module_imports_itself_through_others() -> None:
    targets = {module.name: {found.target for found in module.imports() if not found.typing} for module in modules()}
    graph = {name: {target for target in found if target in targets} - {name} for name, found in targets.items()}
    assert list(TopologicalSorter(graph).static_order())
