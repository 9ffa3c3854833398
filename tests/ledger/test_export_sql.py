"""Names of the columns that are spread out of a JSON column, and the texts that SQL is built from."""

from __future__ import annotations

import json

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from ledger.export_sql import keys_sql, literal, output, pointer, quoted, spread_names, text_columns


def test_a_key_gets_the_prefix_and_keeps_it() -> None:
    assert spread_names(["x_Own", "Plain"], []) == {"x_Plain": "Plain", "x_Own": "x_Own"}


def test_a_name_that_is_taken_is_numbered_whatever_its_case() -> None:
    found = spread_names(["x_ServiceCode", "X", "x", "x_X"], ["x_servicecode", "BilledCost"])
    assert found == {"x_X": "X", "x_x_2": "x", "x_X_3": "x_X", "x_ServiceCode_2": "x_ServiceCode"}


keys = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8), unique=True, max_size=6)


@given(keys)
def test_every_key_has_a_column_and_no_two_share_one(found: list[str]) -> None:
    names = spread_names(found, ["x_Provider"])
    assert sorted(names.values()) == sorted(found)
    folded = [name.lower() for name in names]
    assert len(set(folded) | {"x_provider"}) == len(found) + 1
    assert all(name.startswith("x_") for name in names)


@given(keys)
def test_the_engine_finds_the_value_of_every_key(found: list[str]) -> None:
    row = json.dumps({key: f"value of {key}" for key in found})
    for key in found:
        query = f"SELECT json_extract_string($1, {literal(pointer(key))}) AS {quoted('x_' + key)}"
        assert duckdb.execute(query, [row]).fetchall() == [(f"value of {key}",)]
    listed = duckdb.execute(keys_sql(f"SELECT {literal(row)} AS x_SourceColumns")).fetchall()
    assert sorted(key for (key,) in listed) == sorted(found)


def test_without_custom_columns_nothing_is_spread() -> None:
    out = output("1.2", "csv", ["x_Some"], custom=False)
    assert (len(out.header), out.spread) == (57, {})
    assert {"Tags", "RegionId"} < set(text_columns(out)) and "BilledCost" not in text_columns(out)
