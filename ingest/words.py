"""Words that the mappings of FOCUS exports look up: companies' names, closed lists of the specification. Pure.

They are maps in SQL variables, found by folded text; focus_macros.sql reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

from focus import upgrade
from focus.data import load
from focus.schema import VERSION
from ingest.mapping import literal


def parties_sql(entities: Mapping[str, str], resellers: Mapping[str, str]) -> list[str]:
    """Statements for `entities` (name to company), `issuers` (the same, legal names as they are) and `clouds`.

    A name of the settings comes before the known ones, and belongs to the cloud that its company belongs to; a reseller
    keeps its own name and belongs to the cloud that it resells.
    """
    known, given = upgrade.parties(), {fold(name): entity for name, entity in entities.items()}
    clouds = {fold(party["name"]): party["provider"] for party in known if party["provider"]}
    brands = {fold(party["name"]): party["entity"] for party in known if party["kind"] == "brand"}
    sold = {fold(name): provider for name, provider in resellers.items()}
    return [
        _map("entities", {fold(party["name"]): party["entity"] for party in known} | given),
        _map("issuers", brands | given),
        _map("clouds", {name: clouds.get(fold(entity), "") for name, entity in given.items()} | clouds | sold),
    ]


def vocabulary() -> list[str]:
    """Statements for the categories, the category of each subcategory, and the SKU keys with their types."""
    spec = load(f"columns-{VERSION}.json")
    keys = spec["sku_price_detail_keys"]
    return [
        _map("service_categories", {fold(name): name for name in spec["service_categories"]}),
        _map("subcategory_parents", {entry["value"]: entry["parent"] for entry in spec["service_subcategories"]}),
        _map("sku_keys", {fold(entry["key"]): entry["key"] for entry in keys}),
        _map("sku_key_types", {entry["key"]: entry["type"] for entry in keys}),
    ]


def fold(name: str) -> str:
    """As the macros fold what they look up."""
    return name.strip().lower()


def _map(variable: str, pairs: Mapping[str, str]) -> str:
    return f"SET VARIABLE {variable} = MAP {{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in pairs.items())}}}"
