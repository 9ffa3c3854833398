"""AWS line items to FOCUS: every line item type, commitments, discounts, tags, and what is unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from focus.schema import columns, ledger_types
from ingest.inspection import prepare
from ingest.mapping import focus_select, raw_view, rows_view, tables, variables
from ingest.shapes import shape_named
from ingest.staging import stage
from ledger.faults import Rejected
from tests.bills import Ledger, cur2
from tests.mapped import Row, focus_rows

RI: dict[str, Any] = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:1:reserved-instances/r-1"}
SP: dict[str, Any] = {"savings_plan_savings_plan_a_r_n": "arn:aws:savingsplans::1:savingsplan/s-1"}
ALL_USED: dict[str, Any] = {"savings_plan_total_commitment_to_date": 5.0, "savings_plan_used_commitment": 5.0}
PRICES: dict[str, Any] = {"pricing_public_on_demand_cost": 4.0, "pricing_public_on_demand_rate": "2.0"}


def kind(name: str, cost: float = 1.0, **fields: Any) -> dict[str, Any]:
    return {"line_item_line_item_type": name, "line_item_unblended_cost": cost, **fields}


def rows(tmp_path: Path, *lines: dict[str, Any]) -> list[Row]:
    return focus_rows([(cur2(tmp_path / "bill.parquet", *lines), "")], tmp_path)


COVERED = kind("SavingsPlanCoveredUsage", 4.0, savings_plan_savings_plan_effective_cost=2.5, **SP, **PRICES)
# type: (line, category, frequency, pricing, status, billed, effective, list, contracted)
TYPES: dict[str, tuple[dict[str, Any], str, str, str | None, str | None, str, str, str, str]] = {
    "Usage": (kind("Usage", **PRICES), "Usage", "Usage-Based", "Standard", None, "1", "1", "4", "1"),
    "Usage on a spot machine": (
        kind("Usage", line_item_usage_type="SpotUsage:t3.micro"),
        *(
            "Usage",
            "Usage-Based",
            "Dynamic",
            None,
            "1",
            "1",
            "",
            "1",
        ),  # no list price is given: unknown, not the spot price
    ),
    "DiscountedUsage": (
        kind("DiscountedUsage", 0.0, reservation_effective_cost=1.5, **RI, **PRICES),
        *("Usage", "Usage-Based", "Committed", "Used", "0", "1.5", "4", "4"),
    ),
    "SavingsPlanCoveredUsage": (COVERED, "Usage", "Usage-Based", "Committed", "Used", "0", "2.5", "4", "4"),
    "RIFee": (kind("RIFee", 3.0, **RI), "Purchase", "Recurring", "Committed", None, "3", "0", "3", "3"),
    "Fee with reservation ARN": (
        kind("Fee", 9.0, **RI),
        *("Purchase", "One-Time", "Committed", None, "9", "0", "9", "9"),
    ),
    "Fee without ARN": (kind("Fee", 9.0), "Purchase", "One-Time", "Standard", None, "9", "9", "9", "9"),
    "SavingsPlanRecurringFee": (
        kind("SavingsPlanRecurringFee", 5.0, **SP, **ALL_USED),
        *("Purchase", "Recurring", "Committed", None, "5", "0", "5", "5"),
    ),
    "SavingsPlanUpfrontFee": (
        kind("SavingsPlanUpfrontFee", 5.0, **SP),
        *("Purchase", "One-Time", "Committed", None, "5", "0", "5", "5"),
    ),
    "Tax": (kind("Tax", 0.19), "Tax", "Recurring", None, None, "0.19", "0.19", "0.19", "0.19"),
    "Credit": (kind("Credit", -2.0), "Credit", "One-Time", None, None, "-2", "-2", "-2", "-2"),
    "Refund": (kind("Refund", -2.0), "Adjustment", "One-Time", None, None, "-2", "-2", "-2", "-2"),
    "SomethingNew": (kind("SomethingNew", 7.0), "Adjustment", "One-Time", None, None, "7", "7", "7", "7"),
    **{
        name: (kind(name, -0.5), "Credit", "Usage-Based", None, None, "-0.5", "-0.5", "-0.5", "-0.5")
        for name in (
            *("EdpDiscount", "PrivateRateDiscount", "BundledDiscount"),
            *("SppDiscount", "RiVolumeDiscount", "Discount"),
        )
    },
}


@pytest.mark.parametrize("name", TYPES)
def test_every_line_item_type(name: str, tmp_path: Path) -> None:
    line, category, frequency, pricing, status, *money = TYPES[name]
    costs = [Decimal(text) if text else None for text in money]
    [row] = rows(tmp_path, line)
    assert (row["ChargeCategory"], row["ChargeFrequency"], row["PricingCategory"]) == (category, frequency, pricing)
    assert row["CommitmentDiscountStatus"] == status
    assert [row[f"{cost}Cost"] for cost in ("Billed", "Effective", "List", "Contracted")] == costs
    assert (row["x_RowKind"], row["x_ChargeType"]) == ("charge", line["line_item_line_item_type"])


def test_net_costs_come_before_unblended_ones(tmp_path: Path) -> None:
    fields = {"reservation_effective_cost": 1.5, "reservation_net_effective_cost": 1.25, **RI}
    used, row = rows(
        tmp_path, kind("DiscountedUsage", 0.0, **fields), kind("Usage", 1.0, line_item_net_unblended_cost=0.9)
    )
    assert {used["EffectiveCost"], row["EffectiveCost"]} == {Decimal("1.25"), Decimal("0.9")}


def test_a_negation_is_excluded_by_name_and_offsets_its_covered_usage(ledger: Ledger, tmp_path: Path) -> None:
    path = cur2(tmp_path / "a.parquet", COVERED, COVERED, kind("SavingsPlanNegation", -8.0, **SP), kind("Usage", 1.25))
    [run] = ledger.ingest(path).document["runs"]
    [line] = run["balances"]
    excluded = {name: Decimal(total) for name, total in line["excluded"].items()}
    assert excluded == {
        "aws-savings-plan-covered-usage-billed-zero": Decimal(8),
        "aws-savings-plan-negation-dropped": Decimal(-8),
    }
    assert (run["raw_rows"], run["mapped_rows"]) == (4, 3)
    assert (Decimal(line["raw"]), Decimal(line["mapped"]), Decimal(line["effective"])) == (
        Decimal("1.25"),
        Decimal("1.25"),
        Decimal("6.25"),
    )


def test_unused_reservation_hours_become_a_row(tmp_path: Path) -> None:
    unused = {
        "reservation_unused_amortized_upfront_fee_for_billing_period": 0.1,
        "reservation_unused_recurring_fee": 0.2,
        "reservation_unused_quantity": 3.0,
    }
    fee, row = sorted(rows(tmp_path, kind("RIFee", 3.0, **RI, **unused)), key=lambda found: str(found["x_RowKind"]))
    assert (fee["BilledCost"], fee["EffectiveCost"], row["BilledCost"]) == (3, 0, 0)
    assert row["EffectiveCost"] == row["ListCost"] == row["ContractedCost"] == Decimal("0.3")
    assert (row["ChargeCategory"], row["CommitmentDiscountStatus"], row["x_RowKind"]) == (
        *("Usage", "Unused"),
        "unused-commitment",
    )
    assert (row["CommitmentDiscountId"], row["CommitmentDiscountQuantity"]) == (RI["reservation_reservation_a_r_n"], 3)


@pytest.mark.parametrize(("used", "left"), [(0.75, "0.25"), (None, "1"), (1.0, None)])
def test_the_unused_part_of_a_savings_plan(used: float | None, left: str | None, tmp_path: Path) -> None:
    plan = {"savings_plan_total_commitment_to_date": 1.0, "savings_plan_used_commitment": used}
    found = rows(tmp_path, kind("SavingsPlanRecurringFee", 1.0, **SP, **plan))
    unused = [row["EffectiveCost"] for row in found if row["x_RowKind"] == "unused-commitment"]
    assert unused == ([Decimal(left)] if left else [])
    assert sum(row["BilledCost"] for row in found) == 1


@pytest.mark.parametrize("as_row", [True, False])
def test_a_discount_counts_once_beside_net_costs(as_row: bool, ledger: Ledger, tmp_path: Path) -> None:
    """It stands inside the net cost and, in most bills, as a row of its own."""
    usage = kind("Usage", 10.0, line_item_net_unblended_cost=9.0)
    path = cur2(tmp_path / "a.parquet", usage, *([kind("EdpDiscount", -1.0)] if as_row else []))
    [run] = ledger.ingest(path).document["runs"]
    assert Decimal(run["balances"][0]["mapped"]) == 9
    assert list(run["rules"]) == (["aws-discount-row-in-net-cost-dropped"] if as_row else [])


def test_without_net_costs_a_discount_is_its_own_row(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ingest(cur2(tmp_path / "a.parquet", kind("Usage", 10.0), kind("EdpDiscount", -1.0)))
    assert ledger.total() == "9.00"


def test_a_marketplace_seller_is_named(tmp_path: Path) -> None:
    seller = {"bill_billing_entity": "AWS Marketplace", "line_item_legal_entity": "Example Software Ltd"}
    theirs, ours = sorted(
        rows(tmp_path, kind("Usage", 1.0, **seller), kind("Usage", 2.0)), key=lambda r: r["BilledCost"]
    )
    assert (theirs["PublisherName"], ours["PublisherName"]) == ("Example Software Ltd", "AWS")


def test_an_unknown_product_is_kept_under_other(tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Usage", line_item_product_code="AmazonTomorrow"))
    assert (row["ServiceCategory"], row["ServiceName"], row["x_ServiceCode"]) == ("Other", *["AmazonTomorrow"] * 2)


def test_fee_lines_that_end_a_second_before_midnight_end_at_midnight(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    [row] = rows(tmp_path, kind("RIFee", 3.0, line_item_usage_end_date=datetime(2026, 1, 31, 23, 59, 59), **RI))
    assert row["ChargePeriodEnd"] == datetime(2026, 2, 1, tzinfo=UTC)


def test_columns_are_the_specification_s_in_order_and_type(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        prepare(connection)
        staged = stage(connection, cur2(tmp_path / "a.parquet"), "a", tmp_path)
        bounds = {"period_start": "2026-01-01", "period_end": "2026-02-01", "source_name": "s", "basis": "amortized"}
        views = (raw_view(staged.shape, [staged.file]), rows_view(staged.shape))
        for statement in (*tables(staged.shape), *variables(bounds), *views):
            connection.execute(statement)
        connection.execute(f"COPY ({focus_select(staged.shape)}) TO '{tmp_path}/out.parquet' (FORMAT parquet)")
        found = connection.execute(f"DESCRIBE FROM read_parquet('{tmp_path}/out.parquet')").fetchall()
    assert [(row[0], row[1]) for row in found] == list(ledger_types())
    assert [row[0] for row in found][:65] == [column.name for column in columns()]


REQUIRED = [column.name for column in shape_named("aws_cur2").columns if column.required]


@pytest.mark.parametrize("column", REQUIRED)
def test_a_needed_column_is_missed_by_name(column: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as refusal:
        focus_rows([(cur2(tmp_path / "a.parquet", without=[column]), "")], tmp_path)
    assert [(fault.rule, fault.column) for fault in refusal.value.faults] == [("missing-column", column)]


@pytest.mark.parametrize("column", sorted({c.name for c in shape_named("aws_cur2").columns} - set(REQUIRED)))
def test_any_other_column_may_be_absent(column: str, tmp_path: Path) -> None:
    [row] = focus_rows([(cur2(tmp_path / "a.parquet", without=[column]), "")], tmp_path)
    assert row["BilledCost"] == 1


def renamed(key: str) -> str:
    return (
        key.removeprefix("user_")
        if key.startswith("user_")
        else key.replace("aws_", "aws:", 1)
        if key[:4] == "aws_"
        else key
    )


HOSTILE = {
    "user_env": 'say "prod", twice',
    "user_path": "C:\\new\\table",
    "user_json": '{"user_env":"x","aws_y":1}',
    "user_list": 'a,"user_b":"c"',
    "aws_createdBy": "Root:123",
    "user_ünïcode": "日本 😀 \u2028",
    "plain": "line\nbreak\ttab",
}


def test_hostile_tags_stay_what_they_are(tmp_path: Path) -> None:
    [row] = rows(tmp_path, kind("Usage", resource_tags=HOSTILE))
    assert json.loads(str(row["Tags"])) == {renamed(key): value for key, value in HOSTILE.items()}


TAG_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(max_examples=25)
@given(values=st.lists(TAG_TEXT | st.sampled_from(list(HOSTILE.values())), min_size=1, max_size=6))
def test_any_tag_value_is_what_python_reads(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    tags = {f"user_key{index}": value for index, value in enumerate(values)}
    [row] = rows(tmp_path_factory.mktemp("tags"), kind("Usage", resource_tags=tags))
    assert json.loads(str(row["Tags"])) == {key.removeprefix("user_"): value for key, value in tags.items()}


def test_tag_keys_that_would_become_one_keep_their_prefix(tmp_path: Path) -> None:
    twice = {"user_env": "a", "env": "b", "aws_createdBy": "Root"}
    [row] = rows(tmp_path, kind("Usage", resource_tags=twice))
    pairs = json.loads(str(row["Tags"]), object_pairs_hook=list)
    assert sorted(pairs) == [("aws:createdBy", "Root"), ("env", "b"), ("user_env", "a")]
