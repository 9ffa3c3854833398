"""Bills in our own shapes become rows that break no rule with MUST: samples, every kind of charge, real bills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bills import AZURE, Ledger, azure, cur2, snowflake
from tests.ingest.test_aws import COVERED, RI, SP, TYPES, kind
from tests.ingest.test_azure_cost_details import CHARGES, LINE, PLANNED

SAMPLES = Path(__file__).parents[2] / "samples"
RI_TERM, SP_TERM = (
    {f"{whose}_start_time": "2025-06-01T10:00:01.000Z", f"{whose}_end_time": "2026-06-01T10:00:00.000Z"}
    for whose in ("reservation", "savings_plan")
)
UNTOLD = (
    *(f"CCT-{what}Period{end}-C-003-M" for what in ("Contract", "ContractCommitment") for end in ("Start", "End")),
    "CCT-ContractCommitmentQuantity-C-004-C",
)


def test_the_samples_of_all_three_providers_conform(ledger: Ledger) -> None:
    assert ledger.ingest(SAMPLES).code == 0
    assert ledger.broken_rules() == {}


def test_every_kind_of_aws_line_conforms(ledger: Ledger, tmp_path: Path) -> None:
    hostile = (
        kind("RIFee", 3.0, line_item_unblended_rate="1.49999", reservation_unused_recurring_fee=0.2, **RI, **RI_TERM),
        kind("SavingsPlanRecurringFee", 5.0, **SP, **SP_TERM, savings_plan_total_commitment_to_date=6.0),
        kind("DiscountedUsage", 0.0, reservation_effective_cost=1.5, **RI),
        kind("Credit", -2.0, **SP),
        kind("EdpDiscount", -2.0, **RI),
        kind("Fee", 9.0, line_item_usage_amount=0.0),
        kind("Usage", 0.0, line_item_unblended_rate="", pricing_unit="", line_item_resource_id="vol-1"),
        kind("Usage", 0.0, line_item_unblended_rate="0.0", line_item_usage_amount=0.0),
        kind("Usage", 1.0, resource_tags={"user_a": "1", "a": "2"}, product_instance_type="t3.micro"),
        COVERED | {"line_item_unblended_rate": "2.0"},
    )
    lines = [line for line, *_ in TYPES.values() if line != COVERED] + list(hostile)
    assert ledger.ingest(cur2(tmp_path / "a.parquet", *lines)).code == 0
    assert ledger.broken_rules() == {}


def test_every_kind_of_azure_line_conforms(ledger: Ledger, tmp_path: Path) -> None:
    hostile = (
        {"UnitOfMeasure": "10K", "Quantity": "0.0004", "UnitPrice": "0.1", "CostInBillingCurrency": "0.00004"},
        {"UnitPrice": "0", "PayGPrice": "0", "Tags": '"a": "1","a": "2"'},
        {"UnitPrice": "", "PayGPrice": "", "Quantity": "7", "UnitOfMeasure": ""},
        {"ChargeType": "Refund", "CostInBillingCurrency": "-5"},
        {"MeterCategory": "Brand New", "ConsumedService": "Microsoft.Storage"},
        {"MeterCategory": "Brand New", "ConsumedService": "Microsoft.Compute"},
        {"ChargeType": "Purchase", "Quantity": "0"},
    )
    told = [(where, changes, "benefitId" in changes) for where, changes, expected in CHARGES if expected]
    usage = [changes for where, changes, _ in told if where == "amortized"] + list(hostile)
    billed = [changes for where, changes, committed in told if where == "amortized" and not committed]
    billed = [changes for changes in billed if changes.get("ChargeType") != "UnusedReservation"] + list(hostile)
    paid = [changes for where, changes, _ in told if where == "actual"]
    paid = [changes | {"Frequency": "OneTime"} for changes in (*paid, PLANNED | {"ChargeType": "Purchase"})]
    files = [
        azure(
            tmp_path / f"{role}.csv",
            *(dict(AZURE) | LINE | {"BillingCurrencyCode": "USD", "Term": "12"} | changes for changes in lines),
        )
        for role, lines in {"actual": billed + paid, "amortized": usage}.items()
    ]
    assert ledger.ingest(*files).outcomes == ["committed"]
    assert ledger.broken_rules() == {}


def test_every_kind_of_snowflake_line_conforms(ledger: Ledger, tmp_path: Path) -> None:
    kinds = ("CONSUMPTION", "REBATE", "SUPPORT_CREDIT", "PRIORITY_SUPPORT", "VPS_DEPLOYMENT_FEE", "CAPACITY_PURCHASE")
    lines = [{"BILLING_TYPE": name, "EFFECTIVE_RATE": rate} for name in kinds for rate in ("", "3", "0")]
    lines += [{"BILLING_TYPE": "PRIORITY_SUPPORT", "USAGE": "0", "EFFECTIVE_RATE": ""}]
    lines += [{"USAGE": "28.408", "USAGE_IN_CURRENCY": "56.82", "EFFECTIVE_RATE": "2.00"}]
    lines += [{"USAGE": "-7", "USAGE_IN_CURRENCY": "-21.00", "IS_ADJUSTMENT": "TRUE", "EFFECTIVE_RATE": ""}]
    lines += [{"USAGE": "0.001", "USAGE_IN_CURRENCY": "0.00", "SERVICE_TYPE": "NEW", "EFFECTIVE_RATE": ""}]
    assert ledger.ingest(snowflake(tmp_path / "a.csv", *lines)).code == 0
    assert ledger.broken_rules() == {}


def test_a_real_aws_month_conforms(ledger: Ledger, real_data: Path) -> None:
    assert ledger.ingest(real_data / "aws/cur_legacy_2018-10.snappy.parquet").code == 0
    assert ledger.broken_rules() == {}


def test_an_actual_azure_file_alone_breaks_only_what_needs_its_amortised_half(ledger: Ledger, real_data: Path) -> None:
    """Nobody knows what a prepaid purchase covers: its effective cost stays what was billed, and the row says so.

    Nor does one instalment of a reservation tell when its term began.
    """
    assert ledger.ingest(real_data / "azure/ea_actual_2023-09.csv", "--basis", "actual").code == 0
    assert ledger.broken_rules() == {"CAU-EffectiveCost-C-005-C": 1, **dict.fromkeys(UNTOLD, 1)}


@pytest.mark.parametrize("line", [{"Quantity": "0"}, {"CostInBillingCurrency": "-5", "UnitPrice": "", "PayGPrice": ""}])
def test_a_contradiction_of_the_bill_stays_a_finding(ledger: Ledger, tmp_path: Path, line: dict[str, str]) -> None:
    prices = {"UnitPrice": "", "PayGPrice": ""}
    ledger.config.write_text('[conformance]\ngate = "report"\n', encoding="utf-8")
    ledger.ingest(azure(tmp_path / "a.csv", LINE | prices | line), "--basis", "actual")
    assert "CAU-ContractedUnitPrice-C-015-C" in ledger.broken_rules()
