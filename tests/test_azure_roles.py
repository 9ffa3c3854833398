"""The rights that the page on Azure tells to give are those behind the calls that the code makes, and no more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache

import pytest

from tests.house.source import ROOT, Module, product

PAGE = (ROOT / "docs/azure.md").read_text(encoding="utf-8")
READER, CONTRIBUTOR, BLOBS = "Cost Management Reader", "Cost Management Contributor", "Storage Blob Data Reader"
COSTS = "Microsoft.CostManagement"
READS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"

# A call of Azure's libraries -> the operation that permits it. Reports and queries are posted, but are reads.
OPERATIONS = {
    "exports.create_or_update": f"{COSTS}/exports/write",
    "exports.execute": f"{COSTS}/exports/run/action",
    "exports.get": f"{COSTS}/exports/read",
    "exports.list": f"{COSTS}/exports/read",
    "generate_cost_details_report.begin_create_operation": f"{COSTS}/generateCostDetailsReport/read",
    "query.usage": f"{COSTS}/query/read",
    "download_blob": READS,
    "get_blob_properties": READS,
    "list_blobs": READS,
}
FREE = {"get_blob_client"}  # asks nothing

# What Azure's built-in roles permit of these.
ROLES = {READER: f"{COSTS}/*/read", CONTRIBUTOR: f"{COSTS}/*", BLOBS: READS}


@cache
def groups() -> dict[str, frozenset[str]]:
    """The calls that Cost Management's client has, by the group they are in."""
    from adapters.cost_management import cost_management

    found = {name: part for name, part in vars(cost_management({})).items() if not name.startswith("_")}
    return {name: frozenset(one for one in dir(part) if not one.startswith("_")) for name, part in found.items()}


@cache
def blob_calls() -> frozenset[str]:
    from azure.storage.blob import BlobClient, ContainerClient

    return frozenset(name for kind in (BlobClient, ContainerClient) for name in dir(kind) if not name.startswith("_"))


def cost_calls(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=call, value=ast.Attribute(attr=group))) if call in groups().get(
                group, ()
            ):
                yield f"{group}.{call}"


def reads_blobs(module: Module) -> bool:
    """Bills that Azure delivers; what the service keeps for itself is the business of another role."""
    return module.room == "ingest" and any(one.target == "azure.storage.blob" for one in module.imports())


@cache
def called() -> frozenset[str]:
    costs = {call for module in product() for call in cost_calls(module)}
    blobs = {name for module in product() if reads_blobs(module) for name, _ in module.calls()}
    return frozenset(costs | ((blobs & blob_calls()) - FREE))


def documented() -> dict[str, tuple[str, str]]:
    """Operation -> who does it, and the role that permits it."""
    section = PAGE.partition("\n## Rights\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| `([^`|]+)` \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return {operation: (who, role) for who, operation, role in rows}


def test_every_call_that_the_code_makes_is_known() -> None:
    assert called() == set(OPERATIONS)


def test_the_page_names_the_operations_of_these_calls_and_no_other() -> None:
    assert set(documented()) == {OPERATIONS[call] for call in called()}


def test_each_operation_is_in_the_role_that_the_page_names_for_it() -> None:
    assert {role for _, role in documented().values()} == set(ROLES)
    assert [name for name, (_, role) in documented().items() if not fnmatch(name, ROLES[role])] == []


def test_only_a_person_needs_more_than_a_reader() -> None:
    more = {name: who for name, (who, role) in documented().items() if role == CONTRIBUTOR}
    assert set(more) == {name for name in documented() if not name.endswith("/read")}
    assert all(who.endswith(", a person") for who in more.values())


def test_what_writes_is_wired_to_the_command_alone() -> None:
    """The triggers call what `wiring` offers by name; `exports` is not among it."""
    makers = [module.name for module in product() if {"create_or_update", "execute"} & _costs(module)]
    assert makers == ["ingest.sources.cost_exports"]
    users = [module.name for module in product() if any(one.target in makers for one in module.imports())]
    assert users == ["wiring.azure"]
    beyond = [module.name for module in product() if any(one.target == "wiring.azure" for one in module.imports())]
    assert beyond == ["wiring"]
    triggers = (ROOT / "function_app.py").read_text(encoding="utf-8")
    assert re.findall(r"\bwiring\.(exports|azure)\b", triggers) == []
    assert re.findall(r"\bwiring\.(exports)\b", (ROOT / "cli.py").read_text(encoding="utf-8")) == ["exports"]


def _costs(module: Module) -> set[str]:
    return {call.partition(".")[2] for call in cost_calls(module) if call.startswith("exports.")}


@pytest.mark.parametrize("role", [READER, BLOBS])
def test_the_page_tells_how_the_role_is_given(role: str) -> None:
    assert re.search(rf'az role assignment create [^#]*?--role "{role}" --scope /subscriptions/', PAGE)


def test_no_secret_and_no_wide_role_is_asked_for() -> None:
    assert not re.search(r"(?i)account[- ]key|client[- ]secret|connection string|\?sv=", PAGE)
    assert not re.search(r'--role "?(Owner|Contributor|Reader)\b', PAGE)
