"""The sweep anchors the record once a day, and a fault of that holds no message back."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

import wiring
from adapters.folder import FolderStore
from governance import anchors
from governance.record import Record
from tests.governance.control import Control
from tests.governance.scene import NOW, machine


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "ledger.toml").write_text("")
    return {"LEDGER_CONFIG": str(tmp_path / "ledger.toml"), "LEDGER_STORE": str(tmp_path / "store")}


def logged(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, object]]:
    lines = [json.loads(one.getMessage()) for one in caplog.records if one.name == "ledger"]
    return [line for line in lines if line["event"] == name]


def test_the_first_sweep_of_a_day_anchors_and_logs_the_digest(
    env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record = Record(FolderStore(env["LEDGER_STORE"]))
    Control(record, machine("a")).receive()
    for hours in (0, 1, 24):
        wiring.look_about(env, NOW + timedelta(hours=hours))
    kept = record.events("anchors/2026-11")
    assert [line["digest"] for line in logged(caplog, "record-anchored")] == [event.digest for event in kept]
    assert len(kept) == 2


def test_an_anchor_that_cannot_be_written_holds_no_message_back(
    env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    record = Record(FolderStore(env["LEDGER_STORE"]))
    Control(record, machine("a")).receive()
    month = Path(env["LEDGER_STORE"], "record", anchors.ROOT, "2026-11")
    month.mkdir(parents=True)
    (month / "000001.json").write_text("{}")
    assert len(wiring.sweep(env, NOW + timedelta(hours=1))) == 1
    wiring.look_about(env, NOW + timedelta(hours=1))
    assert len(logged(caplog, "record-not-anchored")) == 1
