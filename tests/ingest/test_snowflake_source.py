"""Snowflake as a source: `ledger ingest snowflake` and the queue's message, through the real connector."""

from __future__ import annotations

import json
import logging
import os
from decimal import Decimal
from pathlib import Path

import pytest

import wiring
from ledger.delivery import Period
from ledger.faults import Rejected
from tests.bills import Ledger
from tests.exports import export
from tests.servers.snowflake import Account
from tests.snowflake_account import (
    COMPUTE,
    HOUR,
    METERING,
    MONTH,
    NOW,
    QUERIES,
    RATE,
    RATES,
    USAGE,
    insert,
    settings,
    usage,
)

FOCUS = "BILLING.FOCUS_COST_USAGE_V1_3"
# Asked for beside every bill.
BESIDE = ("CONTRACT_ITEMS", "METERING_DAILY_HISTORY", "RATE_SHEET_DAILY", "REMAINING_BALANCE_DAILY")


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
    assert [file["rows"] for file in run["files"] if "rows" in file] == [2]
    assert Decimal(ledger.total()) == Decimal("211.50")
    assert ledger.broken_rules() == {}


def test_the_same_rows_are_unchanged_and_others_a_restatement(account: Account, ledger: Ledger) -> None:
    assert [ask(ledger), ask(ledger)] == [["committed"], ["unchanged"]]
    account.run(f"UPDATE SNOWFLAKE.{USAGE} SET USAGE_IN_CURRENCY = 2.50 WHERE USAGE_IN_CURRENCY = 1.50")
    assert ask(ledger) == ["committed"]
    assert Decimal(ledger.total()) == Decimal("212.50")


def test_a_rate_that_comes_later_is_a_restatement_too(account: Account, ledger: Ledger) -> None:
    assert ask(ledger) == ["committed"]
    insert(account, RATES, RATE)
    assert ask(ledger) == ["committed"]


def test_the_open_month_and_the_one_before_are_due_on_every_run(account: Account, ledger: Ledger) -> None:
    bodies = [one.body for one in wiring.plan_ingest(environment(ledger), NOW)]
    assert bodies == [{"source": "main", "period": "2026-01"}, {"source": "main", "period": "2026-02"}]
    assert message(ledger)["outcome"] == "committed"
    assert [one.body for one in wiring.plan_ingest(environment(ledger), NOW)] == bodies
    assert message(ledger)["outcome"] == "unchanged"
    assert account.logins[0]["warehouse"] == "LEDGER_WH"


@pytest.mark.parametrize(("day", "months"), [(2, ["2026-01"]), (3, ["2026-01"]), (4, ["2026-01", "2026-02"])])
def test_a_new_month_is_asked_for_once_its_first_day_may_be_there(
    day: int, months: list[str], account: Account, ledger: Ledger
) -> None:
    assert account.name
    planned = wiring.plan_ingest(environment(ledger), NOW.replace(day=day, hour=0))
    assert [one.body["period"] for one in planned] == months


def test_no_rows_mean_unknown_and_nothing_is_changed(account: Account, ledger: Ledger) -> None:
    assert ask(ledger) == ["committed"]
    account.run(f"DELETE FROM SNOWFLAKE.{USAGE}")
    found = ledger.ingest("snowflake", "--period", "2026-01")
    assert (found.code, found.fault["rule"]) == (2, "no-rows")
    assert Decimal(ledger.total()) == Decimal("211.50")


def test_a_month_that_has_only_begun_has_no_rows_yet(account: Account, ledger: Ledger) -> None:
    body, env = {"source": "main", "period": "2026-02"}, environment(ledger)
    assert wiring.ingest_partition(body, env, NOW.replace(day=4), "run-1")["outcome"] == "no data yet"
    with pytest.raises(Rejected, match="no rows"):
        wiring.ingest_partition(body, env, NOW.replace(day=5), "run-2")
    assert account.statements


def test_a_session_is_of_utc_and_says_whose_it_is(account: Account, ledger: Ledger) -> None:
    ask(ledger)
    [login] = account.logins
    parameters = json.loads(login["parameters"])
    assert (parameters["TIMEZONE"], parameters["QUERY_TAG"]) == ("UTC", "focus-governance-ledger")
    assert parameters["ABORT_DETACHED_QUERY"] == "true"
    assert int(parameters["STATEMENT_TIMEOUT_IN_SECONDS"]) == 900
    assert (login["user"], login["role"]) == ("LEDGER", "LEDGER")


def test_views_without_rows_are_told(account: Account, ledger: Ledger) -> None:
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    told = [one.partition(":")[0] for one in taken.document["ignored"]]
    assert sorted(told) == [f"ORGANIZATION_USAGE.{name}" for name in BESIDE]
    assert account.statements


def test_a_view_that_may_not_be_read_is_told_and_the_bill_is_taken_without_it(account: Account, ledger: Ledger) -> None:
    account.run(f"DROP TABLE SNOWFLAKE.{RATES}")
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    assert taken.outcomes == ["committed"]
    [told] = [one for one in taken.document["ignored"] if RATES in one]
    assert "not granted to the role" in told


def test_a_service_logs_what_a_bill_was_taken_without(
    account: Account, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    account.run(f"DROP TABLE SNOWFLAKE.{RATES}")
    caplog.set_level(logging.INFO)
    assert message(ledger)["outcome"] == "committed"
    assert "views-left-out" in caplog.text and RATES in caplog.text


@pytest.mark.parametrize("gone", [True, False])
def test_own_views_of_the_account_stand_in_for_those_of_the_organization(
    gone: bool, account: Account, ledger: Ledger
) -> None:
    """Where those are not there, and where they are empty."""
    settings(ledger.config, account, 'allocation = "warehouse"')
    if gone:
        account.run("DROP TABLE SNOWFLAKE.ORGANIZATION_USAGE.WAREHOUSE_METERING_HISTORY")
    insert(account, METERING, *({**HOUR, "START_TIME": f"2026-01-24 {hour}:00:00+00"} for hour in (1, 23)))
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    assert taken.outcomes == ["committed"]
    assert not [one for one in taken.document["ignored"] if "WAREHOUSE_METERING" in one]
    [asked] = [one for one in account.statements if METERING in one and "SUM(" in one]
    assert "'XY12345' AS \"ACCOUNT_LOCATOR\"" in asked and "'AWS_US_EAST_1' AS \"REGION\"" in asked


def test_own_views_of_an_account_that_the_bill_does_not_name_are_left_out_and_told(
    account: Account, ledger: Ledger
) -> None:
    """An account that is new: its metering is three hours late, the bill three days."""
    settings(ledger.config, account, 'allocation = "warehouse"')
    account.run(f"UPDATE SNOWFLAKE.{USAGE} SET ACCOUNT_LOCATOR = 'OTHER9'")
    insert(account, METERING, dict(HOUR))
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    assert taken.outcomes == ["committed"]
    [told] = [one for one in taken.document["ignored"] if "WAREHOUSE_METERING_HISTORY) of XY12345" in one]
    assert "left out" in told


def test_only_a_split_asks_what_it_needs(account: Account, ledger: Ledger) -> None:
    ask(ledger)
    assert not [one for one in account.statements if "HISTORY" in one and "METERING_DAILY" not in one]
    settings(ledger.config, account, 'allocation = "user"')
    ledger.ingest("snowflake", "--period", "2026-01")
    assert [one for one in account.statements if QUERIES in one]


def test_several_sources_have_to_be_told_apart(account: Account, ledger: Ledger) -> None:
    lines = ledger.config.read_text(encoding="utf-8")
    ledger.config.write_text(lines + lines.replace("sources.main", "sources.other"), encoding="utf-8")
    assert ledger.ingest("snowflake").fault["rule"] == "snowflake-account"
    assert ledger.ingest("snowflake", "--source", "other", "--period", "2026-01").outcomes == ["committed"]
    assert account.logins


def test_a_file_of_that_name_is_a_path(ledger: Ledger) -> None:
    assert ledger.ingest("snowflake").fault["rule"] == "snowflake-account"
    assert ledger.ingest("./snowflake").fault["rule"] != "snowflake-account"


def test_the_focus_view_is_taken_where_it_is_chosen(account: Account, ledger: Ledger, tmp_path: Path) -> None:
    settings(ledger.config, account, 'view = "focus"')
    file = export(tmp_path / "focus.parquet", "snowflake_1_3_view")
    account.run(f"INSERT INTO SNOWFLAKE.{FOCUS} BY NAME SELECT * FROM read_parquet('{file}')")
    month = account.run(f"SELECT DISTINCT strftime(\"BillingPeriodStart\", '%Y-%m') FROM SNOWFLAKE.{FOCUS}")
    taken = ledger.ingest("snowflake", "--period", str(month[0][0]))
    [run] = taken.document["runs"]
    assert (run["outcome"], run["shape"], taken.document["ignored"]) == ("committed", "focus_snowflake_view", [])
    asked = ledger.figures()["currencies"]
    by_hand = Ledger(str(tmp_path / "hand"), ledger.config, ledger.capsys)
    assert by_hand.ingest(file, "--source", "main").outcomes == ["committed"]
    assert by_hand.figures()["currencies"] == asked
    assert [one for one in account.statements if "USAGE_IN_CURRENCY" in one] == []
