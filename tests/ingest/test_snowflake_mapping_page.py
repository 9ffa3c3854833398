"""The page about Snowflake's usage, held against the tables that the mapping reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.mappings import table_rows
from ingest.shapes import companions_of, shape_named
from tests.bills import SNOWFLAKE
from tests.mapped import focus_rows, write_csv

PAGE = (Path(__file__).parents[2] / "docs/snowflake-mapping.md").read_text(encoding="utf-8")
SHAPE = shape_named("snowflake_usage_in_currency")


def table(first: str) -> list[tuple[str, ...]]:
    """The rows of the page's table whose first column has that name."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {first} |")) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return rows


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("BILLING_TYPE", "snowflake_billing_types"),
        ("RATING_TYPE", "snowflake_rating_types"),
        ("SERVICE_TYPE", "snowflake_services"),
    ],
)
def test_the_page_lists_what_the_mapping_looks_up(first: str, name: str) -> None:
    assert table(first) == [tuple(row.values()) for row in table_rows(name)]


@pytest.mark.parametrize("rating", [row["rating_type"] for row in table_rows("snowflake_rating_types")])
def test_quantities_are_compared_in_the_units_that_they_have(rating: str, tmp_path: Path) -> None:
    import duckdb

    from ingest.inspection import prepare

    with duckdb.connect() as connection:
        prepare(connection)
        [(unit,)] = connection.execute("SELECT snowflake_unit(?, 'x')", [rating]).fetchall()
    path = write_csv(tmp_path / "usage.csv", [{**SNOWFLAKE, "RATING_TYPE": rating}])
    [row] = focus_rows([(path, "")], tmp_path)
    told = {cells[0]: cells[1] for cells in table("RATING_TYPE")}
    assert unit == row["PricingUnit"] == told[rating]


def test_the_page_tells_of_every_refusal_and_every_view_beside_the_bill() -> None:
    rules = (
        {one.rule for one in SHAPE.refusals}
        | {one.rule for one in SHAPE.refused_rows}
        | {"day-twice", "currency", "contract-organization"}
    )
    assert {row[0] for row in table("rule")} == rules
    told = {name.strip(" `") for row in table("view") for name in row[0].split(",")}
    assert told == {one.label.partition("(")[2].rstrip(")") for one in companions_of(SHAPE)}
    identities = [row[0] for row in table("identity")]
    assert len(identities) == 3


def test_services_keep_the_table_in_order() -> None:
    names = [row["service_type"] for row in table_rows("snowflake_services")]
    assert names == sorted(set(names))
