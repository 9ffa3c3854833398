"""What would make wrong numbers of Azure bills: prices written as 0, dates cut short, parts of a bill for all of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.azure_bills import RESERVATION, csp, mca, payg
from tests.bills import Ledger, azure
from tests.mapped import Row, focus_rows

PRICES = ("ListCost", "ListUnitPrice", "ContractedCost", "ContractedUnitPrice")


def prices(row: Row) -> list[Decimal | None]:
    return [row[name] for name in PRICES]


def test_a_rate_of_zero_is_no_rate(tmp_path: Path) -> None:
    line = {"exchangeRatePricingToBilling": "0", "paygCostInBillingCurrency": ""}
    (row,) = focus_rows([(mca(tmp_path / "a.csv", line), "amortized")], tmp_path)
    assert row["BilledCost"] == Decimal("4.5") and Decimal(0) not in prices(row)


@pytest.mark.parametrize("nothing", ["0", ""])
def test_what_costs_something_costs_something_in_the_pricing_currency(nothing: str, tmp_path: Path) -> None:
    """Of a partner's customer there is no cost in the pricing currency; then the line's own rate gives it."""
    untold = {"costInUsd": nothing, "effectivePrice": nothing}
    for write, line in ((csp, {}), (mca, {"costInPricingCurrency": nothing})):
        folder = tmp_path / write.__name__
        folder.mkdir()
        path = write(folder / "a.csv", {**untold, **line, "costInBillingCurrency": "9"})
        (row,) = focus_rows([(path, "amortized")], folder)
        assert (row["EffectiveCost"], row["PricingCurrencyEffectiveCost"]) == (9, 10)


def test_covered_usage_that_costs_nothing_has_no_list_price_of_zero(tmp_path: Path) -> None:
    covered = {"PricingModel": "Reservation", "benefitId": RESERVATION, "CostInBillingCurrency": "0", "PayGPrice": "0"}
    path = azure(tmp_path / "a.csv", {**covered, "UnitPrice": "0.5"})
    (row,) = focus_rows([(path, "actual")], tmp_path, basis="actual")
    assert prices(row) == [None, None, 5, Decimal("0.5")]


def test_neither_has_that_of_a_customer_agreement(tmp_path: Path) -> None:
    nothing = ("costInBillingCurrency", "costInPricingCurrency", "PayGPrice", "unitPrice", "paygCostInBillingCurrency")
    line = {"pricingModel": "Reservation", "benefitId": RESERVATION, **dict.fromkeys(nothing, "0")}
    (row,) = focus_rows([(mca(tmp_path / "a.csv", line), "amortized")], tmp_path)
    assert prices(row) == [None] * 4


def test_the_rate_of_a_reservation_is_not_what_was_contracted(tmp_path: Path) -> None:
    line = {"pricingModel": "Reservation", "reservationId": "R-1", "effectivePrice": "0.3"}
    path = csp(tmp_path / "a.csv", {**line, "costInBillingCurrency": "2.7"})
    (row,) = focus_rows([(path, "amortized")], tmp_path)
    assert (row["ContractedUnitPrice"], row["ContractedCost"]) == (None, None)


def test_money_given_back_for_what_was_used_has_no_price(tmp_path: Path) -> None:
    path = azure(tmp_path / "a.csv", {"CostInBillingCurrency": "-5", "PayGPrice": "0.6"})
    (row,) = focus_rows([(path, "amortized")], tmp_path)
    assert row["EffectiveCost"] == -5 and prices(row) == [None] * 4


def test_a_cost_of_no_quantity_has_neither_prices_nor_costs_of_zero(tmp_path: Path) -> None:
    paid = {"Quantity": "0", "PayGPrice": "0.6"}
    free = {**paid, "CostInBillingCurrency": "0", "MeterName": "free"}
    rows = focus_rows([(azure(tmp_path / "a.csv", paid, free), "amortized")], tmp_path)
    told = {row["x_UsageType"]: (row["EffectiveCost"], prices(row)) for row in rows}
    assert told["B2s"] == (5, [None] * 4)
    assert told["free"] == (0, [0, Decimal("0.6"), 0, Decimal("0.5")])


@pytest.mark.parametrize("day", ["1/5/26", "01/05/0026", "26-01-05"])
def test_a_year_without_its_century_is_refused(ledger: Ledger, tmp_path: Path, day: str) -> None:
    refused = ledger.ingest(azure(tmp_path / "actual.csv", {"Date": day}), "--basis", "actual")
    assert (refused.code, refused.fault["rule"], refused.fault["column"]) == (2, "not-a-date", "Date")


def pair(folder: Path, name: str, *lines: dict[str, str]) -> list[Path]:
    return [azure(folder / f"{name}-{role}.csv", *lines) for role in ("actual", "amortized")]


def test_one_subscription_does_not_take_the_place_of_another(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(*pair(tmp_path, "one", {"SubscriptionId": "sub-1"}))
    held = ledger.total()
    refused = ledger.ingest(*pair(tmp_path, "two", {"SubscriptionId": "sub-2"}))
    assert (refused.code, refused.fault["rule"], ledger.total()) == (2, "scope-would-be-lost", held)
    named = ledger.ingest(*pair(tmp_path, "two", {"SubscriptionId": "sub-2"}), "--source", "second")
    assert (named.code, named.outcomes) == (0, ["committed"])


def test_half_of_a_month_does_not_take_the_place_of_the_other(ledger: Ledger, tmp_path: Path) -> None:
    first = payg(tmp_path / "1.csv", {"UsageDateTime": "2026-01-20"}, {"UsageDateTime": "2026-02-10"})
    second = payg(tmp_path / "2.csv", {"UsageDateTime": "2026-02-20"}, {"UsageDateTime": "2026-03-10"})
    ledger.ingest(first)
    held = ledger.total()
    refused = ledger.ingest(second)
    assert (refused.code, refused.fault["rule"]) == (2, "days-would-be-lost")
    assert "2026-02-10 to 2026-02-10 of 2026-02" in refused.fault["message"]
    assert refused.outcomes == ["committed"] and ledger.total() == str(Decimal(held) * 3 / 2)
    together = ledger.ingest(first, second)
    assert (together.code, ledger.total()) == (0, str(Decimal(held) * 2))


def test_a_straggler_does_not_take_the_place_of_its_month_unless_it_is_named(ledger: Ledger, tmp_path: Path) -> None:
    february = {"billingPeriodStartDate": "02/01/2026", "billingPeriodEndDate": "02/28/2026"}
    days = [{**february, "date": f"02/{day:02d}/2026"} for day in range(1, 4)]
    late = {**february, "date": "01/31/2026"}
    ledger.ingest(*(mca(tmp_path / f"feb-{role}.csv", *days) for role in ("actual", "amortized")))
    lone = [mca(tmp_path / f"late-{role}.csv", late) for role in ("actual", "amortized")]
    assert ledger.ingest(*lone).fault["rule"] == "days-would-be-lost"
    assert ledger.total("EUR") == "13.50"
    assert ledger.ingest(*lone, "--period", "2026-02").outcomes == ["committed"]
    assert ledger.total("EUR") == "4.50"


def month(days: range) -> list[dict[str, str]]:
    return [{"Date": f"01/{day:02d}/2026"} for day in days]


@pytest.mark.parametrize("part", [range(15, 32), range(1, 15), range(31, 32), range(12, 20)], ids=str)
def test_a_part_of_a_month_does_not_take_the_place_of_all_of_it(part: range, ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(*pair(tmp_path, "whole", *month(range(1, 32))))
    given = pair(tmp_path, "part", *month(part), {"Date": "02/01/2026", "BillingPeriodStartDate": "02/01/2026"})
    refused = ledger.ingest(*given)
    assert (refused.code, refused.fault["rule"]) == (2, "days-would-be-lost")
    assert "2026-01-01 to 2026-01-31" in refused.fault["message"] and "USD 155.00" in refused.fault["message"]
    assert "--period 2026-01" in refused.fault["advice"] and ledger.total() == "160.00"


def test_one_invoice_does_not_take_the_place_of_its_month(ledger: Ledger, tmp_path: Path) -> None:
    days = [{"date": f"01/{day:02d}/2026", "meterId": f"m-{row}"} for day in range(1, 32) for row in range(3)]
    ledger.ingest(*(mca(tmp_path / f"whole-{role}.csv", *days) for role in ("actual", "amortized")))
    held = ledger.total("EUR")
    invoice = [{**days[0], "invoiceId": "G2"}, {**days[-1], "invoiceId": "G2"}]
    refused = ledger.ingest(*(mca(tmp_path / f"one-{role}.csv", *invoice) for role in ("actual", "amortized")))
    assert (refused.fault["rule"], ledger.total("EUR")) == ("rows-would-be-lost", held)


def test_half_of_the_subscriptions_do_not_take_the_place_of_all(ledger: Ledger, tmp_path: Path) -> None:
    every = [{"SubscriptionId": f"sub-{number}"} for number in range(4)]
    ledger.ingest(*pair(tmp_path, "all", *every))
    refused = ledger.ingest(*pair(tmp_path, "two", *every[:2]))
    assert (refused.fault["rule"], ledger.total()) == ("scope-would-be-lost", "20.00")
    assert "70000042/sub-2, 70000042/sub-3" in refused.fault["message"]
    said = ledger.ingest(*pair(tmp_path, "two", *every[:2]), "--period", "2026-01")
    assert (said.outcomes, ledger.total()) == (["committed"], "10.00")
    [run] = said.document["runs"]
    assert run["less"][0].startswith("no row of 70000042/sub-2, 70000042/sub-3")


def test_a_month_told_again_with_fewer_rows_of_the_same_days_is_taken_and_told(ledger: Ledger, tmp_path: Path) -> None:
    whole = [{**day, "MeterName": meter} for day in month(range(1, 32)) for meter in ("B2s", "B4s")]
    ledger.ingest(*pair(tmp_path, "first", *whole))
    again = ledger.ingest(*pair(tmp_path, "again", *whole[:20], *whole[30:]))
    assert (again.outcomes, ledger.total()) == (["committed"], "260.00")
    assert again.document["runs"][0]["less"] == ["104 raw rows, USD 260.00, instead of 124 raw rows, USD 310.00"]
