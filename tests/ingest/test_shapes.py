"""A shape is told by its columns, never by a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.shapes import plain, resolve, shape_named, shapes, sniff
from ledger.faults import Rejected
from tests.bills import AZURE, SNOWFLAKE, Ledger, cur2

NAMES = [shape.name for shape in shapes()]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_every_shape_knows_itself_in_any_order_and_case(name: str, data: st.DataObject) -> None:
    shape = shape_named(name)
    headers = data.draw(st.permutations([column.name for column in shape.columns] + list(shape.signature)))
    for spelt in (headers, [header.upper() for header in headers], [header.lower() for header in headers]):
        assert [sniff(spelt, format) for format in shape.formats] == [shape] * len(shape.formats)


# The same columns as text and as Parquet are two shapes, because their types differ.
TWINS = {"aws_cur2": "aws_cur2_csv", "aws_cur_legacy": "aws_cur_legacy_csv"}
TWINS |= {text: parquet for parquet, text in TWINS.items()}


@pytest.mark.parametrize("name", NAMES)
def test_no_shape_is_taken_for_another_or_from_the_other_format(name: str) -> None:
    shape = shape_named(name)
    twin = shape_named(TWINS[name]) if name in TWINS else None
    for format in ("csv", "parquet"):
        assert sniff(shape.signature, format) == (shape if format in shape.formats else twin)


@given(st.lists(st.text(max_size=20), max_size=12))
def test_strangers_are_no_shape(headers: list[str]) -> None:
    assert sniff(headers, "csv") is None


def test_localised_headers_carry_the_real_name_in_parentheses() -> None:
    headers = [f"Spalte {index} ({name})" for index, name in enumerate(AZURE)]
    shape = sniff(headers, "csv")
    assert shape is not None and shape.name == "azure_cost_details_ea"
    assert resolve(shape, headers, "a")["Date"] == "Spalte 6 (Date)"
    assert plain("\ufeffKosten (Cost) ") == "cost"


def test_a_name_says_nothing(ledger: Ledger, tmp_path: Path) -> None:
    path = cur2(tmp_path / "azure_actual.csv")
    assert ledger.ingest(path).document["runs"][0]["shape"] == "aws_cur2"


def test_every_missing_column_is_named_at_once() -> None:
    shape = shape_named("snowflake_usage_in_currency")
    headers = [name for name in SNOWFLAKE if name not in ("CURRENCY", "USAGE_DATE")]
    with pytest.raises(Rejected) as refusal:
        resolve(shape, headers, "a")
    assert [(fault.rule, fault.column) for fault in refusal.value.faults] == [
        ("missing-column", "USAGE_DATE"),
        ("missing-column", "CURRENCY"),
    ]
