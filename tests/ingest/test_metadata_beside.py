"""What lies beside the data is part of the report; together the reports name every rule there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cli
from bench.gen.focus_rows import write_commitments, write_focus
from focus.data import load
from focus.versions import rule_entries

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The samples, ingested and exported."""
    config = tmp_path / "ledger.toml"
    config.write_text("", encoding="utf-8")
    settings = ["--store", str(tmp_path / "store"), "--config", str(config)]
    assert cli.main(["ingest", str(SAMPLES), *settings]) == 0
    assert cli.main(["export", str(tmp_path / "out"), *settings]) == 0
    return tmp_path / "out"


def verdicts(*paths: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    cli.main(["validate", *map(str, paths), "--format", "json"])
    reports = json.loads(capsys.readouterr().out)["reports"]
    return {one["rule"]: one for report in reports for one in report["verdicts"]}


def test_documents_of_an_export_pass_and_a_fault_in_them_is_found(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = verdicts(export, capsys=capsys)
    assert {one["status"] for rule, one in found.items() if rule.startswith("META-")} == {"passed"}
    schema = export / "metadata/schema.json"
    schema.write_text(schema.read_text(encoding="utf-8").replace('"FocusVersion"', '"FocusVersoin"'), encoding="utf-8")
    broken = verdicts(export, capsys=capsys)["META-Schema-FocusVersion"]
    assert (broken["status"], broken["keyword"]) == ("violated", "MUST")
    assert broken["examples"]


def test_without_documents_their_rules_are_not_checkable(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (export / "metadata").rename(export.parent / "elsewhere")
    found = verdicts(export, capsys=capsys)
    assert {one["status"] for rule, one in found.items() if rule.startswith("META-")} == {"not checkable"}


def test_reports_over_both_datasets_name_every_rule_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_focus(tmp_path / "rows.parquet", 100, "1.3", "parquet")
    write_commitments(tmp_path / "commitments.parquet")
    named = set(verdicts(tmp_path, capsys=capsys))
    own = {entry["id"] for entry in load("checks-1.3.json")["own"]} | {
        e["id"] for e in load("file-rules.json")["rules"]
    }
    assert named == {entry["id"] for entry in rule_entries("1.3")} | own
    assert len(named - own) == 519
