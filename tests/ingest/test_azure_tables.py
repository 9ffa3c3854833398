"""What Azure's measures, services and regions become, and that the tables know what others' tables know."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

import duckdb
import pytest

from ingest.mappings import table_path, text
from tests import azure_bills
from tests.bills import Ledger
from tests.mapped import focus_rows, write_csv

Pair = tuple[str, str]

# Theirs -> ours, of the same unit.
SAME = {"Transactions": "Requests", "Operations": "Requests", "Queries": "Requests", "Calls": "Requests"}
SAME |= {"Rotation": "Rotations", "Count": "Units", "MB/month": "MB/Month", "Runs": "Activity Runs"}
SAME |= {"Transactions in Thousands": "Thousand Requests", "Million": "Million Units"}

# Where the two differ: the reason -> measure, our block and unit.
OTHERWISE = {
    "what was used that long is told": {
        "1 Content Hours": ("1", "Content-Hours"),
        "10 Instance Hours": ("10", "Instance-Hours"),
        "100 Core Hours": ("100", "Core-Hours"),
        "100 Core Hrs": ("100", "Core-Hours"),
        "1000 Relay Hours": ("1000", "Relay-Hours"),
        "1000 Relay Hrs": ("1000", "Relay-Hours"),
        "10000 Virtual User Minutes": ("10000", "Virtual User-Minutes"),
    },
    "a thing counted in tens of thousands": {"10000s": ("10000", "Requests")},
    "one a month, said in Spanish": {"1 por mes": ("1", "Units/Month")},
}

# Category as theirs says -> resource types where ours is another, and why.
DIFFERS = {
    "microsoft.compute/disks": "billed under the meter category Storage",
    "microsoft.compute/images": "billed under the meter category Storage",
    "microsoft.compute/snapshots": "billed under the meter category Storage",
    "microsoft.dashboard/grafana": "boards of metrics and logs",
    "microsoft.premonition/libraries": "withdrawn before it was sold",
    "microsoft.security/mdeservers": "detects threats",
    "microsoft.security/pricings": "a plan of Defender, whatever it protects",
    "microsoft.storagesync/storagesyncservices": "file shares in use, not on the move",
    "microsoft.web/sites": "functions and web apps share the type; the meter tells them apart",
}


def table(name: str) -> dict[str, dict[str, str]]:
    """The rows of one of our tables by their first column."""
    with Path(table_path(name)).open(encoding="utf-8", newline="") as file:
        return {next(iter(row.values())): row for row in csv.DictReader(file)}


def theirs(real_data: Path, name: str) -> Iterator[dict[str, str]]:
    with (real_data.parent / "providers" / name).open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def measured(measures: Sequence[str], folder: Path, quantity: str = "3") -> dict[str, tuple[Decimal, str]]:
    """What three of each measure are in single units, by the real mapping."""
    lines = [
        {**azure_bills.MCA, "unitOfMeasure": measure, "meterName": f"m{place}", "quantity": quantity}
        for place, measure in enumerate(measures)
    ]
    rows = {row["SkuMeter"]: row for row in focus_rows([(write_csv(folder / "m.csv", lines), "amortized")], folder)}
    return {
        measure: (rows[f"m{place}"]["ConsumedQuantity"], rows[f"m{place}"]["ConsumedUnit"])
        for place, measure in enumerate(measures)
    }


@cache
def hyphenated() -> dict[str, str]:
    """FOCUS writes GB-Hours where others write GB Hours."""
    return {row["unit"].replace("-", " "): row["unit"] for row in table("azure_units").values()}


def expected(row: dict[str, str]) -> Pair:
    measure = row["UnitOfMeasure"]
    told = [entry[measure] for entry in OTHERWISE.values() if measure in entry]
    unit = SAME.get(row["DistinctUnits"], hyphenated().get(row["DistinctUnits"], row["DistinctUnits"]))
    return told[0] if told else (row["PricingBlockSize"], unit)


def test_every_measure_that_is_known_elsewhere_is_read_alike(real_data: Path, tmp_path: Path) -> None:
    rows = list(theirs(real_data, "azure_open_data/PricingUnits.csv"))
    found = measured([row["UnitOfMeasure"] for row in rows], tmp_path)
    assert len(found) > 380
    wrong = {}
    for row in rows:
        block, unit = expected(row)
        # Hours are counted one by one, whatever their block.
        count = 3 if unit == "Hours" else 3 * int(block)
        if found[row["UnitOfMeasure"]] != (Decimal(count), unit):
            wrong[row["UnitOfMeasure"]] = (found[row["UnitOfMeasure"]], count, unit)
    assert wrong == {}


@pytest.mark.parametrize(
    ("measure", "count", "unit"),
    [
        ("10 K", 30_000, "Units"),
        ("10 k / Month", 30_000, "Units/Month"),
        ("100 /Month", 300, "Units/Month"),
        ("100\u00a0GB/Month", 300, "GB/Month"),
        ("  1  gb / MONTH ", 3, "GB/Month"),
        ("1 hours", 3, "Hours"),
        ("Gb", 3, "GB"),
        ("2000000 TRANSACTIONS", 6_000_000, "Requests"),
        ("7M Tokens", 21_000_000, "Tokens"),
        ("40 Things", 120, "Things"),
        ("Things", 3, "Things"),
        ("4,000 Things", 3, "4,000 Things"),
        ("0 Hours", 3, "Hours"),
        ("0.5 GB", 3, "0.5 GB"),
        ("4000000000000000000000 GB", 3, "GB"),
    ],
)
def test_a_measure_is_read_however_it_is_spaced(measure: str, count: int, unit: str, tmp_path: Path) -> None:
    assert measured([measure], tmp_path) == {measure: (Decimal(count), unit)}


@pytest.mark.parametrize("block", ["10", "10000000000", "100000000000", "1B"])
def test_no_digit_of_a_block_times_a_quantity_is_lost(block: str, tmp_path: Path) -> None:
    [(counted, unit)] = measured([block], tmp_path, "345.123456789").values()
    assert (counted, unit) == (Decimal("345.123456789") * int(block.replace("B", "0" * 9)), "Units")


def test_every_service_that_is_known_elsewhere_has_its_category(real_data: Path) -> None:
    types, providers = table("azure_resource_types"), table("azure_resource_providers")
    wrong = {}
    for row in theirs(real_data, "azure_open_data/Services.csv"):
        kind = "/".join(row["ResourceType"].lower().split("/")[:2])
        found = types.get(kind) or providers.get(kind.split("/")[0])
        if not found or found["ServiceCategory"] != row["ServiceCategory"]:
            wrong[kind] = found
    assert set(wrong) == set(DIFFERS)


def test_every_provider_that_bills_something_is_known(real_data: Path) -> None:
    rows = [row for row in theirs(real_data, "azure_service_category.csv") if row["ServiceCategory"] != "Other"]
    assert len(rows) > 70
    assert {row["ConsumedService"] for row in rows} - set(table("azure_resource_providers")) == set()


def test_a_service_has_one_category_in_all_tables() -> None:
    meters = {row["meter_category"]: row["ServiceCategory"] for row in table("azure_services").values()}
    named = [*table("azure_resource_types").values(), *table("azure_resource_providers").values()]
    assert [row for row in named if meters.get(row["ServiceName"].lower()) != row["ServiceCategory"]] == []


def test_every_meter_of_the_real_bills_is_known(real_data: Path) -> None:
    known = table("azure_services")
    found = set()
    for path in sorted((real_data / "azure").rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                found |= {value for name, value in row.items() if name and name.lower() == "metercategory" and value}
    assert len(found) > 9
    assert {name for name in found if name.strip().lower() not in known} == set()


def test_regions_are_named_as_they_are_elsewhere(real_data: Path) -> None:
    known = table("azure_regions")
    rows = [
        (row["OriginalValue"].lower().replace(" ", ""), row["RegionId"], row["RegionName"])
        for row in theirs(real_data, "azure_open_data/Regions.csv")
    ]
    shared = [row for row in rows if row[0] in known]
    assert len(shared) > 200
    ours = {(name, known[name]["region_id"], known[name]["region_name"]) for name, *_ in shared}
    # One that only staff of Azure sees, and one that is said of two countries there.
    assert {name for name, *_ in set(shared) - ours} == {"useast2euap", "chnorth"}
    # Not regions, not public, or not open: they keep the name that the bill gives them.
    unlisted = {"asiapacific", "australia", "azurestack", "japan", "singaporecentral", "southcentralusstg"}
    unlisted |= {"unitedstates", "usgovwyoming"}
    unlisted |= {"usseceast", "ussecwest", "ussecwestcentral"}
    assert {region for _, region, _ in rows} - set(known) == unlisted


def test_a_region_is_known_by_its_own_name() -> None:
    rows = table("azure_regions").values()
    assert {row["region_id"] for row in rows} - {row["location"] for row in rows} == set()


def test_the_key_of_a_unit_is_spelt_as_the_mapping_looks_it_up() -> None:
    with duckdb.connect() as connection:
        connection.execute(text("macros.sql"))
        for key in table("azure_units"):
            again = connection.execute("SELECT unit_key('1 ' || nullif(?, '-')), unit_key('1')", [key]).fetchone()
            assert again == (None if key == "-" else key, "-")


def test_what_no_table_knows_is_told_by_name(ledger: Ledger, tmp_path: Path) -> None:
    strange = {
        "meterCategory": "Brand New",
        "unitOfMeasure": "10 Widgets",
        "pricingModel": "Barter",
        "consumedService": "Brand.New",
        "ResourceId": "",
    }
    lines = [
        {**azure_bills.MCA, **strange},
        {**azure_bills.MCA, **strange, "publisherType": "Marketplace", "publisherName": "Somebody"},
        {**azure_bills.MCA, "meterCategory": "", "consumedService": "Brand.New", "ResourceId": ""},
        {**azure_bills.MCA, "chargeType": "Gift"},
    ]
    files = [write_csv(tmp_path / f"{role}.csv", lines) for role in ("actual", "amortized")]
    [run] = ledger.ingest(*files).document["runs"]
    told = {text: rows for text, rows in run["assumed"].items() if "in no table" in text}
    other = "resource providers that are in no table, of charges without a meter category, became Other: brand.new"
    assert told == {
        "meter categories that are in no table became the service of the resource, or Other: brand new": 2,
        other: 2,
        "units of measure that are in no table were kept as they are written: widgets": 4,
        "charge types that are in no table became Adjustments: gift": 2,
        "pricing models that are in no table became Other: barter": 4,
    }
