"""Rates of the rate sheet: a price where it is unambiguous, and both figures kept where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bills import SNOWFLAKE, Ledger, snowflake
from tests.mapped import Row, focus_rows, write_csv
from tests.snowflake_views import view

Line = Mapping[str, str]
Priced = Callable[..., list[Row]]
SHEET = "ContractedUnitPrice: sheet; ContractedCost: sheet; ListUnitPrice: contracted; ListCost: contracted"


@pytest.fixture
def priced(tmp_path: Path) -> Priced:
    """The rows of these lines of a bill beside these lines of its rate sheet."""

    def run(bill: list[Line], rates: list[Line]) -> list[Row]:
        path = write_csv(tmp_path / "usage.csv", [{**SNOWFLAKE, **line} for line in bill])
        return focus_rows([(path, "")], tmp_path, companions=[view(tmp_path / "rates.csv", "snowflake_rates", *rates)])

    return run


def test_the_contract_s_rate_stands_in_for_the_list_price_and_says_so(priced: Priced) -> None:
    [row] = priced([{"USAGE": "28.408", "USAGE_IN_CURRENCY": "56.82"}], [{"EFFECTIVE_RATE": "2.00"}])
    figures = ("ContractedUnitPrice", "ContractedCost", "ListUnitPrice", "ListCost", "PricingCurrencyListUnitPrice")
    assert [row[name] for name in figures] == [2, Decimal("56.816"), 2, Decimal("56.816"), 2]
    assert (row["BilledCost"], row["EffectiveCost"]) == (Decimal("56.82"), Decimal("56.82"))
    assert row["x_PriceSource"] == SHEET


OVERAGE: Line = {"USAGE_TYPE": "overage-compute", "BALANCE_SOURCE": "overage"}
OTHER_DAY: Line = {"DATE": "2026-01-25"}
RATES: Mapping[str, tuple[Line, list[Line], str | None]] = {
    "of its day": ({}, [{"DATE": "2026-01-23", "EFFECTIVE_RATE": "9"}, {}, {**OTHER_DAY, "EFFECTIVE_RATE": "8"}], "3"),
    "the last one before an idle day": (
        {},
        [{"DATE": "2025-12-30"}, {"DATE": "2025-11-01", "EFFECTIVE_RATE": "9"}],
        "3",
    ),
    "none before its first day": ({}, [OTHER_DAY], None),
    "of capacity": ({}, [{"USAGE_TYPE": "overage-compute", "EFFECTIVE_RATE": "2"}, {"EFFECTIVE_RATE": "1.9"}], "1.9"),
    "of overage": (OVERAGE, [{"USAGE_TYPE": "overage-compute", "EFFECTIVE_RATE": "2"}, {"EFFECTIVE_RATE": "1.9"}], "2"),
    "no capacity rate for overage": (OVERAGE, [{}], None),
    "whatever the case": ({"USAGE_TYPE": "compute", "RATING_TYPE": "compute"}, [{"BILLING_TYPE": "consumption"}], "3"),
    "by the keys where the label differs": ({"USAGE_TYPE": "COMPUTE CREDITS"}, [{}], "3"),
    "of two with other labels": ({"USAGE_TYPE": "X"}, [{}, {"USAGE_TYPE": "Y", "EFFECTIVE_RATE": "4"}], None),
    "of two that are the same": ({"USAGE_TYPE": "X"}, [{}, {"USAGE_TYPE": "Y"}], "3"),
    "of two for one kind": ({}, [{}, {"EFFECTIVE_RATE": "4"}], None),
    "another service": ({"SERVICE_TYPE": "PIPE"}, [{}], None),
    "another rating": ({"RATING_TYPE": "STORAGE"}, [{}], None),
    "another currency": ({"CURRENCY": "EUR"}, [{}], None),
    "another account": ({"ACCOUNT_LOCATOR": "AB1"}, [{}], None),
    "another region": ({"REGION": "AZURE_WESTEUROPE"}, [{}], None),
    "of the region in its group": ({"REGION": "PUBLIC.AWS_US_EAST_1"}, [{}], "3"),
    "an adjustment has its own": (
        {"IS_ADJUSTMENT": "TRUE"},
        [{}, {"IS_ADJUSTMENT": "TRUE", "EFFECTIVE_RATE": "5"}],
        "5",
    ),
    "none for an adjustment": ({"IS_ADJUSTMENT": "TRUE"}, [{}], None),
    "0 beside a cost is none": ({}, [{"EFFECTIVE_RATE": "0"}], None),
    "0 for what is free": ({"USAGE_IN_CURRENCY": "0"}, [{"EFFECTIVE_RATE": "0"}], "0"),
    "its own before the sheet's": ({"EFFECTIVE_RATE": "7"}, [{}], "7"),
    "none of a rebate": ({"BILLING_TYPE": "rebate"}, [{"BILLING_TYPE": "rebate"}], None),
}


@pytest.mark.parametrize("case", RATES)
def test_a_rate_is_taken_only_where_it_is_unambiguous(case: str, priced: Priced) -> None:
    line, rates, price = RATES[case]
    [row] = priced([{"EFFECTIVE_RATE": "", **line}], rates)
    assert row["ContractedUnitPrice"] == (None if price is None else Decimal(price))
    assert row["ListUnitPrice"] == row["ContractedUnitPrice"]
    told = row["x_PriceSource"] or ""
    assert ("ContractedUnitPrice: sheet" in told) == (price is not None and "EFFECTIVE_RATE" not in line)
    assert ("ListUnitPrice: contracted" in told) == (price is not None)


def test_both_figures_are_kept_and_told_where_they_are_apart(ledger: Ledger, tmp_path: Path) -> None:
    lines = [
        {"USAGE": "28.408", "USAGE_IN_CURRENCY": "56.82"},
        {"USAGE": "0.001", "USAGE_IN_CURRENCY": "0.00", "SERVICE_TYPE": "PIPE"},
        {"USAGE": "10", "USAGE_IN_CURRENCY": "20.02", "SERVICE_TYPE": "REPLICATION"},
        {"SERVICE_TYPE": "STORAGE"},
    ]
    rates = [{"EFFECTIVE_RATE": "2.00", "SERVICE_TYPE": name} for name in ("WAREHOUSE_METERING", "PIPE", "REPLICATION")]
    bill = snowflake(tmp_path / "usage.csv", *lines)
    [run] = ledger.ingest(bill, view(tmp_path / "rates.csv", "snowflake_rates", *rates)).document["runs"]
    found = next(one for one in run["identities"] if one["name"] == "usage x rate = usage in currency, to 0.01")
    assert (found["left"], found["right"], found["broken"]) == ("2", "3", 1)
    apart, unknown = sorted(found["exceptions"], key=lambda one: one["reason"] == "no rate is known")
    assert (apart["count"], apart["money"]) == (1, "0.02") and "REPLICATION" in apart["examples"][0]
    assert (unknown["count"], unknown["money"]) == (1, "210.00")
    assert ledger.total() == "286.84"
    assert ledger.broken_rules() == {}


def test_what_is_billed_adds_up_by_contract(ledger: Ledger, tmp_path: Path) -> None:
    lines = [
        {},
        {"CONTRACT_NUMBER": "10"},
        {"CONTRACT_NUMBER": "10", "USAGE_IN_CURRENCY": "0.01"},
        {"CONTRACT_NUMBER": ""},
    ]
    euros = {"CURRENCY": "EUR", "CONTRACT_NUMBER": "11", "USAGE_IN_CURRENCY": "5"}
    [run] = ledger.ingest(snowflake(tmp_path / "usage.csv", *lines, euros)).document["runs"]
    found = [one for one in run["identities"] if one["name"] == "billed + excluded = usage in currency"]
    told = [(one["currency"], line["key"], line["left"], line["right"]) for one in found for line in one["lines"]]
    assert sorted(told) == [
        ("EUR", "11", "5.00", "5.00"),
        ("USD", "10", "210.01", "210.01"),
        ("USD", "9", "210.00", "210.00"),
        ("USD", "EXAMPLE", "210.00", "210.00"),
    ]
    assert {one["per"] for one in found} == {"contract"}


def test_credits_of_the_bill_are_held_against_what_was_metered(ledger: Ledger, tmp_path: Path) -> None:
    adjustment = {
        "USAGE_TYPE": "ADJ FOR INCL CLOUD SERVICES",
        "IS_ADJUSTMENT": "TRUE",
        "USAGE": "-7",
        "USAGE_IN_CURRENCY": "-21",
    }
    storage = {"SERVICE_TYPE": "STORAGE", "RATING_TYPE": "STORAGE", "USAGE": "1"}
    reader = {"USAGE_TYPE": "reader compute", "USAGE": "5"}
    later = {"USAGE_DATE": "2026-01-25", "USAGE": "2"}
    bill = snowflake(tmp_path / "usage.csv", {"USAGE": "78.0004"}, adjustment, storage, reader, later)
    [bare] = ledger.ingest(bill).document["runs"]
    name = "credits in the bill = credits metered"
    assert name not in {one["name"] for one in bare["identities"]}
    metering = view(
        tmp_path / "metering.csv", "snowflake_metering", {}, {"USAGE_DATE": "2026-01-26", "CREDITS_BILLED": "4"}
    )
    [run] = ledger.ingest(bill, metering).document["runs"]
    [found] = [one for one in run["identities"] if one["name"] == name]
    assert (found["currency"], found["per"], found["holds"]) == ("Credits", "account", True)
    assert [(line["key"], line["left"], line["right"]) for line in found["lines"]] == [
        ("XY12345.AWS_US_EAST_1 on 2026-01-24", "71.0004", "71.00")
    ]
    assert [(one["reason"], one["count"]) for one in found["exceptions"]] == [
        ("no metering of this day is given", 1),
        ("what was metered is not in the bill, or not yet", 1),
    ]
    wrong = view(tmp_path / "wrong.csv", "snowflake_metering", {"CREDITS_BILLED": "70"})
    [run] = ledger.ingest(bill, wrong).document["runs"]
    [found] = [one for one in run["identities"] if one["name"] == name]
    assert (run["outcome"], found["holds"], found["lines"][0]["difference"]) == ("committed", False, "1.0004")
