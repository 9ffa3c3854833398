"""The ledger against totals told another way: per service, per day, per currency, never added across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.independent import WHOLE_DAY, DayCost, compare

CENT = Decimal("0.01")
DAY = date(2026, 1, 5)
NAMES = {"EC2 - Other": "Amazon Elastic Compute Cloud"}
COSTS = st.lists(
    st.builds(
        DayCost,
        st.sampled_from(["USD", "EUR"]),
        st.dates(date(2026, 1, 1), date(2026, 1, 4)),
        st.sampled_from(["A", "B", "EC2 - Other"]),
        st.decimals(-1000, 1000, places=10, allow_nan=False),
    ),
    max_size=20,
)


def cost(amount: str, service: str = "A", currency: str = "USD", *, estimated: bool = False) -> DayCost:
    return DayCost(currency, DAY, service, Decimal(amount), estimated)


@given(COSTS)
def test_equal_costs_have_no_gap(costs: Sequence[DayCost]) -> None:
    assert compare(costs, list(reversed(costs)), NAMES, Decimal(0)).gaps == ()


@given(COSTS.filter(bool), st.data())
def test_a_changed_amount_is_found_for_the_service_and_for_the_day(costs: list[DayCost], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(costs) - 1))
    more = replace(costs[place], amount=costs[place].amount + Decimal("0.02"))
    gaps = compare([*costs[:place], more, *costs[place + 1 :]], costs, NAMES, CENT).gaps
    assert {(gap.service, gap.difference) for gap in gaps} == {
        (NAMES.get(more.service, more.service), Decimal("0.02")),
        (WHOLE_DAY, Decimal("0.02")),
    }


def test_the_tolerance_is_met_at_its_very_edge_and_not_beyond() -> None:
    assert compare([cost("1.01")], [cost("1")], {}, CENT).gaps == ()
    assert len(compare([cost("1.010001")], [cost("1")], {}, CENT).gaps) == 2


def test_a_service_that_only_one_side_names_is_a_gap_of_both_names_and_not_of_the_day() -> None:
    gaps = compare([cost("5", "X")], [cost("5", "Y")], {}, CENT).gaps
    assert {(gap.service, gap.difference) for gap in gaps} == {("X", Decimal(5)), ("Y", Decimal(-5))}


def test_a_service_that_one_side_splits_is_compared_as_one() -> None:
    split = [cost("2", "EC2 - Other"), cost("3", "Amazon Elastic Compute Cloud")]
    assert compare([cost("5", "Amazon Elastic Compute Cloud")], split, NAMES, Decimal(0)).gaps == ()


def test_currencies_do_not_cancel() -> None:
    gaps = compare([cost("5", currency="USD")], [cost("5", currency="EUR")], {}, CENT).gaps
    assert {(gap.currency, gap.service, gap.difference) for gap in gaps} == {
        ("USD", "A", Decimal(5)),
        ("USD", "", Decimal(5)),
        ("EUR", "A", Decimal(-5)),
        ("EUR", "", Decimal(-5)),
    }


def test_days_that_may_still_change_are_shown_and_are_no_fault() -> None:
    found = compare([cost("5")], [cost("4", estimated=True)], {}, CENT)
    assert (len(found.gaps), found.settled) == (2, ())
    assert [entry["estimated"] for entry in found.as_json()["differences"]] == [True, True]  # type: ignore[attr-defined]  # a JSON document
