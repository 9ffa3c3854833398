"""A live budget whose service is dry: seen by the sweep, told to people, shown by `ledger status`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import cli
from adapters.folder import FolderStore
from governance import flow, switches
from governance.record import Record
from tests.governance.desk import Post, channel
from tests.governance.scene import BUDGETS, DOLLAR, LAB, NOW, ListQueue, payload

HOUR = timedelta(hours=1)


def fire(record: Record, *, live: bool, **more: Any) -> dict[str, object]:
    given = {"budgets": BUDGETS, "record": record, "queue": ListQueue(), "now": NOW, "live": live}
    return dict(flow.on_alert(payload("common-actual"), **{**given, **more}).body)


def told(record: Record) -> list[tuple[str, str]]:
    post = Post(record, BUDGETS, channel())
    post.run(NOW)
    return [(letter.kind, " ".join((letter.title, *letter.lines))) for _, letter, _ in post.kept.letters]


def test_an_alert_that_only_the_service_keeps_dry_is_told_once(record: Record) -> None:
    for _ in range(2):
        assert fire(record, live=False)["dry_run"] is True
    ((kind, text),) = told(record)
    assert kind == "taken-dry"
    assert "Budget dev-dollar: an alert is taken DRY" in text and "0.81 of 1.00 USD" in text and "unknown" not in text


@pytest.mark.parametrize(
    ("live", "more"),
    [
        (True, {}),
        (False, {"budgets": [replace(DOLLAR, live=False)]}),
        (False, {"who": {"entry": "terminal", "by": "kim"}}),
    ],
    ids=["live", "budget-dry", "a-look"],
)
def test_what_is_live_or_meant_to_be_dry_is_no_news(record: Record, live: bool, more: dict[str, object]) -> None:
    fire(record, live=live, **more)
    assert told(record) == []


def test_switches_are_noted_when_they_turn_and_told(record: Record) -> None:
    def noted(live: bool, *budgets: object) -> str:
        event = switches.noted(record, budgets, NOW, live=live)  # type: ignore[arg-type]  # budgets
        return event.kind if event else ""

    assert noted(False, *BUDGETS) == ""
    assert [noted(True, *BUDGETS), noted(True, *BUDGETS)] == ["switched-live", ""]
    assert noted(True, DOLLAR, replace(LAB, live=False)) == "switched-dry"
    assert [noted(False, *BUDGETS), noted(False, *BUDGETS)] == ["switched-dry", ""]
    texts = dict(told(record))
    assert "machines of dev-dollar, lab-monthly are stopped from now on" in texts["switched-live"]
    assert {text for kind, text in told(record) if "unknown" in text} == set()
    gone = [event.body["gone"] for event in record.events(switches.STREAM)]
    assert gone == ["", "lab-monthly", "dev-dollar"]


def test_status_says_whether_the_service_is_live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = f'id = "{DOLLAR.id}"\nscope = "{DOLLAR.scope}"\ncurrency = "USD"\namount = "1.00"\nlive = true\n'
    (tmp_path / "ledger.toml").write_text(f"[budgets.dev-dollar]\n{toml}")
    record = Record(FolderStore(tmp_path / "store"))

    def status(*words: str) -> str:
        given = ["--store", str(tmp_path / "store"), "--config", str(tmp_path / "ledger.toml")]
        assert cli.main(["status", *words, *given]) == 0
        return capsys.readouterr().out

    assert "service: dry run, never seen live" in status()
    switches.noted(record, [DOLLAR], NOW, live=True)
    assert "service: LIVE for dev-dollar since 2026-11-12 16:05Z" in (said := status())
    assert "DRY RUN" not in said
    switches.noted(record, [DOLLAR], NOW + HOUR, live=False)
    assert "service: dry run since 2026-11-12 17:05Z" in (said := status())
    assert "dev-dollar: live = true in these settings, but the service takes its alerts as a DRY RUN" in said
    service = json.loads(status("--json"))["service"]
    assert (service["live"], service["since"]) == ([], "2026-11-12T17:05:00+00:00")
