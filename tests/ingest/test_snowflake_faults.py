"""What goes wrong with an account of Snowflake: a clear fault, the ledger as it was, and the next run repairs it."""

from __future__ import annotations

import os
import time
from decimal import Decimal

import pytest

import wiring
from ingest.sources.snowflake_faults import scrubbed
from ledger.faults import Rejected, Transient
from tests.bills import Ledger
from tests.servers.snowflake import Account, Snowflake
from tests.snowflake_account import COMPUTE, MONTH, NOW, RATES, USAGE, insert, settings, usage


@pytest.fixture
def account(snowflake: Account, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Account:
    for name, value in snowflake.env.items():
        monkeypatch.setenv(name, value)
    settings(ledger.config, snowflake)
    insert(snowflake, USAGE, COMPUTE)
    return snowflake


def message(ledger: Ledger, run: str = "run-1") -> object:
    env = {**os.environ, "LEDGER_CONFIG": str(ledger.config), "LEDGER_STORE": ledger.store}
    return wiring.ingest_partition({"source": "main", "period": str(MONTH)}, env, NOW, run)["outcome"]


def refused(ledger: Ledger) -> str:
    with pytest.raises(Rejected) as refusal:
        message(ledger)
    [fault] = refusal.value.faults
    assert fault.rule == "snowflake-access"
    return f"{fault.message} {fault.advice}"


def later(ledger: Ledger) -> str:
    with pytest.raises(Transient) as fault:
        message(ledger)
    return str(fault.value)


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        ("002003", "", "USAGE_IN_CURRENCY_DAILY: it is not there, or not granted to the role"),
        ("003001", "", "the role has no right to it"),
        ("000606", "", "Name a `warehouse`"),
        ("090073", "", "Raise the quota of the resource monitor"),
        ("000904", "SQL compilation error: invalid identifier 'USAGE'", "a column is not there"),
        ("001003", "", "report it"),
    ],
)
def test_what_will_not_pass_is_refused_with_what_to_do(
    code: str, text: str, told: str, account: Account, ledger: Ledger
) -> None:
    account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "code": code, "message": text})
    assert told in refused(ledger)
    assert len(account.logins) == 1


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        ("390144", "", "RSA_PUBLIC_KEY"),
        ("390100", "", "the user or the password is wrong"),
        ("390189", "", "the role is not there, or not granted to the user"),
        ("390201", "The requested warehouse does not exist or not authorized.", "Name a `warehouse`"),
        ("390422", "Incoming request with IP is not allowed to access Snowflake.", "network policy"),
        ("390999", "Something about a sign-in that is new.", "does not let the user in"),
    ],
)
def test_a_sign_in_that_is_refused_is_tried_once(
    code: str, text: str, told: str, account: Account, ledger: Ledger
) -> None:
    account.fail({"pattern": "LOGIN", "code": code, "message": text})
    assert told in refused(ledger)
    assert account.statements == []


@pytest.mark.parametrize("status", ["403", "404"])
def test_an_unknown_account_is_refused(status: str, account: Account, ledger: Ledger) -> None:
    account.fail({"pattern": "LOGIN", "kind": "status", "code": status})
    assert "account_identifier" in refused(ledger)


@pytest.mark.parametrize("code", ["000630", "000604", "000625"])
def test_a_query_that_is_cut_off_is_asked_again_later(code: str, account: Account, ledger: Ledger) -> None:
    account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "code": code, "times": 1})
    assert "USAGE_IN_CURRENCY_DAILY" in later(ledger)
    assert message(ledger) == "committed"


def test_a_session_that_is_lost_in_the_middle_of_a_fetch_leaves_the_ledger_as_it_was(
    snowflake_server: Snowflake, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = snowflake_server.open("ORGLOST-MAIN", chunk_rows=2)
    for name, value in account.env.items():
        monkeypatch.setenv(name, value)
    settings(ledger.config, account)
    insert(account, USAGE, *(usage(USAGE_DATE=f"2026-01-{day:02d}", USAGE_IN_CURRENCY="1.00") for day in range(1, 8)))
    assert message(ledger) == "committed"
    insert(account, USAGE, usage(USAGE_DATE="2026-01-09", USAGE_IN_CURRENCY="1.00"))
    account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "kind": "chunks", "after": 1})
    started = time.monotonic()
    assert "USAGE_IN_CURRENCY_DAILY" in later(ledger)
    assert time.monotonic() - started < 60
    assert Decimal(ledger.total()) == 7
    account.fail()
    assert message(ledger, "run-2") == "committed"
    assert Decimal(ledger.total()) == 8
    account.close()


def test_a_service_that_is_down_is_asked_a_few_times_and_no_more(account: Account, ledger: Ledger) -> None:
    account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "kind": "status", "code": "503"})
    assert "cannot be reached, or the connection was lost" in later(ledger)
    assert len(account.statements) <= 4


def test_a_session_that_is_gone_is_asked_for_again_later(account: Account, ledger: Ledger) -> None:
    account.fail({"pattern": "USAGE_IN_CURRENCY_DAILY", "code": "390111", "message": "Session no longer exists."})
    assert "the session is gone" in later(ledger)


def test_a_fault_of_a_companion_that_passes_holds_up_the_bill(account: Account, ledger: Ledger) -> None:
    """A bill without its rates now and with them later would be two bills."""
    account.fail({"pattern": "RATE_SHEET_DAILY", "code": "000630"})
    assert "RATE_SHEET_DAILY" in later(ledger)
    account.fail({"pattern": "RATE_SHEET_DAILY", "code": "000606"})
    assert "Name a `warehouse`" in refused(ledger)


def test_a_column_that_is_missing_is_named(account: Account, ledger: Ledger) -> None:
    account.run(f"ALTER TABLE SNOWFLAKE.{USAGE} DROP COLUMN USAGE_IN_CURRENCY")
    account.run(f"ALTER TABLE SNOWFLAKE.{USAGE} DROP COLUMN CURRENCY")
    assert "columns CURRENCY, USAGE_IN_CURRENCY are not there" in refused(ledger)


def test_a_column_that_may_be_missing_is_left_out(account: Account, ledger: Ledger) -> None:
    account.run(f"ALTER TABLE SNOWFLAKE.{USAGE} DROP COLUMN SERVICE_LEVEL")
    assert message(ledger) == "committed"


def test_a_companion_without_a_column_is_told(account: Account, ledger: Ledger) -> None:
    account.run(f"ALTER TABLE SNOWFLAKE.{RATES} DROP COLUMN EFFECTIVE_RATE")
    taken = ledger.ingest("snowflake", "--period", str(MONTH))
    assert taken.outcomes == ["committed"]
    assert [one for one in taken.document["ignored"] if "column EFFECTIVE_RATE is not there" in one]


def test_whoever_buys_from_a_reseller_is_told_of_files(account: Account, ledger: Ledger) -> None:
    account.run(f"DROP TABLE SNOWFLAKE.{USAGE}")
    assert "reseller" in refused(ledger)


def test_a_warehouse_that_stays_suspended_is_told_and_one_that_resumes_is_woken(
    account: Account, ledger: Ledger
) -> None:
    with account.connect() as session, session.cursor() as cursor:
        cursor.execute("ALTER WAREHOUSE LEDGER_WH SET AUTO_RESUME = FALSE")
        cursor.execute("ALTER WAREHOUSE LEDGER_WH SUSPEND")
        assert "AUTO_RESUME" in refused(ledger)
        cursor.execute("ALTER WAREHOUSE LEDGER_WH SET AUTO_RESUME = TRUE")
        assert message(ledger) == "committed"


def test_where_nobody_answers_it_is_tried_again_later_and_soon(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    settings(ledger.config, account)
    monkeypatch.setenv("LEDGER_SNOWFLAKE_URL", "https://127.0.0.1:1")
    started = time.monotonic()
    assert "cannot be reached" in later(ledger)
    assert time.monotonic() - started < 20


def test_a_sign_in_that_lacks_something_is_refused_and_not_tried(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    monkeypatch.delenv("LEDGER_SNOWFLAKE_PASSWORD")
    assert "the connector does not take these settings" in refused(ledger)
    assert account.logins == []


def test_what_is_told_of_an_error_has_no_secret_in_it() -> None:
    said = "cannot use eyJhbGciOiJSUzI1NiJ9.e30.c2ln at https://host/path?token=abc password=hunter2\n  -----BEGIN RSA"
    assert scrubbed(said) == "cannot use *** at https://host/path*** *** ***"
