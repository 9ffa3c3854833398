"""`ledger validate`: exit codes, formats, and what a person may ask for."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import cli
from tests.focus_files import as_csv, spoilt, table, validate, write_csv

Capsys = pytest.CaptureFixture[str]
Table = list[list[str]]
HOSTILE = '<script src="http://evil.example/x.js">&amp;</script>\x1b]]>'


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return table(tmp_path_factory.mktemp("sound"), rows=100)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, sound: Table) -> Path:
    """Three rows whose category is markup."""
    cells = {(row, "ChargeCategory"): HOSTILE for row in (3, 5, 8)}
    return write_csv(tmp_path_factory.mktemp("hostile") / "a.csv", spoilt(sound, cells))


def printed(capsys: Capsys, path: Path, form: str) -> str:
    capsys.readouterr()
    assert cli.main(["validate", str(path), "--format", form]) == 1
    return capsys.readouterr().out


def test_the_text_names_rule_file_row_and_value(capsys: Capsys, hostile: Path) -> None:
    told = printed(capsys, hostile, "text")
    assert "CostAndUsage against FOCUS 1.3: NOT conformant" in told
    assert "CAU-ChargeCategory-C-003-M" in told
    assert f"{hostile} row 3: ChargeCategory = " in told
    assert "\x1b" not in told


def test_junit_is_xml_whose_counts_are_those_of_its_cases(capsys: Capsys, hostile: Path) -> None:
    [suite] = ET.fromstring(printed(capsys, hostile, "junit"))
    cases = {case.get("name"): case for case in suite}
    assert int(suite.get("tests", "0")) == len(cases)
    assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure")) > 0
    assert int(suite.get("skipped", "0")) == len(suite.findall("testcase/skipped")) > 0
    failure = cases["CAU-ChargeCategory-C-003-M"].find("failure")
    assert failure is not None
    assert "row 3" in (failure.text or "")
    assert "<script src=" in (failure.text or "")


def test_the_page_escapes_values_and_fetches_nothing(capsys: Capsys, hostile: Path) -> None:
    page = printed(capsys, hostile, "html")
    assert "<script" not in page
    assert "&lt;script" in page
    for fetching in ("src=h", 'src="', "href=", "url(", "@import", "<link", "<iframe", "<img"):
        assert fetching not in page


@pytest.mark.parametrize("count", [0, 1])
def test_no_more_places_are_shown_than_asked_for(capsys: Capsys, hostile: Path, count: int) -> None:
    found = validate(capsys, hostile, "--max-examples", count)
    verdict = found.verdicts["CAU-ChargeCategory-C-003-M"]
    assert (found.code, verdict["violations"], len(verdict["examples"])) == (1, 3, count)
    assert all(len(one["examples"]) <= count for one in found.verdicts.values())


def test_criteria_decide_which_rules_are_evaluated(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    path = write_csv(tmp_path / "a.csv", sound)
    every, none = (validate(capsys, path, "--applicability", which) for which in ("all", "none"))
    wanted = next(one["reason"] for one in none.verdicts.values() if one["reason"].endswith(" does not hold"))
    some = validate(capsys, path, "--applicability", wanted.removesuffix(" does not hold").replace(" ", ""))
    skipped = [
        sum(verdict["reason"].endswith(" does not hold") for verdict in found.verdicts.values())
        for found in (none, some, every)
    ]
    assert skipped[0] > skipped[1] > skipped[2] == 0


def test_an_unknown_criterion_is_refused_by_name(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    found = validate(capsys, write_csv(tmp_path / "a.csv", sound), "--applicability", "MOON_PHASES")
    assert found.code == 2
    assert "MOON_PHASES" in found.err


def test_a_file_of_version_1_2_conforms_to_1_2_and_not_to_1_3(tmp_path: Path, capsys: Capsys) -> None:
    path = write_csv(tmp_path / "a.csv", table(tmp_path, "1.2", rows=100))
    older, newer = validate(capsys, path, "--focus", "1.2"), validate(capsys, path)
    assert (older.code, older.broken) == (0, set())
    missing = [one["values"]["column"] for rule in newer.broken for one in newer.verdicts[rule]["examples"]]
    assert newer.code == 1
    assert "ServiceProviderName" in missing


def test_what_is_not_there_is_refused(tmp_path: Path, capsys: Capsys) -> None:
    assert validate(capsys, tmp_path / "nothing.csv").code == 2
    assert validate(capsys, tmp_path).code == 2


def test_json_on_standard_output_is_all_there_is(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    (tmp_path / "a.csv").write_text(as_csv(sound), encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["validate", str(tmp_path), "--format", "json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["reports"][0]["rows"] == 100
    assert told.err == ""
