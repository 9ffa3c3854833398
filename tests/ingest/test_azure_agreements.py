"""Cost details of partners, of their customers, and of subscriptions without a contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.shapes import sniff
from tests import azure_bills
from tests.azure_bills import CSP, MCA, MPA, PAYG
from tests.bills import AZURE, Ledger
from tests.mapped import Row, focus_rows

Mapper = Callable[..., Row]
HEADERS = {"ea": AZURE, "mca": MCA, "mpa": MPA, "csp": CSP, "payg": PAYG}


@pytest.fixture
def one(tmp_path: Path) -> Mapper:
    def run(agreement: str, **changes: str) -> Row:
        file = getattr(azure_bills, agreement)(tmp_path / "amortized.csv", changes)
        role = "" if agreement == "payg" else "amortized"
        (row,) = focus_rows([(file, role)], tmp_path)
        return row

    return run


@pytest.mark.parametrize("name", HEADERS)
def test_the_columns_tell_the_agreement(name: str) -> None:
    headers = list(HEADERS[name])
    for spelt in (headers, [header.upper() for header in headers]):
        shape = sniff(spelt, "csv")
        assert shape is not None and shape.name == f"azure_cost_details_{name}"


def test_a_partner_is_billed_by_microsoft_for_its_customer(one: Mapper) -> None:
    row = one("mpa")
    assert (row["BillingAccountId"], row["BillingAccountType"]) == ("EXPL-PROF-BG7-PGB", "Billing Profile")
    assert (row["SubAccountId"], row["SubAccountName"], row["SubAccountType"]) == ("sub-1", "shop", "Subscription")
    assert {row[name] for name in ("InvoiceIssuerName", "ServiceProviderName", "HostProviderName")} == {"Microsoft"}
    assert json.loads(row["x_SourceColumns"]) == {
        "x_ExchangeRatePricingToBilling": "0.9",
        "x_ExchangeRateDate": "01/01/2026",
        "x_PartnerTenantId": "tenant-partner",
        "x_PartnerName": "Example Partner",
        "x_ResellerName": "Example Reseller",
        "x_ResellerMpnId": "123456",
        "x_CustomerTenantId": "tenant-customer",
        "x_CustomerName": "Example Customer",
        "x_PartnerEarnedCreditRate": "0.15",
        "x_PartnerEarnedCreditApplied": "1",
    }


def test_what_a_partner_buys_without_a_subscription_is_its_customers(one: Mapper) -> None:
    row = one("mpa", SubscriptionId="", chargeType="Purchase")
    names = ("SubAccountId", "SubAccountName", "SubAccountType")
    assert [row[name] for name in names] == ["tenant-customer", "Example Customer", "Customer"]


def test_costs_are_those_before_the_partners_credit(one: Mapper) -> None:
    assert one("mpa")["BilledCost"] == one("mpa", partnerEarnedCreditApplied="0")["BilledCost"] == Decimal("4.5")


@pytest.mark.parametrize(("reseller", "issuer"), [("Example Reseller", "Example Reseller"), ("", "Example Partner")])
def test_a_customer_is_billed_by_whoever_sold_it(one: Mapper, reseller: str, issuer: str) -> None:
    row = one("csp", resellerName=reseller)
    account = ("BillingAccountId", "BillingAccountName", "BillingAccountType")
    assert [row[name] for name in account] == ["tenant-customer", "Example Customer", "Customer Tenant"]
    assert {row[name] for name in ("InvoiceIssuerName", "ServiceProviderName", "ProviderName")} == {issuer}
    assert row["HostProviderName"] == "Microsoft"
    assert row["InvoiceId"] is None


def test_a_customers_prices_are_the_effective_ones_and_its_costs_in_dollars_are_known(one: Mapper) -> None:
    row = one("csp")
    assert (row["ContractedUnitPrice"], row["PricingCurrencyEffectiveCost"]) == (Decimal("0.45"), 5)
    assert one("csp", pricingCurrency="GBP")["PricingCurrencyEffectiveCost"] == 5  # price x quantity


def test_a_subscription_without_a_contract_is_its_own_account(one: Mapper) -> None:
    row = one("payg")
    account = ("BillingAccountId", "BillingAccountName", "BillingAccountType", "SubAccountId")
    assert [row[name] for name in account] == ["sub-1", "sub-1", "Subscription", "sub-1"]
    assert (row["ChargeCategory"], row["x_ChargeType"], row["PricingCategory"]) == ("Usage", None, "Standard")
    assert (row["PricingQuantity"], row["PricingUnit"], row["ConsumedQuantity"]) == (3, "Hours", 3)
    assert (row["ContractedUnitPrice"], row["ListUnitPrice"]) == (Decimal("0.025"), None)
    assert (row["BilledCost"], row["ContractedCost"], row["Tags"]) == (
        Decimal("0.075"),
        Decimal("0.075"),
        '{"env":"dev"}',
    )


def test_what_pay_as_you_go_does_not_say_is_told(ledger: Ledger, tmp_path: Path) -> None:
    outcome = ledger.ingest(azure_bills.payg(tmp_path / "a.csv"))
    assert outcome.outcomes == ["committed"], outcome.document
    assumed = outcome.document["runs"][0]["assumed"]
    assert [count for text, count in assumed.items() if "no charge types" in text] == [1]
    assert ledger.broken_rules() == {}


@pytest.mark.parametrize("agreement", ["mpa", "csp"])
def test_partners_pairs_conform(agreement: str, ledger: Ledger, tmp_path: Path) -> None:
    made = getattr(azure_bills, agreement)
    files = [made(tmp_path / f"{role}.csv", {}, {"quantity": "20"}) for role in ("actual", "amortized")]
    outcome = ledger.ingest(*files)
    assert outcome.outcomes == ["committed"], outcome.document
    assert ledger.broken_rules() == {}
