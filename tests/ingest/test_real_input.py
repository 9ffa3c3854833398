"""Real bills, to the last digit; those of no known shape are refused clearly."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.bills import Ledger


def test_a_real_month_of_a_legacy_report(ledger: Ledger, real_data: Path) -> None:
    [run] = ledger.ingest(real_data / "aws/cur_legacy_2018-10.snappy.parquet").document["runs"]
    [line] = run["balances"]
    assert (run["outcome"], run["raw_rows"], run["mapped_rows"]) == ("committed", 119307, 119310)
    assert Decimal(line["raw"]) == Decimal(line["mapped"]) == Decimal("4064.4831315379")
    assert Decimal(line["rounded"]) == Decimal(run["rounded_rows"]) == 0
    assert ledger.total() == "4064.4831315379"


def test_its_reservations_are_amortised_as_measured(ledger: Ledger, real_data: Path) -> None:
    import duckdb

    import wiring

    ledger.ingest(real_data / "aws/cur_legacy_2018-10.snappy.parquet")
    book = wiring.book(wiring.store(ledger.store, {}))
    status = (
        "SELECT CommitmentDiscountStatus, sum(EffectiveCost), sum(BilledCost) FROM ({}) WHERE {} GROUP BY 1 ORDER BY 1"
    )
    where = "CommitmentDiscountStatus IS NOT NULL"
    rows = duckdb.execute(status.format(book.relation_sql(book.files()), where)).fetchall()
    assert rows == [("Unused", Decimal("48.99556079"), 0), ("Used", Decimal("232.25379599"), 0)]


def test_a_real_legacy_report_as_text_with_its_tax_rows(ledger: Ledger, real_data: Path) -> None:
    [run] = ledger.ingest(real_data / "aws/cur_legacy_csv_2023-11_even.csv").document["runs"]
    [line] = run["balances"]
    assert (run["shape"], run["outcome"], run["raw_rows"], run["mapped_rows"]) == (
        *("aws_cur_legacy_csv", "committed"),
        *(641, 641),
    )
    assert Decimal(line["raw"]) == Decimal(line["mapped"]) == Decimal("0.8845741801")
    assert run["conformance"]["broken"] == [] or all(not rule["ours"] for rule in run["conformance"]["broken"])


def test_a_real_actual_file_alone(ledger: Ledger, real_data: Path) -> None:
    path = real_data / "azure/ea_actual_2023-09.csv"
    assert ledger.ingest(path).outcomes == ["waiting"]
    assert ledger.ingest(path, "--basis", "actual").outcomes == ["committed"]
    assert ledger.total() == "8.5450077867419368"


def test_real_files_of_different_scopes_do_not_pair(ledger: Ledger, real_data: Path) -> None:
    pair = [real_data / f"azure/{name}.csv" for name in ("ea_actual_2023-09", "ea_amortized_2023-09_even")]
    answer = ledger.ingest(*pair)
    assert (answer.code, answer.fault["rule"]) == (2, "unpaired")
    assert ledger.figures()["version"] is None


UNKNOWN = [
    "azure/export_anonymised_2021-02.csv",
    "azure/mca_camel_2023-08_even.csv",
    "azure/header_variants/Enterprise.csv",
    "azure/header_variants/EnterpriseCamel.csv",
    "azure/header_variants/PayAsYouGo.csv",
    "snowflake/usage_statement_lines_a.csv",
    "origin/AWS_FOCUS_Sample.csv",
    "origin/Logic-App-Workflow.json",
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_other_real_files_are_refused_or_taken_never_broken(name: str, ledger: Ledger, real_data: Path) -> None:
    answer = ledger.ingest(real_data / name)
    assert "Traceback" not in answer.errors
    if answer.code:
        assert answer.code == 2
        assert all(fault["file"] and fault["advice"] for fault in answer.document["faults"])
        assert ledger.figures()["version"] is None
    else:
        assert answer.outcomes == ["committed" if "PayAsYouGo" in name else "waiting"]  # which comes as one file
