"""What has to add up in an AWS bill: it holds over files, invoices and currencies, and is told when it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from ingest.identities import judged
from ingest.measures import INVOICE, KEYS, OTHERS, Amount, Measures, laws
from ingest.shapes import shape_named
from ledger.faults import Rejected
from ledger.reconcile import total
from tests.bills import Ledger, cur2
from tests.identified import Line, covered, kind, mapped, on, planned, reserved

BILL, PLANS, DISCOUNTS, COMMITMENTS = (
    "billed + excluded = bill",
    "covered usage = its negation",
    "net = unblended + discounts",
    "used + unused = fees + upfront",
)
PRICES, IDS = "list >= contracted >= effective", "usage has a SkuPriceId"


EVERY_KIND = [
    kind("Usage", 1.25),
    reserved("DiscountedUsage", 0.0, effective_cost=0.5),
    covered(4.0),
    planned("SavingsPlanNegation", -4.0),
    reserved("RIFee", 3.0, amortized_upfront_fee_for_billing_period=0.5, unused_recurring_fee=3.0),
    planned("SavingsPlanRecurringFee", 1.5, total_commitment_to_date=1.5, used_commitment=1.0),
    kind("Tax", 0.19),
    kind("Credit", -2.0),
    kind("Refund", -0.1),
    kind("EdpDiscount", -0.5),
    kind("SomethingNew", 7.0),
]


def test_every_invoice_adds_up_over_files_and_currencies(tmp_path: Path) -> None:
    euros = [on("A", kind("Usage", 0.7), "EUR"), on("", kind("Tax", 0.1), "EUR")]
    found = mapped(tmp_path, [on("A", line) for line in EVERY_KIND], [*(on("B", line) for line in EVERY_KIND), *euros])
    dollars, other = found[f"{BILL} USD"], found[f"{BILL} EUR"]
    assert [(line.key, line.sides()) for line in dollars.lines] == [
        (invoice, ["10.34", "10.34", "0.00", "0.00"]) for invoice in "AB"
    ]
    assert [(line.key, line.left) for line in other.lines] == [("", Decimal("0.1")), ("A", Decimal("0.7"))]
    assert (dollars.sides(), dollars.groups) == (["20.68", "20.68", "0.00", "0.00"], 2)
    assert all(one.holds for one in found.values())


def test_money_billed_to_another_invoice_keeps_the_delivery_out(tmp_path: Path) -> None:
    """The total of the currency is right, and two invoices are wrong."""
    with pytest.raises(Rejected) as refusal:
        mapped(tmp_path, [on("A", kind("Usage", 1.25)), on("B", kind("Usage", 2.5))], wrong={"InvoiceId": "'B'"})
    told = {fault.message.split(" does")[0]: fault for fault in refusal.value.faults}
    assert {fault.rule for fault in told.values()} == {"invoice-total"}
    assert sorted(told) == ["invoice A", "invoice B"]
    assert "0.00 against 1.25, a difference of -1.25" in told["invoice A"].message


@pytest.mark.parametrize("wrong", ["0", "BilledCost + 0.000000000000000000000001"])
def test_money_lost_or_gained_is_told_by_invoice_and_currency(wrong: str, tmp_path: Path) -> None:
    lines = [on("A", kind("Usage", 1.25), "EUR"), on("B", kind("Usage", 0.0))]
    with pytest.raises(Rejected) as refusal:
        mapped(tmp_path, lines, wrong={"BilledCost": wrong})
    assert "invoice A does not add up in EUR" in [fault.message.split(":")[0] for fault in refusal.value.faults]


def test_an_amount_beyond_24_decimals_may_be_off_by_half_of_the_last_one(tmp_path: Path) -> None:
    found = mapped(tmp_path, [on("A", kind("Usage", 1.234567e-20)), on("B", kind("Usage", 1.0))])[f"{BILL} USD"]
    assert found.holds
    assert [(line.key, line.tolerance) for line in found.lines] == [("A", Decimal("5e-25")), ("B", Decimal(0))]


def test_covered_usage_and_its_negation_may_lie_in_different_files(tmp_path: Path) -> None:
    found = mapped(tmp_path, [covered(4.0), covered(1.5)], [planned("SavingsPlanNegation", -5.5)])[f"{PLANS} USD"]
    assert (found.holds, found.left, found.right) == (True, Decimal("5.5"), Decimal("5.5"))


@pytest.mark.parametrize(("negation", "holds"), [(-5.50000001, True), (-5.499999985, True), (-5.50000002, False)])
def test_a_negation_may_be_off_by_the_rounding_of_its_lines(negation: float, holds: bool, tmp_path: Path) -> None:
    """Half a unit of the eighth decimal for each of three lines."""
    found = mapped(tmp_path, [covered(4.0), covered(1.5), planned("SavingsPlanNegation", negation)])[f"{PLANS} USD"]
    assert (found.holds, found.tolerance) == (holds, Decimal("0.000000015"))


def test_plans_that_err_in_opposite_ways_are_both_told(tmp_path: Path) -> None:
    lines = [covered(4.0), planned("SavingsPlanNegation", -4.5), covered(2.0, arn="sp-2")]
    found = mapped(tmp_path, [*lines, planned("SavingsPlanNegation", -1.5, "sp-2")])[f"{PLANS} USD"]
    assert (found.difference, found.broken, found.groups) == (Decimal(0), 2, 2)
    assert {line.key: line.difference for line in found.lines} == {"sp-1": Decimal("-0.5"), "sp-2": Decimal("0.5")}


def test_covered_usage_without_its_negation_is_committed_and_told_with_its_money(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    fee = planned("SavingsPlanRecurringFee", 1.0, total_commitment_to_date=1.0, used_commitment=1.0)
    path = cur2(tmp_path / "a.parquet", covered(4.0), fee, kind("Usage", 1.0))
    assert cli.main(["ingest", str(path), "--store", ledger.store, "--config", str(ledger.config)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"{PLANS} USD 4.00 0.00 4.00 0.000000005 NOT" in out
    assert f"{PLANS}: USD 4.00 for commitment sp-1" in out
    assert f"{COMMITMENTS} USD 1.00 1.00 0.00 0.000000015 ok" in out
    assert ledger.total() == "2.00"


def net(name: str, cost: float, net_cost: float | None) -> Line:
    return kind(name, cost, line_item_net_unblended_cost=net_cost)


@pytest.mark.parametrize("own", [None, 0.0])
def test_discounts_stand_once_in_the_net_costs_and_once_in_rows(own: float | None, tmp_path: Path) -> None:
    found = mapped(
        tmp_path,
        [on("A", net("Usage", 10.0, 9.0)), on("B", net("Usage", 5.0, 5.0))],
        [on("A", net("EdpDiscount", -1.0, own))],
    )
    sides = {line.key: line.sides()[:2] for line in found[f"{DISCOUNTS} USD"].lines}
    assert sides == {"A": ["9.00", "9.00"], "B": ["5.00", "5.00"]}
    assert found[f"{DISCOUNTS} USD"].holds
    assert found[f"{BILL} USD"].holds


def test_a_discount_row_with_a_net_cost_of_its_own_is_told(tmp_path: Path) -> None:
    found = mapped(tmp_path, [on("A", net("Usage", 10.0, 9.0)), on("A", net("EdpDiscount", -1.0, -1.0))])
    [line] = found[f"{DISCOUNTS} USD"].lines
    assert (line.key, line.sides()[:3], line.holds) == ("A", ["8.00", "9.00", "-1.00"], False)


def test_without_net_costs_there_is_nothing_to_hold_of_them(tmp_path: Path) -> None:
    found = mapped(tmp_path, [kind("Usage", 10.0), kind("EdpDiscount", -1.0)])
    assert sorted(found) == sorted([f"{BILL} USD", f"{PRICES} USD", f"{IDS} USD"])


def test_a_commitment_costs_what_its_usage_and_its_idle_time_cost(tmp_path: Path) -> None:
    half: dict[str, Any] = {
        "unused_amortized_upfront_fee_for_billing_period": 0.25,
        "unused_recurring_fee": 0.5,
        "unused_quantity": 3.0,
    }
    fee = reserved("RIFee", 3.0, amortized_upfront_fee_for_billing_period=1.0, **half)
    used = [reserved("DiscountedUsage", 0.0, effective_cost=cost) for cost in (1.25, 2.0)]
    plan = planned(
        "SavingsPlanRecurringFee",
        2.0,
        total_commitment_to_date=3.0,
        used_commitment=1.0,
        amortized_upfront_commitment_for_billing_period=1.0,
    )
    euros = [on("A", line, "EUR") for line in (plan, covered(4.0), planned("SavingsPlanNegation", -4.0))]
    found = mapped(tmp_path, [fee, used[0]], [used[1], *euros])
    [dollars, other] = [found[f"{COMMITMENTS} {currency}"] for currency in ("USD", "EUR")]
    assert (dollars.holds, dollars.sides()) == (True, ["4.00", "4.00", "0.00", "0.000000025"])
    assert (other.holds, other.sides()[:2]) == (True, ["3.00", "3.00"])
    assert dict(dollars.figures) == {
        "used": Decimal("3.25"),
        "unused": Decimal("0.75"),
        "fees": Decimal(3),
        "amortised upfront of reservations": Decimal(1),
        "amortised upfront of savings plans": Decimal(0),
    }


def test_a_fee_that_does_not_match_is_told_by_commitment(tmp_path: Path) -> None:
    lines = [reserved("RIFee", 3.0, arn) for arn in ("ri-1", "ri-2")]
    used = [reserved("DiscountedUsage", 0.0, "ri-1", effective_cost=3.0)]
    found = mapped(tmp_path, lines, [*used, reserved("DiscountedUsage", 0.0, "ri-2", effective_cost=2.99)])
    one = found[f"{COMMITMENTS} USD"]
    assert (one.broken, one.groups, one.difference) == (1, 2, Decimal("-0.01"))
    assert list(one.told()) == [
        f"{COMMITMENTS}: USD -0.01 for commitment ri-2",
        f"{COMMITMENTS}: 1 of 2 do not hold: {one.consequence}",
    ]


def test_a_commitment_bought_by_another_payer_is_an_exception(tmp_path: Path) -> None:
    lines = [reserved("RIFee", 3.0), reserved("DiscountedUsage", 0.0, effective_cost=3.0)]
    theirs = [reserved("DiscountedUsage", 0.0, "ri-9", effective_cost=0.75)] * 2
    one = mapped(tmp_path, lines, theirs)[f"{COMMITMENTS} USD"]
    assert (one.holds, one.left, one.groups) == (True, Decimal(3), 1)
    [exception] = one.exceptions
    assert (exception.reason, exception.count, exception.money) == ("the fee is not in this bill", 1, Decimal("1.5"))
    assert exception.examples == ("commitment ri-9",)


def priced(cost: float, listed: float | None, name: str = "Usage", **fields: Any) -> Line:
    rate = None if listed is None else "2.0"
    return kind(name, cost, pricing_public_on_demand_cost=listed, pricing_public_on_demand_rate=rate, **fields)


def test_a_list_cost_below_the_contracted_one_is_counted_and_named(tmp_path: Path) -> None:
    spot = priced(0.3, 0.0, line_item_usage_type="SpotUsage:m5.large")
    lines = [priced(1.0, 4.0), priced(5.0, 4.0, line_item_usage_type="Odd"), spot, kind("Credit", -2.0)]
    one = mapped(tmp_path, lines, [priced(1.0, 1.0 - 4e-9)])[f"{PRICES} USD"]
    assert (one.holds, one.broken, one.sides()) == (False, 1, ["2", "3", "-1", "0"])
    assert [(found.reason, found.count, found.money, found.examples) for found in one.exceptions] == [
        ("no list price is known", 1, Decimal("0.3"), ("Usage AmazonEC2 SpotUsage:m5.large",)),
        ("list cost below contracted cost", 1, Decimal(1), ("Usage AmazonEC2 Odd",)),
    ]


def test_an_effective_cost_above_the_contracted_one_is_counted(tmp_path: Path) -> None:
    one = mapped(tmp_path, [priced(1.0, 4.0)], wrong={"EffectiveCost": "EffectiveCost + 0.5"})[f"{PRICES} USD"]
    [found] = one.exceptions
    assert (found.reason, found.count, found.money) == ("contracted cost below effective cost", 1, Decimal("0.5"))


def test_usage_without_a_price_id_is_counted_and_named(tmp_path: Path) -> None:
    usage, tax = kind("Usage", 1.0), kind("Tax", 0.2)
    only = "CASE WHEN x_UsageType <> 'Odd' THEN SkuPriceId END"
    lines = [usage, tax, {**usage, "line_item_usage_type": "Odd"}]
    lacking = mapped(tmp_path, lines, [{**usage, "line_item_usage_type": "Odd"}] * 2, wrong={"SkuPriceId": only})
    [found] = lacking[f"{IDS} USD"].exceptions
    assert lacking[f"{IDS} USD"].sides()[:2] == ["1", "4"]
    assert (found.count, found.money, found.examples) == (3, Decimal(3), ("Usage AmazonEC2 Odd",))


def test_usage_with_a_price_id_is_as_it_should_be(tmp_path: Path) -> None:
    sound = mapped(tmp_path, [kind("Usage", 1.0), kind("Tax", 0.2)])[f"{IDS} USD"]
    assert (sound.holds, sound.sides()[:2], sound.exceptions) == (True, ["1", "1"], ())


def test_beyond_ten_thousand_invoices_the_rest_is_one_group_on_both_sides() -> None:
    measures = Measures()
    for measure in ("bill", "billed"):
        for number in range(KEYS + 3):
            measures.add(measure, INVOICE, "USD", f"{number:06}", Amount(Decimal(1), 1))
    [one] = judged(replace(laws(shape_named("aws_cur2")), counts=()), measures)
    assert (one.holds, one.groups, one.left) == (True, KEYS + 1, Decimal(KEYS + 3))
    assert measures.get("bill", "USD", OTHERS) == Amount(Decimal(3), 3)


COSTS = st.integers(-(10**9), 10**9).map(lambda units: units / 10**7) | st.floats(-1e6, 1e6)
KINDS = st.sampled_from(
    [
        "Usage",
        "DiscountedUsage",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "RIFee",
        "Fee",
        "Tax",
        "Credit",
        "New",
    ]
)
LINES = st.builds(
    lambda name, cost, invoice, currency: on(
        invoice,
        {**kind(name, cost), "reservation_effective_cost": 1.0, "savings_plan_savings_plan_effective_cost": 1.0},
        currency,
    ),
    KINDS,
    COSTS,
    st.sampled_from(["", "A", "B"]),
    st.sampled_from(["USD", "EUR"]),
)


@settings(max_examples=25)
@given(bills=st.lists(st.lists(LINES, min_size=1, max_size=5), min_size=1, max_size=2))
def test_any_bill_adds_up_by_invoice(bills: list[list[Line]], tmp_path_factory: pytest.TempPathFactory) -> None:
    found = mapped(tmp_path_factory.mktemp("bill"), *bills)
    expected: dict[tuple[str, str], list[Decimal]] = {}
    for line in (line for lines in bills for line in lines):
        place = (line["line_item_currency_code"], line["bill_invoice_id"])
        expected.setdefault(place, []).append(Decimal(repr(line["line_item_unblended_cost"])))
    of_bill = [one for one in found.values() if one.name == BILL]
    assert {(one.currency, line.key): line.right for one in of_bill for line in one.lines} == {
        place: total(costs) for place, costs in expected.items()
    }
    assert all(line.difference.copy_abs() <= line.tolerance for one in of_bill for line in one.lines)


def test_a_real_month_keeps_its_identities(ledger: Ledger, real_data: Path) -> None:
    [run] = ledger.ingest(real_data / "aws/cur_legacy_2018-10.snappy.parquet").document["runs"]
    found = {one["name"]: one for one in run["identities"]}
    assert [one["name"] for one in found.values() if not one["holds"]] == []
    assert (found[BILL]["left"], found[BILL]["right"], found[BILL]["groups"]) == (*["4064.4831315379"] * 2, 1)
    amortised = found[COMMITMENTS]
    assert amortised["figures"] == {
        "used": "232.25379599",
        "unused": f"{Decimal('22.3369863') + Decimal('26.65857449')}",
        "fees": "149.775379",
        "amortised upfront of reservations": "131.4739726",
        "amortised upfront of savings plans": "0.00",
    }
    assert (amortised["difference"], amortised["groups"], amortised["broken"]) == ("0.00000518", 9, 0)
    assert Decimal(amortised["difference"]) <= Decimal(amortised["tolerance"]) < Decimal("0.0001")
    assert found[IDS]["right"] == "119301"
