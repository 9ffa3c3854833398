"""Planning with an account that never answers: the other sources are planned all the same."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import wiring
from tests.bills import Ledger, cur2
from wiring.answers import AT_ONCE, answers

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # the emulator's


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_source_that_hangs_is_told_as_not_planned_and_the_others_are(
    silent: int, ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bill = tmp_path / "bills" / "bill.parquet"
    bill.parent.mkdir()
    cur2(bill)
    hung = "".join(
        f'[sources.hung-{number}]\nprovider = "azure"\nlocation = "az://exports/{number}"\n'
        for number in range(AT_ONCE)
    )
    ledger.config.write_text(f'{hung}[sources.main]\nprovider = "aws"\nlocation = "{bill.parent}"\n')
    place = f"BlobEndpoint=http://127.0.0.1:{silent}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{silent}/q;"
    account = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};{place}"
    env = {**os.environ, "LEDGER_CONFIG": str(ledger.config), "LEDGER_STORE": ledger.store}
    started = time.monotonic()
    with caplog.at_level(logging.INFO):
        planned = wiring.plan_ingest({**env, "AzureWebJobsStorage": account}, datetime.now(UTC), seconds=8)
    assert [one.body["source"] for one in planned] == ["main"]
    assert time.monotonic() - started < 40
    told = [record.message for record in caplog.records if "source-not-planned" in record.message]
    assert len(told) == AT_ONCE and all("there was no answer within 8 s" in line for line in told)


def test_every_task_is_answered_once_also_where_more_hang_than_are_asked_at_once() -> None:
    def late() -> str:
        time.sleep(0.5)
        return "late"

    def broken() -> str:
        raise KeyError("x")

    slow = {f"slow-{number}": late for number in range(2 * AT_ONCE)}
    found = dict(answers({**slow, "quick": lambda: "quick", "broken": broken}, 0.1))
    assert found["quick"] == "quick" and isinstance(found["broken"], KeyError)
    assert {str(found[name]) for name in slow} == {"there was no answer within 0 s"}
    assert dict(answers({}, 1)) == {}
