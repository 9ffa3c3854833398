from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.alert import parse
from governance.model import Alert, Refusal
from tests.governance.scene import BUDGETS, DOLLAR, LAB, NOW, payload


def taken(body: bytes, **more: Any) -> Alert:
    verdict = parse(body, **{"budgets": BUDGETS, "now": NOW, **more})
    assert isinstance(verdict, Alert), verdict
    return verdict


def refused(body: bytes, **more: Any) -> Refusal:
    verdict = parse(body, **{"budgets": BUDGETS, "now": NOW, **more})
    assert isinstance(verdict, Refusal), verdict
    return verdict


def test_common_actual() -> None:
    alert = taken(payload("common-actual"))
    assert (alert.budget_name, alert.limit, alert.spent) == ("dev-dollar", Decimal("1.00"), Decimal("0.81"))
    assert (alert.threshold, alert.kind, alert.period) == (Decimal("0.8"), "actual", "2026-11")
    assert (alert.form, alert.notice_only) == ("common", "")


def test_a_threshold_of_a_budget_of_one_is_an_amount_in_the_common_form() -> None:
    assert taken(payload("common-actual", NotificationThresholdAmount="$0.50")).threshold == Decimal("0.5")


def test_legacy_threshold_is_an_amount() -> None:
    alert = taken(payload("legacy"))
    assert (alert.threshold, alert.form, alert.fired_at, alert.period) == (Decimal("0.8"), "legacy", None, "2026-11")
    assert alert.notice_only == ""


def test_legacy_short_threshold_is_a_share() -> None:
    alert = taken(payload("legacy-short"))
    assert (alert.threshold, alert.form, alert.notice_only) == (Decimal("0.8"), "legacy-short", "")


def test_both_legacy_spellings_of_a_threshold_are_one_effect() -> None:
    assert taken(payload("legacy")).key == taken(payload("legacy-short")).key


def test_a_legacy_threshold_that_may_be_amount_or_share_is_refused() -> None:
    budget = replace(LAB, amount=Decimal(1))
    body = payload("legacy", Budget="1", NotificationThresholdAmount="0.8", SpendingAmount="0.9")
    assert refused(body, budgets=[budget]).status == 422


NOTICES = {
    "forecast": (payload("common-forecast"), "forecast"),
    "spent below threshold": (payload("common-actual", SpentAmount="$0.79"), "below the threshold"),
    "legacy spent below its amount": (payload("legacy", SpendingAmount="7199.99"), "below the threshold"),
    "legacy spent below its share": (payload("legacy-short", SpendingAmount="7199.99"), "below the threshold"),
    "early threshold": (payload("common-actual", NotificationThresholdAmount="$0.50"), "action threshold"),
    "early share": (payload("legacy-short", NotificationThresholdAmount="0.5"), "action threshold"),
    "portal test by id": (payload("common-actual", alertId="/x/alerts/Test_Alert"), "test alert"),
    "portal test by text": (payload("common-actual", description="Test notification"), "test alert"),
}


@pytest.mark.parametrize(("body", "reason"), NOTICES.values(), ids=NOTICES)
def test_notice_only(body: bytes, reason: str) -> None:
    assert reason in taken(body).notice_only


PLACE = "11111111-1111-1111-1111-111111111111"
SAMPLES = {
    "actual": payload(
        "common-actual",
        Scope=f"/subscriptions/{PLACE}/",
        BudgetName="Test_actual_cost_budget",
        BudgetId=f"/subscriptions/{PLACE}/providers/Microsoft.Consumption/budgets/Test_actual_cost_budget",
        alertId=f"/subscriptions/{PLACE}/providers/Microsoft.CostManagement/alerts/Test_Alert",
        description="Your spend for budget Test_actual_cost_budget is now $11,111.00 exceeding your threshold $25.00.",
        firedDateTime="2022-12-07T21:13:20.645Z",
        BudgetStartDate="2022-11-01",
    ),
    "forecast": payload("common-forecast", Scope=f"/subscriptions/{PLACE}/", BudgetName="Test_forcasted_budget"),
    "legacy": payload("legacy", SubscriptionId=PLACE, ResourceGroup="test-RG", BudgetName="test-budgetName"),
}


@pytest.mark.parametrize("body", SAMPLES.values(), ids=SAMPLES)
def test_a_test_alert_of_the_portal_is_known_though_its_budget_is_nobodys(body: bytes) -> None:
    refusal = refused(body)
    assert (refusal.status, refusal.reason) == (202, "a test alert from the portal")


def test_a_budget_of_the_registry_is_no_sample_whatever_its_name() -> None:
    id = DOLLAR.id.replace(DOLLAR.scope, f"/subscriptions/{PLACE}").replace("dev-dollar", "test")
    budget = replace(DOLLAR, name="test", id=id, scope=f"/subscriptions/{PLACE}")
    body = payload("common-actual", BudgetName="test", BudgetId=id, Scope=budget.scope, description="")
    assert taken(body, budgets=[budget]).notice_only == ""
    assert refused(payload("common-actual", BudgetName="test")).status == 403


def test_a_budget_named_test_can_still_act() -> None:
    budget = replace(DOLLAR, name="load-test", id=DOLLAR.id.replace("dev-dollar", "load-test"))
    body = payload("common-actual", BudgetName="load-test", BudgetId=budget.id, description="Spend of load-test is up")
    assert taken(body, budgets=[budget]).notice_only == ""


def test_a_threshold_printed_rounded_still_reaches_the_action_threshold() -> None:
    budget = replace(DOLLAR, amount=Decimal("0.33"))
    body = payload("common-actual", BudgetThreshold="$0.33", NotificationThresholdAmount="$0.26", SpentAmount="$0.30")
    assert taken(body, budgets=[budget]).notice_only == ""


REFUSALS = {
    "not json": (b"budget", 400),
    "not utf-8": (b"\xff\xfe{}", 400),
    "nothing": (b"", 400),
    "a list": (b"[]", 422),
    "duplicate key": (b'{"schemaId": 1, "schemaId": 2}', 400),
    "nan": (b'{"schemaId": NaN}', 400),
    "deep": (b"[" * 100_000, 400),
    "huge integer": (b"1" * 10_000, 400),
    "1 MB": (b" " * 1024 * 1024, 413),
    "no schema": (b"{}", 422),
    "another schema": (payload("legacy", schemaId="AIP Credit Notification"), 422),
    "metric alert": (payload("metric"), 422),
    "another category": (payload("common-actual", AlertCategory="metric"), 422),
    "number for text": (payload("common-actual", SpentAmount=0.81), 422),
    "null amount": (payload("legacy", SpendingAmount=[]), 422),
    "lone surrogate": (payload("common-actual", BudgetName="\ud800"), 422),
    "unknown budget": (payload("common-actual", BudgetName="other"), 403),
    "unknown budget id": (payload("common-actual", BudgetId="/subscriptions/x/budgets/dev-dollar"), 403),
    "other scope": (payload("common-actual", Scope="/subscriptions/33333333-2222-4222-8222-222222222222/"), 403),
    "other subscription": (payload("legacy", SubscriptionId="33333333-2222-4222-8222-222222222222"), 403),
    "other group": (payload("legacy", ResourceGroup=""), 403),
    "other currency": (payload("common-actual", Unit="EUR"), 422),
    "usage budget": (payload("common-actual", BudgetType="Usage"), 422),
    "other limit": (payload("common-actual", BudgetThreshold="$1.01"), 422),
    "ambiguous": (payload("common-actual", SpentAmount="$1,234"), 422),
    "foreign symbol": (payload("common-actual", SpentAmount="€0.81"), 422),
    "negative": (payload("common-actual", SpentAmount="-$0.81"), 422),
    "exponent": (payload("legacy", SpendingAmount="1e5"), 422),
    "zero threshold": (payload("common-actual", NotificationThresholdAmount="$0.00"), 422),
    "absurd threshold": (payload("common-actual", NotificationThresholdAmount="$10.01"), 422),
    "kind": (payload("common-actual", ThresholdType="Guess"), 422),
    "too old": (payload("common-actual", firedDateTime="2026-11-09T16:04:59Z"), 422),
    "in the future": (payload("common-actual", firedDateTime="2026-11-12T16:15:01Z"), 422),
    "no offset": (payload("common-actual", firedDateTime="2026-11-12T16:04:10"), 422),
    "no instant": (payload("common-actual", firedDateTime="yesterday"), 422),
    "first instant": (payload("common-actual", firedDateTime="0001-01-01T00:00:00+23:59"), 422),
    "no date": (payload("legacy", BudgetStartDate="13/40/2026"), 422),
    "not begun": (payload("legacy", BudgetStartDate="12/1/2026"), 422),
}


@pytest.mark.parametrize(("body", "status"), REFUSALS.values(), ids=REFUSALS)
def test_refused_with_a_reason(body: bytes, status: int) -> None:
    refusal = refused(body)
    assert refusal.status == status
    assert refusal.reason.isascii()
    assert len(refusal.reason) < 400


REQUIRED = {
    "common-actual": "monitoringService firedDateTime alertId AlertCategory Scope ThresholdType BudgetType "
    "BudgetThreshold NotificationThresholdAmount BudgetName BudgetId BudgetStartDate Unit SpentAmount data",
    "legacy": "SubscriptionId SpendingAmount BudgetStartDate Budget Unit BudgetName BudgetType "
    "NotificationThresholdAmount data",
}


@pytest.mark.parametrize(("form", "name"), [(form, name) for form, all in REQUIRED.items() for name in all.split()])
def test_a_missing_field_is_refused(form: str, name: str) -> None:
    assert refused(payload(form, **{name: None})).status == 422


@pytest.mark.parametrize(
    "change",
    [
        {"NotificationThresholdAmount": "$0.90", "SpentAmount": "$0.95"},
        {"firedDateTime": "2026-12-01T00:00:00Z"},
        {"ThresholdType": "Forecasted"},
    ],
)
def test_another_threshold_period_or_kind_is_another_effect(change: dict[str, str]) -> None:
    later = NOW + timedelta(days=20)
    first = taken(payload("common-actual"), now=later, max_age=timedelta(days=90))
    assert taken(payload("common-actual", **change), now=later, max_age=timedelta(days=90)).key != first.key


def test_the_same_effect_has_one_key_however_it_is_spelt() -> None:
    again = payload(
        "common-actual",
        SpentAmount="US$0.99",
        NotificationThresholdAmount="$0.800",
        BudgetId=DOLLAR.id.upper() + "/",
        firedDateTime="2026-11-12T17:04:10+01:00",
    )
    assert taken(again).key == taken(payload("common-actual")).key


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(body: bytes) -> None:
    assert isinstance(parse(body, budgets=BUDGETS, now=NOW), Refusal)


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just("$0.80"))
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
fields = sorted({name for names in REQUIRED.values() for name in names.split()} - {"data"})


@given(form=st.sampled_from(sorted(REQUIRED)), changes=st.dictionaries(st.sampled_from(fields), anything, max_size=4))
def test_arbitrary_json_in_any_field_never_raises(form: str, changes: dict[str, object]) -> None:
    document = json.loads(payload(form))
    known = {name: value for name, value in changes.items() if f'"{name}"' in json.dumps(document)}
    assert isinstance(parse(payload(form, **known), budgets=BUDGETS, now=NOW), Alert | Refusal)
