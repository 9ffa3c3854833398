"""Cost details of a customer agreement: prices in one currency, costs in another, an invoice on every line."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.shapes import sniff
from tests.azure_bills import MCA, mca
from tests.bills import Ledger
from tests.mapped import Row, focus_rows

Mapper = Callable[..., list[Row]]


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    def run(*lines: dict[str, str]) -> list[Row]:
        return focus_rows([(mca(tmp_path / "amortized.csv", *lines), "amortized")], tmp_path)

    return run


def test_the_columns_tell_the_agreement() -> None:
    shape = sniff(list(MCA), "csv")
    assert shape is not None and shape.name == "azure_cost_details_mca"


def test_prices_are_in_both_currencies_by_the_rate_of_the_invoice(mapper: Mapper) -> None:
    (row,) = mapper({})
    assert (row["BillingCurrency"], row["PricingCurrency"]) == ("EUR", "USD")
    prices = ("PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice", "PricingCurrencyEffectiveCost")
    assert [row[name] for name in prices] == [Decimal("0.5"), Decimal("0.6"), 5]
    assert [row["ContractedUnitPrice"], row["ListUnitPrice"]] == [Decimal("0.45"), Decimal("0.54")]
    costs = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
    assert [row[name] for name in costs] == [Decimal("4.5")] * 3 + [Decimal("5.4")]
    assert json.loads(row["x_SourceColumns"]) == {
        "x_ExchangeRatePricingToBilling": "0.9",
        "x_ExchangeRateDate": "01/01/2026",
    }


def test_the_invoice_and_the_billing_profile_are_named(mapper: Mapper) -> None:
    (row,) = mapper({})
    assert row["InvoiceId"] == "G000000001"
    names = ("BillingAccountId", "BillingAccountName", "BillingAccountType")
    assert [row[name] for name in names] == ["EXPL-PROF-BG7-PGB", "Example Europe", "Billing Profile"]


def test_what_amends_an_earlier_invoice_is_a_correction(mapper: Mapper) -> None:
    (row,) = mapper({"chargeType": "Refund", "previousInvoiceId": "G0", "costInBillingCurrency": "-1"})
    assert (row["ChargeCategory"], row["ChargeClass"], row["InvoiceId"]) == ("Purchase", "Correction", "G000000001")
    assert json.loads(row["x_SourceColumns"])["x_PreviousInvoiceId"] == "G0"


def test_a_list_cost_that_the_price_does_not_give_stays_and_the_price_goes(mapper: Mapper) -> None:
    (row,) = mapper({"paygCostInBillingCurrency": "5.41"})
    assert (row["ListCost"], row["ListUnitPrice"]) == (Decimal("5.41"), None)
    assert row["PricingCurrencyListUnitPrice"] == Decimal("0.6")


def test_a_pair_is_committed_and_conforms(ledger: Ledger, tmp_path: Path) -> None:
    files = [mca(tmp_path / f"{role}.csv") for role in ("actual", "amortized")]
    outcome = ledger.ingest(*files)
    assert outcome.outcomes == ["committed"], outcome.document
    assert ledger.broken_rules() == {}
