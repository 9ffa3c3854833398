"""What has to add up in an Azure bill: billed is the actual report, effective the amortized one, and what breaks it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.identities import Identity
from ledger.faults import Rejected
from tests.azure_bills import mca, payg
from tests.azure_lines import PLAN, RESERVATION, Line, bought, file, line, pair, planned, reserved, subscribed
from tests.bills import Ledger
from tests.identified import identities
from tests.mapped import write_csv

BILL, BILLED, EFFECTIVE, COVERED, COMMITMENTS = (
    "billed + excluded = bill",
    "billed = actual cost",
    "effective = amortised cost",
    "covered usage of the actual file costs 0",
    "used + unused = amortised commitment",
)
PRICES, IDS = "list >= contracted >= effective", "usage has a SkuPriceId"
ACTUAL = [line("5"), bought("120"), reserved("0"), subscribed("30.5"), planned("0"), line("-0.02", ChargeType="Refund")]
AMORTIZED = [
    *(line("5"), line("-0.02", ChargeType="Refund")),
    *(reserved("3.25"), reserved("2.75", "UnusedReservation", Date="01/06/2026")),
    *(planned("1.25"), planned("0.123456789012345678", "UnusedSavingsPlan")),
]


def mapped(
    folder: Path,
    actual: Sequence[Line] = ACTUAL,
    amortized: Sequence[Line] = AMORTIZED,
    wrong: Mapping[str, str] | None = None,
) -> dict[str, Identity]:
    return identities(folder, pair(folder, actual, amortized), wrong=wrong)


def refused(folder: Path, actual: Sequence[Line] = ACTUAL, amortized: Sequence[Line] = AMORTIZED) -> dict[str, str]:
    """Messages by rule."""
    with pytest.raises(Rejected) as refusal:
        mapped(folder, actual, amortized)
    assert {fault.file for fault in refusal.value.faults} == {"actual.csv and amortized.csv"}
    return {fault.rule: fault.message for fault in refusal.value.faults}


def test_a_pair_keeps_every_identity_to_the_last_digit(tmp_path: Path) -> None:
    found = mapped(tmp_path)
    assert [name for name, one in found.items() if not one.holds] == []
    assert {name.removesuffix(" USD"): one.sides()[:2] for name, one in found.items()} == {
        BILL: ["167.833456789012345678"] * 2,
        BILLED: ["155.48"] * 2,
        EFFECTIVE: ["12.353456789012345678"] * 2,
        COVERED: ["0.00", "0.00"],
        COMMITMENTS: ["7.373456789012345678"] * 2,
        PRICES: ["0", "0"],
        IDS: ["5", "5"],
    }
    assert all(not one.tolerance for one in found.values())


def test_what_a_commitment_used_and_left_unused_is_told(tmp_path: Path) -> None:
    one = mapped(tmp_path)[f"{COMMITMENTS} USD"]
    assert {row.key: row.left for row in one.lines} == {
        RESERVATION.lower(): Decimal(6),
        PLAN.lower(): Decimal("1.373456789012345678"),
    }
    assert (one.figures["used"], one.figures["unused"]) == (Decimal("4.5"), Decimal("2.873456789012345678"))


def test_a_purchase_that_only_one_file_has_keeps_the_pair_out(tmp_path: Path) -> None:
    lost = [*AMORTIZED, line("0.01", ChargeType="Purchase")]
    assert refused(tmp_path, amortized=lost) == {
        "unpaired": "what has no invoice does not add up in USD: billed = actual cost, but 155.49 against 155.48,"
        " a difference of 0.01"
    }


@pytest.mark.parametrize("cost", ["5.01", "5.000000000000000000000001", "4.99"])
def test_usage_that_both_files_price_apart_keeps_the_pair_out(cost: str, tmp_path: Path) -> None:
    assert set(refused(tmp_path, amortized=[line(cost), *AMORTIZED[1:]])) == {"unpaired"}


def test_covered_usage_that_the_actual_file_bills_is_named_with_its_commitment(tmp_path: Path) -> None:
    """Which no row tells by its pricing model: the file would be taken for an amortized one."""
    told = refused(tmp_path, actual=[*ACTUAL, reserved("0.75", PricingModel="")])
    assert set(told) == {"unpaired", "covered-usage"}
    assert told["covered-usage"].startswith(f"commitment {RESERVATION.lower()} does not add up in USD")


@pytest.mark.parametrize(
    ("column", "sql", "rule"),
    [
        ("BilledCost", "CASE WHEN x_ChargeType LIKE 'Unused%' THEN EffectiveCost ELSE BilledCost END", "invoice-total"),
        ("BilledCost", "CASE WHEN x_ChargeType = 'Purchase' THEN 0 ELSE BilledCost END", "unpaired"),
        (
            "EffectiveCost",
            "CASE WHEN x_ChargeType = 'Purchase' THEN BilledCost ELSE EffectiveCost END",
            "amortised-total",
        ),
        ("EffectiveCost", "CASE WHEN x_ChargeType LIKE 'Unused%' THEN 0 ELSE EffectiveCost END", "amortised-total"),
    ],
)
def test_unused_time_in_billed_and_purchases_in_effective_are_refused(
    column: str, sql: str, rule: str, tmp_path: Path
) -> None:
    """Mistakes that conversions of such bills make."""
    with pytest.raises(Rejected) as refusal:
        mapped(tmp_path, wrong={column: sql})
    assert rule in {fault.rule for fault in refusal.value.faults}


def test_an_effective_cost_that_is_not_the_commitment_s_is_told(tmp_path: Path) -> None:
    swapped = (
        f"CASE CommitmentDiscountId WHEN '{RESERVATION.lower()}' THEN '{PLAN.lower()}' ELSE CommitmentDiscountId END"
    )
    one = mapped(tmp_path, wrong={"CommitmentDiscountId": swapped})[f"{COMMITMENTS} USD"]
    assert (one.holds, one.broken) == (False, 2)
    assert {row.key: row.difference for row in one.lines} == {
        RESERVATION.lower(): Decimal(-6),
        PLAN.lower(): Decimal(6),
    }


def test_a_currency_without_amortised_costs_is_an_exception(tmp_path: Path) -> None:
    euros = bought("80", BillingCurrencyCode="EUR")
    found = mapped(tmp_path, actual=[*ACTUAL, euros])
    assert found[f"{BILLED} EUR"].left == 80
    [exception] = found[f"{EFFECTIVE} EUR"].exceptions
    assert (exception.reason, exception.money) == ("no amortised cost is in this bill", Decimal(0))


def test_the_actual_file_alone_says_that_nothing_is_amortised(tmp_path: Path) -> None:
    found = identities(tmp_path, [file(tmp_path / "actual.csv", *ACTUAL)], basis="actual")
    assert found[f"{BILLED} USD"].sides()[:3] == ["155.48", "155.48", "0.00"]
    [exception] = found[f"{EFFECTIVE} USD"].exceptions
    assert (exception.reason, exception.money) == ("no amortised cost is in this bill", Decimal("155.48"))
    assert f"{COVERED} USD" not in found


def test_a_purchase_that_stands_in_the_amortized_file_too_counts_once(tmp_path: Path) -> None:
    found = mapped(tmp_path, amortized=[*AMORTIZED, bought("120", PricingModel="")])
    assert found[f"{EFFECTIVE} USD"].holds
    assert found[f"{EFFECTIVE} USD"].figures["azure-commitment-purchase-taken-from-actual"] == 120
    assert found[f"{BILLED} USD"].left == Decimal("155.48")


def invoiced(folder: Path, actual: Sequence[Line], amortized: Sequence[Line]) -> dict[str, Identity]:
    """Of a customer agreement."""
    return identities(folder, [mca(folder / "actual.csv", *actual), mca(folder / "amortized.csv", *amortized)])


def test_every_invoice_of_a_customer_agreement_adds_up_by_itself(tmp_path: Path) -> None:
    fee = {"chargeType": "Purchase", "pricingModel": "Reservation", "reservationId": "r", "invoiceId": "G2"}
    lines = [{"invoiceId": "G1"}, {"invoiceId": "", "costInBillingCurrency": "0.25"}]
    found = invoiced(tmp_path, [*lines, {**fee, "costInBillingCurrency": "90"}], lines)
    assert {row.key: row.left for row in found[f"{BILLED} EUR"].lines} == {
        "": Decimal("0.25"),
        "G1": Decimal("4.5"),
        "G2": Decimal(90),
    }
    assert (found[f"{EFFECTIVE} EUR"].left, found[f"{EFFECTIVE} EUR"].holds) == (Decimal("4.75"), True)


def test_money_on_another_invoice_keeps_the_pair_out(tmp_path: Path) -> None:
    """The total is right, and two invoices are wrong."""
    other = {"invoiceId": "G2", "costInBillingCurrency": "3"}
    with pytest.raises(Rejected) as refusal:
        invoiced(tmp_path, [{}, other], [{"costInBillingCurrency": "3"}, {**other, "costInBillingCurrency": "4.5"}])
    told = {fault.message.split(":")[0]: fault.rule for fault in refusal.value.faults}
    assert told == {
        "invoice G000000001 does not add up in EUR": "unpaired",
        "invoice G2 does not add up in EUR": "unpaired",
    }


def test_a_bill_without_contract_comes_as_one_file_and_adds_up(tmp_path: Path) -> None:
    found = identities(tmp_path, [payg(tmp_path / "usage.csv", {}, {"PreTaxCost": "1.5", "UsageQuantity": "60"})])
    assert [one.sides()[:2] for name, one in found.items() if name.startswith(BILLED)] == [["1.575", "1.575"]]
    assert [name for name, one in found.items() if not one.holds] == []


def test_prices_out_of_order_and_usage_without_a_price_id_are_counted(tmp_path: Path) -> None:
    usage = [line("5", PayGPrice="0.4"), line("5.1", PayGPrice="0.6", Date="01/06/2026")]
    kept = {"SkuPriceId": "CASE WHEN EffectiveCost <> 5 THEN SkuPriceId END"}
    found = mapped(tmp_path, usage, usage, wrong=kept)
    told = [(one.reason, one.count, one.money) for one in found[f"{PRICES} USD"].exceptions]
    assert told == [
        ("list cost below contracted cost", 1, Decimal(1)),
        ("contracted cost below effective cost", 1, Decimal("0.1")),
    ]
    assert found[f"{PRICES} USD"].sides()[:2] == ["0", "2"]
    [lacking] = found[f"{IDS} USD"].exceptions
    assert (lacking.count, lacking.money) == (1, Decimal(5))


def test_a_quantity_with_eight_decimals_puts_no_price_out_of_order(tmp_path: Path) -> None:
    """A public IP of a day, as real bills have it: 0.03225806 of a month at 15."""
    usage = [line("0.4838709677419368", UnitPrice="15", PayGPrice="15", Quantity="0.03225806")]
    assert mapped(tmp_path, usage, usage)[f"{PRICES} USD"].holds


COSTS = st.decimals(min_value=-(10**6), max_value=10**6, places=12).map(lambda cost: f"{cost:f}")
CURRENCIES = st.sampled_from(["USD", "EUR"])
PLAIN = st.builds(
    lambda cost, charge, currency: line(cost, ChargeType=charge, BillingCurrencyCode=currency),
    COSTS,
    st.sampled_from(["Usage", "Purchase", "Refund", "RoundingAdjustment", "Tax", "SomethingNew"]),
    CURRENCIES,
)
PAID = st.builds(
    lambda make, cost, currency: make(cost, BillingCurrencyCode=currency),
    st.sampled_from([bought, subscribed]),
    COSTS,
    CURRENCIES,
)
DRAWN = st.builds(
    lambda kind, cost, currency: kind[0](cost, kind[1], BillingCurrencyCode=currency),
    st.sampled_from([(reserved, "Usage"), (reserved, "UnusedReservation"), (planned, "UnusedSavingsPlan")]),
    COSTS,
    CURRENCIES,
)


@settings(max_examples=12, deadline=None)
@given(
    plain=st.lists(PLAIN, min_size=1, max_size=4), paid=st.lists(PAID, max_size=3), drawn=st.lists(DRAWN, max_size=3)
)
def test_of_any_pair_billed_is_the_actual_file_and_effective_the_amortized_one(
    plain: list[Line], paid: list[Line], drawn: list[Line], tmp_path_factory: pytest.TempPathFactory
) -> None:
    covered = [{**one, "CostInBillingCurrency": "0"} for one in drawn if one["ChargeType"] == "Usage"]
    found = mapped(tmp_path_factory.mktemp("pair"), [*plain, *paid, *covered], [*plain, *drawn])
    for currency in {one["BillingCurrencyCode"] for one in (*plain, *paid, *drawn)}:
        for name, lines in ((BILLED, [*plain, *paid]), (EFFECTIVE, [*plain, *drawn])):
            costs = [Decimal(one["CostInBillingCurrency"]) for one in lines if one["BillingCurrencyCode"] == currency]
            assert f"{name} {currency}" in found
            assert found[f"{name} {currency}"].left == sum(costs)
    assert [name for name, one in found.items() if not one.holds and name.partition(" ")[0] != "list"] == []


def test_a_real_actual_file_alone(ledger: Ledger, real_data: Path) -> None:
    path = real_data / "azure/ea_actual_2023-09.csv"
    [run] = ledger.ingest(path, "--basis", "actual").document["runs"]
    found = {one["name"]: one for one in run["identities"]}
    assert [found[BILLED]["left"], found[BILLED]["right"]] == ["8.5450077867419368"] * 2
    assert [one["name"] for one in found.values() if not one["holds"]] == []
    assert found[IDS]["right"] == "10"


def test_a_real_amortized_file_beside_the_actual_file_of_its_own_usage(real_data: Path, tmp_path: Path) -> None:
    """The usage that its reservation covers costs 0 there."""
    path = real_data / "azure/ea_amortized_2023-09_even.csv"
    with path.open(encoding="utf-8-sig", newline="") as text:
        lines = list(csv.DictReader(text))
    billed = [{**one, **({"Cost": "0"} if one["PricingModel"] == "Reservation" else {})} for one in lines]
    found = identities(tmp_path, [write_csv(tmp_path / "actual.csv", billed), path])
    assert [name for name, one in found.items() if not one.holds] == []
    assert found[f"{EFFECTIVE} USD"].left == Decimal("10.8725472961069668")
    assert found[f"{EFFECTIVE} USD"].left - found[f"{BILLED} USD"].left == found[f"{COMMITMENTS} USD"].left
    assert found[f"{COMMITMENTS} USD"].left == Decimal("0.493152")


def test_real_files_of_different_scopes_name_both_totals(real_data: Path, tmp_path: Path) -> None:
    names = ("actual_2023-09", "amortized_2023-09_even")
    with pytest.raises(Rejected) as refusal:
        identities(tmp_path, [real_data / f"azure/ea_{name}.csv" for name in names])
    [fault] = refusal.value.faults
    assert (fault.rule, "against 8.5450077867419368" in fault.message) == ("unpaired", True)
