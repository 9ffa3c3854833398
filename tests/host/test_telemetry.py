"""Log events: one JSON object a line, our own words quoted, a stranger's not."""

from __future__ import annotations

import json

import pytest

from adapters import telemetry
from ledger.faults import Transient


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", "ledger")
    return caplog


def test_an_event_is_one_line_of_json(events: pytest.LogCaptureFixture) -> None:
    telemetry.event("done", text="two\nlines", sent=["plan-stop"])
    [line] = events.messages
    assert (json.loads(line), "\n" in line) == ({"event": "done", "text": "two\nlines", "sent": ["plan-stop"]}, False)


@pytest.mark.parametrize(
    ("fault", "told"), [(Transient("the queue is busy"), "the queue is busy"), (ValueError("AccountKey=SECRET"), None)]
)
def test_only_our_own_faults_are_quoted(events: pytest.LogCaptureFixture, fault: Exception, told: str | None) -> None:
    try:
        raise fault
    except Exception as raised:
        telemetry.failed("not-done", raised)
    found = json.loads(events.messages[0])
    assert (found["fault"], found.get("text")) == (type(fault).__name__, told)
    assert found["where"].startswith("test_telemetry.py:")
