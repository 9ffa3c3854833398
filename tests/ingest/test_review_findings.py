"""Files whose names and types once led ledger validate astray."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

import cli
from focus.report import VIOLATED, Report
from ingest.staging import LocalFile
from ingest.validation import Wish, validate_files


def validated(folder: Path, *selects: str) -> Report:
    """The report on one Parquet file per SELECT."""
    connection = duckdb.connect(config={"threads": 1})
    work = folder / "work"
    work.mkdir()
    files = []
    for index, select in enumerate(selects):
        path = folder / f"part{index}.parquet"
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        files.append(LocalFile(path, path.name, named=True))
    [report] = validate_files(connection, files, Wish(), work, lambda _event, _fields: None)
    return report


def broken(report: Report, start: str) -> list[str]:
    return [one.rule for one in report.verdicts if one.status == VIOLATED and one.rule.startswith(start)]


def test_tags_in_a_map_are_the_json_they_stand_for(tmp_path: Path) -> None:
    report = validated(tmp_path, "SELECT 1.5::DECIMAL(18, 2) AS BilledCost, MAP {'a': 'b'} AS Tags")
    assert broken(report, "CAU-Tags") + broken(report, "KeyValueFormat") == []


def test_parts_of_different_types_are_as_sound_together_as_alone(tmp_path: Path) -> None:
    report = validated(
        tmp_path,
        "SELECT 0.5::DECIMAL(18, 2) AS BilledCost, MAP {'a': 'b'} AS Tags, TIMESTAMP '2024-01-01' AS ChargePeriodStart",
        """SELECT 1e-9::DOUBLE AS BilledCost, '{"a":"b"}' AS Tags,
        TIMESTAMPTZ '2024-01-01 00:00:00+00' AS ChargePeriodStart""",
    )
    starts = ("CAU-Tags", "KeyValueFormat", "CAU-ChargePeriodStart-C-002", "DateTimeFormat", "CAU-BilledCost-C-002")
    assert [rule for start in starts for rule in broken(report, start)] == []


@pytest.mark.parametrize("name", ["#file", "#row", "filename", "File_Row_Number"])
def test_a_column_cannot_hide_where_a_row_stands(tmp_path: Path, name: str) -> None:
    report = validated(
        tmp_path, f"SELECT 'USD' AS BillingCurrency, 7 AS \"{name}\" UNION ALL SELECT 'US', 8 ORDER BY 2"
    )
    [found] = [one for one in report.verdicts if one.rule == "CAU-BillingCurrency-C-006-M"]
    assert [(one.file, one.row) for one in found.examples] == [("part0.parquet", 2)]


def test_a_column_in_the_wrong_case_is_not_read_for_the_right_one(tmp_path: Path) -> None:
    report = validated(tmp_path, "SELECT 1 AS BilledCost", "SELECT 2 AS billedcost")
    assert broken(report, "CAU-BilledCost-C-003") == ["CAU-BilledCost-C-003-M"]


def test_rare_column_types_are_findings_and_no_failure(tmp_path: Path) -> None:
    report = validated(
        tmp_path,
        "SELECT true AS BilledCost, uuid() AS SkuId, TIMESTAMP '2024-01-01' AS ChargePeriodStart,"
        " TIMESTAMP_NS '2024-01-02' AS ChargePeriodEnd, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS BillingPeriodStart",
    )
    assert broken(report, "CAU-BilledCost-C-001") == ["CAU-BilledCost-C-001-M"]
    assert broken(report, "OWN-ChargePeriod") == []


def test_a_folder_without_data_is_no_conformant_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", str(tmp_path), "--format", "json"]) == 2
    assert "no-data" in capsys.readouterr().out


def test_a_column_that_one_of_the_parts_lacks_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, columns in (("a", "'1' AS BilledCost, 'x' AS BillingAccountId"), ("b", "'1' AS BilledCost")):
        duckdb.sql(f"COPY (SELECT {columns}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
    cli.main(["validate", str(tmp_path), "--format", "json"])
    [report] = json.loads(capsys.readouterr().out)["reports"]
    [presence] = [one for one in report["verdicts"] if one["rule"] == "CAU-CostAndUsage-D-024-M"]
    assert presence["status"] == "violated"


def test_sums_beyond_the_decimals_of_money_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = "SELECT 'c' AS CommitmentDiscountId, 'Usage' AS ChargeCategory, 'Used' AS CommitmentDiscountStatus"
    amounts = "99999999999999::DECIMAL(38, 24) AS EffectiveCost, 1::DECIMAL(38, 24) AS BilledCost FROM range(30)"
    duckdb.sql(f"COPY ({row}, {amounts}) TO '{tmp_path / 'a.parquet'}' (FORMAT parquet)")
    assert cli.main(["validate", str(tmp_path / "a.parquet"), "--format", "json"]) == 1
    [report] = json.loads(capsys.readouterr().out)["reports"]
    [summed] = [one for one in report["verdicts"] if one["rule"] == "CAU-EffectiveCost-C-013-C"]
    assert summed["status"] == "passed"


def test_a_group_rule_says_nothing_of_a_column_that_is_not_there(tmp_path: Path) -> None:
    report = validated(tmp_path, "SELECT 'a' AS ServiceName, 'Compute' AS ServiceCategory")
    [verdict] = [one for one in report.verdicts if one.rule == "CAU-ServiceName-C-008-C"]
    assert (verdict.status, verdict.reason) == ("not applicable", "there is no column ServiceSubcategory")
