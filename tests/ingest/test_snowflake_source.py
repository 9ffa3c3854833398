"""Snowflake as a source: `ledger ingest snowflake` and the queue's message, through the real connector."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

import wiring
from ledger.delivery import Period
from ledger.faults import Rejected, Transient
from tests.bills import Ledger
from tests.servers.snowflake import Account
from tests.snowflake_account import COMPUTE, MONTH, NOW, QUERIES, RATE, RATES, USAGE, insert, settings, usage


@pytest.fixture
def account(snowflake: Account, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in snowflake.env.items():
        monkeypatch.setenv(name, value)
    settings(ledger.config, snowflake)
    insert(snowflake, USAGE, COMPUTE, usage(USAGE_DATE="2026-01-31", USAGE="0.5", USAGE_IN_CURRENCY="1.50"))
    return snowflake


def ask(ledger: Ledger, *more: str, period: Period = MONTH) -> list[str]:
    taken = ledger.ingest("snowflake", "--period", str(period), *more)
    assert not taken.document.get("faults"), taken.document
    return taken.outcomes


def message(ledger: Ledger, period: Period = MONTH) -> dict[str, object]:
    return dict(wiring.ingest_partition({"source": "main", "period": str(period)}, environment(ledger), NOW, "run-1"))


def environment(ledger: Ledger) -> dict[str, str]:
    return {**os.environ, "LEDGER_CONFIG": str(ledger.config), "LEDGER_STORE": ledger.store}


def test_a_month_is_taken_whole(account: Account, ledger: Ledger) -> None:
    insert(account, USAGE, usage(USAGE_DATE="2026-02-01", USAGE_IN_CURRENCY="99.00"))
    insert(account, RATES, RATE)
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    [run] = taken.document["runs"]
    assert (run["outcome"], run["source"], run["shape"]) == ("committed", "main", "snowflake_usage_in_currency")
    assert Decimal(ledger.total()) == Decimal("211.50")
    assert ledger.broken_rules() == {}
