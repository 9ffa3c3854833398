"""One AWS bill in four shapes gives the same rows: Parquet or text, maps or a column per tag."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mappings import text as table
from ledger.delivery import Period
from ledger.faults import Rejected
from ledger.reconcile import total
from tests.bills import Ledger
from tests.mapped import Row, focus_rows
from tests.reports import EVERY_KIND, SHAPES, cur2_csv, legacy_csv, slashed, text, written

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


def rows(folder: Path, shape: str, lines: list[dict[str, Any]], **options: str) -> list[Row]:
    found = focus_rows([(written(folder, shape, lines), "")], folder, options=options)
    ordered = [{**row, **{name: in_order(row[name]) for name in ("Tags", "AllocatedTags")}} for row in found]
    return sorted(ordered, key=lambda row: str(row.items()))


def in_order(tags: str | None) -> str | None:
    """A report's columns come in an order of their own."""
    return tags and json.dumps(json.loads(tags), sort_keys=True)


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
        ("line_item_unblended_cost", "1,5", "decimal-comma"),
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


def test_the_bill_of_every_kind_has_a_line_of_each_and_breaks_no_rule(ledger: Ledger, tmp_path: Path) -> None:
    kinds = {line.split(",")[0] for line in table("aws_line_kinds.csv").splitlines()[1:]}
    assert {line["line_item_operation"] for line in EVERY_KIND} == kinds
    [run] = ledger.ingest(written(tmp_path, "aws_cur_legacy_csv", EVERY_KIND)).document["runs"]
    assert run["outcome"] == "committed"
    assert [rule for rule in ledger.broken_rules() if rule.startswith("CAU-")] == []


def test_names_and_numbers_are_written_as_the_provider_does() -> None:
    """What the tests write is what real reports hold."""
    assert slashed("reservation_reservation_a_r_n") == "reservation/ReservationARN"
    assert slashed("line_item_unblended_cost") == "lineItem/UnblendedCost"
    assert slashed("pricing_public_on_demand_cost").lower() == "pricing/publicondemandcost"
    assert (text(6.123e-7), text(datetime(2026, 1, 1), ".000Z")) == ("6.123E-07", "2026-01-01T00:00:00.000Z")


AMOUNTS = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: x if abs(x) > 1e-12 else 0.0)
SHARES = st.floats(0, 1000, allow_subnormal=False).map(lambda x: x if x > 1e-12 else 0.0)
TYPES = [line.split(",")[0] for line in table("aws_line_kinds.csv").splitlines()[1:] if ":" not in line.split(",")[0]]


@st.composite
def bill_lines(draw: st.DrawFn) -> dict[str, Any]:
    """A line of any type with what its type needs, and some of what it may have."""
    line = {
        "line_item_line_item_type": draw(st.sampled_from([*TYPES, "LaterFee"])),
        "line_item_unblended_cost": draw(AMOUNTS),
        "line_item_net_unblended_cost": draw(st.none() | AMOUNTS),
        "line_item_usage_start_date": datetime(2025 + draw(st.integers(0, 1)), 1, 5),
        "line_item_tax_type": draw(st.sampled_from(["", "VAT"])),
        "bill_bill_type": draw(st.sampled_from(["Anniversary", "Purchase", "Refund"])),
        "reservation_effective_cost": draw(SHARES),
        "reservation_unused_recurring_fee": draw(st.none() | SHARES),
        "savings_plan_savings_plan_effective_cost": draw(SHARES),
        "savings_plan_total_commitment_to_date": draw(SHARES),
        "savings_plan_used_commitment": draw(st.none() | SHARES),
        "split_line_item_parent_resource_id": draw(st.sampled_from(["", "i-1"])),
        "split_line_item_split_cost": draw(st.none() | SHARES),
        "resource_tags": draw(
            st.sampled_from([{}, {"user_env": "prod"}, {"aws_createdBy": "Root", "user_env": "dev"}])
        ),
    }
    return line | draw(st.sampled_from([{}, RI, SP]))


@settings(max_examples=5, deadline=None)
@given(lines=st.lists(bill_lines(), min_size=1, max_size=8), split=st.sampled_from(["true", "false"]))
def test_any_mix_of_lines_keeps_its_money_in_every_shape(
    lines: list[dict[str, Any]], split: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    first, *others = [rows(folder, shape, lines, split=split) for shape in SHAPES]
    assert all(other == first for other in others)
    assert total(row["BilledCost"] for row in first) == billed(lines)


def billed(lines: list[dict[str, Any]]) -> Decimal:
    """What a bill charges: its costs but those of covered usage, negations, and discounts that net costs hold."""
    nets = any(line["line_item_net_unblended_cost"] is not None for line in lines)
    without = {"DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation"}
    inside = [line["line_item_line_item_type"].endswith("Discount") and nets for line in lines]
    costs = [(line, line["line_item_net_unblended_cost"], within) for line, within in zip(lines, inside, strict=True)]
    kept = [
        line["line_item_unblended_cost"] if net is None else net
        for line, net, within in costs
        if line["line_item_line_item_type"] not in without and not (within and net is None)
    ]
    return total(exactly(cost) for cost in kept)


def exactly(cost: float) -> Decimal:
    """As the bill writes it, to the ledger's 24 decimals."""
    with localcontext(prec=60):
        return Decimal(repr(cost)).quantize(Decimal(1).scaleb(-24))


def test_the_real_month_folded_into_maps_is_the_same_bill(real_data: Path, tmp_path: Path) -> None:
    """CUR 2.0 is the legacy report with its tags and attributes in maps."""
    source, target = real_data / "aws/cur_legacy_2018-10.snappy.parquet", tmp_path / "folded.parquet"
    with duckdb.connect() as connection:
        names = [row[0] for row in connection.execute(f"DESCRIBE FROM '{source}'").fetchall()]
        tags, product = _folded(names, "resource_tags_"), _folded(names, "product_")
        kept = ", ".join(name for name in names if not name.startswith("resource_tags_") and name not in ATTRIBUTES)
        sql = f"SELECT {kept}, {tags} AS resource_tags, {product} AS product FROM read_parquet('{source}')"
        connection.execute(f"COPY ({sql}) TO '{target}' (FORMAT parquet)")
    found = focus_rows([(target, "")], tmp_path, period=OCTOBER)
    assert (len(found), sum(row["BilledCost"] for row in found)) == (119310, Decimal("4064.4831315379"))
    assert _effective(found, "CommitmentDiscountStatus", "Used") == Decimal("232.25379599")
    assert _effective(found, "CommitmentDiscountStatus", "Unused") == Decimal("48.99556079")
    tagged = [{**row, "env": json.loads(row["Tags"] or "{}").get("environment")} for row in found]
    charges = [row for row in tagged if row["CommitmentDiscountStatus"] != "Unused"]
    shown = {name: round(_effective(charges, "env", name), 2) for name in ("Production", "Development", "Test", None)}
    assert shown["Production"] == Decimal("577.37")
    assert [shown[name] for name in ("Development", "Test", None)] == [Decimal(x) for x in ("9.21", "0.08", "3560.30")]


OCTOBER = Period(2018, 10)
ATTRIBUTES = ("product_product_name", "product_vcpu", "product_memory", "product_operating_system")


def _effective(found: Sequence[Row], column: str, value: str | None) -> Decimal:
    return sum((row["EffectiveCost"] for row in found if row[column] == value), Decimal(0))


def _folded(names: list[str], prefix: str) -> str:
    pairs = ", ".join(
        f"{{'key': '{name.removeprefix(prefix)}', 'value': {name}}}" for name in names if name.startswith(prefix)
    )
    return f"map_from_entries(list_filter([{pairs}], lambda pair: pair.value <> ''))"
