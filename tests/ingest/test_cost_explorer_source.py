"""Cost Explorer as a source: `ledger ingest cost-explorer:`, the queue's message, and no bill counted twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import wiring
from ledger.delivery import Period
from ledger.faults import Rejected
from tests.bills import Ledger, cur2
from tests.clock import closed_month
from tests.servers.explorer import ACCOUNT, Explorer, running
from tests.servers.moto import Moto

OPEN = closed_month()  # was open on NOW
NOW = OPEN.start + timedelta(days=19, hours=12)
MONTH = OPEN.before()
S3 = "Amazon Simple Storage Service"
SMALL = '[sources.small]\nprovider = "aws"\nlocation = "cost-explorer:"\n'


@pytest.fixture(autouse=True)
def explorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Explorer]:
    with running() as known:
        for name, value in known.env.items():
            monkeypatch.setenv(name, value)
        known.tells(f"{MONTH}-01", "Tax", "Tax", "0.19")
        known.tells(f"{MONTH}-01", S3, "Usage", "0.0000000000000001")
        known.tells(f"{MONTH}-02", S3, "Usage", "1e-7", "0.0000001")
        known.tells(f"{MONTH}-02", S3, "Credit", "-0.05")
        yield known


def export_of(month: Period, folder: Path) -> Path:
    """A bill of the same account and days with lines of 1 and of nothing."""
    days = [month.start.date().replace(day=day) for day in (1, 2, 3)]
    spans = [
        {"line_item_usage_start_date": day, "line_item_usage_end_date": after, "line_item_unblended_cost": cost}
        for day, after, cost in zip(days, days[1:], (1.0, 0.0), strict=False)
    ]
    return cur2(folder / "cur.parquet", *({"bill_billing_period_start_date": days[0], **span} for span in spans))


def environment(ledger: Ledger) -> dict[str, str]:
    return {"LEDGER_CONFIG": str(ledger.config), "LEDGER_STORE": ledger.store}


def message(ledger: Ledger, period: Period) -> dict[str, object]:
    asked = {"source": "small", "period": str(period)}
    return dict(wiring.ingest_partition(asked, environment(ledger), NOW, "run-1"))


def test_a_month_is_asked_for_once_and_taken_in_to_the_last_digit(explorer: Explorer, ledger: Ledger) -> None:
    explorer.page = 1
    taken = ledger.ingest("cost-explorer:", "--source", "tiny", "--period", str(MONTH))
    assert taken.outcomes == ["committed"]
    assert Decimal(ledger.total()) == Decimal("0.1400001000000001")
    assert [question.get("NextPageToken") for question in explorer.asked] == [None, "1"]
    assert {tuple(question["Metrics"]) for question in explorer.asked} == {("NetUnblendedCost", "NetAmortizedCost")}
    assert taken.document["runs"][0]["source"] == "tiny"


def test_the_same_answer_in_another_order_is_unchanged_and_another_is_a_restatement(
    explorer: Explorer, ledger: Ledger
) -> None:
    month = ("cost-explorer:", "--period", str(MONTH))
    assert ledger.ingest(*month).outcomes == ["committed"]
    explorer.days[f"{MONTH}-02"].reverse()
    assert ledger.ingest(*month).outcomes == ["unchanged"]
    explorer.tells(f"{MONTH}-03", S3, "Usage", "2")
    assert ledger.ingest(*month).outcomes == ["committed"]
    assert Decimal(ledger.total()) == Decimal("2.1400001000000001")


def test_without_a_period_the_open_month_is_asked_for_and_its_estimates_are_told(
    explorer: Explorer, ledger: Ledger
) -> None:
    begun = datetime.now(UTC)
    current = Period(begun.year, begun.month)
    for month in (current, current.next()):
        explorer.tells(f"{month}-01", S3, "Usage", "3")
        explorer.estimated.add(f"{month}-01")
    [run] = ledger.ingest("cost-explorer:").document["runs"]
    months = {f"{moment:%Y-%m}" for moment in (begun, datetime.now(UTC))}
    assert run["period"] in months
    assert (run["period"], run["source"]) == (explorer.asked[0]["TimePeriod"]["Start"][:7], f"aws-{ACCOUNT}")
    assert run["assumed"]["days that AWS still estimates"] == 1


def test_the_queue_takes_a_month_of_a_configured_source(ledger: Ledger) -> None:
    ledger.config.write_text(SMALL, encoding="utf-8")
    assert message(ledger, MONTH)["outcome"] == "committed"
    assert message(ledger, MONTH)["outcome"] == "unchanged"
    assert Decimal(ledger.total()) == Decimal("0.1400001000000001")


def test_the_timer_asks_for_the_months_that_aws_may_still_restate_and_planning_costs_nothing(
    explorer: Explorer, ledger: Ledger
) -> None:
    ledger.config.write_text(f'{SMALL}since = "{MONTH}"\nrestated_for = 40\n', encoding="utf-8")
    planned = [dict(one.body) for one in wiring.plan_ingest(environment(ledger), NOW)]
    assert planned == [{"source": "small", "period": str(month)} for month in (MONTH, OPEN)]
    assert explorer.asked == []


def test_an_open_month_without_costs_is_told_and_done_with_and_a_closed_one_is_a_question(ledger: Ledger) -> None:
    ledger.config.write_text(SMALL, encoding="utf-8")
    told = message(ledger, OPEN)
    assert (told["outcome"], told["period"]) == ("no data yet", str(OPEN))
    assert "unknown, not zero" in str(told["told"])
    assert ledger.ingest("cost-explorer:").code == 3
    with pytest.raises(Rejected, match="no rows"):
        message(ledger, MONTH.before())


def test_a_month_that_an_export_holds_is_not_taken_a_second_time(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.ingest(export_of(MONTH, tmp_path), "--source", "export").outcomes == ["committed"]
    before = ledger.figures()
    refused = ledger.ingest("cost-explorer:", "--source", "small", "--period", str(MONTH))
    assert (refused.code, refused.fault["rule"]) == (2, "bill-in-another-source")
    assert ledger.figures() == before


def test_an_export_takes_the_place_of_cost_explorer_under_the_same_name_only(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.ingest("cost-explorer:", "--source", "small", "--period", str(MONTH)).outcomes == ["committed"]
    export = export_of(MONTH, tmp_path)
    assert ledger.ingest(export, "--source", "export").fault["rule"] == "bill-in-another-source"
    assert ledger.ingest(export, "--source", "small").outcomes == ["committed"]
    assert Decimal(ledger.total()) == 1


def test_the_one_account_of_the_settings_is_whose_costs_they_are(ledger: Ledger) -> None:
    ledger.config.write_text(f'{SMALL}accounts = ["999988887777"]\n', encoding="utf-8")
    [run] = ledger.ingest("cost-explorer:", "--period", str(MONTH)).document["runs"]
    assert (run["source"], run["holds"]) == ("small", ["999988887777"])


def test_a_stranger_signed_in_is_refused_before_anything_is_asked(explorer: Explorer, ledger: Ledger) -> None:
    ledger.config.write_text(f'{SMALL}accounts = ["999988887777", "999988886666"]\n', encoding="utf-8")
    refused = ledger.ingest("cost-explorer:", "--period", str(MONTH))
    assert (refused.code, refused.fault["rule"], explorer.asked) == (2, "cost-explorer", [])


def test_of_several_sources_one_has_to_be_named(ledger: Ledger) -> None:
    ledger.config.write_text(SMALL + SMALL.replace("small", "other"), encoding="utf-8")
    refused = ledger.ingest("cost-explorer:", "--period", str(MONTH))
    assert "--source NAME" in refused.fault["advice"]
    assert ledger.ingest("cost-explorer:", "--source", "other", "--period", str(MONTH)).outcomes == ["committed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"day": f"{MONTH.before()}-28"}, "not asked for"),
        ({"unit": "CNY"}, "CNY and USD"),
        ({"twice": True}, "twice"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(
    explorer: Explorer, ledger: Ledger, change: dict[str, object], words: str
) -> None:
    group = explorer.days[f"{MONTH}-01"][0]
    if "day" in change:
        explorer.strays = str(change["day"])
    if "unit" in change:
        group["Metrics"]["NetAmortizedCost"]["Unit"] = change["unit"]
    if "twice" in change:
        explorer.days[f"{MONTH}-01"].append(group)
    refused = ledger.ingest("cost-explorer:", "--period", str(MONTH))
    assert refused.code == 2 and words in refused.fault["message"]


@pytest.mark.parametrize(("fault", "code"), [("AccessDeniedException", 2), ("LimitExceededException", 3)])
def test_a_refusal_and_a_busy_service_leave_the_ledger_as_it_was(
    explorer: Explorer, ledger: Ledger, fault: str, code: int
) -> None:
    month = ("cost-explorer:", "--period", str(MONTH))
    assert ledger.ingest(*month).code == 0
    before = ledger.figures()
    explorer.fault = fault
    assert ledger.ingest(*month).code == code
    assert ledger.figures() == before


def test_another_server_of_aws_is_understood_as_well(
    explorer: Explorer, moto: Moto, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in moto.env.items():
        monkeypatch.setenv(name, value)
    [result] = explorer.answer({"TimePeriod": {"Start": f"{MONTH}-01", "End": f"{MONTH}-02"}})[1]["ResultsByTime"]
    seed = json.dumps({"results": [{"ResultsByTime": [result], "DimensionValueAttributes": []}]}).encode()
    place = f"{moto.endpoint}/moto-api/static/ce/cost-and-usage-results"
    assert urlopen(Request(place, seed, {"Content-Type": "application/json"}), timeout=10).status == 201
    month = ("cost-explorer:", "--period", str(MONTH))
    assert [ledger.ingest(*month).outcomes for _ in range(2)] == [["committed"], ["unchanged"]]
    assert Decimal(ledger.total()) == Decimal("0.1900000000000001")
