"""Rules on JSON texts are answered once for all that are alike: the same counts as text by text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from focus import groups
from focus.alike import asks_no_digits, representative
from focus.expression import parse
from focus.fields import Facts, Field
from focus.json_rules import JsonChecks
from focus.predicate import Writer
from focus.rules import rules
from focus.tolerance import Relative

COLUMNS = ("ContractApplied", "AllocatedMethodDetails")
KEYS = (
    *("ContractId", "ContractCommitmentId", "ContractCommitmentAppliedCost", "ContractCommitmentAppliedQuantity"),
    *(
        "ContractCommitmentAppliedUnit",
        "AllocatedRatio",
        "UsageUnit",
        "UsageQuantity",
        "x_Own",
        "allocatedratio",
        "a b",
        ":1.5,b",
    ),
)
NUMBERS = (
    "1.5",
    "2.5",
    "-1.5",
    "-0.0",
    "01.5",
    "1.",
    "7",
    "1.5e3",
    "2.5E-3",
    "0.00000001",
    "1.5.2",
    "123456789012345678901.5",
)
VALUES = (
    *NUMBERS,
    *(f'"{one}"' for one in NUMBERS),
    '"c-1"',
    '"c-2"',
    "null",
    '" "',
    '"Hours"',
    '":1.5,"',
    '":2.5,"',
    '"\\":1.5,"',
    "[1.5]",
    '{"a":1.5}',
)
MEMBERS = st.builds("{}:{}".format, st.sampled_from(KEYS).map('"{}"'.format), st.sampled_from(VALUES))
OBJECTS = st.lists(MEMBERS, max_size=4).map(lambda members: "{" + ",".join(members) + "}")
ELEMENTS = st.lists(OBJECTS | st.sampled_from(VALUES), max_size=2).map(
    lambda found: '{"Elements":[' + ",".join(found) + "]}"
)
TEXTS = st.one_of(ELEMENTS, OBJECTS, st.text('{}[]":,\\ 1.5a', max_size=20), ELEMENTS.map(lambda text: text[:-3]))
RELATION = "SELECT * FROM texts"


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@cache
def writer(kind: str = "VARCHAR") -> Writer:
    return Writer(Facts("1.3", "CostAndUsage", tuple(Field(name, kind) for name in COLUMNS)), Relative())


def loaded(engine: duckdb.DuckDBPyConnection, texts: list[str], kind: str = "VARCHAR") -> None:
    columns = ", ".join(f"{name} {kind}" for name in COLUMNS)
    engine.execute(f"""CREATE OR REPLACE TEMP TABLE texts ("#file" VARCHAR, "#row" BIGINT, {columns})""")
    engine.executemany("INSERT INTO texts VALUES ('f', ?, ?, ?)", [[row, text, text] for row, text in enumerate(texts)])


def counts(engine: duckdb.DuckDBPyConnection, column: str, kind: str = "VARCHAR") -> dict[str, list[tuple[int, int]]]:
    checks = JsonChecks(writer(kind).facts)
    for rule in rules("1.3"):
        for check in rule.checks:
            checks.takes(rule, check)
    mine = dict(checks.items())[column]
    [row] = engine.execute(checks.count_sql(RELATION, column, writer(kind))).fetchall()
    found: dict[str, list[tuple[int, int]]] = {}
    for index, (name, _) in enumerate(mine):
        found.setdefault(name, []).append((row[2 * index], row[2 * index + 1]))
    return found


def counts_one_by_one(engine: duckdb.DuckDBPyConnection, column: str) -> dict[str, list[tuple[int, int]]]:
    """Each row's own text is held against each check."""
    checks = JsonChecks(writer().facts)
    mine = [(rule.id, check) for rule in rules("1.3") for check in rule.checks if checks.takes(rule, check)]
    of_column = {id(check) for _, check in dict(checks.items())[column]}
    mine = [(name, check) for name, check in mine if id(check) in of_column]
    broken = [f"count(*) FILTER (WHERE ({writer().sql(check.check)}) IS FALSE)" for _, check in mine]
    [row] = engine.execute(f"SELECT count({column}), {', '.join(broken)} FROM ({RELATION})").fetchall()
    found: dict[str, list[tuple[int, int]]] = {}
    for (name, _), count in zip(mine, row[1:], strict=True):
        found.setdefault(name, []).append((row[0], count))
    return found


HARD = [
    '{"Elements":[{"a":1.5},{"a":2.5}]}',
    '{"Elements":[{"a":1.5},{"a":1.5}]}',
    '{":1.5,x":1,":2.5,x":1}',
    '{"Elements":[{"AllocatedRatio":01.5}]}',
    '{"Elements":[{"AllocatedRatio":1.5}]}',
    '{"Elements":[{"UsageUnit":1.5,"AllocatedRatio":"1.5"}]}',
    '{"Elements":[{"ContractId":"c\\":1.5,"}]}',
]


@pytest.mark.parametrize("column", COLUMNS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=40))
@example(texts=HARD)
@settings(max_examples=25)
def test_rules_count_the_same_as_text_by_text(engine: duckdb.DuckDBPyConnection, column: str, texts: list[str]) -> None:
    loaded(engine, texts)
    assert counts(engine, column) == counts_one_by_one(engine, column)


@given(texts=st.lists(ELEMENTS, min_size=1, max_size=40))
@example(
    texts=[
        '{"Elements":[{"ContractCommitmentId":1.5,"ContractId":1.5}]}',
        '{"Elements":[{"ContractCommitmentId":2.5,"ContractId":2.5}]}',
    ]
)
@example(
    texts=[
        '{"Elements":[{"ContractCommitmentId":"c","ContractId":1.5}]}',
        '{"Elements":[{"ContractCommitmentId":"c","ContractId":2.5}]}',
    ]
)
@settings(max_examples=25)
def test_groups_of_elements_count_the_same_as_row_by_row(engine: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    loaded(engine, texts)
    [rule] = [one for one in rules("1.3") if one.grouping and one.grouping.keys[0].startswith(groups.ELEMENT)]
    [query] = groups.queries([rule], RELATION, writer())
    by_row = engine.execute(
        f"SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE bad0), 0) FROM ({query.sql})"
    ).fetchall()
    assert engine.execute(query.counts()).fetchall() == by_row


def test_texts_that_differ_in_digits_alone_are_one(engine: duckdb.DuckDBPyConnection) -> None:
    loaded(
        engine,
        [
            f'{{"Elements":[{{"AllocatedRatio":{number},"UsageUnit":"Hours"}}]}}'
            for number in ("0.25", "17.125", "-3.5")
        ],
    )
    sql = f"SELECT count(DISTINCT {representative('ContractApplied')}) FROM texts"
    assert engine.execute(sql).fetchall() == [(1,)]


def test_a_column_of_the_json_type_is_counted_too(engine: duckdb.DuckDBPyConnection) -> None:
    texts = [text for text in HARD if "01.5" not in text]
    loaded(engine, texts)
    as_text = counts(engine, "ContractApplied")
    loaded(engine, texts, "JSON")
    assert counts(engine, "ContractApplied", "JSON") == as_text


@pytest.mark.parametrize(
    ("check", "is_so"),
    [
        ("EVERY(ContractApplied.Elements, e, FMT_NUMERIC(e.Cost))", True),
        ("EVERY(ContractApplied.Elements, e, EVERY_KEY(e, k, k LIKE 'x\\_%' OR LOWER(k) IN ('a')))", True),
        ("EVERY(ContractApplied.Elements, e, JSON_TYPE(e) <> 'Null' AND KEY_COUNT(e) > 0)", True),
        ("EVERY(ContractApplied.Elements, e, e.Cost >= 0)", False),
        ("EVERY(ContractApplied.Elements, e, e.Cost IN ('1.5'))", False),
        ("EVERY(ContractApplied.Elements, e, LOWER(e.Cost) <> '1.5')", False),
        ("ContractApplied = 'x'", False),
    ],
)
def test_a_check_that_compares_a_value_asks_its_digits(check: str, is_so: bool) -> None:
    assert asks_no_digits(parse(check)) is is_so
