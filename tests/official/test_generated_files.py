"""The generator's files are what they claim to be: conformant, in both versions and as text and Parquet alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gen.focus_rows import write_commitments, write_focus

ROWS = 1_250  # the last 50 are a block that the end cuts off
JOINED = "OWN-Join-001"


def reports(*paths: Path, version: str = "1.3") -> list[dict[str, list[dict[str, str]]]]:
    command = [str(Path(sys.executable).with_name("ledger")), "validate", *map(str, paths), "--focus", version]
    options = ["--applicability", "all", "--format", "json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, list[dict[str, str]]]] = json.loads(done.stdout)["reports"]
    return found


def rules(report: dict[str, list[dict[str, str]]], status: str) -> list[str]:
    return [verdict["rule"] for verdict in report["verdicts"] if verdict["status"] == status]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_no_rule_is_broken(tmp_path: Path, version: str, form: str) -> None:
    [report] = reports(write_focus(tmp_path / f"rows.{form}", ROWS, version, form), version=version)
    assert rules(report, "violated") == []
    assert len(rules(report, "passed")) > (400 if version == "1.3" else 300)


def test_the_commitments_are_those_that_the_rows_draw_on(tmp_path: Path) -> None:
    rows = write_focus(tmp_path / "rows.parquet", 8_000)
    found = reports(rows, write_commitments(tmp_path / "commitments.parquet"))
    assert [rules(report, "violated") for report in found] == [[], []]
    assert any(JOINED in rules(report, "passed") for report in found)


def test_a_commitment_that_is_not_there_is_told(tmp_path: Path) -> None:
    rows = write_focus(tmp_path / "rows.csv", ROWS, format="csv")
    other = write_commitments(tmp_path / "commitments.csv", "csv")
    other.write_text(other.read_text(encoding="utf-8").replace("commitment-001", "commitment-999"), encoding="utf-8")
    [costs] = [report for report in reports(rows, other) if JOINED in rules(report, "violated")]
    [verdict] = [verdict for verdict in costs["verdicts"] if verdict["rule"] == JOINED]
    assert int(verdict["violations"]) == 3  # of the block of a hundred rows that draws on this commitment
    assert "commitment-001" in str(verdict["examples"])


def test_without_commitments_the_rule_across_datasets_is_not_checkable(tmp_path: Path) -> None:
    [report] = reports(write_focus(tmp_path / "rows.csv", 200, format="csv"))
    assert JOINED in rules(report, "not checkable")
