"""One AWS bill in four shapes gives the same rows: Parquet or text, maps or a column per tag."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger.faults import Rejected
from tests.bills import Ledger
from tests.mapped import Row, focus_rows
from tests.reports import SHAPES, cur2_csv, legacy_csv, slashed, text, written

TEXTS = [name for name in SHAPES if name.endswith("csv")]
RI = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:1:reserved-instances/r-1"}
SP = {"savings_plan_savings_plan_a_r_n": "arn:aws:savingsplans::1:savingsplan/s-1"}
PLAN = {"savings_plan_total_commitment_to_date": 1.0, "savings_plan_used_commitment": 0.75}
LINES: list[dict[str, Any]] = [
    {
        "line_item_unblended_cost": 6.123e-7,
        "pricing_public_on_demand_cost": 1.25e-6,
        "pricing_public_on_demand_rate": "0.0000006250",
        "resource_tags": {"user_env": "prod", "aws_createdBy": "Root"},
        "product": {"product_name": "Amazon Elastic Compute Cloud", "vcpu": "2", "memory": "8 GiB"},
        "product_instance_type": "m5.large",
        "line_item_resource_id": "i-1",
        "product_region_code": "us-east-1",
    },
    {"line_item_line_item_type": "Tax", "line_item_unblended_cost": 0.19, "line_item_usage_type": ""},
    {
        "line_item_line_item_type": "RIFee",
        "line_item_unblended_cost": 3.1,
        "line_item_usage_start_date": datetime(2026, 1, 9, 21, 40, 47),
        "line_item_usage_end_date": datetime(2026, 1, 31, 23, 59, 59),
        "reservation_unused_recurring_fee": 0.2,
        "reservation_unused_amortized_upfront_fee_for_billing_period": 1e-9,
        **RI,
    },
    {
        "line_item_line_item_type": "DiscountedUsage",
        "line_item_unblended_cost": 0.0,
        "reservation_effective_cost": 0.1234567891,
        **RI,
    },
    {"line_item_line_item_type": "SavingsPlanRecurringFee", "line_item_unblended_cost": 1.0, **SP, **PLAN},
]


def rows(folder: Path, shape: str, lines: list[dict[str, Any]]) -> list[Row]:
    found = focus_rows([(written(folder, shape, lines), "")], folder)
    return sorted(found, key=lambda row: str(row.items()))


@pytest.mark.parametrize("shape", SHAPES)
def test_one_bill_gives_the_same_rows_in_every_shape(shape: str, tmp_path: Path) -> None:
    assert rows(tmp_path, shape, LINES) == rows(tmp_path, "aws_cur2", LINES)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_taken_in_and_balances(shape: str, ledger: Ledger, tmp_path: Path) -> None:
    [run] = ledger.ingest(written(tmp_path, shape, LINES)).document["runs"]
    assert (run["shape"], run["outcome"]) == (shape, "committed")
    [line] = run["balances"]
    assert Decimal(line["raw"]) == Decimal(line["mapped"]) == Decimal("4.2900006123")


@pytest.mark.parametrize("number", ["6.123E-7", "0.30000000000000004", "12345678.123456789012345678901", ".5", "1e3"])
def test_money_of_a_text_never_passes_through_a_double(number: str, tmp_path: Path) -> None:
    path = legacy_csv(tmp_path / "a.csv", {"line_item_unblended_cost": "COST"})
    path.write_text(path.read_text().replace("COST", number))
    [row] = focus_rows([(path, "")], tmp_path)
    assert row["BilledCost"] == Decimal(number)


@pytest.mark.parametrize("shape", TEXTS)
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("line_item_unblended_cost", "1,5", "not-a-number"),
        ("line_item_usage_start_date", "yesterday", "not-a-date-time"),
        ("line_item_unblended_cost", "", "missing-value"),
    ],
)
def test_bad_text_is_refused_by_row_and_column(
    shape: str, column: str, value: str, rule: str, ledger: Ledger, tmp_path: Path
) -> None:
    fault = ledger.ingest(written(tmp_path, shape, [{}, {column: value}])).fault
    assert (fault["rule"], fault["column"], fault["row"]) == (rule, column, 2)
    assert ledger.figures()["version"] is None


@pytest.mark.parametrize("tags", ["{", "[1]", '{"user_a":"1","user_a":"2"}', "user_a=1"])
def test_tags_that_are_no_object_are_refused(tags: str, ledger: Ledger, tmp_path: Path) -> None:
    fault = ledger.ingest(cur2_csv(tmp_path / "a.csv", {"resource_tags": tags})).fault
    assert (fault["rule"], fault["column"]) == ("not-json", "resource_tags")


def test_tags_that_differ_by_case_alone_are_both_kept(tmp_path: Path) -> None:
    tags = {"user_Team": "a", "user_team": "b", "user_TEAM": "c"}
    [row] = focus_rows([(legacy_csv(tmp_path / "a.csv", {"resource_tags": tags}), "")], tmp_path)
    assert json.loads(str(row["Tags"])) == {"Team": "a", "team": "b", "TEAM": "c"}


def test_a_column_given_twice_is_refused(tmp_path: Path) -> None:
    path = legacy_csv(tmp_path / "a.csv", {"resource_tags": {"user_a": "1"}})
    head, rest = path.read_text().split("\n", 1)
    path.write_text(f"{head},resourceTags/user:a\n{rest.rstrip()},2\n")
    with pytest.raises(Rejected) as refusal:
        focus_rows([(path, "")], tmp_path)
    assert refusal.value.faults[0].rule == "doubled-column"


def test_names_and_numbers_are_written_as_the_provider_does() -> None:
    """What the tests write is what real reports hold."""
    assert slashed("reservation_reservation_a_r_n") == "reservation/ReservationARN"
    assert slashed("line_item_unblended_cost") == "lineItem/UnblendedCost"
    assert slashed("pricing_public_on_demand_cost").lower() == "pricing/publicondemandcost"
    assert (text(6.123e-7), text(datetime(2026, 1, 1), ".000Z")) == ("6.123E-07", "2026-01-01T00:00:00.000Z")
