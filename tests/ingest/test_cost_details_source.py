"""Cost Details as a source: `ledger ingest azure`, the queue's message, and a ledger that keeps what it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

import wiring
from emulators.cloud import Cloud
from emulators.cost_reports import CostReports, reporting
from emulators.faults import Fault, broken, denied
from ledger.delivery import Period
from ledger.faults import Rejected, Transient
from tests.azure_reports import ACTUAL, AMORTIZED, ENROLLMENT, MAIN, MONTH, NOW, OPEN, PROFILE, customer, ea, table
from tests.bills import Ledger


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Iterator[CostReports]:
    with reporting(Cloud(NOW)) as (arm, made):
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        made.give(ENROLLMENT, "ActualCost", str(MONTH), table(*ACTUAL))
        made.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*AMORTIZED[:2]), table(*AMORTIZED[2:]))
        yield made


def ask(ledger: Ledger, *more: str, period: Period = MONTH) -> list[str]:
    taken = ledger.ingest("azure", "--scope", ENROLLMENT, "--period", str(period), *more)
    assert not taken.document.get("faults"), taken.document
    return taken.outcomes


def message(ledger: Ledger, period: Period = MONTH) -> dict[str, object]:
    return dict(wiring.ingest_partition({"source": "main", "period": str(period)}, environment(ledger), NOW, "run-1"))


def environment(ledger: Ledger) -> dict[str, str]:
    return {**os.environ, "LEDGER_CONFIG": str(ledger.config), "LEDGER_STORE": ledger.store}


@pytest.mark.usefixtures("reports")
def test_an_enrollments_month_is_taken_from_both_reports(ledger: Ledger) -> None:
    taken = ledger.ingest("azure", "--scope", ENROLLMENT, "--source", "main", "--period", str(MONTH))
    [run] = taken.document["runs"]
    assert (run["outcome"], run["source"], run["shape"]) == ("committed", "main", "azure_cost_details_ea")
    assert [(file["role"], file["rows"]) for file in run["files"]] == [
        ("actual", 2),
        ("amortized", 2),
        ("amortized", 1),
    ]
    assert Decimal(ledger.total()) == 15
    assert Decimal(ledger.figures()["currencies"]["USD"]["effective"]) == 15


def test_a_customer_agreements_profile_is_asked_for_by_its_days(reports: CostReports, ledger: Ledger) -> None:
    for metric in ("ActualCost", "AmortizedCost"):
        reports.give(PROFILE, metric, str(MONTH), table(customer(), customer(costInBillingCurrency="0.5")))
    taken = ledger.ingest("azure", "--scope", PROFILE, "--source", "group", "--period", str(MONTH))
    [run] = taken.document["runs"]
    assert (run["outcome"], run["shape"]) == ("committed", "azure_cost_details_mca")
    assert Decimal(ledger.total("EUR")) == 5
    assert all("timePeriod" in question for question in reports.questions)


def test_the_same_costs_behind_other_links_are_unchanged_and_others_a_restatement(
    reports: CostReports, ledger: Ledger
) -> None:
    assert [ask(ledger), ask(ledger)] == [["committed"], ["unchanged"]]
    reports.give(ENROLLMENT, "ActualCost", str(MONTH), table(*ACTUAL, ea(CostInBillingCurrency="2")))
    reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*AMORTIZED, ea(CostInBillingCurrency="2")))
    assert ask(ledger) == ["committed"]
    assert Decimal(ledger.total()) == 17


def test_reports_that_are_one_and_the_same_are_a_pair(reports: CostReports, ledger: Ledger) -> None:
    for metric in ("ActualCost", "AmortizedCost"):
        reports.give(ENROLLMENT, metric, str(MONTH), table(ea(), ea(CostInBillingCurrency="1")))
    assert ask(ledger) == ["committed"]
    assert Decimal(ledger.total()) == 6


def test_the_role_is_what_was_asked_for_and_not_what_the_rows_suggest(reports: CostReports, ledger: Ledger) -> None:
    reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*ACTUAL))
    refused = ledger.ingest("azure", "--scope", ENROLLMENT, "--period", str(MONTH))
    assert (refused.code, refused.fault["rule"]) == (2, "mixed-metrics")


def test_with_actual_costs_alone_one_report_is_made(reports: CostReports, ledger: Ledger) -> None:
    assert ask(ledger, "--basis", "actual") == ["committed"]
    assert [question["metric"] for question in reports.questions] == ["ActualCost"]
    assert Decimal(ledger.total()) == 15


@pytest.mark.usefixtures("reports")
def test_the_word_azure_with_a_source_asks_its_scope_and_takes_its_name(ledger: Ledger) -> None:
    ledger.config.write_text(MAIN, encoding="utf-8")
    for words in (["--source", "main"], [], ["--scope", ENROLLMENT.upper()]):
        [run] = ledger.ingest("azure", "--period", str(MONTH), *words).document["runs"]
        assert run["source"] == "main"


def test_without_a_period_the_open_month_is_asked_for(reports: CostReports, ledger: Ledger) -> None:
    begun = datetime.now(UTC)
    current = Period(begun.year, begun.month)
    for metric, month in product(("ActualCost", "AmortizedCost"), (current, current.next())):
        reports.give(ENROLLMENT, metric, str(month), table(ea(month)))
    [run] = ledger.ingest("azure", "--scope", ENROLLMENT).document["runs"]
    days = {moment.date().isoformat() for moment in (begun, datetime.now(UTC))}
    asked = [question["timePeriod"] for question in reports.questions]
    assert asked[0] in [{"start": f"{day[:7]}-01", "end": day} for day in days]
    assert (asked[1], run["period"]) == (asked[0], asked[0]["end"][:7])


@pytest.mark.parametrize("sources", ["", MAIN + MAIN.replace("main", "other")])
def test_a_scope_that_is_not_clear_is_asked_back(reports: CostReports, ledger: Ledger, sources: str) -> None:
    ledger.config.write_text(sources, encoding="utf-8")
    refused = ledger.ingest("azure")
    assert (refused.code, refused.fault["rule"], reports.questions) == (2, "azure-scope", [])


def test_a_scope_without_the_word_azure_is_refused(ledger: Ledger) -> None:
    refused = ledger.ingest("bills", "--scope", ENROLLMENT)
    assert (refused.code, refused.fault["rule"]) == (2, "scope")


def test_the_timer_asks_for_months_and_makes_no_report(reports: CostReports, ledger: Ledger) -> None:
    ledger.config.write_text(f'{MAIN}since = "{MONTH}"\nrestated_for = 40\n', encoding="utf-8")
    planned = [dict(one.body) for one in wiring.plan_ingest(environment(ledger), NOW)]
    assert planned == [{"source": "main", "period": str(month)} for month in (MONTH, OPEN)]
    assert reports.questions == []


@pytest.mark.usefixtures("reports")
def test_the_queue_takes_a_month_and_a_message_brought_twice_changes_nothing(ledger: Ledger) -> None:
    ledger.config.write_text(MAIN, encoding="utf-8")
    assert [message(ledger)["outcome"], message(ledger)["outcome"]] == ["committed", "unchanged"]
    assert Decimal(ledger.total()) == 15


@pytest.mark.usefixtures("reports")
def test_rows_of_an_account_that_the_source_does_not_claim_are_refused(ledger: Ledger) -> None:
    ledger.config.write_text(f'{MAIN}accounts = ["7"]\n', encoding="utf-8")
    with pytest.raises(Rejected, match="70000042"):
        message(ledger)


def test_rows_of_another_month_are_refused(reports: CostReports, ledger: Ledger) -> None:
    reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(ea(MONTH.before())))
    refused = ledger.ingest("azure", "--scope", ENROLLMENT, "--source", "main", "--period", str(MONTH))
    assert refused.code == 2
    assert "manifest-period" in {fault["rule"] for fault in refused.document["faults"]}


FAULTS: dict[str, tuple[Fault | str, int]] = {
    "denied": (denied("generatecostdetailsreport", times=1), 2),
    "pay-as-you-go": (Fault("generatecostdetailsreport", status=422, code="offer type WebDirect is not supported"), 2),
    "quota": (Fault("generatecostdetailsreport", status=429, code="429", headers={"Retry-After": "9999"}), 3),
    "broken": (broken("costdetailsoperationresults", times=6), 3),
    "failed": ("Failed", 3),
    "no data": ("NoDataFound", 2),
    "nothing": ("204", 2),
    "links": ("expired", 3),
    "cut": ("cut", 3),
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_any_fault_the_ledger_is_as_it_was_and_the_next_run_repairs(
    reports: CostReports, ledger: Ledger, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert ask(ledger) == ["committed"]
    before = ledger.figures()
    for metric in ("ActualCost", "AmortizedCost"):
        reports.give(ENROLLMENT, metric, str(MONTH), table(ea(), ea(CostInBillingCurrency="1")))
    _spoil(reports, FAULTS[name][0])
    failed = ledger.ingest("azure", "--scope", ENROLLMENT, "--period", str(MONTH))
    assert failed.code == FAULTS[name][1], failed.document
    assert "sig=" not in str(failed.document) + failed.errors
    assert ledger.figures() == before
    reports.faults.clear()
    reports.says, reports.blobs.cut, reports.blobs.answers = [], 0, []
    assert ask(ledger) == ["committed"]
    assert Decimal(ledger.total()) == 6


def _spoil(reports: CostReports, fault: Fault | str) -> None:
    if isinstance(fault, Fault):
        reports.faults.add(fault)
    elif fault == "expired":
        reports.blobs.answers = [(403, {})] * 2
    elif fault == "cut":
        reports.blobs.cut = 9
    else:
        reports.says = ["Completed", fault]


@pytest.mark.usefixtures("reports")
def test_an_open_month_without_data_is_told_and_done_with(ledger: Ledger) -> None:
    ledger.config.write_text(MAIN, encoding="utf-8")
    told = message(ledger, OPEN)
    assert (told["outcome"], told["source"], told["period"]) == ("no data yet", "main", str(OPEN))
    assert "unknown, not zero" in str(told["told"])
    assert ledger.figures()["currencies"] == {}
    by_hand = ledger.ingest("azure")
    assert (by_hand.code, by_hand.outcomes) == (3, [])


def planned(ledger: Ledger, now: datetime = NOW) -> list[str]:
    return [str(one.body["period"]) for one in wiring.plan_ingest(environment(ledger), now)]


def test_each_month_is_asked_for_once_a_day_by_the_timer_and_at_any_time_by_hand(
    reports: CostReports, ledger: Ledger
) -> None:
    every = f'{MAIN}since = "{MONTH}"\nrestated_for = 40\n'
    ledger.config.write_text(every, encoding="utf-8")
    assert planned(ledger) == [str(MONTH), str(OPEN)]
    assert [message(ledger)["outcome"], message(ledger, OPEN)["outcome"]] == ["committed", "no data yet"]
    assert planned(ledger) == []
    assert planned(ledger, NOW + timedelta(days=1)) == [str(MONTH), str(OPEN)]
    assert ask(ledger, "--source", "main") == ["unchanged"]
    ledger.config.write_text(every.replace(ENROLLMENT, "/subscriptions/1"), encoding="utf-8")
    assert planned(ledger) == [str(MONTH), str(OPEN)]
    assert len(reports.questions) == 5


def test_a_month_that_came_to_nothing_for_now_is_asked_for_again(
    reports: CostReports, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    ledger.config.write_text(f'{MAIN}since = "{MONTH}"\nrestated_for = 40\n', encoding="utf-8")
    reports.blobs.cut = 9
    with pytest.raises(Transient):
        message(ledger)
    assert str(MONTH) in planned(ledger)
    reports.blobs.cut = 0
    message(ledger)
    assert planned(ledger) == [str(OPEN)]
