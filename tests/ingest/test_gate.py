"""Before a commit the mapped rows are held against FOCUS 1.3; what is the mapping's fault keeps the delivery out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.gate import less_memory
from tests.bills import Ledger, azure, snowflake
from tests.exports import changed, export
from tests.ingest.test_azure_cost_details import LINE

# The ledger can hold such a price and such a cost, but not their product: it lacks the cost that it should work out.
CONTRADICTION = {"Quantity": "9", "UnitPrice": "90000000000000", "CostInBillingCurrency": "20000000000"}
ACTUAL = ("--basis", "actual")
SAMPLES = Path(__file__).parents[2] / "samples"


def settled(ledger: Ledger, policy: str) -> None:
    ledger.config.write_text(f'[conformance]\ngate = "{policy}"\n', encoding="utf-8")


def conformance(document: dict[str, Any]) -> dict[str, Any]:
    [run] = document["runs"]
    return dict(run["conformance"])


def counts(found: dict[str, Any], rule: str) -> tuple[int, int, int]:
    """(ours, inherited, stated)."""
    [line] = [line for line in found["broken"] if line["rule"] == rule]
    return line["ours"], line["inherited"], line["stated"]


def two_categories(folder: Path) -> Path:
    """An export whose own categories of one service differ from line to line."""
    return export(folder / "export.csv", "aws_1_2", changed("aws_1_2", {"ServiceCategory": "Storage"}))


def test_a_conformant_delivery_passes_and_its_run_says_how_much_was_looked_at(ledger: Ledger) -> None:
    runs = ledger.ingest(SAMPLES).document["runs"]
    assert [run["conformance"]["broken"] for run in runs] == [[], [], []]
    assert all(run["conformance"]["evaluated"] > 400 for run in runs)


def test_what_is_the_mappings_fault_keeps_the_delivery_out(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.ingest(azure(tmp_path / "good.csv"), *ACTUAL).code == 0
    before = ledger.figures()
    refusal = ledger.ingest(azure(tmp_path / "bad.csv", CONTRADICTION), *ACTUAL)
    assert refusal.code == 2
    assert ledger.figures() == before
    assert "CAU-ContractedCost-C-003-M" in {fault["rule"] for fault in refusal.document["faults"]}
    assert all("[conformance] gate" in fault["advice"] for fault in refusal.document["faults"])


def test_the_policy_report_commits_and_keeps_the_finding_with_the_run(ledger: Ledger, tmp_path: Path) -> None:
    settled(ledger, "report")
    outcome = ledger.ingest(azure(tmp_path / "bad.csv", CONTRADICTION), *ACTUAL)
    assert outcome.outcomes == ["committed"]
    [report] = (Path(ledger.store) / "runs").rglob("*.json")
    kept = json.loads(report.read_text())["conformance"]
    assert kept == conformance(outcome.document)
    assert counts(kept, "CAU-ContractedCost-C-003-M") == (1, 0, 0)


def test_the_policy_off_looks_at_nothing(ledger: Ledger, tmp_path: Path) -> None:
    settled(ledger, "off")
    outcome = ledger.ingest(azure(tmp_path / "bad.csv", CONTRADICTION), *ACTUAL)
    assert outcome.outcomes == ["committed"]
    assert conformance(outcome.document)["evaluated"] == 0


def test_what_the_bill_itself_says_is_inherited_and_counted(ledger: Ledger, tmp_path: Path) -> None:
    path = two_categories(tmp_path)
    outcome = ledger.ingest(path)
    assert outcome.outcomes == ["committed"], outcome.errors
    ours, inherited, stated = counts(conformance(outcome.document), "CAU-ServiceName-C-005-C")
    assert (ours, stated) == (0, 0)
    assert inherited > 1


def test_rows_that_say_their_cost_is_not_amortised_are_taken_at_their_word(ledger: Ledger, tmp_path: Path) -> None:
    bought = {"ChargeType": "Purchase", "PricingModel": "Reservation", "benefitId": "/reservations/r-1"}
    outcome = ledger.ingest(azure(tmp_path / "bill.csv", LINE | bought), *ACTUAL)
    assert outcome.outcomes == ["committed"], outcome.errors
    assert counts(conformance(outcome.document), "CAU-EffectiveCost-C-005-C") == (0, 0, 1)


PRICELESS = {
    "of nothing": {"Quantity": "0"},
    "of nothing at no price": {"Quantity": "0", "UnitPrice": "0"},
    "of nobody knows what": {"Quantity": "", "UnitPrice": ""},
    "given back for what was used": {"CostInBillingCurrency": "-5"},
    "for less than nothing": {"Quantity": "-10", "UnitPrice": ""},
    "unused of a plan": {
        "ChargeType": "UnusedSavingsPlan",
        "PricingModel": "SavingsPlan",
        "benefitId": "/savingsplans/s",
    }
    | {"Quantity": "0", "UnitPrice": "0"},
    "bought and given back": {"ChargeType": "Purchase", "CostInBillingCurrency": "-5"},
}


@pytest.mark.parametrize("line", PRICELESS.values(), ids=PRICELESS)
def test_a_line_that_no_price_can_be_true_of_is_committed_and_shown(
    line: dict[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    lines: list[dict[str, str]] = [{}, {"MeterName": "other"} | line]
    billed = lines[:1] if line.get("ChargeType", "").startswith("Unused") else lines
    outcome = ledger.ingest(azure(tmp_path / "actual.csv", *billed), azure(tmp_path / "amortized.csv", *lines))
    assert outcome.outcomes == ["committed"], outcome.errors
    assert all(one["ours"] == 0 for one in conformance(outcome.document)["broken"])
    assert "CAU-ListUnitPrice-C-013-C" in ledger.broken_rules()


@pytest.mark.parametrize(
    "line",
    [
        {"BILLING_TYPE": "REFUND", "USAGE_TYPE": "refund", "USAGE": "1", "USAGE_IN_CURRENCY": "-50"},
        {
            "BILLING_TYPE": "PRIORITY_SUPPORT",
            "USAGE_TYPE": "priority support",
            "USAGE": "1",
            "USAGE_IN_CURRENCY": "-50",
        },
        {"IS_ADJUSTMENT": "TRUE", "USAGE_TYPE": "adjustment", "USAGE": "5", "USAGE_IN_CURRENCY": "-5"},
    ],
    ids=lambda line: str(line["USAGE_TYPE"]),
)
def test_neither_does_money_that_snowflake_gives_back_keep_a_month_out(
    line: dict[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    outcome = ledger.ingest(snowflake(tmp_path / "bill.csv", {}, line))
    assert outcome.outcomes == ["committed"], outcome.errors
    assert counts(conformance(outcome.document), "CAU-ContractedUnitPrice-C-015-C") == (0, 0, 1)


@pytest.mark.parametrize("usage", ["0.000", ""])
@pytest.mark.parametrize("kind", ["CONSUMPTION", "SOMETHING NEW"])
def test_what_costs_a_cent_may_be_none_of_a_credit(usage: str, kind: str, ledger: Ledger, tmp_path: Path) -> None:
    line = {"USAGE": usage, "USAGE_IN_CURRENCY": "0.01", "BILLING_TYPE": kind}
    outcome = ledger.ingest(snowflake(tmp_path / "bill.csv", {}, line))
    assert outcome.outcomes == ["committed"], outcome.errors
    assert counts(conformance(outcome.document), "CAU-ListUnitPrice-C-013-C") == (0, 0, 1)
    assert ledger.total() == "210.01"


def test_money_against_what_is_used_has_no_true_price(ledger: Ledger, tmp_path: Path) -> None:
    against = {"USAGE_IN_CURRENCY": "-1.00", "BILLING_TYPE": "SOMETHING NEW"}
    outcome = ledger.ingest(snowflake(tmp_path / "bill.csv", {}, against))
    assert outcome.outcomes == ["committed"], outcome.errors
    assert counts(conformance(outcome.document), "CAU-ContractedUnitPrice-C-015-C") == (0, 0, 1)
    assert ledger.total() == "209.00"


def test_a_person_reads_what_was_inherited(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import cli

    path = two_categories(tmp_path)
    assert cli.main(["ingest", str(path), "--store", ledger.store, "--config", str(ledger.config)]) == 0
    assert re.search(r"CAU-ServiceName-C-005-C: \d+ inherited from the bill", capsys.readouterr().out)


def test_a_policy_that_is_none_is_a_fault_of_the_settings(ledger: Ledger, tmp_path: Path) -> None:
    settled(ledger, "perhaps")
    refusal = ledger.ingest(azure(tmp_path / "bill.csv"), *ACTUAL)
    assert refusal.code == 2
    assert "gate" in refusal.fault["message"]


def test_the_engines_memory_is_as_before_behind_the_gate() -> None:
    with duckdb.connect(config={"memory_limit": "350MB"}) as connection:
        before = connection.execute("SELECT current_setting('memory_limit')").fetchone()
        for _ in range(20):
            with less_memory(connection):
                assert connection.execute("SELECT current_setting('memory_limit')").fetchone() != before
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == before
