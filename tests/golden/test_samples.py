"""The samples: made again they are the same, mapped they hold the reference scenario, and no column changes unseen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from bench.gen.__main__ import write_samples
from tests.golden.lines import AGREEMENTS, BESIDE, CASES, REPORTS, SAMPLES, UPGRADES, golden, rows, shown

SCENARIO = {
    "AmazonEC2": "50.00",
    "AmazonRDS": "18.50",
    "AmazonS3": "12.15",
    "Virtual Machines": "0.75",
    "Storage": "0.08",
    "Virtual Network": "0.02",
    "Snowflake": "255.00",
}


def content(path: Path) -> str:
    """A digest of what the file says; Parquet bytes may differ between engine versions."""
    if path.suffix == ".parquet":
        found = duckdb.execute(f"FROM read_parquet('{path}', hive_partitioning=false)")
        return hashlib.sha256(repr((found.description, found.fetchall())).encode()).hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_generating_again_gives_the_same_files(tmp_path: Path) -> None:
    for path in write_samples(tmp_path):
        assert content(path) == content(SAMPLES / path.relative_to(tmp_path)), path.name


def test_the_folder_holds_nothing_else() -> None:
    data = {path for path in SAMPLES.rglob("*") if path.is_file()}
    assert data - {file for files in CASES.values() for file, _ in files} == {
        SAMPLES / "README.md",
        SAMPLES / "alerts/budget-alert.json",
    }


@pytest.mark.parametrize("name", [*CASES, *UPGRADES, *REPORTS, *AGREEMENTS, *BESIDE])
def test_rows_are_the_golden_ones(name: str) -> None:
    expected = golden(name).read_text(encoding="utf-8").splitlines()
    assert shown(rows(name)) == expected, "if the change is meant: make bless, and read the difference"


def test_the_scenario_adds_up_to_the_last_digit() -> None:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for name in CASES:
        for row in rows(name):
            totals[row["x_ServiceCode"]] += row["BilledCost"]
    assert totals == {service: Decimal(text) for service, text in SCENARIO.items()}
    assert sum(totals.values()) == Decimal("336.50")


def test_data_transfer_is_its_own_part_of_ec2() -> None:
    transfer = [row for row in rows("aws_cur2") if str(row["x_UsageType"]).startswith("DataTransfer")]
    assert sum(row["BilledCost"] for row in transfer) == Decimal("4.20")


@pytest.mark.parametrize("name", CASES)
def test_costs_are_price_times_quantity(name: str) -> None:
    priced = [row for row in rows(name) if row["ContractedUnitPrice"] is not None]
    assert all(row["ContractedCost"] == row["ContractedUnitPrice"] * row["PricingQuantity"] for row in priced)
