"""The mappings' own lookup tables against the specification's lists."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from focus.data import load
from focus.schema import columns
from ingest.mappings import table_names, table_path

PAIRS = {(entry["parent"], entry["value"]) for entry in load("columns-1.3.json")["service_subcategories"]}
ALLOWED = {column.name: set(column.allowed_values) for column in columns() if column.allowed_values}


def table(name: str) -> list[dict[str, str]]:
    with Path(table_path(name)).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_column(column: str) -> list[str]:
    return [name for name in table_names() if column in table(name)[0]]


@pytest.mark.parametrize("name", with_column("ServiceSubcategory"))
def test_every_subcategory_belongs_to_its_category(name: str) -> None:
    assert [row for row in table(name) if (row["ServiceCategory"], row["ServiceSubcategory"]) not in PAIRS] == []


@pytest.mark.parametrize("name", table_names())
def test_values_of_focus_columns_are_allowed(name: str) -> None:
    found = {(column, value) for row in table(name) for column, value in row.items() if column in ALLOWED and value}
    assert {pair for pair in found if pair[1] not in ALLOWED[pair[0]]} == set()


@pytest.mark.parametrize("name", table_names())
def test_keys_are_unique(name: str) -> None:
    """One match a raw row; a table that derives rows names the kind of row beside its key."""
    keys = [(next(iter(row.values())), row.get("RowKind")) for row in table(name)]
    assert len(keys) == len(set(keys))


def test_a_service_name_has_one_category() -> None:
    pairs = {(row["ServiceName"], row["ServiceCategory"]) for row in table("snowflake_services")}
    assert len(pairs) == len({name for name, _ in pairs})
