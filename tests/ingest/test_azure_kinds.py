"""A month with every kind of charge, of each agreement: what is billed, what it is worth, what FOCUS says of it."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from tests.azure_bills import KINDS, MADE, RATE, files_of, mca, priced
from tests.bills import Ledger
from tests.mapped import Row, focus_rows

# kind -> (category, class, billed, effective, status, billed as), in the pricing currency
EXPECTED = {
    "Usage": ("Usage", None, "5", "5", None, "Standard"),
    "Usage:Spot": ("Usage", None, "5", "5", None, "Dynamic"),
    "Usage:10K": ("Usage", None, "0.000004", "0.000004", None, "Standard"),
    "Usage:Free": ("Usage", None, "0", "0", None, "Standard"),
    "Usage:Details": ("Usage", None, "2.4", "2.4", None, "Standard"),
    "Usage:Reservation": ("Usage", None, "0", "3", "Used", "Committed"),
    "Usage:SavingsPlan": ("Usage", None, "0", "4", "Used", "Committed"),
    "UnusedReservation": ("Usage", None, "0", "1", "Unused", "Committed"),
    "UnusedSavingsPlan": ("Usage", None, "0", "2", "Unused", "Committed"),
    "Purchase:Reservation": ("Purchase", None, "48", "0", None, "Committed"),
    "Purchase:SavingsPlan": ("Purchase", None, "60", "0", None, "Committed"),
    "Refund:Reservation": ("Purchase", "Correction", "-12", "0", None, None),
    "Purchase:Marketplace": ("Purchase", None, "20", "20", None, "Standard"),
    "Refund:Marketplace": ("Purchase", "Correction", "-20", "-20", None, None),
    "RoundingAdjustment": ("Adjustment", None, "-0.01", "-0.01", None, None),
}
PAIRS = [name for name in MADE if name != "payg"]


def by_kind(agreement: str, folder: Path) -> dict[str, Row]:
    return {row["x_UsageType"]: row for row in focus_rows(files_of(agreement, folder), folder)}


@pytest.mark.parametrize("agreement", PAIRS)
def test_every_kind_of_charge_is_taken_once(agreement: str, tmp_path: Path) -> None:
    rows = by_kind(agreement, tmp_path)
    assert set(rows) == set(EXPECTED) == set(KINDS) - {"Usage:Covered"}
    for kind, (category, change, billed, effective, status, pricing) in EXPECTED.items():
        row = rows[kind]
        told = ("ChargeCategory", "ChargeClass", "PricingCategory")
        assert [row[name] for name in told] == [category, change, pricing], kind
        # A partner's customer is not told which plan it was.
        named = agreement != "csp" or "SavingsPlan" not in kind
        assert row["CommitmentDiscountStatus"] == (status if named else None), kind
        assert row["BilledCost"] == Decimal(billed) * RATE, kind
        assert row["EffectiveCost"] == Decimal(effective) * RATE, kind
        assert row["PricingCurrencyEffectiveCost"] == Decimal(effective), kind


def test_a_machine_is_described_and_its_reserved_capacity_named(tmp_path: Path) -> None:
    row = by_kind("mca", tmp_path)["Usage:Details"]
    assert row["SkuPriceDetails"] == '{"InstanceType":"Standard_D2s_v5","CoreCount":2}'
    assert row["CapacityReservationId"].endswith("/capacityreservations/c")
    assert row["CapacityReservationStatus"] == "Used"


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", "null", '{"ServiceType":{"a":1},"VCPUs":"many"}', '{"VMCapacityReservationId":7}', "\u0000"[:0]],
)
def test_details_that_say_nothing_are_left_out(text: str, tmp_path: Path) -> None:
    file = mca(tmp_path / "amortized.csv", {"additionalInfo": text})
    (row,) = focus_rows([(file, "amortized")], tmp_path)
    assert [row[name] for name in ("SkuPriceDetails", "CapacityReservationId")] == [None, None]


@pytest.mark.parametrize("agreement", MADE)
def test_a_month_of_each_agreement_conforms(agreement: str, ledger: Ledger, tmp_path: Path) -> None:
    files = [path for path, _ in files_of(agreement, tmp_path)]
    outcome = ledger.ingest(*files)
    assert outcome.outcomes == ["committed"], outcome.document
    [run] = outcome.document["runs"]
    assert [one for one in run["conformance"]["broken"] if one["ours"]] == []
    # What a commitment's term is, no line of these says: that is told by its own dataset.
    assert [rule for rule in ledger.broken_rules() if not rule.startswith("CCT-")] == []


def test_an_invoice_that_the_pair_does_not_bill_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    """The same sum on another invoice is not the same bill."""
    actual = mca(tmp_path / "actual.csv", {}, {"invoiceId": "G2"})
    amortized = mca(tmp_path / "amortized.csv", {}, {"invoiceId": "G3"})
    faults = ledger.ingest(actual, amortized).document["faults"]
    assert {fault["rule"] for fault in faults} == {"unpaired"}


def test_currencies_of_one_scope_are_never_added(ledger: Ledger, tmp_path: Path) -> None:
    dollars = {"billingCurrency": "USD", "costInBillingCurrency": "5", "paygCostInBillingCurrency": "6"}
    files = [mca(tmp_path / f"{role}.csv", {}, dollars) for role in ("actual", "amortized")]
    outcome = ledger.ingest(*files)
    assert outcome.outcomes == ["committed"], outcome.document
    assert (ledger.total("EUR"), ledger.total("USD")) == ("4.50", "5.00")


def test_a_rate_that_is_missing_leaves_prices_out_and_is_told(ledger: Ledger, tmp_path: Path) -> None:
    outcome = ledger.ingest(mca(tmp_path / "actual.csv", {"exchangeRatePricingToBilling": ""}), "--basis", "actual")
    assert any("no exchange rate" in text for text in outcome.document["runs"][0]["assumed"])
    assert ledger.broken_rules() == {}


def test_products_of_prices_rates_and_quantities_of_any_length_conform(ledger: Ledger, tmp_path: Path) -> None:
    """Costs as the bill rounds them; prices times a rate have more digits than any column of the bill."""
    prices, rates = ("0.000004", "0.0589", "12.3456789", "151000"), ("0.9127380839", "1.08765432109876", "151.42")
    quantities = ("0.000348", "24.80634996", "744", "123456.789", "0.03225806")
    lines = [
        {**priced(price, quantity, "1 Hour"), "exchangeRatePricingToBilling": rate, **billed(price, quantity, rate)}
        for price, rate, quantity in product(prices, rates, quantities)
    ]
    files = [mca(tmp_path / f"{role}.csv", *lines) for role in ("actual", "amortized")]
    outcome = ledger.ingest(*files)
    assert outcome.outcomes == ["committed"], outcome.document
    assert ledger.broken_rules() == {}


def billed(price: str, quantity: str, rate: str) -> dict[str, str]:
    amount = (Decimal(price) * Decimal(quantity) * Decimal(rate)).quantize(Decimal("1e-14"))
    return dict.fromkeys(("costInBillingCurrency", "paygCostInBillingCurrency"), f"{amount:f}")
