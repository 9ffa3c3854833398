"""A price sheet beside a bill tells the prices that the bill leaves out, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.azure_bills import MCA as MCA_LINE
from tests.azure_bills import mca
from tests.azure_export import AzureExport
from tests.azure_export import azure_export as azure_export
from tests.azure_export import container as container
from tests.bills import Ledger, azure, cur2
from tests.export_lines import Line
from tests.exports import export, lines
from tests.mapped import Row, focus_rows
from tests.price_sheets import EA, MCA, METER, price_sheet

COVERED = 1  # the line of the export that a reservation covers: 10 hours, all prices and costs at them 0
ALL = ("ContractedUnitPrice", "ContractedCost", "ListUnitPrice", "ListCost")
BY_SHEET = [Decimal("0.09"), Decimal("0.9"), Decimal("0.12"), Decimal("1.2")]
MISSING = [None] * 4


def priced(
    folder: Path,
    sheet: Sequence[Mapping[str, str]] = ({},),
    base: Mapping[str, str] = EA,
    name: str = "azure_1_2_preview",
    **changes: str,
) -> Row:
    """The row of the covered line, changed, with a sheet of these lines beside it."""
    line = {**lines(name)[COVERED], **changes}
    given = price_sheet(folder / "sheet.csv", *sheet, base=base)
    [row] = focus_rows([(export(folder / "bill.csv", name, [line]), "")], folder, sheets=[given])
    return row


def figures(row: Row) -> list[object]:
    return [row[name] for name in ALL]


@pytest.mark.parametrize(("base", "name"), [(EA, "azure_1_0"), (EA, "azure_1_0r2"), (MCA, "azure_1_2_preview")])
def test_prices_come_from_the_sheet_and_costs_from_them(base: Mapping[str, str], name: str, tmp_path: Path) -> None:
    row = priced(tmp_path, base=base, name=name)
    assert figures(row) == BY_SHEET
    assert row["x_PriceSource"] == (
        "ContractedUnitPrice: sheet; ContractedCost: sheet; PricingCurrencyContractedUnitPrice: sheet; "
        "ListUnitPrice: sheet; ListCost: sheet; PricingCurrencyListUnitPrice: sheet"
    )
    assert (row["BilledCost"], row["EffectiveCost"]) == (0, Decimal("0.4"))


def test_what_the_bill_says_stays(tmp_path: Path) -> None:
    row = priced(tmp_path, ContractedUnitPrice="0.08", ContractedCost="0.8")
    assert figures(row) == [Decimal("0.08"), Decimal("0.8"), *BY_SHEET[2:]]
    assert row["x_PriceSource"] == "ListUnitPrice: sheet; ListCost: sheet; PricingCurrencyListUnitPrice: sheet"
    row = priced(tmp_path, ListCost="2", ContractedCost="1")
    assert (figures(row), row["x_PriceSource"]) == ([None, 1, None, 2], None)


NO_MATCH: Mapping[str, tuple[Line, Line]] = {
    "another meter": ({"MeterID": "another"}, {}),
    "another offer": ({"OfferID": "MS-AZR-0017P"}, {"x_SkuOfferId": "MS-AZR-0148P"}),
    "another part": ({"PartNumber": "AAH-1"}, {"x_SkuPartNumber": "AAH-2"}),
    "another unit": ({"UnitOfMeasure": "100 Hours"}, {"x_PricingUnitDescription": "1 Hour"}),
    "another block": ({"UnitOfMeasure": "10K"}, {"x_PricingBlockSize": "1"}),
    "another currency": ({"CurrencyCode": "EUR"}, {}),
    "a currency without a rate": ({"CurrencyCode": "EUR"}, {"PricingCurrency": "EUR"}),
    "over by then": ({"EffectiveEndDate": "2026-01-04T23:59:59Z"}, {}),
    "not yet": ({"EffectiveStartDate": "01/06/2026"}, {}),
    "the price of a reservation": ({"PriceType": "Reservation", "Term": "P1Y"}, {}),
    "the price of a savings plan": ({"PriceType": "SavingsPlan", "Term": "P3Y"}, {}),
    "a free tier": ({"UnitPrice": "0", "MarketPrice": "0", "BasePrice": "0"}, {}),
    "what lies unused": ({}, {"CommitmentDiscountStatus": "Unused"}),
    "a purchase": ({}, {"ChargeCategory": "Purchase"}),
    "another cloud": ({}, {"ProviderName": "AWS", "PublisherName": "AWS"}),
    "a block of the years of wrong quantities": (
        {"UnitOfMeasure": "100 Hours", "EffectiveStartDate": "2024-01-01"},
        {"x_PricingBlockSize": "100", "ChargePeriodStart": "2024-06-01T00:00:00Z"},
    ),
}


def by_case(folder: Path, cases: Mapping[str, tuple[Sequence[Line], Line]]) -> dict[str, tuple[list[object], object]]:
    """Prices and where they are from by case, all in one bill and one sheet, each with a meter of its own."""
    base = lines("azure_1_2_preview")[COVERED]
    bill = [
        {**base, **line, "SubAccountId": "s", "SubAccountName": name, "x_SkuMeterId": f"meter {name}"}
        for name, (_, line) in cases.items()
    ]
    listed = [{"MeterID": f"METER {name}", **line} for name, (sheet, _) in cases.items() for line in sheet]
    sheets = [price_sheet(folder / "sheet.csv", *listed)]
    rows = focus_rows([(export(folder / "bill.csv", "azure_1_2_preview", bill), "")], folder, sheets=sheets)
    return {row["SubAccountName"]: (figures(row), row["x_PriceSource"]) for row in rows}


def test_no_price_is_better_than_one_of_something_else(tmp_path: Path) -> None:
    cases = {name: ([sheet], line) for name, (sheet, line) in NO_MATCH.items()}
    assert by_case(tmp_path, cases) == dict.fromkeys(NO_MATCH, (MISSING, None))


MATCHES: Mapping[str, tuple[Sequence[Line], Line]] = {
    "until its last day": ([{"EffectiveEndDate": "2026-01-05"}], {}),
    "from its first day, without an end": ([{"EffectiveStartDate": "1/5/2026", "EffectiveEndDate": ""}], {}),
    "the later of two": ([{"UnitPrice": "7", "EffectiveEndDate": ""}, {"EffectiveStartDate": "2026-01-03"}], {}),
    "the same price in two regions": ([{}, {"MeterRegion": "EU North"}], {}),
    "its own offer": ([{}, {"OfferID": "X", "UnitPrice": "7"}], {"x_SkuOfferId": "ms-azr-0017p"}),
    "its own part": ([{}, {"PartNumber": "AAH-2", "UnitPrice": "7"}], {"x_SkuPartNumber": "AAH-1"}),
    "its own product": ([{}, {"ProductID": "OTHER", "UnitPrice": "7"}], {}),
    "consumption, not the test price": ([{}, {"PriceType": "DevTestConsumption", "OfferID": "", "UnitPrice": "7"}], {}),
    "a block": ([{"UnitOfMeasure": "10 Hours"}], {"x_PricingBlockSize": "10", "x_PricingUnitDescription": "10 Hour"}),
    "one price type left blank": ([{"PriceType": ""}], {}),
    "no market price": ([{"MarketPrice": "0", "BasePrice": "0.12"}], {}),
}


def test_the_price_that_fits(tmp_path: Path) -> None:
    found = {name: prices for name, (prices, _) in by_case(tmp_path, MATCHES).items()}
    assert found == dict.fromkeys(MATCHES, BY_SHEET)


def test_the_lowest_tier(tmp_path: Path) -> None:
    tiers = [{"TierMinimumUnits": "100.0", "UnitPrice": "7"}, {}]
    assert figures(priced(tmp_path, tiers, MCA)) == BY_SHEET
    profiles: list[Line] = [{}, {"BillingProfileId": "CCCC-DDDD", "UnitPrice": "7"}]
    told = "/providers/Microsoft.Billing/billingAccounts/a/billingProfiles/AAAA-bbbb"
    assert figures(priced(tmp_path, profiles, MCA, x_BillingProfileId=told)) == BY_SHEET


def test_a_sheet_in_the_pricing_currency_goes_by_the_invoice_s_rate(tmp_path: Path) -> None:
    row = priced(tmp_path, base=MCA, BillingCurrency="EUR", PricingCurrency="USD", x_BillingExchangeRate="0.5")
    assert figures(row) == [price / 2 for price in BY_SHEET]
    assert "PricingCurrency" not in row["x_PriceSource"]


def test_two_prices_that_fit_are_none(tmp_path: Path) -> None:
    row = priced(tmp_path, [{}, {"MeterRegion": "EU North", "UnitPrice": "7"}])
    assert (figures(row), row["x_PriceSource"]) == (MISSING, None)


def test_a_sheet_beside_the_bill_is_another_version(ledger: Ledger, tmp_path: Path) -> None:
    bill, sheet = export(tmp_path / "focus.parquet", "azure_1_2_preview"), price_sheet(tmp_path / "pricesheet.csv")
    [bare] = ledger.ingest(bill).document["runs"]
    assert "a price came from the price sheet" not in bare["assumed"]
    [run] = ledger.ingest(bill, sheet).document["runs"]
    assert (run["outcome"], run["assumed"]["a price came from the price sheet"]) == ("committed", 2)
    assert [file["role"] for file in run["files"]] == ["", "prices"]
    assert run["balances"][0]["mapped"] == bare["balances"][0]["mapped"]
    assert run["balances"][0]["effective"] == bare["balances"][0]["effective"]
    assert ledger.broken_rules() == {}
    assert ledger.ingest(sheet, bill).outcomes == ["unchanged"]
    other = price_sheet(tmp_path / "other.csv", {"UnitPrice": "0.08"})
    assert ledger.ingest(bill, other).outcomes == ["committed"]


def test_what_the_sheet_does_not_tell_is_counted(ledger: Ledger, tmp_path: Path) -> None:
    two = [{"MeterRegion": "a", "UnitPrice": "7"}, {"MeterRegion": "b"}]
    bill = export(tmp_path / "bill.csv", "azure_1_0r2")
    [run] = ledger.ingest(bill, price_sheet(tmp_path / "two.csv", *two)).document["runs"]
    assert run["assumed"]["the price sheet has several prices for a charge without one: none was taken"] == 2
    [run] = ledger.ingest(bill, price_sheet(tmp_path / "none.csv", {"MeterID": "x"})).document["runs"]
    assert run["assumed"]["the price sheet has no price for a charge without one"] == 2


REFUSED: Mapping[str, tuple[Sequence[Line], str, str]] = {
    "no number": ([{"UnitPrice": "cheap"}], "not-a-number", "UnitPrice"),
    "a decimal comma": ([{"UnitPrice": "0,09"}], "decimal-comma", "UnitPrice"),
    "below 0": ([{"MarketPrice": "-1"}], "negative-price", "MarketPrice"),
    "no date": ([{"EffectiveStartDate": "January"}], "not-a-date", "EffectiveStartDate"),
    "no start": ([{"EffectiveStartDate": ""}], "missing-value", "EffectiveStartDate"),
    "no currency": ([{"CurrencyCode": ""}], "missing-value", "Currency"),
    "turned": ([{"EffectiveEndDate": "2025-12-31"}], "dates-turned", "EffectiveEndDate"),
    "doubled": ([{}, {"UnitPrice": "0.08"}], "doubled-price", "UnitPrice"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_sheet_is_refused_with_its_row_and_nothing_is_taken(case: str, ledger: Ledger, tmp_path: Path) -> None:
    sheet, rule, column = REFUSED[case]
    before = ledger.figures()
    answer = ledger.ingest(export(tmp_path / "bill.csv", "azure_1_0r2"), price_sheet(tmp_path / "sheet.csv", *sheet))
    assert answer.code == 2
    assert (answer.fault["rule"], answer.fault["column"], answer.fault["row"]) == (rule, column, len(sheet))
    assert answer.fault["file"].endswith("sheet.csv")
    assert ledger.figures() == before


def test_a_sheet_alone_or_beside_another_s_bill_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    sheet = price_sheet(tmp_path / "sheet.csv")
    assert ledger.ingest(sheet).fault["rule"] == "prices-alone"
    stranger = price_sheet(tmp_path / "stranger.csv", {"EnrollmentNumber": "1"})
    assert ledger.ingest(export(tmp_path / "bill.csv", "azure_1_0"), stranger).fault["rule"] == "prices-of-another"
    assert ledger.ingest(cur2(tmp_path / "cur.parquet"), sheet).fault["rule"] == "prices-of-another"


METERED: Line = {"MeterId": METER, "UnitPrice": "0", "PayGPrice": "0", "UnitOfMeasure": "1 Hour"}


def test_cost_details_take_what_they_leave_out(tmp_path: Path) -> None:
    cases = {"0.4": {}, "0.5": {"PartNumber": "AAH-2"}, "0.6": {"UnitPrice": "0.08"}, "0.7": {"ChargeType": "Refund"}}
    bill = [{**METERED, "PartNumber": "AAH-1", "CostInBillingCurrency": cost, **line} for cost, line in cases.items()]
    sheets = [price_sheet(tmp_path / "sheet.csv")]
    found = focus_rows([(azure(tmp_path / "bill.csv", *bill), "amortized")], tmp_path, sheets=sheets)
    rows = sorted(found, key=lambda row: row["EffectiveCost"])
    assert [figures(row) for row in rows[:3]] == [
        BY_SHEET,
        MISSING,
        [Decimal("0.08"), Decimal("0.8"), *BY_SHEET[2:]],
    ]
    assert (
        rows[0]["x_PriceSource"]
        == "ContractedUnitPrice: sheet; ContractedCost: sheet; ListUnitPrice: sheet; ListCost: sheet"
    )
    assert [row["x_PriceSource"] for row in rows[1:]] == [None, "ListUnitPrice: sheet; ListCost: sheet", None]


def test_cost_details_of_a_customer_agreement_in_another_currency(tmp_path: Path) -> None:
    """The sheet is in the pricing currency; the rate is the one of the line."""
    line = {"meterId": METER, "unitOfMeasure": "1 Hour", "quantity": "10"}
    line |= dict.fromkeys(("unitPrice", "PayGPrice", "paygCostInBillingCurrency"), "0")
    sheets = [price_sheet(tmp_path / "sheet.csv", {"BillingProfileId": MCA_LINE["billingProfileId"]}, base=MCA)]
    bill = mca(tmp_path / "bill.csv", line)
    [row] = focus_rows([(bill, "amortized")], tmp_path, sheets=sheets)
    assert figures(row) == [price * Decimal("0.9") for price in BY_SHEET]


def test_a_pair_of_cost_details_with_its_sheet_conforms(ledger: Ledger, tmp_path: Path) -> None:
    covered = {
        **METERED,
        "PricingModel": "Reservation",
        "benefitId": "/providers/Microsoft.Capacity/reservationOrders/o",
    }
    actual = azure(
        tmp_path / "actual.csv",
        {**covered, "PricingModel": "OnDemand"},
        {**covered, "CostInBillingCurrency": "0", "ResourceName": "VM2"},
    )
    amortized = azure(
        tmp_path / "amortized.csv",
        {**covered, "PricingModel": "OnDemand"},
        {**covered, "CostInBillingCurrency": "0.4", "ResourceName": "VM2"},
    )
    [run] = ledger.ingest(actual, amortized, price_sheet(tmp_path / "sheet.csv", {"PartNumber": "P-1"})).document[
        "runs"
    ]
    assert (run["outcome"], run["assumed"]["a price came from the price sheet"]) == ("committed", 2)
    # What a bill does not tell of a commitment's terms stays open.
    assert [rule for rule in ledger.broken_rules() if rule.startswith("CAU-")] == []
    assert ledger.ingest(actual, amortized).outcomes == ["committed"]


def test_a_price_sheet_among_the_exports_goes_with_the_bill(azure_export: AzureExport) -> None:
    azure_export.focus("1.5")
    azure_export.run("prices", "PriceSheet", price_sheet(azure_export.folder / "sheet.csv"))
    [run] = azure_export.ledger.ingest(azure_export.location).document["runs"]
    assert (run["outcome"], run["assumed"]["a price came from the price sheet"]) == ("committed", 1)
    assert [file["role"] for file in run["files"]] == ["", "prices"]
    again = azure_export.ledger.ingest(azure_export.location)
    assert again.outcomes == ["unchanged"]
    assert "sha256" not in again.document["runs"][0]["files"][0]  # nothing was downloaded
    azure_export.run("prices", "PriceSheet", price_sheet(azure_export.folder / "new.csv", {"MarketPrice": "0.13"}))
    assert azure_export.ledger.ingest(azure_export.location).outcomes == ["committed"]
