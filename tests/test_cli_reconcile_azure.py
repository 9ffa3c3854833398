"""`ledger reconcile --provider azure` against the emulated Query API over HTTPS, with the real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import cli
from emulators import faults
from emulators.arm import Arm
from emulators.cost_query import Charge, QueryApi
from tests.arm import found_arm
from tests.azure_bills import mca
from tests.bills import Ledger, azure
from tests.exports import export, lines
from tests.ingest.conftest import config as config
from tests.ingest.conftest import ledger as ledger

SCOPE = "/subscriptions/11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 2, 20, 8, tzinfo=UTC)
DAY = date(2026, 1, 5)
MACHINE = Charge(SCOPE, DAY, "Virtual Machines", "microsoft.compute", Decimal("5"))
PLAN = Charge(SCOPE, DAY, "", "microsoft.capacity", Decimal("30"), Decimal(0))
COVERED = Charge(SCOPE, DAY, "Virtual Machines", "microsoft.compute", Decimal(0), Decimal("2.5"))
COMMITTED = {"PricingModel": "Reservation", "benefitId": "/providers/microsoft.capacity/reservationorders/r-1"}
BOUGHT = {"ChargeType": "Purchase", "MeterCategory": "", "ConsumedService": "Microsoft.Capacity", **COMMITTED}
Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with found_arm(NOW, monkeypatch) as running:
        yield running


@pytest.fixture
def query(arm: Arm) -> QueryApi:
    api = QueryApi([MACHINE, PLAN, COVERED])
    arm.cost.handlers["query"] = api
    return api


@pytest.fixture
def run(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`ledger reconcile` with usage of 5, a reservation of 30 and 2.50 of it used, all on one day, in the ledger."""
    actual = azure(tmp_path / "actual.csv", {}, {**BOUGHT, "CostInBillingCurrency": "30"})
    amortized = azure(tmp_path / "amortized.csv", {}, {**COMMITTED, "CostInBillingCurrency": "2.5"})
    assert ledger.ingest(actual, amortized, "--source", "shop").outcomes == ["committed"]
    monkeypatch.setattr(cli, "_now", lambda: NOW)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def ask(*arguments: str, scope: str = SCOPE) -> tuple[int, dict[str, Any], str]:
        place = ["--store", ledger.store, "--config", str(ledger.config), "--json"]
        chosen = ["--scope", scope] if scope else []
        code = cli.main(["reconcile", "--provider", "azure", *chosen, *arguments, *place])
        out, errors = capsys.readouterr()
        return code, json.loads(out or "{}"), errors

    return ask


def gaps(document: dict[str, Any], cost: str = "BilledCost") -> set[tuple[str | None, str, str]]:
    [month] = [one for one in document["months"] if one["cost"] == cost]
    return {(gap["service"], gap["day"], f"{Decimal(gap['difference']).normalize():f}") for gap in month["differences"]}


@pytest.mark.usefixtures("query")
def test_billed_costs_agree_with_actual_and_effective_with_amortized_ones(run: Run) -> None:
    code, document, _ = run()
    assert (code, document["left_out"]) == (0, [])
    told = [(one["cost"], one["metric"], one["differences"], one["requests"]) for one in document["months"]]
    assert told == [("BilledCost", "ActualCost", [], 1), ("EffectiveCost", "AmortizedCost", [], 1)]
    totals = [Decimal(one["totals"][side]["USD"]) for one in document["months"] for side in ("ledger", "independent")]
    assert totals == [35, 35, Decimal("7.5"), Decimal("7.5")]
    assert [one["outside"] for one in document["months"]] == [[], []]


def test_a_difference_of_a_service_ends_with_1_and_is_listed_by_day(query: QueryApi, run: Run) -> None:
    query.charges[0] = replace(MACHINE, actual=Decimal("5.25"))
    code, document, _ = run()
    expected = {("Virtual Machines", "2026-01-05", "-0.25"), (None, "2026-01-05", "-0.25")}
    assert (code, gaps(document)) == (1, expected)
    assert run("--tolerance", "0.25")[0] == 0


def test_a_difference_far_behind_the_point_is_seen_where_no_tolerance_hides_it(query: QueryApi, run: Run) -> None:
    query.charges.append(replace(MACHINE, actual=Decimal("0.000000000000000000000005")))
    code, document, _ = run("--tolerance", "0")
    assert (code, {gap[2] for gap in gaps(document)}) == (1, {"-0.000000000000000000000005"})


def test_pages_add_up(query: QueryApi, run: Run) -> None:
    query.page_size = 1
    code, document, _ = run()
    assert (code, [one["requests"] for one in document["months"]]) == (0, [2, 2])


def test_another_host_s_next_page_is_refused(query: QueryApi, run: Run) -> None:
    query.page_size, query.elsewhere = 1, "https://attacker.example"
    code, document, errors = run()
    assert (code, document["faults"][0]["rule"]) == (2, "cost-query")
    assert "attacker.example" in errors


def test_currencies_are_never_added(query: QueryApi, run: Run) -> None:
    query.charges.append(replace(MACHINE, currency="EUR", actual=Decimal("1")))
    code, document, _ = run()
    [billed, _] = document["months"]
    assert (code, billed["totals"]["independent"]) == (1, {"EUR": "1", "USD": "35"})
    assert {(gap["currency"], gap["service"]) for gap in billed["differences"]} == {
        ("EUR", None),
        ("EUR", "Virtual Machines"),
    }


def test_no_costs_at_all_are_unknown_and_end_with_3(query: QueryApi, run: Run) -> None:
    query.charges.clear()
    code, document, _ = run()
    assert (code, document["months"]) == (3, [])
    assert ["unknown, not zero" in reason for reason in document["left_out"]] == [True, True]


def test_a_month_that_the_ledger_does_not_hold_is_refused_before_anything_is_asked(arm: Arm, run: Run) -> None:
    code, document, _ = run("--period", "2026-02")
    assert (code, document["faults"][0]["message"]) == (2, "the ledger holds no rows of Azure of 2026-02")
    assert arm.cost.asked == []


@pytest.mark.usefixtures("query")
def test_a_month_of_too_long_ago_is_left_out(run: Run) -> None:
    code, document, _ = run("--period", "2024-12")
    assert (code, document["months"], document["left_out"]) == (0, [], ["2024-12: the Query API does not tell it"])


def test_rows_on_other_days_of_the_billing_month_are_told_and_not_compared(
    query: QueryApi, run: Run, ledger: Ledger, tmp_path: Path
) -> None:
    days = [{"Date": day, "CostInBillingCurrency": "3"} for day in ("12/31/2025", "02/01/2026")]
    stray = azure(tmp_path / "stray.csv", {}, *days)
    ledger.ingest(stray, "--source", "shop", "--basis", "actual")
    query.charges[:] = [MACHINE]
    code, document, _ = run()
    [month] = document["months"]
    assert (code, month["cost"], month["differences"]) == (0, "BilledCost", [])
    [outside] = month["outside"]
    assert (outside["what"], outside["rows"]) == ("other days of this billing month", 2)
    assert Decimal(outside["amount"]) == 6
    assert document["left_out"] == ["2026-01: EffectiveCost in the ledger is actual, not amortized: not compared"]


def test_an_open_day_is_shown_and_does_not_fail(query: QueryApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    query.charges[0] = replace(MACHINE, actual=Decimal("6"))
    monkeypatch.setattr(cli, "_now", lambda: datetime(2026, 1, 7, 1, tzinfo=UTC))
    code, document, _ = run()
    assert (code, len(gaps(document))) == (0, 2)
    monkeypatch.setattr(cli, "_now", lambda: datetime(2026, 1, 8, 1, tzinfo=UTC))
    assert run()[0] == 1


@pytest.mark.usefixtures("query")
def test_throttling_is_waited_out_and_lack_of_rights_names_the_role(arm: Arm, run: Run) -> None:
    plan = arm.cloud.faults
    plan.add(faults.throttled("query", times=4, retry_after=3))
    assert run()[0] == 0
    plan.add(faults.denied("query"))
    code, document, _ = run()
    assert (code, document["faults"][0]["rule"]) == (2, "azure-access")
    assert "Cost Management Reader" in document["faults"][0]["advice"]


PROFILE = "/providers/Microsoft.Billing/billingAccounts/a:b_2019-05-31/billingProfiles/EXPL-PROF-BG7-PGB"


@pytest.fixture
def only(query: QueryApi, ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`ledger reconcile` over the source `one` and what it is told to have of charges."""
    monkeypatch.setattr(cli, "_now", lambda: NOW)

    def ask(charges: Sequence[Charge], *bills: Path) -> tuple[int, dict[str, Any], str]:
        if bills:
            assert ledger.ingest(*bills, "--source", "one").outcomes == ["committed"]
        query.charges[:] = charges
        place = ["--store", ledger.store, "--config", str(ledger.config), "--json"]
        code = cli.main(["reconcile", "--provider", "azure", "--source", "one", "--scope", charges[0].scope, *place])
        out, errors = capsys.readouterr()
        return code, json.loads(out), errors

    return ask


def test_a_customer_agreement_is_compared_in_its_billing_currency(only: Run, tmp_path: Path) -> None:
    bills = mca(tmp_path / "actual.csv", {}), mca(tmp_path / "amortized.csv", {})
    machine = Charge(PROFILE, DAY, "Virtual Machines", "microsoft.compute", Decimal("4.5"), currency="EUR")
    code, document, _ = only([machine], *bills)
    assert (code, [one["differences"] for one in document["months"]]) == (0, [[], []])
    assert document["months"][0]["totals"]["independent"] == {"EUR": "4.5"}


def test_a_focus_export_agrees_also_where_it_names_no_meter(only: Run, tmp_path: Path) -> None:
    rows = [
        {**line, "BilledCost": "12.5", "EffectiveCost": "12.5"} if line["ChargeCategory"] == "Adjustment" else line
        for line in lines("azure_1_2_preview")
    ]
    charges = [
        Charge(SCOPE, DAY, line["x_SkuMeterCategory"], "", Decimal(line["BilledCost"]), Decimal(line["EffectiveCost"]))
        for line in rows
    ]
    code, document, _ = only(charges, export(tmp_path / "focus.parquet", "azure_1_2_preview", rows))
    assert (code, [one["differences"] for one in document["months"]]) == (0, [[], []])
    changed = [replace(charge, actual=charge.actual + 1) if not charge.category else charge for charge in charges]
    code, document, _ = only(changed)
    assert (code, {gap[2] for gap in gaps(document)}) == (1, {"-1"})


@pytest.mark.usefixtures("query")
def test_the_scope_is_that_of_the_source_in_the_settings(arm: Arm, run: Run, ledger: Ledger) -> None:
    one = f'[sources.{{}}]\nprovider = "azure"\nlocation = "cost-details:"\nscope = "{SCOPE}"\n'
    ledger.config.write_text(one.format("shop"), encoding="utf-8")
    assert run(scope="")[0] == 0
    assert {asked.scope for asked in arm.cost.asked} == {SCOPE}
    ledger.config.write_text(one.format("shop") + one.format("other"), encoding="utf-8")
    code, document, _ = run(scope="")
    assert (code, document["faults"][0]["advice"]) == (2, "Name one: --source NAME.")
    assert run("--source", "shop", scope="")[0] == 0
    assert (
        run("--source", "other", scope="")[1]["faults"][0]["message"] == "the ledger holds no month of Azure to compare"
    )


@pytest.mark.usefixtures("query")
def test_without_a_scope_it_says_how_to_name_one(run: Run) -> None:
    code, document, _ = run(scope="")
    assert (code, "--scope" in document["faults"][0]["advice"]) == (2, True)
    assert run(scope="/subscriptions")[1]["faults"][0]["rule"] == "azure-scope"


@pytest.mark.usefixtures("run")
def test_people_read_both_sides_by_name(query: QueryApi, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    query.charges[0] = replace(MACHINE, actual=Decimal("5.25"))
    place = ["--store", ledger.store, "--config", str(ledger.config)]
    assert cli.main(["reconcile", "--provider", "azure", "--scope", SCOPE, *place]) == 1
    shown = capsys.readouterr().out
    assert "Query API" in shown
    assert "USD 0.01" not in shown
    assert "BilledCost" in shown and "EffectiveCost" in shown
