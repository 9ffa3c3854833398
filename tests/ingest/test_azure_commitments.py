"""ContractCommitment rows of Azure bills: what purchases tell, what usage tells, and what no bill tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import wiring
from ingest.commitments import Found, resolved, row
from ingest.inspection import prepare
from tests.azure_bills import mca
from tests.azure_lines import (
    ORDER,
    PLAN,
    PLAN_ORDER,
    RESERVATION,
    Line,
    bought,
    line,
    pair,
    planned,
    reserved,
    subscribed,
)
from tests.bills import Ledger

ORDER_ID, ID, PLAN_ID = ORDER.lower(), RESERVATION.lower(), PLAN.lower()
OF_ORDER = f"{ORDER}/reservations/"  # as a purchase names it: the order, and no reservation after it
TERM = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC))


def rows(ledger: Ledger, sql: str, of: str = "commitments") -> list[dict[str, Any]]:
    book = getattr(wiring, of)(wiring.store(ledger.store, {}))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"{sql} FROM ({book.relation_sql(book.files())})")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def held(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Commitments of the ledger by id."""
    return {str(one["ContractCommitmentId"]): one for one in rows(ledger, "SELECT *")}


def taken(ledger: Ledger, folder: Path, actual: list[Line], amortized: list[Line]) -> dict[str, Any]:
    [run] = ledger.ingest(*pair(folder, [line("5"), *actual], [line("5"), *amortized])).document["runs"]
    assert run["outcome"] == "committed"
    return dict(run)


def test_a_reservation_bought_in_this_month_has_its_term_its_cost_and_its_hours(ledger: Ledger, tmp_path: Path) -> None:
    """The purchase names the order alone, the usage names the reservation in it."""
    purchase = bought("120", OF_ORDER, ProductOrderName="Reserved VM Instance, B2s, 1 Year")
    run = taken(ledger, tmp_path, [purchase, reserved("0")], [reserved("5")])
    [found] = held(ledger).values()
    assert (found["ContractCommitmentId"], found["ContractId"], run["commitments"]) == (ID, ORDER_ID, 1)
    assert (found["ContractCommitmentPeriodStart"], found["ContractCommitmentPeriodEnd"]) == TERM
    assert (found["ContractPeriodStart"], found["ContractPeriodEnd"]) == TERM
    assert (found["ContractCommitmentCategory"], found["ContractCommitmentType"]) == ("Usage", "Reservation")
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentUnit"]) == (2 * 8760, "Hours")
    assert (found["ContractCommitmentCost"], found["BillingCurrency"]) == (120, "USD")
    told = "Reservation: web, Reserved VM Instance, B2s, 1 Year, 12 months, paid at once"
    assert found["ContractCommitmentDescription"] == told


def test_what_is_told_in_full_breaks_no_rule_and_is_drawn_on_by_its_lines(ledger: Ledger, tmp_path: Path) -> None:
    plan = subscribed("900", Frequency="OneTime")
    used = [reserved("5"), planned("1.25"), planned("0.5", "UnusedSavingsPlan")]
    run = taken(ledger, tmp_path, [bought("120", OF_ORDER), plan, reserved("0"), planned("0")], used)
    assert [one for one in run["conformance"]["broken"] if one["rule"].startswith("CCT")] == []
    assert {rule: count for rule, count in ledger.broken_rules().items() if "Contract" in rule} == {}
    sql = "SELECT x_ChargeType, CommitmentDiscountType AS kind, ContractApplied"
    lines = rows(ledger, sql, "book")
    applied = {(one["x_ChargeType"], one["kind"]): one["ContractApplied"] for one in lines}
    names = ("Cost", "Quantity", "Unit")
    for place, contract, commitment, values in [
        (("Usage", "Reservation"), ORDER_ID, ID, (None, 10, "Hours")),
        (("Usage", "Savings Plan"), PLAN_ORDER.lower(), PLAN_ID, (1.25, None, None)),
        (("UnusedSavingsPlan", "Savings Plan"), PLAN_ORDER.lower(), PLAN_ID, (0.5, None, None)),
    ]:
        drawn = {f"ContractCommitmentApplied{name}": value for name, value in zip(names, values, strict=True)}
        expected = {"ContractId": contract, "ContractCommitmentId": commitment, **drawn}
        assert json.loads(applied.pop(place)) == {"Elements": [expected]}
    assert set(applied.values()) == {None}


def test_a_plan_paid_by_the_month_costs_all_its_equal_instalments_and_has_no_known_begin(
    ledger: Ledger, tmp_path: Path
) -> None:
    run = taken(ledger, tmp_path, [subscribed("30.5"), planned("0")], [planned("20")])
    [found] = held(ledger).values()
    assert (found["ContractCommitmentCategory"], found["ContractCommitmentCost"]) == ("Spend", Decimal("30.5") * 36)
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentUnit"]) == (None, None)
    assert found["ContractCommitmentPeriodStart"] is found["ContractPeriodEnd"] is None
    assert found["ContractCommitmentDescription"] == "Savings Plan: all, 36 months, paid monthly"
    broken = {one["rule"]: one for one in run["conformance"]["broken"] if one["rule"].startswith("CCT")}
    assert broken["CCT-ContractCommitmentPeriodStart-C-003-M"]["inherited"] == 1
    assert all(one["ours"] == 0 for one in broken.values())


@pytest.mark.parametrize(
    ("purchases", "cost", "begins"),
    [
        ([bought("120"), reserved("-40", "Refund")], 80, TERM[0]),
        ([reserved("-40", "Refund")], None, None),
        ([subscribed("30"), subscribed("30", Date="01/31/2026")], None, None),
        ([subscribed("30", Term="")], None, None),
        ([bought("120", Term="soon")], 120, TERM[0]),
        ([bought("120"), bought("60", Date="01/09/2026")], 180, TERM[0]),
    ],
)
def test_a_cost_is_told_by_what_was_paid_at_once_or_by_one_instalment(
    purchases: list[Line], cost: int | None, begins: datetime | None, ledger: Ledger, tmp_path: Path
) -> None:
    taken(ledger, tmp_path, purchases, [reserved("5")])
    found = {one["ContractCommitmentType"]: one for one in held(ledger).values()}
    told = found.get("Savings Plan", found["Reservation"])
    assert (told["ContractCommitmentCost"], told["ContractCommitmentPeriodStart"]) == (cost, begins)


def test_a_reservation_known_by_its_usage_alone_has_neither_term_nor_cost(ledger: Ledger, tmp_path: Path) -> None:
    taken(ledger, tmp_path, [reserved("0")], [reserved("5"), reserved("1", "UnusedReservation")])
    [found] = held(ledger).values()
    assert (found["ContractCommitmentId"], found["ContractId"]) == (ID, ORDER_ID)
    names = ("PeriodStart", "PeriodEnd", "Cost", "Quantity", "Unit")
    assert [found[f"ContractCommitment{name}"] for name in names] == [None] * 5


def test_two_reservations_of_one_order_share_its_term_and_not_its_cost(ledger: Ledger, tmp_path: Path) -> None:
    other = f"{ORDER}/reservations/R-2"
    taken(ledger, tmp_path, [bought("120", OF_ORDER)], [reserved("5"), reserved("4", benefit=other)])
    found = held(ledger)
    assert {one["ContractId"] for one in found.values()} == {ORDER_ID}
    assert {name: one["ContractCommitmentCost"] for name, one in found.items()} == {
        ORDER_ID: 120,
        ID: None,
        other.lower(): None,
    }
    assert {one["ContractCommitmentPeriodStart"] for one in found.values()} == {TERM[0]}


def test_a_capacity_that_is_no_hour_is_counted_in_its_own_unit(ledger: Ledger, tmp_path: Path) -> None:
    storage = {"UnitOfMeasure": "100 GB/Month", "Quantity": "3"}
    taken(ledger, tmp_path, [bought("120", **storage)], [reserved("5", **storage)])
    [found] = held(ledger).values()
    assert (found["ContractCommitmentQuantity"], found["ContractCommitmentCost"]) == (None, 120)
    [used] = [one for one in rows(ledger, "SELECT *", "book") if one["CommitmentDiscountStatus"] == "Used"]
    assert (used["CommitmentDiscountQuantity"], used["CommitmentDiscountUnit"]) == (300, "GB/Month")
    assert (
        '"ContractCommitmentAppliedQuantity":300,"ContractCommitmentAppliedUnit":"GB/Month"' in used["ContractApplied"]
    )


def test_of_a_customer_agreement_instalments_in_another_currency_tell_no_total(ledger: Ledger, tmp_path: Path) -> None:
    """Each follows the exchange rate of its month."""
    plan = {"pricingModel": "SavingsPlan", "benefitId": PLAN, "benefitName": "all", "term": "P3Y"}
    fee = {**plan, "chargeType": "Purchase", "frequency": "Recurring", "quantity": "1", "costInBillingCurrency": "30"}
    files = [
        mca(tmp_path / "actual.csv", {}, fee),
        mca(tmp_path / "amortized.csv", {}, {**plan, "costInBillingCurrency": "20"}),
    ]
    assert ledger.ingest(*files).outcomes == ["committed"]
    [found] = held(ledger).values()
    assert (found["ContractCommitmentCost"], found["BillingCurrency"]) == (None, "EUR")


def test_payments_in_two_currencies_are_not_added_up(ledger: Ledger, tmp_path: Path) -> None:
    paid = [bought("100"), bought("100", BillingCurrencyCode="EUR")]
    taken(ledger, tmp_path, paid, [reserved("1"), reserved("1", BillingCurrencyCode="EUR")])
    assert {one["ContractCommitmentCost"] for one in held(ledger).values()} == {None}


def test_a_real_reservation_paid_by_the_month(ledger: Ledger, real_data: Path) -> None:
    ledger.ingest(real_data / "azure/ea_actual_2023-09.csv", "--basis", "actual")
    [found] = held(ledger).values()
    assert found["ContractCommitmentId"] == found["ContractId"]
    assert found["ContractId"].endswith("/reservationorders/49ed0e4d-8e0c-4f1f-af2c-67c865056615")
    assert (found["ContractCommitmentCost"], found["ContractCommitmentPeriodStart"]) == (Decimal("3.25") * 36, None)
    assert found["ContractCommitmentDescription"].endswith("36 months, paid monthly")


@pytest.mark.parametrize(
    ("term", "months"),
    [
        *(("12", 12), ("36", 36), ("P1Y", 12), ("P3Y", 36), ("P5Y", 60), ("1 Year", 12), ("3Years", 36)),
        *(("12 Months", 12), ("P1M", 1), (" 36 ", 36), ("0", None), ("", None), ("soon", None), ("1e9", None)),
        *(("-12", None), ("99999999999", None), ("999999999 years", None)),
    ],
)
def test_a_term_in_months(term: str, months: int | None) -> None:
    with duckdb.connect() as connection:
        prepare(connection)
        assert connection.execute("SELECT months_of($1)", [term]).fetchone() == (months,)


def found(id: str, contract: str = "o", **fields: Any) -> Found:
    blank = dict.fromkeys(("begins", "ends", "committed", "seconds", "fee", "price", "upfront", "paid"))
    told = {"category": "Usage", "type": "Reservation", "currency": "USD", "is_drawn_on": True, "words": ("",)}
    return Found(id=id, contract=contract, **{**blank, **told, **fields})


def test_an_order_that_lines_draw_on_is_a_commitment_itself() -> None:
    order, inside = found("o", paid=Decimal(1)), found("r")
    assert resolved({"o": order, "r": inside}) == {"o": order, "r": inside}
    bought_alone = replace(order, is_drawn_on=False)
    assert resolved({"o": bought_alone}) == {"o": bought_alone}
    assert resolved({"o": bought_alone, "r": inside}) == {"r": replace(inside, paid=Decimal(1))}
    assert resolved({"o": bought_alone, "x": found("x", "other")}).keys() == {"o", "x"}


def test_what_no_column_can_hold_is_not_told() -> None:
    """Units times the hours of a term, and what so much would cost."""
    told = row(found("r", committed=Decimal("2e10"), seconds=3600, begins=TERM[0], ends=TERM[1], paid=Decimal("1e14")))
    names = ("ContractCommitmentQuantity", "ContractCommitmentUnit", "ContractCommitmentCost")
    assert [told[name] for name in names] == [None, None, None]


def test_instalments_that_no_column_can_hold_tell_no_total(ledger: Ledger, tmp_path: Path) -> None:
    taken(ledger, tmp_path, [subscribed("90000000000000")], [])
    assert [one["ContractCommitmentCost"] for one in held(ledger).values()] == [None]
