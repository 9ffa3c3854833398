"""Each of many faults, alone in a row of its own, is reported by its rule and by no other that must hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from focus.rules import MUST
from tests.focus.focus_table import Row, broken_musts, conformant, places, report, table
from tests.focus.planted import FAULTS, GROUPS, HEADERS, Fault

# A kind of row to its place among the generated ones.
KINDS = {
    "bought": 0, "used": 1, "unused": 15, "tax": 25, "credit": 26, "adjustment": 27, "correction": 28,
    "subscription": 29, "capacity unused": 30, "capacity used": 31, "contract": 34, "split": 37, "usage": 43,
}  # fmt: skip
# Rows that share a value here are looked at together: each planted row has values of its own.
SHARED = ("BillingAccountId", "SkuId", "SkuPriceId", "ServiceName", "CommitmentDiscountId", "RegionId")


def alone(kind: str, number: int) -> Row:
    """A conformant row of that kind which no other row is judged with."""
    row = dict(conformant()[KINDS[kind]])
    own = {name: f"{row[name]}-{number}" for name in SHARED if row[name]}
    if row["ResourceId"] and row["ResourceId"] == row["CommitmentDiscountId"]:
        own["ResourceId"] = own["CommitmentDiscountId"]
    if row["ContractApplied"]:
        own["ContractApplied"] = row["ContractApplied"].replace("commitment-", f"commitment-{number}-")
    return {**row, **own}


def planted(fault: Fault, number: int) -> Row:
    """The row with its fault; ids inside a planted JSON text are its own as well."""
    kind, changes, _, _ = fault
    own = {name: text and text.replace('"cc"', f'"cc-{number}"') for name, text in changes.items()}
    return {**alone(kind, number), **own}


def rule(name: str) -> str:
    return name.removeprefix("CAU-")


def named(part: object) -> str:
    """A number, or the rule that a fault is for."""
    return f"{part[0]}-{part[2]}" if isinstance(part, tuple) else str(part)


@cache
def found() -> dict[int, dict[str, bool]]:
    """Row of a planted fault to the rules that report it, and whether they must hold."""
    return by_row("planted", [planted(fault, number) for number, fault in enumerate(FAULTS, 1)])


@cache
def found_in_pairs() -> dict[int, dict[str, bool]]:
    """Number of a fault in a group, whose rows are two, to the rules that report either."""
    pairs = [(alone(fault[0], number), planted(fault, number)) for number, fault in enumerate(GROUPS, 1)]
    told = by_row("pairs", [row for pair in pairs for row in pair])
    return {number: told[2 * number - 1] | told[2 * number] for number in range(1, len(GROUPS) + 1)}


def by_row(name: str, rows: Sequence[Row]) -> dict[int, dict[str, bool]]:
    """Row to the rules that report it, and whether they must hold."""
    told = report(table(name, rows))
    must = {one.rule for one in told.violated(MUST)}
    found: dict[int, dict[str, bool]] = {number: {} for number in range(1, len(rows) + 1)}
    for broken, at in places(told).items():
        for row in at:
            found[row or 0][rule(broken)] = broken in must
    return found


def test_more_than_a_hundred_different_faults_are_planted() -> None:
    assert len({(kind, tuple(changes.items())) for kind, changes, _, _ in FAULTS}) == len(FAULTS) >= 100
    assert len({expected for _, _, expected, _ in FAULTS}) >= 100


def test_the_rows_are_conformant_before_a_fault_is_planted() -> None:
    rows = [alone(fault[0], number) for number, fault in enumerate(FAULTS, 1)]
    assert not broken_musts(report(table("unplanted", rows)))


@pytest.mark.parametrize(("number", "fault"), list(enumerate(FAULTS, 1)), ids=named)
def test_a_fault_is_reported_by_its_rule_and_no_other_that_must_hold(number: int, fault: Fault) -> None:
    _, _, expected, also = fault
    told = found()[number]
    assert expected in told
    assert {name for name, must in told.items() if must} - {expected} == set(also.split())


@pytest.mark.parametrize(("number", "fault"), list(enumerate(GROUPS, 1)), ids=named)
def test_a_fault_of_two_rows_is_reported_by_its_rule_and_no_other_that_must_hold(number: int, fault: Fault) -> None:
    _, _, expected, also = fault
    told = found_in_pairs()[number]
    assert expected in told
    assert {name for name, must in told.items() if must} - {expected} == set(also.split())


@pytest.mark.parametrize(("column", "instead", "expected", "also"), HEADERS)
def test_a_fault_of_the_header_is_reported_by_its_rule_and_no_other_that_must_hold(
    column: str, instead: str | None, expected: str, also: str
) -> None:
    row = alone("usage", 1)
    header = {instead if name == column else name: value for name, value in row.items() if name != column or instead}
    told = report(table("headed", [{name: value for name, value in header.items() if name}]))
    assert expected in {rule(name) for name in places(told)}
    assert {rule(name) for name in broken_musts(told)} - {expected} == set(also.split())
