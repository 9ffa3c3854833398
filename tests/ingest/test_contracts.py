"""Contracts of Snowflake: what is shown now and what was known before, which telling counts, and what a month keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contracts import MOST, TABLE, Item, recall, resolved
from ingest.mapping import tables
from ingest.shapes import shape_named
from ledger.faults import Rejected

YEAR = Item(
    organization="EXAMPLE",
    contract="9",
    item="capacity",
    starts=date(2026, 1, 1),
    ends=date(2026, 12, 31),
    expires=date(2026, 12, 31),
    currency="USD",
    amount=Decimal("1000"),
    modified=date(2026, 1, 1),
)
NEXT = replace(YEAR, starts=date(2027, 1, 1), ends=date(2027, 12, 31), expires=None, modified=date(2026, 12, 20))


def test_a_renewal_under_a_new_number_leaves_the_old_contract_known() -> None:
    renewed = replace(NEXT, contract="10")
    assert resolved([renewed], [YEAR]) == [renewed, YEAR]


def test_a_renewal_under_the_same_number_leaves_the_term_that_is_over_known() -> None:
    assert resolved([NEXT], [YEAR]) == [YEAR, NEXT]


def test_an_amendment_takes_the_place_of_what_it_amends() -> None:
    raised = replace(YEAR, amount=Decimal(1500), modified=date(2026, 6, 1))
    moved = replace(YEAR, starts=date(2026, 2, 1), modified=date(2026, 6, 1))
    assert resolved([raised], [YEAR]) == [raised]
    assert resolved([moved], [YEAR]) == [moved]


def test_an_older_list_given_again_changes_nothing() -> None:
    raised = replace(YEAR, amount=Decimal(1500), modified=date(2026, 6, 1))
    assert resolved([YEAR], [raised]) == [raised]
    assert resolved([YEAR], [YEAR, NEXT]) == [YEAR, NEXT]


def test_of_two_tellings_of_one_day_the_one_at_hand_counts() -> None:
    other = replace(YEAR, amount=Decimal(7))
    assert resolved([other], [YEAR]) == [other]


def test_a_contract_that_is_no_longer_shown_stays_known() -> None:
    assert resolved([], [YEAR]) == [YEAR]


def test_contracts_of_an_organization_with_a_new_name_are_the_same_contracts() -> None:
    renamed = replace(NEXT, organization="EXAMPLE2")
    assert resolved([replace(YEAR, organization="EXAMPLE2")], [YEAR]) == [replace(YEAR, organization="EXAMPLE2")]
    assert resolved([renamed], [YEAR, NEXT]) == [replace(YEAR, organization="EXAMPLE2"), renamed]


def test_items_that_begin_together_are_items_of_their_own_also_where_they_are_equal() -> None:
    more = [replace(YEAR, item="additional capacity", amount=Decimal(amount)) for amount in (5, 7, 5)]
    found = resolved(more, [])
    assert [(one.item, one.amount) for one in found] == [
        ("additional capacity", Decimal(5)),
        ("additional capacity (2)", Decimal(5)),
        ("additional capacity (3)", Decimal(7)),
    ]
    assert resolved(more, found) == found


def test_of_items_without_end_the_delivery_is_refused() -> None:
    shape = shape_named("snowflake_usage_in_currency")
    with duckdb.connect() as connection:
        for statement in tables(shape):
            connection.execute(statement)
        connection.execute(f"""INSERT INTO {TABLE}
            SELECT 'EXAMPLE', i, 'capacity', DATE '2026-01-01', NULL, NULL, 'USD', 1, NULL
            FROM range({MOST + 1}) AS items(i)""")
        with pytest.raises(Rejected, match="more than 10000"):
            recall(connection, shape, {})


DAYS = st.integers(0, 20).map(lambda months: date(2026, 1, 1) + timedelta(days=30 * months))
ITEMS = st.lists(
    st.builds(
        replace,
        st.just(YEAR),
        contract=st.sampled_from(["8", "9"]),
        item=st.sampled_from(["capacity", "free usage"]),
        starts=DAYS,
        ends=st.one_of(st.none(), DAYS),
        amount=st.integers(1, 3).map(Decimal),
        modified=st.one_of(st.none(), DAYS),
    ),
    max_size=6,
)


@given(ITEMS, ITEMS)
def test_what_was_resolved_stays_as_it_is_when_told_again(told: list[Item], known: list[Item]) -> None:
    once = resolved(told, known)
    assert resolved(told, once) == once
    assert resolved([], once) == once
    assert len({item.key for item in once}) == len(once)


@given(ITEMS, ITEMS)
def test_no_contract_is_forgotten(told: list[Item], known: list[Item]) -> None:
    assert {item.contract for item in resolved(told, known)} == {item.contract for item in (*told, *known)}
