"""Snowflake bills that are refused, with file, row, column and what to do; the ledger keeps what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bills import SNOWFLAKE, Ledger, snowflake
from tests.snowflake_lines import EVERY_KIND, every_kind
from tests.snowflake_views import view

Line = Mapping[str, str]
PIPE: Line = {"SERVICE_TYPE": "PIPE", "USAGE_TYPE": "SNOWPIPE", "USAGE": "1", "USAGE_IN_CURRENCY": "3.00"}
NEXT: Line = {"USAGE_DATE": "2026-01-25"}
NEGATIVE: Line = {"USAGE": "-7", "USAGE_IN_CURRENCY": "-21.00"}


def refused(ledger: Ledger, *given: Path) -> Mapping[str, object]:
    before = ledger.figures()
    answer = ledger.ingest(*given)
    assert (answer.code, ledger.figures()) == (2, before)
    return answer.fault


def test_a_day_twice_in_one_file_is_refused_with_both_rows(ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "usage.csv", NEXT, {}, PIPE, PIPE, {})
    fault = refused(ledger, bill)
    assert (fault["rule"], fault["row"], fault["column"]) == ("day-twice", 5, "USAGE_DATE")
    assert "2026-01-24 of account XY12345.AWS_US_EAST_1" in str(fault["message"]) and "row 2" in str(fault["message"])


@pytest.mark.parametrize("amount", ["210.00", "105.00"])
def test_a_day_in_two_files_is_refused_also_where_one_tells_it_as_it_was(
    amount: str, ledger: Ledger, tmp_path: Path
) -> None:
    first = snowflake(
        tmp_path / "first.csv",
        {"USAGE_DATE": "2026-01-23"},
        {"USAGE_DATE": "2026-01-22"},
        {"USAGE_IN_CURRENCY": amount},
        PIPE,
    )
    second = snowflake(tmp_path / "second.csv", NEXT, {}, PIPE, {"USAGE_DATE": "2026-01-26"})
    fault = refused(ledger, first, second)
    assert (fault["rule"], fault["row"]) == ("day-twice", 2)
    assert str(fault["file"]).endswith("second.csv") and "row 3 of" in str(fault["message"])
    assert ledger.ingest(first).outcomes == ["committed"]


@pytest.mark.parametrize("spelt", [str.lower, str.title])
def test_a_day_in_two_files_is_refused_however_each_spells_its_values(
    spelt: Callable[[str], str], ledger: Ledger, tmp_path: Path
) -> None:
    names = ("USAGE_TYPE", "BALANCE_SOURCE", "BILLING_TYPE", "RATING_TYPE", "SERVICE_TYPE", "IS_ADJUSTMENT")
    again = {name: spelt(SNOWFLAKE[name]) for name in names} | {"SERVICE_LEVEL": " Enterprise "}
    bill = snowflake(tmp_path / "usage.csv", {})
    fault = refused(ledger, bill, snowflake(tmp_path / "again.csv", again))
    assert (fault["rule"], fault["row"]) == ("day-twice", 1)


@pytest.mark.parametrize("day", ["2026-01-25", "2026-01-26"])
def test_some_days_by_hand_do_not_take_the_place_of_all_that_the_ledger_holds(
    day: str, ledger: Ledger, tmp_path: Path
) -> None:
    month = [{"USAGE_DATE": f"2026-01-{number}"} for number in (24, 25, 26)]
    assert ledger.ingest(snowflake(tmp_path / "month.csv", *month)).outcomes == ["committed"]
    part = snowflake(tmp_path / "part.csv", {"USAGE_DATE": day})
    assert refused(ledger, part)["rule"] == "days-would-be-lost"
    more = snowflake(tmp_path / "more.csv", *month, {"USAGE_DATE": "2026-01-27"})
    assert ledger.ingest(more).outcomes == ["committed"]
    assert ledger.ingest(part, "--period", "2026-01").outcomes == ["committed"]


def test_one_day_may_hold_two_lines_of_one_service(ledger: Ledger, tmp_path: Path) -> None:
    overage = {"BALANCE_SOURCE": "OVERAGE", "USAGE_TYPE": "overage-compute"}
    other = {"ACCOUNT_LOCATOR": "AB1"}
    bill = snowflake(tmp_path / "usage.csv", {}, overage, PIPE, other, {**NEXT, "USAGE": "1"}, {**NEXT, "USAGE": "2"})
    assert ledger.ingest(bill).outcomes == ["committed"]
    more = snowflake(tmp_path / "more.csv", {"USAGE_DATE": "2026-01-27"}, {**PIPE, **NEXT})
    assert ledger.ingest(bill, more).outcomes == ["committed"]


@pytest.mark.parametrize("line", [{"USAGE": "-7", "USAGE_IN_CURRENCY": "0"}, NEGATIVE, {"USAGE_IN_CURRENCY": "-0.01"}])
def test_usage_below_nothing_is_refused(line: Line, ledger: Ledger, tmp_path: Path) -> None:
    fault = refused(ledger, snowflake(tmp_path / "usage.csv", PIPE, line))
    assert (fault["rule"], fault["row"], fault["column"]) == ("negative-usage", 2, "USAGE")
    assert f"COMPUTE of {line.get('USAGE', '70')}" in str(fault["message"])


@pytest.mark.parametrize(
    "reason",
    [
        {"IS_ADJUSTMENT": "true"},
        {"USAGE_TYPE": "adj for incl cloud services", "IS_ADJUSTMENT": ""},
        {"BILLING_TYPE": "REBATE"},
        {"BILLING_TYPE": "support_credit"},
        {"BILLING_TYPE": "", "USAGE_TYPE": "rebate"},
        {"BILLING_TYPE": "brand new"},
    ],
)
def test_adjustments_and_credits_are_below_nothing(reason: Line, ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "usage.csv", {}, {**NEGATIVE, **reason})
    assert (ledger.ingest(bill).outcomes, ledger.total()) == (["committed"], "189.00")


def test_another_currency_than_the_contract_s_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    bill = snowflake(tmp_path / "usage.csv", {"CURRENCY": "EUR"})
    fault = refused(ledger, bill, view(tmp_path / "items.csv", "snowflake_contracts"))
    assert (fault["rule"], fault["row"], fault["column"]) == ("contract-currency", 1, "CURRENCY")
    assert "contract 9 bills in EUR" in str(fault["message"])
    for at, items in enumerate(({"CURRENCY": "EUR"}, {"CONTRACT_NUMBER": "8"})):
        answer = ledger.ingest(bill, view(tmp_path / f"items{at}.csv", "snowflake_contracts", items))
        assert answer.outcomes == ["committed"]


def test_what_is_not_known_is_kept_and_told_by_name_with_its_money(ledger: Ledger, tmp_path: Path) -> None:
    new = {"SERVICE_TYPE": "BRAND_NEW", "USAGE_IN_CURRENCY": "1.25"}
    lines = [{}, new, {**new, **NEXT}, {**new, "CURRENCY": "EUR"}, {**PIPE, "SERVICE_TYPE": "OTHER_NEW"}]
    types = [{"RATING_TYPE": "quantum", "USAGE": "9"}, {"BILLING_TYPE": "gift", "USAGE": "8"}]
    [run] = ledger.ingest(snowflake(tmp_path / "usage.csv", *lines, *types)).document["runs"]
    services = "BRAND_NEW (EUR 1.25, USD 2.50), OTHER_NEW (USD 3.00)"
    assert run["assumed"] == {
        f"a service type that is not known was counted as Other: {services}": 4,
        "a billing type that is not known was taken as usage: gift (USD 210.00)": 1,
        "a rating type that is not known: its quantities are counted in Units: QUANTUM (USD 210.00)": 1,
    }
    assert ledger.broken_rules() == {}


def test_every_kind_of_line_is_kept_and_keeps_every_rule(ledger: Ledger, tmp_path: Path) -> None:
    bill, beside = every_kind(tmp_path)
    [run] = ledger.ingest(bill, *beside).document["runs"]
    assert (run["outcome"], run["mapped_rows"]) == ("committed", len(EVERY_KIND))
    assert ledger.total() == f"{sum(Decimal(line['USAGE_IN_CURRENCY']) for line in EVERY_KIND)}"
    assert {one["name"] for one in run["identities"] if one["broken"]} == {"usage x rate = usage in currency, to 0.01"}
    assert ledger.broken_rules() == {}


@pytest.mark.parametrize(
    ("days", "is_taken"),
    [
        (("01/01/2026", "02/01/2026"), False),
        (("05/01/2026",), False),
        (("01/01/2026", "01/02/2026"), True),
        (("02/01/2026", "01/31/2026"), True),
        (("01/01/2026",), True),
    ],
)
def test_days_before_months_are_refused_and_not_guessed(
    days: tuple[str, ...], is_taken: bool, ledger: Ledger, tmp_path: Path
) -> None:
    bill = snowflake(tmp_path / "usage.csv", *({"USAGE_DATE": day} for day in days))
    if is_taken:
        assert set(ledger.ingest(bill).outcomes) == {"committed"}
    else:
        fault = refused(ledger, bill)
        assert (fault["rule"], fault["column"]) == ("day-first-dates", "USAGE_DATE")


def test_amounts_that_come_to_more_than_the_ledger_holds_are_refused_by_that_name(
    ledger: Ledger, tmp_path: Path
) -> None:
    large = ({"SERVICE_TYPE": f"S{at}", "USAGE": "1", "USAGE_IN_CURRENCY": "90000000000000"} for at in range(4))
    fault = refused(ledger, snowflake(tmp_path / "usage.csv", *large))
    assert (fault["rule"], str(fault["file"]).endswith("usage.csv")) == ("sum-out-of-range", True)
    assert "fourteen digits before the point" in str(fault["message"])
