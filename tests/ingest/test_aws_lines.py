"""What AWS lines say beyond their type: refunds, recurring fees, net commitments, reserved capacity, split costs."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.mappings import text
from tests.bills import Ledger, cur2
from tests.mapped import Row, focus_rows

RI: dict[str, Any] = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:1:reserved-instances/r-1"}
SP: dict[str, Any] = {"savings_plan_savings_plan_a_r_n": "arn:aws:savingsplans::1:savingsplan/s-1"}
BEFORE: dict[str, Any] = {
    "line_item_usage_start_date": datetime(2025, 12, 5),
    "line_item_usage_end_date": datetime(2025, 12, 6),
}
MARKET: dict[str, Any] = {"bill_billing_entity": "AWS Marketplace", "line_item_legal_entity": "Example Software Ltd"}
SUPPORT: dict[str, Any] = {"line_item_product_code": "AWSSupportBusiness", "line_item_usage_type": "Dollar"}
POD = "arn:aws:eks:us-east-1:1:pod/shop/default/web-1/0a1b"
SPLIT: dict[str, Any] = {
    "line_item_product_code": "AmazonEKS",
    "line_item_usage_type": "EKS-EC2-vCPU-Hours",
    "line_item_resource_id": POD,
    "line_item_unblended_cost": 0.0,
    "line_item_usage_amount": 0.5,
    "resource_tags": {"aws_eks_namespace": "default", "user_app": "web"},
    "split_line_item_parent_resource_id": "i-0a1b",
    "split_line_item_split_usage": 0.5,
    "split_line_item_split_cost": 0.1,
    "split_line_item_unused_cost": 0.2,
    "split_line_item_public_on_demand_split_cost": 0.11,
    "split_line_item_public_on_demand_unused_cost": 0.22,
}


def kind(name: str, cost: float = 1.0, **fields: Any) -> dict[str, Any]:
    return {"line_item_line_item_type": name, "line_item_unblended_cost": cost, **fields}


def rows(tmp_path: Path, *lines: dict[str, Any], **options: str) -> list[Row]:
    return focus_rows([(cur2(tmp_path / "bill.parquet", *lines), "")], tmp_path, options=options)


# What the bill says of the refund: (fields, category, class, frequency)
REFUNDS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "of the open month": ({}, "Adjustment", None),
    "of the open month's tax": ({"line_item_tax_type": "VAT"}, "Tax", None),
    "of a closed month's usage": (BEFORE, "Usage", "Correction"),
    "of a closed month's tax": ({**BEFORE, "line_item_tax_type": "VAT"}, "Tax", "Correction"),
    "of a closed month's reservation": ({**BEFORE, **RI}, "Purchase", "Correction"),
    "of a closed month, not said of what": ({**BEFORE, "line_item_usage_type": ""}, "Adjustment", "Correction"),
}


@pytest.mark.parametrize("name", REFUNDS)
def test_a_refund_is_what_is_refunded_and_corrects_only_closed_months(name: str, tmp_path: Path) -> None:
    fields, category, correction = REFUNDS[name]
    [row] = rows(tmp_path, kind("Refund", -2.0, bill_bill_type="Refund", **fields))
    assert (row["ChargeCategory"], row["ChargeClass"], row["ChargeFrequency"]) == (category, correction, "One-Time")
    assert (row["BilledCost"], row["SkuPriceId"], row["PricingQuantity"]) == (-2, None, None)
    assert row["EffectiveCost"] == (0 if category == "Purchase" else -2)


@pytest.mark.parametrize(
    ("fields", "frequency"),
    [
        (SUPPORT, "Recurring"),
        (MARKET, "Recurring"),
        ({**MARKET, "bill_bill_type": "Purchase"}, "One-Time"),
        ({}, "One-Time"),
        ({**SUPPORT, **RI}, "One-Time"),
    ],
)
def test_a_fee_recurs_where_the_monthly_bill_charges_support_or_a_subscription(
    fields: dict[str, Any], frequency: str, tmp_path: Path
) -> None:
    [row] = rows(tmp_path, kind("Fee", 9.0, **fields))
    assert (row["ChargeCategory"], row["ChargeFrequency"], row["BilledCost"]) == ("Purchase", frequency, 9)


@pytest.mark.parametrize(
    ("used", "net", "left"),
    [
        (0.25, None, "0.75"),
        (0.25, (0.6, 0.2), "0.6"),
        (0.0, (0.6, 0.123456789012), "0.723456789012"),
        (1.0, (0.6, 0.2), None),
        (None, (0.6, None), "0.6"),
        (0.25, (0.0, 0.0), "0.75"),
    ],
)
def test_the_unused_part_of_a_plan_costs_what_was_really_paid_for_it(
    used: float | None, net: tuple[float | None, float | None] | None, left: str | None, tmp_path: Path
) -> None:
    fields = {
        "savings_plan_total_commitment_to_date": 1.0,
        "savings_plan_used_commitment": used,
        "savings_plan_net_recurring_commitment_for_billing_period": (net or (None,))[0],
        "savings_plan_net_amortized_upfront_commitment_for_billing_period": (net or (None, None))[-1],
    }
    found = rows(tmp_path, kind("SavingsPlanRecurringFee", 1.0, **SP, **fields))
    unused = [row["EffectiveCost"] for row in found if row["x_RowKind"] == "unused-commitment"]
    assert unused == ([Decimal(left)] if left else [])


def test_a_plan_paid_upfront_has_fees_of_nothing_and_still_an_unused_part(ledger: Ledger, tmp_path: Path) -> None:
    plan = {"savings_plan_total_commitment_to_date": 2.0, "savings_plan_used_commitment": 0.5}
    fees = [kind("SavingsPlanRecurringFee", 0.0, **SP, **plan), kind("SavingsPlanUpfrontFee", 17520.0, **SP)]
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", *fees)).document["runs"]
    [line] = run["balances"]
    assert run["mapped_rows"] == 3
    assert (Decimal(line["mapped"]), Decimal(line["effective"])) == (Decimal(17520), Decimal("1.5"))
    assert not any(rule["ours"] for rule in run["conformance"]["broken"])


@pytest.mark.parametrize(("net", "total"), [(0.0, 9), (-1.0, 8), (None, 9)])
def test_a_discount_beside_net_costs_counts_for_what_its_own_net_cost_says(
    net: float | None, total: int, ledger: Ledger, tmp_path: Path
) -> None:
    usage = kind("Usage", 10.0, line_item_net_unblended_cost=9.0)
    discount = kind("EdpDiscount", -1.0, line_item_net_unblended_cost=net)
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", usage, discount)).document["runs"]
    assert Decimal(run["balances"][0]["mapped"]) == total


@pytest.mark.parametrize(
    ("fields", "named", "status"),
    [
        (
            {
                "capacity_reservation_capacity_reservation_arn": "arn:cr-1",
                "capacity_reservation_capacity_reservation_status": "Used",
            },
            "arn:cr-1",
            "Used",
        ),
        (
            {
                "capacity_reservation_capacity_reservation_arn": "arn:cr-1",
                "capacity_reservation_capacity_reservation_status": "Unused",
            },
            "arn:cr-1",
            "Unused",
        ),
        (
            {
                "line_item_usage_type": "UnusedBox:t3.micro",
                "line_item_resource_id": "arn:aws:ec2:us-east-1:1:capacity-reservation/cr-1",
            },
            "arn:aws:ec2:us-east-1:1:capacity-reservation/cr-1",
            "Unused",
        ),
        (
            {
                "line_item_usage_type": "Reservation:t3.micro",
                "line_item_resource_id": "arn:aws:ec2:us-east-1:1:capacity-reservation/cr-1",
            },
            "arn:aws:ec2:us-east-1:1:capacity-reservation/cr-1",
            "Used",
        ),
        ({"line_item_resource_id": "i-1"}, None, None),
    ],
)
def test_reserved_capacity_is_named_with_its_use(
    fields: dict[str, Any], named: str | None, status: str | None, tmp_path: Path
) -> None:
    [row] = rows(tmp_path, kind("Usage", **fields))
    assert (row["CapacityReservationId"], row["CapacityReservationStatus"]) == (named, status)


@pytest.mark.parametrize(
    "fields", [{"line_item_availability_zone": "us-east-1a"}, {"reservation_availability_zone": "us-east-1a"}]
)
def test_the_zone_is_the_line_s_or_the_reservation_s(fields: dict[str, Any], tmp_path: Path) -> None:
    assert [row["AvailabilityZone"] for row in rows(tmp_path, kind("RIFee", 1.0, **RI, **fields))] == ["us-east-1a"]


def test_split_cost_is_never_added_to_what_it_is_split_from(ledger: Ledger, tmp_path: Path) -> None:
    machine = kind("Usage", 1.0, line_item_resource_id="i-0a1b")
    [run] = ledger.ingest(cur2(tmp_path / "a.parquet", machine, SPLIT)).document["runs"]
    [line] = run["balances"]
    assert run["mapped_rows"] == 1
    assert Decimal(line["mapped"]) == Decimal(line["effective"]) == 1
    assert run["rules"] == {"aws-split-cost-row-dropped": 1}
    assert Decimal(line["excluded"]["aws-split-cost-row-dropped"]) == 0


def test_when_asked_for_a_container_takes_its_share_from_its_machine(tmp_path: Path) -> None:
    taken, given = sorted(rows(tmp_path, SPLIT, split="true"), key=lambda row: str(row["x_RowKind"]))
    assert [(row["BilledCost"], row["ResourceId"], row["ResourceType"], row["Tags"]) for row in (taken, given)] == [
        (0, "i-0a1b", "instance", None)
    ] * 2
    assert (taken["EffectiveCost"], taken["ListCost"], taken["ConsumedQuantity"]) == (
        *map(Decimal, ("0.3", "0.33", "0.5")),
    )
    for column in ("EffectiveCost", "ListCost", "ContractedCost", "ConsumedQuantity", "PricingQuantity"):
        assert taken[column] == -given[column] != 0
    assert taken["AllocatedMethodId"] == given["AllocatedMethodId"] == "aws-split-cost-allocation-data"
    assert (taken["AllocatedResourceId"], taken["AllocatedResourceName"]) == (POD, "pod/shop/default/web-1/0a1b")
    assert json.loads(str(taken["AllocatedTags"])) == {"aws:eks_namespace": "default", "app": "web"}
    assert (given["AllocatedResourceId"], given["AllocatedTags"], given["x_RowKind"]) == (
        None,
        None,
        "split-counterpart",
    )


def test_net_split_costs_come_before_others(tmp_path: Path) -> None:
    net = {"split_line_item_net_split_cost": 0.05, "split_line_item_net_unused_cost": 0.06}
    assert {abs(row["EffectiveCost"]) for row in rows(tmp_path, {**SPLIT, **net}, split="true")} == {Decimal("0.11")}


@pytest.mark.parametrize("fields", [{"line_item_unblended_cost": 0.5}, {"split_line_item_split_cost": None}])
def test_a_line_with_a_cost_of_its_own_or_without_a_share_is_usage_like_any_other(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    [row] = rows(tmp_path, {**SPLIT, **fields}, split="true")
    assert (row["BilledCost"], row["ResourceId"]) == (Decimal(str(fields.get("line_item_unblended_cost", 0))), POD)


def test_what_no_table_knows_is_told_by_name(ledger: Ledger, tmp_path: Path) -> None:
    strange = [kind("Usage", line_item_product_code=f"Amazon{index:02}") for index in range(12)]
    path = cur2(tmp_path / "a.parquet", {}, *strange, strange[-1], kind("LaterFee"), kind("Usage", **MARKET))
    [run] = ledger.ingest(path).document["runs"]
    names = ", ".join(["Amazon11", *(f"Amazon{index:02}" for index in range(9))])
    assert run["assumed"] == {
        "what a marketplace product is, the bill does not say: it became Other": 1,
        f"services that are in no table became Other: {names} and 2 more": 13,
        "line item types that are in no table became Adjustments: LaterFee": 1,
    }


def test_split_rows_break_no_rule_and_move_no_money(ledger: Ledger, tmp_path: Path) -> None:
    """The source's setting asks for them; the report prints their term."""
    ledger.config.write_text(
        '[sources.shop]\nprovider = "aws"\naccounts = ["111122223333"]\nallocation = "split"\n', encoding="utf-8"
    )
    path = cur2(tmp_path / "a.parquet", kind("Usage", 1.0, line_item_resource_id="i-0a1b"), SPLIT)
    [run] = ledger.ingest(path).document["runs"]
    [line] = run["balances"]
    assert run["mapped_rows"] == 3
    assert Decimal(line["mapped"]) == Decimal(line["effective"]) == 1
    assert (run["rules"], list(line["excluded"])) == (
        {"aws-split-cost-row-allocated": 1},
        ["aws-split-cost-row-allocated"],
    )
    assert [rule for rule in run["conformance"]["broken"] if rule["ours"]] == []
    assert ledger.broken_rules() == {}


def test_the_page_tells_every_kind_of_line_as_the_table_does() -> None:
    page = (Path(__file__).parents[2] / "docs/aws-mapping.md").read_text(encoding="utf-8")
    told = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    assert told[2:] == [line.split(",") for line in text("aws_line_kinds.csv").splitlines()[1:]]


@pytest.mark.parametrize(("said", "billed"), [("used", "0.00"), ("ignored", "2.00")])
def test_net_costs_of_zero_alone_are_what_the_settings_say(
    said: str, billed: str, ledger: Ledger, tmp_path: Path
) -> None:
    bill = cur2(tmp_path / "bill.parquet", kind("Usage", 2.0, line_item_net_unblended_cost=0.0))
    refused = ledger.ingest(bill, "--source", "main")
    assert (refused.code, refused.fault["rule"]) == (2, "unclear-net-costs")
    ledger.config.write_text(f'[sources.main]\nprovider = "aws"\nnet_costs = "{said}"\n')
    assert ledger.ingest(bill, "--source", "main").outcomes == ["committed"]
    assert ledger.total() == billed


def test_one_net_cost_that_is_not_zero_makes_all_of_them_count(ledger: Ledger, tmp_path: Path) -> None:
    free, paid = (kind("Usage", 2.0, line_item_net_unblended_cost=net) for net in (0.0, 1.5))
    assert ledger.ingest(cur2(tmp_path / "bill.parquet", free, paid)).outcomes == ["committed"]
    assert ledger.total() == "1.50"
