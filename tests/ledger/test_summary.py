"""The summary document: exact strings, shares, and no adding across currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.summary import Fact, plain, summarise

AMOUNTS = st.decimals(-(10**13), 10**13, places=24)


def fact(billed: str, **changes: Any) -> Fact:
    fields = {"currency": "USD", "provider": "AWS", "environment": "Unclassified", "service": "S", "period": "2026-01"}
    return Fact(**{**fields, "billed": Decimal(billed), "effective": Decimal(billed), "rows": 1, **changes})


def block(*cells: Fact, currency: str = "USD") -> Any:
    currencies: Any = summarise(cells, "store", 1)["currencies"]
    return currencies[currency]


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0.00"), ("5", "5.00"), ("1.50", "1.50"), ("0.123456", "0.123456"), ("-3.10", "-3.10"), ("1E+3", "1000.00")],
)
def test_every_digit_that_counts_and_two_at_least(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


def test_currencies_stand_apart() -> None:
    cells = [fact("1.10"), fact("2.20", currency="EUR")]
    assert (block(*cells)["total"], block(*cells, currency="EUR")["total"]) == ("1.10", "2.20")


def test_groups_are_ordered_by_cost_and_shares_have_two_digits() -> None:
    lines = block(fact("1", service="B"), fact("2", service="A"), fact("3", service="C"))["by_service_code"]
    assert [(line["name"], line["percent"]) for line in lines] == [("C", "50.00"), ("A", "33.33"), ("B", "16.67")]


def test_negative_and_zero_totals() -> None:
    credits = block(fact("-5", service="A"), fact("1", service="B"))
    assert credits["total"] == "-4.00"
    assert [line["percent"] for line in credits["by_service_code"]] == ["-25.00", "125.00"]
    nothing = block(fact("-5", service="A"), fact("5", service="B"))
    assert (nothing["total"], [line["percent"] for line in nothing["by_service_code"]]) == ("0.00", [None, None])


def test_a_share_of_nearly_nothing_is_still_a_number() -> None:
    tiny = block(fact("10000000000000", service="A"), fact("-9999999999999.999999999999999999999999", service="B"))
    assert tiny["total"] == "0.000000000000000000000001"
    assert tiny["by_service_code"][0]["percent"] == "1" + "0" * 39 + ".00"


def test_an_empty_ledger_has_no_blocks() -> None:
    assert summarise([], "store", None) == {
        "store": "store",
        "version": None,
        "currencies": {},
        "commitments": {},
    }


@given(st.lists(AMOUNTS, min_size=1, max_size=6))
def test_totals_are_exact_for_any_amounts(amounts: list[Decimal]) -> None:
    from ledger.reconcile import total

    found = block(*(fact(str(amount), service=f"s{index}") for index, amount in enumerate(amounts)))
    assert (
        Decimal(found["total"]) == total(amounts) == total(Decimal(line["cost"]) for line in found["by_service_code"])
    )
