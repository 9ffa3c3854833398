"""`ledger drill` and `ledger status` over a service that runs: what a person and a script get."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pytest

import cli
from emulators.arm import Arm
from tests.host.conftest import ALERTS, Service, Start
from tests.host.conftest import _emulator as _emulator
from tests.host.conftest import hosting as hosting
from tests.host.conftest import sample_values as sample_values
from tests.host.conftest import start as start
from tests.host.conftest import storage as storage
from tests.host.conftest import unique_name as unique_name
from tests.host.scene import ledger_toml, world_now
from tests.host.street import street

KEY = "a drill key of the test, 32 characters"


def run(service: Service, *words: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in service.env.items():
            patch.setenv(name, value)
        return cli.main([*words, "--store", service.env["LEDGER_STORE"], "--config", service.env["LEDGER_CONFIG"]])


def test_a_drill_from_a_terminal_is_waited_for_and_status_tells_it(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_now()
    with Arm(world.cloud) as arm, street() as outside:
        own = {"LEDGER_DRILL_KEY": KEY, "LEDGER_DRILL_URL": outside.address(ALERTS)}
        with start(ledger_toml(world.setup), **arm.environment(), **own) as service:
            outside.front = service.front
            assert run(service, "status") == 0
            assert "NO proof of life yet" in capsys.readouterr().out
            pump = Thread(target=service.pump.run, args=[lambda: service.pump.of("verify_order")])
            pump.start()
            assert run(service, "drill", "--now", "--wait", "60") == 0
            pump.join()
            told = capsys.readouterr().out
            assert "last proof of life" in told
            assert all(f"{link} " in told for link in ("webhook", "plan", "listing", "read-back", "rights"))
            assert run(service, "status", "--json") == 0
            (budget,) = json.loads(capsys.readouterr().out)["budgets"]
            assert budget["passed"]["kind"] == budget["last"]["kind"] == "drill-passed"
            outside.front = None
            assert run(service, "drill", "--now", "--wait", "600") == 1  # it knows at once, and does not wait
            told = capsys.readouterr().out
            assert "the webhook did not take the drill: 502: it answers with a fault" in told


def test_a_dead_address_is_told_at_once_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger.toml").write_text(ledger_toml(world_now().setup))
    monkeypatch.setenv("LEDGER_DRILL_KEY", KEY)
    with street() as outside:
        monkeypatch.setenv("LEDGER_DRILL_URL", outside.address("/api/alerts/budget?code=secret"))
    given = ["--store", str(tmp_path / "store"), "--config", str(tmp_path / "ledger.toml")]
    assert cli.main(["drill", "--now", *given]) == 1
    told = capsys.readouterr()
    assert "the webhook did not take the drill: no answer: nobody answered" in told.out
    assert "secret" not in told.out + told.err


def test_a_terminal_without_the_key_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.toml").write_text(ledger_toml(world_now().setup))
    given = ["--store", str(tmp_path / "store"), "--config", str(tmp_path / "ledger.toml")]
    assert cli.main(["drill", "--now", *given]) == 2
    assert "LEDGER_DRILL_KEY" in capsys.readouterr().err
