"""Bad FOCUS exports: each fault has its file, row, column and rule, and the ledger stays empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bills import Ledger
from tests.export_lines import Line
from tests.exports import changed, export, lines

BAD_VALUES = [
    ("BilledCost", "", "missing-value"),
    ("BilledCost", "NULL", "missing-value"),
    ("EffectiveCost", "", "missing-value"),
    ("EffectiveCost", "n/a", "missing-value"),
    ("BilledCost", "1,5", "decimal-comma"),
    ("BilledCost", "NaN", "not-a-number"),
    ("ListUnitPrice", "ten", "not-a-number"),
    ("ContractedCost", "1_000", "not-a-number"),
    ("EffectiveCost", "123456789012345678", "out-of-range"),
    ("ChargePeriodStart", "01/05/2026", "not-a-date-time"),
    ("ChargePeriodEnd", "2026-01-32T00:00:00Z", "not-a-date-time"),
    ("BillingPeriodStart", "infinity", "not-a-date-time"),
    ("ChargeCategory", "Usages", "not-allowed"),
    ("ChargeCategory", "usage", "not-allowed"),
    ("SkuPriceDetails", "{", "not-json"),
]


@pytest.mark.parametrize(("column", "value", "rule"), BAD_VALUES)
def test_a_bad_value_is_named_with_its_place(
    column: str, value: str, rule: str, ledger: Ledger, tmp_path: Path
) -> None:
    answer = ledger.ingest(export(tmp_path / "bill.csv", "aws_1_2", changed("aws_1_2", {column: value})))
    fault = answer.fault
    assert (answer.code, fault["rule"], fault["row"], fault["column"]) == (2, rule, 1, column)
    assert fault["file"].endswith("bill.csv") and fault["advice"]
    assert ledger.figures()["version"] is None


def test_all_bad_values_are_told_at_once(ledger: Ledger, tmp_path: Path) -> None:
    bad = {"BilledCost": "x", "EffectiveCost": "", "ChargePeriodStart": "soon"}
    faults = ledger.ingest(export(tmp_path / "bill.csv", "aws_1_2", changed("aws_1_2", bad))).document["faults"]
    assert {fault["column"] for fault in faults} == bad.keys()


def without(*names: str) -> list[Line]:
    return [{name: value for name, value in line.items() if name not in names} for line in lines("azure_1_0r2")]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_missing_columns_are_all_named(format: str, ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(export(tmp_path / f"bill.{format}", "azure_1_0r2", without("EffectiveCost", "ServiceName")))
    assert [(fault["rule"], fault["column"]) for fault in answer.document["faults"]] == [
        ("missing-column", "EffectiveCost"),
        ("missing-column", "ServiceName"),
    ]


def test_a_column_given_twice_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    path = export(tmp_path / "bill.csv", "aws_1_0")
    path.write_text(path.read_text(encoding="utf-8").replace("x_Operation", "BilledCost", 1), encoding="utf-8")
    assert ledger.ingest(path).fault["rule"] == "doubled-column"


def test_rows_of_no_known_cloud_are_refused_with_a_way_out(ledger: Ledger, tmp_path: Path) -> None:
    names = dict.fromkeys(("ProviderName", "PublisherName", "InvoiceIssuerName"), "Contoso")
    path = export(tmp_path / "bill.csv", "aws_1_0", changed("aws_1_0", names))
    fault = ledger.ingest(path).fault
    assert (fault["rule"], fault["row"], fault["column"]) == ("unknown-provider", 1, "ProviderName")
    assert "[entities]" in fault["advice"]
    ledger.config.write_text('[entities]\n"Contoso" = "AWS"\n', encoding="utf-8")
    assert ledger.ingest(path).outcomes == ["committed"]


def test_an_infinite_amount_in_parquet_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    path = export(tmp_path / "bill.parquet", "aws_1_2", changed("aws_1_2", {"BilledCost": "inf"}))
    assert ledger.ingest(path).fault["rule"] == "not-a-number"


def test_an_export_without_rows_is_not_a_bill_of_zero(ledger: Ledger, tmp_path: Path) -> None:
    path = export(tmp_path / "bill.csv", "aws_1_0")
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert ledger.ingest(path).fault["rule"] == "no-rows"
