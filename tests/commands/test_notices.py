"""`ledger notices`: a test message to a real inbox, and what the record says became of each notice."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cli
import wiring
from tests.channels import inbox

SETTINGS = '[notices.ops]\nkind = "slack"\nurl = "SLACK_URL"\n'


def ledger(folder: Path, *words: str) -> int:
    (folder / "ledger.toml").write_text(SETTINGS)
    return cli.main([*words, "--store", str(folder / "store"), "--config", str(folder / "ledger.toml")])


def test_a_test_message_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with inbox() as box:
        monkeypatch.setenv("SLACK_URL", box.url)
        assert ledger(tmp_path, "notices", "test", "ops") == 0
        assert capsys.readouterr().out == "ops took the test message: status 202\n"
        assert json.loads(box.bodies()[0])["text"] == "Test of ops"
        box.answers.append((404, {}))
        assert ledger(tmp_path, "notices", "test", "ops") == 2
        box.answers.append((503, {}))
        assert ledger(tmp_path, "notices", "test", "ops") == 3
    said = capsys.readouterr()
    assert "the channel answered 404" in said.err and "the channel answered 503" in said.err
    assert "top-secret" not in said.out + said.err


def test_a_channel_that_is_not_there_or_has_no_address_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLACK_URL", raising=False)
    assert ledger(tmp_path, "notices", "test", "fin") == 2
    assert ledger(tmp_path, "notices", "test", "ops") == 2
    said = capsys.readouterr().err
    assert "there is no channel fin" in said and "SLACK_URL is not set" in said


def test_the_list_tells_what_was_sent_and_what_was_given_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger(tmp_path, "notices", "list") == 0
    assert capsys.readouterr().out == "no notices in the record\n"
    ledger(tmp_path, "pause", "--by", "Kim", "--reason", "release")
    env = {"LEDGER_STORE": str(tmp_path / "store"), "LEDGER_CONFIG": str(tmp_path / "ledger.toml")}
    now = datetime.now(UTC)
    (message,) = wiring.on_notice({"news": "*"}, env, now)
    assert wiring.on_notice(message.body, env, now) == []
    capsys.readouterr()
    assert ledger(tmp_path, "notices", "list") == 1
    assert "pause-on to ops: given-up, tries 1: SLACK_URL is not set" in capsys.readouterr().out
    ledger(tmp_path, "resume", "--by", "Kim", "--reason", "done")
    with inbox() as box:
        (message,) = wiring.on_notice({"news": "*"}, {**env, "SLACK_URL": box.url}, now)
        wiring.on_notice(message.body, {**env, "SLACK_URL": box.url}, now)
    capsys.readouterr()
    ledger(tmp_path, "notices", "list", "--json")
    found = json.loads(capsys.readouterr().out)["notices"]
    assert [(one["notice"], one["state"], one["tries"]) for one in found] == [
        ("pause-off", "sent", 1),
        ("pause-on", "given-up", 1),
    ]
    assert "top-secret" not in str(found)


def test_whatever_asking_for_news_meets_it_reaches_no_action(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No storage, a storage that is nonsense, settings that are none: told to the log, and no more."""
    caplog.set_level(logging.INFO)
    (tmp_path / "ledger.toml").write_text(SETTINGS)
    good = {"LEDGER_CONFIG": str(tmp_path / "ledger.toml")}
    for env in (good, {**good, "AzureWebJobsStorage": "AccountKey=top-secret"}, {"LEDGER_CONFIG": "nowhere.toml"}):
        caplog.clear()
        wiring.tell(env, "a" * 64)
        assert "notice-not-asked-for" in caplog.text and "top-secret" not in caplog.text
