"""Contracts of Snowflake in the ledger: commitments with their history, and which of them each line draws on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import wiring
from tests.bills import Ledger
from tests.mapped import write_csv
from tests.snowflake_contract import BALANCE, ITEM, bill, used

RENEWED = {
    **ITEM,
    "CONTRACT_NUMBER": "10",
    "START_DATE": "2026-04-01",
    "END_DATE": "2027-03-31",
    "EXPIRATION_DATE": "2027-03-31",
    "CONTRACT_MODIFIED_DATE": "2026-03-20",
}


def table(ledger: Ledger, which: Any = wiring.commitments) -> list[dict[str, Any]]:
    book = which(wiring.store(ledger.store, {}))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"SELECT * FROM ({book.relation_sql(book.files())}) ORDER BY ALL")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def ids(ledger: Ledger, month: str) -> list[str]:
    return [row["ContractCommitmentId"] for row in table(ledger) if row["x_BillingPeriod"] == month]


def elements(ledger: Ledger) -> dict[str, dict[str, Any] | None]:
    """The one element of each row by its day and what it was paid from."""
    rows = table(ledger, wiring.book)
    applied = {f"{row['ChargePeriodStart']:%m-%d} {row['x_Operation']}": row["ContractApplied"] for row in rows}
    return {name: json.loads(text)["Elements"][0] if text else None for name, text in applied.items()}


def named(ledger: Ledger) -> dict[str, str | None]:
    return {name: one["ContractCommitmentId"] if one else None for name, one in elements(ledger).items()}


def test_an_item_of_a_contract_is_a_commitment_of_money(ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(bill(tmp_path / "jan")).document["runs"]
    [found] = table(ledger)
    told = {name: str(value) for name, value in found.items() if value is not None}
    assert run["commitments"] == 1
    assert told == {
        "BillingCurrency": "USD",
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentCost": "300.000000000000000000000000",
        "ContractCommitmentDescription": "capacity of contract 9",
        "ContractCommitmentId": "9/capacity/2026-01-01",
        "ContractCommitmentPeriodEnd": "2026-04-01 00:00:00+00:00",
        "ContractCommitmentPeriodStart": "2026-01-01 00:00:00+00:00",
        "ContractCommitmentType": "capacity",
        "ContractId": "9",
        "ContractPeriodEnd": "2026-05-01 00:00:00+00:00",
        "ContractPeriodStart": "2026-01-01 00:00:00+00:00",
        "x_Organization": "EXAMPLE",
        "x_ContractModified": "2025-12-20 00:00:00+00:00",
        "x_SourceName": found["x_SourceName"],
        "x_BillingPeriod": "2026-01",
    }
    assert ledger.broken_rules() == {}


def test_free_usage_more_capacity_and_other_currencies_are_commitments_apart(ledger: Ledger, tmp_path: Path) -> None:
    items = [
        {},
        {"CONTRACT_ITEM": "free usage", "AMOUNT": "40"},
        {"CONTRACT_ITEM": "additional capacity", "START_DATE": "2026-02-01", "AMOUNT": "70.50"},
        {"CONTRACT_NUMBER": "11", "CURRENCY": "EUR", "AMOUNT": "1"},
    ]
    ledger.ingest(bill(tmp_path / "jan", items=items))
    found = {
        row["ContractCommitmentId"]: (row["BillingCurrency"], row["ContractCommitmentCost"]) for row in table(ledger)
    }
    assert found == {
        "9/capacity/2026-01-01": ("USD", 300),
        "9/free-usage/2026-01-01": ("USD", 40),
        "9/additional-capacity/2026-02-01": ("USD", pytest.approx(70.5)),
        "11/capacity/2026-01-01": ("EUR", 1),
    }


def test_the_same_amount_bought_twice_in_a_day_is_two_items_and_an_item_unloaded_twice_is_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    more = {"CONTRACT_ITEM": "additional capacity", "START_DATE": "2026-02-01", "AMOUNT": "70.50"}
    folder = bill(tmp_path / "jan", items=[{}, more, more])
    write_csv(folder / "again.csv", [{**ITEM, **item} for item in ({}, more)])
    assert ledger.ingest(folder).outcomes == ["committed"]
    assert ids(ledger, "2026-01") == [
        "9/additional-capacity-(2)/2026-02-01",
        "9/additional-capacity/2026-02-01",
        "9/capacity/2026-01-01",
    ]


def test_a_month_read_again_after_the_renewal_keeps_the_contract_it_was_paid_from(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.ingest(bill(tmp_path / "a"))
    before = elements(ledger)
    april = used("2026-04-02", "5", CONTRACT_NUMBER="10")
    ledger.ingest(bill(tmp_path / "b", april, items=[RENEWED]))
    assert ids(ledger, "2026-04") == ["10/capacity/2026-04-01", "9/capacity/2026-01-01"]
    again = bill(tmp_path / "c", {"SERVICE_LEVEL": "STANDARD"}, items=[RENEWED])
    assert ledger.ingest(again).outcomes == ["committed"]
    assert ids(ledger, "2026-01") == ["10/capacity/2026-04-01", "9/capacity/2026-01-01"]
    assert {name: one for name, one in elements(ledger).items() if name in before} == before
    assert ledger.broken_rules() == {}


def test_an_amended_contract_is_told_as_it_is_now(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a"))
    raised = {"AMOUNT": "900", "CONTRACT_MODIFIED_DATE": "2026-01-20"}
    ledger.ingest(bill(tmp_path / "b", items=[raised]))
    assert [row["ContractCommitmentCost"] for row in table(ledger)] == [900]
    # The list of before, found again beside a new reading of the month.
    ledger.ingest(bill(tmp_path / "c", {"SERVICE_LEVEL": "STANDARD"}))
    assert [row["ContractCommitmentCost"] for row in table(ledger)] == [900]


def test_a_contract_that_is_no_longer_listed_stays(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a"))
    ledger.ingest(bill(tmp_path / "b", {"SERVICE_LEVEL": "STANDARD"}, items=()))
    assert ids(ledger, "2026-01") == ["9/capacity/2026-01-01"]
    assert named(ledger) == {"01-24 CAPACITY": "9/capacity/2026-01-01"}


def test_the_same_delivery_again_is_no_new_version(ledger: Ledger, tmp_path: Path) -> None:
    folder = bill(tmp_path / "a", balances=[{}])
    for outcome in ("committed", "unchanged"):
        assert ledger.ingest(folder).outcomes == [outcome]
    assert wiring.commitments(wiring.store(ledger.store, {})).version() == 1


def test_a_line_says_which_item_it_takes_how_much_of_and_what_is_left(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(bill(tmp_path / "a", used("2026-01-24", "210.07"), balances=[{"CAPACITY_BALANCE": "89.93"}]))
    [row] = table(ledger, wiring.book)
    assert row["ContractApplied"] == (
        '{"Elements":[{"ContractId":"9","ContractCommitmentId":"9/capacity/2026-01-01",'
        '"ContractCommitmentAppliedCost":210.07,"ContractCommitmentAppliedQuantity":null,'
        '"ContractCommitmentAppliedUnit":null,"x_BalanceSource":"CAPACITY","x_ContractCommitCostBalance":89.93}]}'
    )
    assert ledger.broken_rules() == {}


def test_what_is_applied_follows_the_balance_that_a_line_is_paid_from(ledger: Ledger, tmp_path: Path) -> None:
    items = [{}, {"CONTRACT_ITEM": "free usage"}, {**RENEWED}]
    lines = [
        used("2026-04-02", "1", "CAPACITY", CONTRACT_NUMBER="10"),
        used("2026-04-03", "2", "rollover", CONTRACT_NUMBER="10"),
        used("2026-04-04", "3", "overage", CONTRACT_NUMBER="10"),
        used("2026-04-05", "-4", "rebate", CONTRACT_NUMBER="10", BILLING_TYPE="rebate"),
        used("2026-04-06", "5", "free_usage", CONTRACT_NUMBER="10"),
        used("2026-04-07", "6", "CAPACITY", CONTRACT_NUMBER="10", BILLING_TYPE="priority support"),
        used("2026-04-08", "7", "CAPACITY", CONTRACT_NUMBER=""),
    ]
    ledger.ingest(bill(tmp_path / "a", *lines, items=items))
    assert named(ledger) == {
        "04-02 CAPACITY": "10/capacity/2026-04-01",
        "04-03 rollover": "9/capacity/2026-01-01",
        "04-04 overage": None,
        "04-05 rebate": None,
        "04-06 free_usage": None,  # the free usage was the other contract's
        "04-07 CAPACITY": None,  # a purchase names only what it buys
        "04-08 CAPACITY": "10/capacity/2026-04-01",
    }
    assert ledger.broken_rules() == {}


def test_of_capacity_bought_later_the_first_item_is_named_while_it_lasts(ledger: Ledger, tmp_path: Path) -> None:
    more = {"CONTRACT_ITEM": "additional capacity", "START_DATE": "2026-02-01", "END_DATE": "2026-05-31"}
    ledger.ingest(bill(tmp_path / "a", used("2026-02-10", "1"), items=[{}, more]))
    ledger.ingest(bill(tmp_path / "b", used("2026-03-31", "1"), items=[{}, more]))
    ledger.ingest(bill(tmp_path / "c", used("2026-04-01", "1"), items=[{}, more]))
    first, later = "9/capacity/2026-01-01", "9/additional-capacity/2026-02-01"
    assert named(ledger) == {"02-10 CAPACITY": first, "03-31 CAPACITY": first, "04-01 CAPACITY": later}


def test_a_line_in_another_currency_than_the_item_draws_on_nothing(ledger: Ledger, tmp_path: Path) -> None:
    euros = {"CURRENCY": "EUR", "CONTRACT_NUMBER": ""}
    ledger.ingest(bill(tmp_path / "a", euros, balances=[BALANCE]))
    assert named(ledger) == {"01-24 CAPACITY": None}
    named_too = ledger.ingest(bill(tmp_path / "b", {"CURRENCY": "EUR"}))
    assert (named_too.code, named_too.fault["rule"]) == (2, "contract-currency")


def test_one_contract_of_two_organizations_is_refused_with_both(ledger: Ledger, tmp_path: Path) -> None:
    folder = bill(tmp_path / "a", items=[{}, {"ORGANIZATION_NAME": "SECOND"}])
    fault = ledger.ingest(folder).fault
    assert (fault["rule"], fault["column"]) == ("contract-organization", "ORGANIZATION_NAME")
    assert "contract 9 is of EXAMPLE and of SECOND" in fault["message"]
    assert fault["file"].endswith("contract_items.csv")


def test_a_day_s_balance_twice_is_refused_with_its_cause(ledger: Ledger, tmp_path: Path) -> None:
    for at, again in enumerate(({"ORGANIZATION_NAME": "Example"}, {"DATE": "2026-01-24 00:00:00"})):
        fault = ledger.ingest(bill(tmp_path / str(at), balances=[{}, {**again, "CAPACITY_BALANCE": "1"}])).fault
        assert (fault["rule"], fault["row"], fault["column"]) == ("doubled-row", 2, "DATE")
