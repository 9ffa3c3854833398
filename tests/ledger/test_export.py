"""An export: the spec's columns, the ledger's money to the last digit, metadata beside it, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from adapters.folder import FolderStore
from focus.metadata_links import check_metadata
from focus.profile import profile_columns
from focus.schema import ledger_types
from ledger.book import Book
from ledger.delivered import Total, difference
from ledger.delivery import Period
from ledger.export import own
from ledger.faults import Missing, Rejected
from tests.ledger.rows import JANUARY, columns, documents, exported, fill, names, read

FEBRUARY = Period(2026, 2)
EXACT = "-12345678901234.123456789012345678901234"
FORMATS = ("parquet", "csv", "csv.gz")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(FolderStore(tmp_path / "store"), ledger_types())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "it's an [export] ü"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_columns_are_the_versions_in_its_order(
    version: str, form: str, book: Book, tmp_path: Path, out: Path
) -> None:
    fill(book, tmp_path)
    listed = exported(book, out, version=version, format=form)
    header, rows = read(out, listed)
    spec = [column.name for column in profile_columns(version) if not column.name.startswith("x_")]
    assert header[: len(spec)] == spec
    assert len(spec) == {"1.2": 57, "1.3": 65}[version]
    assert all(name.startswith("x_") for name in header[len(spec) :])
    assert "x_SourceColumns" not in header
    assert len(rows) == 1
    assert check_metadata(documents(out), version, header) == []


def test_custom_columns_may_be_left_out(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path, {"x_SourceColumns": '{"x_Discount":"1"}'})
    header, _ = read(out, exported(book, out, custom=False))
    assert header == [column.name for column in profile_columns("1.3") if not column.name.startswith("x_")]
    assert check_metadata(documents(out), header=header) == []


@pytest.mark.parametrize("form", FORMATS)
def test_money_is_the_ledgers_to_the_last_digit(form: str, book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path, {"BilledCost": EXACT, "EffectiveCost": "0.000000000000000000000001"}, {"BilledCost": "100"})
    listed = exported(book, out, format=form)
    found = columns(out, listed, "BilledCost", "EffectiveCost")
    assert sorted((Decimal(billed), Decimal(effective)) for billed, effective in found) == [
        (Decimal(EXACT), Decimal("1e-24")),
        (Decimal(100), Decimal(1)),
    ]
    [total] = listed["totals"]
    assert total == {
        "currency": "USD",
        "rows": 2,
        "billed": "-12345678901134.123456789012345678901234",
        "effective": "1.000000000000000000000001",
    }


def test_parquet_has_decimals_and_instants(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    [file] = exported(book, out)["files"]
    described = duckdb.execute(f"DESCRIBE FROM read_parquet('{str(out / file['path']).replace(chr(39), chr(39) * 2)}')")
    kinds = {row[0]: row[1] for row in described.fetchall()}
    assert (kinds["BilledCost"], kinds["ChargePeriodStart"]) == ("DECIMAL(38,24)", "TIMESTAMP WITH TIME ZONE")
    assert kinds["Tags"] == kinds["x_SourceName"] == "VARCHAR"


def test_csv_is_written_in_the_formats_of_focus(book: Book, tmp_path: Path, out: Path) -> None:
    fill(
        book,
        tmp_path,
        {
            "BilledCost": "10.50",
            "EffectiveCost": "0",
            "ListCost": "100",
            "Tags": '{"a":"b,\\"c\\"\\n"}',
            "RegionId": "",
        },
    )
    listed = exported(book, out, format="csv")
    [row] = columns(out, listed, "BilledCost", "EffectiveCost", "ListCost", "ChargePeriodStart", "Tags", "InvoiceId")
    assert row == ("10.5", "0", "100", "2026-01-05T00:00:00Z", '{"a":"b,\\"c\\"\\n"}', None)
    text = (out / listed["files"][0]["path"]).read_text(encoding="utf-8")
    assert "E-" not in text and "NULL" not in text
    assert text.splitlines()[0].startswith("AllocatedMethodId,AllocatedMethodDetails,")


def test_gzip_holds_the_same_text(book: Book, tmp_path: Path) -> None:
    fill(book, tmp_path)
    plain, packed = (exported(book, tmp_path / form, format=form) for form in ("csv", "csv.gz"))
    text = (tmp_path / "csv" / plain["files"][0]["path"]).read_bytes()
    assert gzip.decompress((tmp_path / "csv.gz" / packed["files"][0]["path"]).read_bytes()) == text


def test_a_folder_per_source_and_month_and_one_list_of_all_files(book: Book, tmp_path: Path, out: Path) -> None:
    for source in ("one", "two"):
        fill(book, tmp_path, source=source)
    fill(book, tmp_path, {}, {}, source="two", period=FEBRUARY)
    listed = exported(book, out)
    assert [(file["path"], file["rows"]) for file in listed["files"]] == [
        ("CostAndUsage/one/2026-01/part-00001.parquet", 1),
        ("CostAndUsage/two/2026-01/part-00001.parquet", 1),
        ("CostAndUsage/two/2026-02/part-00001.parquet", 2),
    ]
    assert names(out) == sorted(
        [
            *(file["path"] for file in listed["files"]),
            "export.json",
            *(f"metadata/{name}.json" for name in ("data_generator", "dataset_instance", "recency", "schema")),
        ]
    )
    assert json.loads((out / "export.json").read_text(encoding="utf-8")) == listed
    for file in listed["files"]:
        body = (out / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert set(columns(out, listed, "x_SourceName", "x_BillingPeriod")) == {
        *(("one", "2026-01"), ("two", "2026-01"), ("two", "2026-02"))
    }


def test_what_is_big_is_split_and_still_adds_up(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path, *({"BilledCost": f"{number}.01", "Tags": "{}" * 600} for number in range(3)), times=1000)
    listed = exported(book, out, format="csv", file_size="1MB")
    paths = [file["path"] for file in listed["files"]]
    assert len(paths) > 1
    assert paths == [f"CostAndUsage/mine/2026-01/part-{number:05d}.csv" for number in range(1, len(paths) + 1)]
    assert sum(file["rows"] for file in listed["files"]) == 3000
    assert sum(Decimal(amount) for (amount,) in columns(out, listed, "BilledCost")) == Decimal("3030.00")
    assert listed["totals"][0]["billed"] == "3030.00"


def test_each_file_is_traced_to_its_schema_and_instance(book: Book, tmp_path: Path, out: Path) -> None:
    for source in ("one", "two"):
        fill(book, tmp_path, source=source)
    listed, found = exported(book, out), documents(out)
    instances = {one["DatasetInstanceId"]: one["DatasetInstanceName"] for one in found["DatasetInstance"]}
    schemas = {one["SchemaId"]: one["DatasetInstanceId"] for one in found["Schema"]}
    assert sorted(instances.values()) == ["one: CostAndUsage", "two: CostAndUsage"]
    for file in listed["files"]:
        assert schemas[file["SchemaId"]] == file["DatasetInstanceId"]
        assert instances[file["DatasetInstanceId"]].startswith(file["source"])


def test_what_was_not_asked_for_is_not_there(book: Book, tmp_path: Path, out: Path) -> None:
    for source in ("one", "two", "three"):
        for period in (JANUARY, FEBRUARY):
            fill(book, tmp_path, source=source, period=period)
    listed = exported(book, out, sources=("one", "three"), periods=(FEBRUARY,))
    assert [(file["source"], file["period"]) for file in listed["files"]] == [("one", "2026-02"), ("three", "2026-02")]
    assert len(documents(out)["DatasetInstance"]) == 2


@pytest.mark.parametrize("asked", [{}, {"sources": ("other",)}, {"periods": (FEBRUARY,)}])
def test_no_rows_is_told_and_nothing_is_written(asked: dict[str, Any], book: Book, tmp_path: Path, out: Path) -> None:
    if asked:
        fill(book, tmp_path)
    with pytest.raises(Rejected) as refused:
        exported(book, out, **asked)
    [fault] = refused.value.faults
    assert fault.rule == "export-empty"
    assert all(str(value) in fault.message for values in asked.values() for value in values)
    assert not out.exists()


def test_a_dataset_that_the_version_does_not_have_is_told(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path)
    with pytest.raises(Rejected, match=r"FOCUS 1\.2 has no dataset ContractCommitment"):
        exported(book, out, version="1.2", dataset="ContractCommitment")
    assert not out.exists()


def test_an_earlier_version_of_the_ledger_can_be_exported(book: Book, tmp_path: Path, out: Path) -> None:
    first = fill(book, tmp_path, {"BilledCost": "1"})
    fill(book, tmp_path, {"BilledCost": "2"})
    assert [one["billed"] for one in exported(book, out, as_of=first)["totals"]] == ["1.00"]
    assert [one["billed"] for one in exported(book, out)["totals"]] == ["2.00"]
    with pytest.raises(Missing):
        exported(book, out, as_of=99)


def test_the_sources_own_columns_become_columns(book: Book, tmp_path: Path, out: Path) -> None:
    fill(
        book,
        tmp_path,
        {"x_SourceColumns": '{"x_Discounts":{"edp":1},"x_ServiceCode":"theirs","note/~\\"":"n","x_Null":null}'},
        {"x_SourceColumns": '{"x_discounts":"lower","x_Only":5}'},
        {},
    )
    listed = exported(book, out)
    header, _ = read(out, listed)
    spread = header[header.index("x_BillingPeriod") + 1 :]
    assert spread == ['x_note/~"', "x_Discounts", "x_Null", "x_Only", "x_ServiceCode_2", "x_discounts_2"]
    found = set(columns(out, listed, *spread[:2], "x_Only", "x_ServiceCode_2", "x_discounts_2", "x_ServiceCode"))
    assert found == {
        ("n", '{"edp":1}', None, "theirs", None, "AmazonEC2"),
        (None, None, "5", None, "lower", "AmazonEC2"),
        (None, None, None, None, None, "AmazonEC2"),
    }
    assert check_metadata(documents(out), header=header) == []


def test_days_are_complete_once_their_month_has_settled(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path, written=datetime(2026, 2, 10, tzinfo=UTC))
    fill(book, tmp_path, source="settled", written=datetime(2026, 2, 16, tzinfo=UTC))

    def told(**asked: Any) -> dict[str, bool]:
        exported(book, out, **asked)
        found = documents(out)
        named = {one["DatasetInstanceId"]: one["DatasetInstanceName"] for one in found["DatasetInstance"]}
        return {
            named[one["DatasetInstanceId"]].split(":")[0]: one["TimeSectors"][0]["TimeSectorComplete"]
            for one in found["Recency"]
        }

    assert told() == {"mine": False, "settled": True}
    assert told(settled_after=timedelta(days=5)) == {"mine": True, "settled": True}
    recency = documents(out)["Recency"][0]
    assert recency["DatasetInstanceLastUpdated"] == "2026-02-10T00:00:00Z"
    assert recency["RecencyLastUpdated"] == "2026-02-20T12:00:00Z"
    assert [sector["TimeSectorStart"] for sector in recency["TimeSectors"]] == ["2026-01-05T00:00:00Z"]


def test_files_that_do_not_hold_the_ledgers_money_are_refused() -> None:
    held = [Total("USD", 2, Decimal("1.10"), Decimal(1))]
    assert difference("mine", JANUARY, held, list(held)) == []
    for wrong in (
        [],
        [Total("USD", 3, Decimal("1.10"), Decimal(1))],
        [Total("USD", 2, Decimal("1.100000000000000000000001"), Decimal(1))],
        [Total("USD", 2, Decimal("1.10"), Decimal("0.99"))],
        [Total("EUR", 2, Decimal("1.10"), Decimal(1))],
    ):
        [fault] = difference("mine", JANUARY, held, wrong)
        assert (fault.rule, "1.10" in fault.message) == ("export-balance", True)


def test_currencies_are_told_apart(book: Book, tmp_path: Path, out: Path) -> None:
    fill(book, tmp_path, {"BilledCost": "1"}, {"BilledCost": "2", "BillingCurrency": "EUR"})
    assert [(one["currency"], one["billed"]) for one in exported(book, out)["totals"]] == [
        ("EUR", "2.00"),
        ("USD", "1.00"),
    ]


def test_the_generator_knows_its_own_name() -> None:
    assert own().name == "focus-governance-ledger"
