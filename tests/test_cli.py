"""The terminal's contract: exit codes, one document, refusals that leave the ledger alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from tests.bills import Ledger, cur2, snowflake

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.toml"
    path.write_text("", encoding="utf-8")
    return path


@pytest.fixture
def ledger(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> Ledger:
    return Ledger(str(tmp_path / "store"), config, capsys)


def test_the_samples_give_the_reference_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(str(tmp_path / "store"), ROOT / "ledger.toml", capsys)
    answer = ledger.ingest(SAMPLES)
    assert (answer.code, answer.outcomes) == (0, ["committed"] * 3)
    assert answer.document["ignored"] == [str(SAMPLES / name) for name in ("README.md", "alerts/budget-alert.json")]
    block = ledger.figures()["currencies"]["USD"]

    def lines(name: str) -> dict[str, str]:
        return {entry["name"]: entry["cost"] for entry in block[name]}

    assert list(ledger.figures()["currencies"]) == ["USD"]
    assert block["total"] == "336.50"
    assert lines("by_provider") == {"Snowflake": "255.00", "AWS": "80.65", "Azure": "0.85"}
    assert block["by_provider"][0]["percent"] == "75.78"
    assert lines("by_environment") == {"Production": "317.15", "Development": "19.35"}
    assert list(lines("by_service_code").items()) == [
        ("Snowflake", "255.00"),
        ("AmazonEC2", "50.00"),
        ("AmazonRDS", "18.50"),
        ("AmazonS3", "12.15"),
        ("Virtual Machines", "0.75"),
        ("Storage", "0.08"),
        ("Virtual Network", "0.02"),
    ]
    assert ledger.ingest(SAMPLES).outcomes == ["unchanged"] * 3


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        (["--period", "2026-02"], "period"),
        (["--provider", "aws"], "provider"),
        (["--source", "dollars"], "currency"),
        (["--source", "amazon"], "provider"),
        (["--source", "../../evil"], "source-name"),
        (["--source", "Upper Case"], "source-name"),
        (["--source", "x" * 64], "source-name"),
    ],
)
def test_a_bill_that_is_not_what_was_asked_for_is_refused(
    extra: list[str], rule: str, ledger: Ledger, config: Path, tmp_path: Path
) -> None:
    config.write_text(
        '[sources.dollars]\nprovider = "snowflake"\ncurrency = "USD"\n[sources.amazon]\nprovider = "aws"\n'
    )
    path = snowflake(tmp_path / "bill.csv", {"CURRENCY": "EUR"})
    answer = ledger.ingest(path, *extra)
    assert (answer.code, answer.fault["rule"]) == (2, rule)
    assert ledger.figures()["version"] is None
    assert not (tmp_path.parent / "evil").exists()


def test_the_currency_of_a_claimed_account_is_checked(ledger: Ledger, config: Path, tmp_path: Path) -> None:
    config.write_text('[sources.dollars]\nprovider = "snowflake"\ncurrency = "USD"\naccounts = ["EXAMPLE"]\n')
    answer = ledger.ingest(snowflake(tmp_path / "bill.csv", {}, {"CURRENCY": "EUR"}))
    assert (answer.code, answer.fault["rule"]) == (2, "currency")
    assert "EUR" in answer.fault["message"] and "dollars" in answer.fault["message"]


def test_currencies_are_never_added(ledger: Ledger, tmp_path: Path) -> None:
    path = snowflake(tmp_path / "bill.csv", {}, {"CURRENCY": "EUR", "USAGE_IN_CURRENCY": "1.10"})
    assert ledger.ingest(path).outcomes == ["committed"]
    totals = {code: block["total"] for code, block in ledger.figures()["currencies"].items()}
    assert totals == {"EUR": "1.10", "USD": "210.00"}


def test_what_fits_is_taken(ledger: Ledger, tmp_path: Path) -> None:
    path = snowflake(tmp_path / "bill.csv")
    assert ledger.ingest(path, "--period", "2026-01", "--provider", "snowflake", "--source", "mine").outcomes == [
        "committed"
    ]


def test_an_empty_ledger_has_no_figures(ledger: Ledger) -> None:
    figures = ledger.figures()
    assert (figures["version"], figures["currencies"]) == (None, {})


@pytest.mark.parametrize(
    "words", [["ingest"], ["ingest", "x", "--period", "2026-13"], ["ingest", "x", "--provider", "gcp"], []]
)
def test_bad_usage_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2


def test_a_missing_file_is_named(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.ingest(tmp_path / "nothing.csv")
    assert (answer.code, answer.fault["rule"]) == (2, "no-such-file")
    assert str(tmp_path / "nothing.csv") in answer.errors


def test_bad_settings_end_with_2_and_every_fault(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text("[ledgr]\n[sources.UP]\nprovider = 'aws'\n")
    assert cli.main(["summary", "--json", "--config", str(config)]) == 2
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 2


def test_people_read_tables_and_scripts_read_json(
    tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--store", str(tmp_path / "store"), "--config", str(config)]
    assert cli.main(["ingest", str(cur2(tmp_path / "a.parquet")), *words]) == 0
    shown = capsys.readouterr()
    assert "committed" in shown.out and "read" in shown.err
    assert cli.main(["summary", *words]) == 0
    assert "AmazonEC2" in capsys.readouterr().out


def test_a_store_that_is_a_file_is_told_plainly(tmp_path: Path, config: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    path = snowflake(tmp_path / "bill.csv")
    assert cli.main(["ingest", str(path), "--store", str(tmp_path / "store"), "--config", str(config)]) in (2, 3)
