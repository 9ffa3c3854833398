"""Which record a command acts on: shown always, and refused where nobody named it and no alert ever reached it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
from adapters.folder import FolderStore
from governance import pause
from governance.record import Record
from tests.governance.scene import DOLLAR, NOW
from tests.governance.test_switches import fire
from tests.servers.azurite import Azurite
from tests.servers.fixtures import azurite as azurite
from tests.servers.fixtures import unique_name as unique_name

TOML = f"""ledger.store = ".ledger"
[budgets.dev-dollar]
id = "{DOLLAR.id}"
scope = "{DOLLAR.scope}"
currency = "USD"
amount = "1.00"
"""
PAUSE = ("pause", "--reason", "release", "--by", "Kim")
Said = Callable[[], tuple[str, str]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the settings file as it is shipped: its store is a folder beside it."""
    monkeypatch.chdir(tmp_path)
    for name in ("LEDGER_STORE", "LEDGER_CONFIG", "AzureWebJobsStorage"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ledger.toml").write_text(TOML)


@pytest.mark.parametrize(
    "words",
    [
        PAUSE,
        ("resume", "--reason", "release", "--by", "Kim"),
        ("plan", "approve", "00000000", "--by", "Kim"),
        ("plan", "reject", "00000000", "--by", "Kim", "--reason", "no"),
        ("undo", "00000000", "--by", "Kim"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_folder_that_is_nobodys_record_is_refused_and_nothing_is_written(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "no alert was ever recorded in" in said and "--store az://ledger/main, or LEDGER_STORE" in said
    assert not (tmp_path / ".ledger").exists()


def test_one_that_is_named_is_taken_and_said_to_be_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*PAUSE, "--store", "elsewhere"]) == 0
    assert f"record: {tmp_path / 'elsewhere'} (no alert was ever recorded there)" in capsys.readouterr().out


def test_where_alerts_were_played_nobody_has_to_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fire(Record(FolderStore(tmp_path / ".ledger")), live=False)
    assert cli.main([*PAUSE, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"paused": True, "by": "Kim", "reason": "release", "record": str(tmp_path / ".ledger")}


def test_status_shows_the_pause_who_and_until_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record(FolderStore(tmp_path / ".ledger"))
    assert cli.main(["status"]) == 0
    assert "not paused" in capsys.readouterr().out
    pause.turn(record, on=True, by="Kim", reason="release", now=NOW)
    cli.main(["status"])
    told = capsys.readouterr().out
    assert "NOTHING IS STOPPED: paused by Kim since 2026-11-12 16:05 UTC: release; until `ledger resume`" in told
    assert f"record: {tmp_path / '.ledger'}" in told
    pause.turn(record, on=False, by="Kim", reason="done", now=NOW)
    (tmp_path / "ledger.toml").write_text(TOML + "[safeguards]\npaused = true\n")
    cli.main(["status", "--json"])
    assert (
        json.loads(capsys.readouterr().out)["service"]["paused"] == "paused by the settings, until they say otherwise"
    )


def test_the_record_of_a_service_is_reached_by_its_account_and_no_key_is_shown(
    azurite: Azurite, unique_name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in azurite.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LEDGER_STORE", f"az://{unique_name}/main")
    assert cli.main([*PAUSE]) == 0
    assert cli.main(["status"]) == 0
    said = capsys.readouterr()
    place = f"record: az://{unique_name}/main in storage account devstoreaccount1 (no alert was ever recorded there)"
    assert said.out.count(place) == 2 and "paused by Kim" in said.out
    key = azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]
    assert key and key not in said.out + said.err
