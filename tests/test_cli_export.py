"""`ledger export` from end to end: the samples as FOCUS 1.2 and 1.3, and every refusal with its exit code."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
from focus.metadata_links import check_metadata
from focus.profile import profile_columns
from focus.schema import columns
from ledger.metadata_files import metadata_beside
from tests.bills import cur2
from tests.commitment_lines import RI_FEE, RI_USED, SP_FEE, SP_USED
from tests.ledger.rows import documents

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("--config", str(ROOT / "ledger.toml"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with the three samples."""
    place = str(tmp_path_factory.mktemp("ledger") / "store")
    assert cli.main(["ingest", str(ROOT / "samples"), "--json", "--store", place, *WORDS]) == 0
    return place


def export(out: Path, store: str, capsys: pytest.CaptureFixture[str], *extra: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = cli.main(["export", str(out), *extra, "--json", "--store", store, *WORDS])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_samples_leave_as_they_came_in(
    version: str, form: str, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, listed = export(tmp_path / "out", store, capsys, "--focus", version, "--format", form)
    assert code == 0
    assert [(one["currency"], one["billed"], one["rows"]) for one in listed["totals"]] == [("USD", "336.50", 251)]
    paths = [str(tmp_path / "out" / file["path"]) for file in listed["files"]]
    reader = "read_parquet($1)" if form == "parquet" else "read_csv($1, all_varchar = true, header = true)"
    header = [row[0] for row in duckdb.execute(f"DESCRIBE FROM {reader}", [paths]).fetchall()]
    spec = [column.name for column in profile_columns(version) if not column.name.startswith("x_")]
    assert header[: len(spec)] == spec
    [total] = duckdb.execute(f"SELECT sum(CAST(BilledCost AS DECIMAL(38,24))) FROM {reader}", [paths]).fetchall()
    assert total == (Decimal("336.50"),)
    found = metadata_beside(tmp_path / "out")
    assert found and check_metadata(found, version, header) == []


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz"])
def test_an_export_of_the_samples_conforms_to_1_3(form: str, store: str, tmp_path: Path) -> None:
    words = ["--json", "--store", store, *WORDS]
    assert cli.main(["export", str(tmp_path / "out"), "--format", form, *words]) == 0
    assert cli.main(["validate", str(tmp_path / "out"), "--focus", "1.3", *WORDS]) == 0


def test_parts_can_be_chosen(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--source",
        "aws-example",
        "--source",
        "azure-example",
        "--period",
        "2026-01",
        "--no-custom",
        "--as-of",
        "3",
    ]
    code, listed = export(tmp_path / "out", store, capsys, *words)
    assert (code, [file["source"] for file in listed["files"]]) == (0, ["aws-example", "azure-example"])
    assert listed["totals"][0]["billed"] == "81.50"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--dataset", "ContractCommitment"], "ContractCommitment"),
        (["--source", "nobody"], "nobody"),
        (["--period", "2030-01"], "2030-01"),
        (["--as-of", "99"], "99"),
    ],
)
def test_what_cannot_be_exported_ends_with_2_and_writes_nothing(
    extra: list[str], said: str, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = export(tmp_path / "out", store, capsys, *extra)
    assert code == 2
    assert said in json.dumps(answer)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger with a reservation and a savings plan, billed in two months; the plan is in the second bill only."""
    folder = tmp_path_factory.mktemp("commitments")
    february = {"bill_billing_period_start_date": datetime(2026, 2, 1)}
    cur2(folder / "january.parquet", {**RI_FEE, "reservation_upfront_value": 1.0}, RI_USED)
    cur2(folder / "february.parquet", *({**line, **february} for line in (RI_FEE, SP_FEE, SP_USED)))
    place = str(folder / "store")
    for name in ("january", "february"):
        assert cli.main(["ingest", str(folder / f"{name}.parquet"), "--json", "--store", place, *WORDS]) == 0
    return place


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz"])
def test_commitments_are_delivered_once_each_with_their_metadata(
    form: str, committed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code, listed = export(out, committed, capsys, "--dataset", "ContractCommitment", "--format", form)
    assert code == 0
    [file] = listed["files"]
    assert (file["path"], file["rows"]) == (f"ContractCommitment/aws-example/part-00001.{form}", 2)
    cost = Decimal(500) + Decimal("0.1") * 17520 + Decimal("1.25") * 8760
    [total] = listed["totals"]
    assert [Decimal(total[name]) for name in ("committed_cost", "committed_quantity")] == [cost, 17520]
    [recency] = documents(out)["Recency"]
    assert recency["DatasetInstanceComplete"] is True
    reader = "read_parquet($1)" if form == "parquet" else "read_csv($1, all_varchar = true, header = true)"
    header = [row[0] for row in duckdb.execute(f"DESCRIBE FROM {reader}", [str(out / file["path"])]).fetchall()]
    assert header == [*(column.name for column in columns("ContractCommitment")), "x_SourceName", "x_BillingPeriod"]
    assert check_metadata(documents(out), "1.3", header) == []
    assert cli.main(["validate", str(out), *WORDS]) == 0


def test_an_export_of_commitments_may_be_of_one_month(
    committed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataset", "ContractCommitment", "--period", "2026-01", "--no-custom"]
    code, listed = export(tmp_path / "out", committed, capsys, *words)
    assert (code, listed["files"][0]["rows"]) == (0, 1)
    assert Decimal(listed["totals"][0]["committed_cost"]) == 1 + Decimal("0.1") * 17520
    path = str(tmp_path / "out" / listed["files"][0]["path"])
    header = [row[0] for row in duckdb.execute("DESCRIBE FROM read_parquet($1)", [path]).fetchall()]
    assert header == [column.name for column in columns("ContractCommitment")]


def test_cost_rows_and_commitments_join_where_both_are_delivered(
    committed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for dataset in ("CostAndUsage", "ContractCommitment"):
        assert export(tmp_path / "both" / dataset, committed, capsys, "--dataset", dataset)[0] == 0
    assert cli.main(["validate", str(tmp_path / "both"), "--json", *WORDS]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    told = {verdict["rule"]: verdict for report in reports for verdict in report["verdicts"]}
    assert (told["OWN-Join-001"]["status"], told["OWN-Join-001"]["rows_in_scope"]) == ("passed", 2)


@pytest.mark.parametrize("words", [["--focus", "1.2"], ["--source", "nobody"], ["--as-of", "0"]])
def test_commitments_that_cannot_be_exported_end_with_2(
    words: list[str], committed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = export(tmp_path / "out", committed, capsys, "--dataset", "ContractCommitment", *words)
    assert (code, not (tmp_path / "out").exists()) == (2, True)
    assert "ContractCommitment" in answer["faults"][0]["message"]


def test_people_see_commitments_in_the_summary_and_the_export(
    committed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--store", committed, *WORDS]
    assert cli.main(["export", str(tmp_path / "out"), "--dataset", "ContractCommitment", *words]) == 0
    assert "17520.00 committed quantity, 2 rows" in capsys.readouterr().out
    assert cli.main(["summary", *words]) == 0
    assert "commitments: 1 of type Reserved Instance, 1 of type Savings Plan" in capsys.readouterr().out


def test_an_empty_ledger_has_nothing_to_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = export(tmp_path / "out", str(tmp_path / "empty"), capsys)
    assert (code, answer["faults"][0]["rule"]) == (2, "export-empty")


def test_a_folder_of_other_things_ends_with_2(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, answer = export(tmp_path, store, capsys)
    assert (code, answer["faults"][0]["rule"]) == (2, "export-place")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "words",
    [
        ["export"],
        ["export", "x", "--focus", "1.1"],
        ["export", "x", "--format", "xlsx"],
        ["export", "x", "--period", "January"],
        ["export", "x", "--as-of", "-1"],
        ["export", "x", "--settled-after", "soon"],
    ],
)
def test_bad_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2


def test_people_see_what_was_written(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", str(tmp_path / "out"), "--focus", "1.2", "--store", store, *WORDS]) == 0
    shown = capsys.readouterr()
    assert "336.50 billed" in shown.out and "FOCUS 1.2" in shown.out
    assert "aws-example 2026-01" in shown.err and "publish" in shown.err
