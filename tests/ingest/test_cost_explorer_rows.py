"""Cost Explorer's days as rows: every charge type, balance to the last digit, names that are no harm, honest marks."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.daily_rows import HEADER
from tests.bills import Ledger
from tests.mapped import Row, focus_rows, write_csv

EC2 = "Amazon Elastic Compute Cloud - Compute"
LINE = {
    "Day": "2026-01-05",
    "Service": EC2,
    "RecordType": "Usage",
    "BillingAccountId": "111122223333",
    "Currency": "USD",
    "NetUnblendedCost": "1.5",
    "NetAmortizedCost": "1.5",
    "Estimated": "false",
}
TYPES: list[tuple[str, str, str]] = [  # charge type, billed, amortised
    ("Usage", "1.0000000001", "1.0000000001"),
    ("DiscountedUsage", "0", "0.75"),
    ("SavingsPlanCoveredUsage", "3.25", "2.1"),
    ("SavingsPlanNegation", "-3.25", "0"),
    ("RIFee", "20", "0.5"),
    ("SavingsPlanRecurringFee", "2.4", "0.3"),
    ("Fee", "9", "9"),
    ("Tax", "4.19", "4.19"),
    ("Credit", "-5", "-5"),
    ("Refund", "-1.1", "-1.1"),
    ("Enterprise Discount Program Discount", "-0.2", "-0.2"),
    ("A brand new type", "0.07", "0.07"),
]
Mapper = Callable[..., list[Row]]


def line(kind: str, billed: str, amortised: str, **more: str) -> dict[str, str]:
    return {**LINE, "RecordType": kind, "NetUnblendedCost": billed, "NetAmortizedCost": amortised, **more}


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    def run(*changes: dict[str, str]) -> list[Row]:
        path = write_csv(tmp_path / "days.csv", [LINE | change for change in changes or ({},)])
        return focus_rows([(path, "")], tmp_path)

    return run


def test_the_shape_is_what_the_source_writes() -> None:
    assert tuple(LINE) == HEADER


def test_every_charge_type_keeps_its_billed_and_its_effective_cost(mapper: Mapper) -> None:
    rows = mapper(*(line(*one) for one in TYPES))
    assert sum(row["BilledCost"] for row in rows) == sum(Decimal(billed) for _, billed, _ in TYPES)
    assert sum(row["EffectiveCost"] for row in rows) == sum(Decimal(amortised) for *_, amortised in TYPES)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Usage", [("Usage", "Usage-Based", "1.5", "0.5")]),
        ("DiscountedUsage", [("Usage", "Usage-Based", "0", "0.5")]),
        ("Reservation applied usage", [("Usage", "Usage-Based", "0", "0.5")]),
        ("SavingsPlanCoveredUsage", [("Usage", "Usage-Based", "0", "0.5")]),
        ("RIFee", [("Purchase", "Recurring", "1.5", "0"), ("Usage", "Usage-Based", "0", "0.5")]),
        ("SavingsPlanUpfrontFee", [("Purchase", "One-Time", "1.5", "0"), ("Usage", "Usage-Based", "0", "0.5")]),
        ("Tax", [("Tax", "Recurring", "1.5", "0.5")]),
        ("Credit", [("Credit", "One-Time", "1.5", "0.5")]),
        ("Refund", [("Adjustment", "One-Time", "1.5", "0.5")]),
        ("Bundled Discount", [("Credit", "Usage-Based", "1.5", "0.5")]),
        ("No such type", [("Adjustment", "One-Time", "1.5", "0.5")]),
        ("", [("Adjustment", "One-Time", "1.5", "0.5")]),
    ],
)
def test_charge_types_become_categories(mapper: Mapper, kind: str, expected: list[tuple[str, ...]]) -> None:
    rows = mapper(line(kind, "1.5", "0.5"))
    told = [
        (row["ChargeCategory"], row["ChargeFrequency"], f"{row['BilledCost']:.1f}", f"{row['EffectiveCost']:.1f}")
        for row in rows
    ]
    assert sorted(told) == [(*one[:2], *(f"{Decimal(money):.1f}" for money in one[2:])) for one in expected]


def test_a_fee_that_is_used_whole_leaves_no_unused_row(mapper: Mapper) -> None:
    assert len(mapper(line("RIFee", "20", "0"))) == 1


def test_a_negation_that_has_an_amortised_cost_is_not_dropped(mapper: Mapper) -> None:
    (row,) = mapper(line("SavingsPlanNegation", "-3", "0.01"))
    assert (row["BilledCost"], row["EffectiveCost"]) == (0, Decimal("0.01"))


def test_the_row_says_that_it_is_of_cost_explorer_and_what_is_assumed(mapper: Mapper) -> None:
    (row,) = mapper({"Estimated": "true"})
    assert json.loads(row["x_SourceColumns"]) == {"x_Source": "Cost Explorer", "x_Estimated": "true"}
    assert row["x_PriceSource"] == "PricingQuantity: assumed; PricingUnit: assumed"
    assert row["ListCost"] is row["ListUnitPrice"] is row["ContractedUnitPrice"] is None


def test_services_go_by_the_names_that_a_bill_has(mapper: Mapper) -> None:
    (row,) = mapper({"Service": "EC2 - Other"})
    assert (row["ServiceName"], row["x_ServiceCode"]) == ("Amazon Elastic Compute Cloud", "AmazonEC2")
    assert (row["ServiceCategory"], row["x_UsageType"]) == ("Compute", "EC2 - Other")


@pytest.mark.parametrize(
    "name", ["Robert'); DROP TABLE rows;--", '="1+1",x', "two\nlines", "ÄÖ 🌩 {}", "$getvariable('basis')"]
)
def test_a_hostile_name_is_a_name(mapper: Mapper, name: str) -> None:
    (row,) = mapper({"Service": name})
    assert row["ServiceName"] == name
    assert (row["ServiceCategory"], row["BilledCost"]) == ("Other", Decimal("1.5"))


def test_what_is_sold_is_told_apart_by_service_and_charge_type(mapper: Mapper) -> None:
    rows = mapper({}, {"Service": "EC2 - Other"}, {"Service": ""}, {"RecordType": "Tax"})
    assert {row["SkuPriceId"] for row in rows} == {f"{EC2}|Usage", "EC2 - Other|Usage", "AWS|Usage", None}
    assert {row["ServiceName"] for row in rows} == {"Amazon Elastic Compute Cloud", "AWS"}


def test_the_rows_break_no_rule_and_balance(ledger: Ledger, tmp_path: Path) -> None:
    days = {"01": EC2, "31": ""}
    lines = [line(*one, Day=f"2026-01-{day}", Service=service) for day, service in days.items() for one in TYPES]
    taken = ledger.ingest(write_csv(tmp_path / "days.csv", lines))
    assert taken.outcomes == ["committed"], taken.document
    assert Decimal(ledger.total()) == 2 * sum(Decimal(billed) for _, billed, _ in TYPES)
    assert ledger.broken_rules() == {}


def test_the_run_tells_what_it_assumed_and_what_it_does_not_know(ledger: Ledger, tmp_path: Path) -> None:
    days = write_csv(tmp_path / "days.csv", [line("Oddity", "1", "1", Service="Shop"), line("Tax", "1", "1")])
    [run] = ledger.ingest(days).document["runs"]
    assert run["assumed"] == {
        "Cost Explorer tells no quantity and no price: a day of a service counts as one": 1,
        "services that are in no table became Other: Shop": 1,
        "charge types that are in no table became Adjustment: Oddity": 1,
    }
