"""A real alert that is refused is told to people, once a day for each reason, however often it is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance import flow, refusals
from governance.record import Record
from tests.governance.desk import Post, channel
from tests.governance.scene import BUDGETS, NOW, ListQueue, payload

RAISED = {"BudgetThreshold": "$2.00", "NotificationThresholdAmount": "$1.60"}
DAY = timedelta(days=1)


def fire(record: Record, body: bytes, after: timedelta = timedelta()) -> int:
    given = {"budgets": BUDGETS, "record": record, "queue": ListQueue(), "now": NOW + after}
    return flow.on_alert(body, live=True, **given).status  # type: ignore[arg-type]  # as they are


def letters(record: Record, after: timedelta = timedelta()) -> list[str]:
    post = Post(record, BUDGETS, channel(events=("alert-refused",), budgets=("dev-dollar",)))
    post.run(NOW + after)
    return [f"{one.budget}| " + " ".join((one.title, *one.lines)) for _, one, _ in post.kept.letters]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (RAISED, "limit '$2.00' is not the registry's 1.00 USD"),
        ({"Scope": "/subscriptions/44444444-4444-4444-8444-444444444444/"}, "is not the registered scope"),
        ({"Unit": "EUR"}, "currency 'EUR' is not the budget's USD"),
        ({"SpentAmount": "many"}, "spent 'many' cannot be read"),
    ],
    ids=["limit", "scope", "currency", "amount"],
)
def test_an_alert_that_the_registry_contradicts_is_told(record: Record, changes: dict[str, object], why: str) -> None:
    assert fire(record, payload("common-actual", **changes)) in (403, 422)
    (text,) = letters(record)
    assert text.startswith("dev-dollar| An alert of budget dev-dollar was REFUSED, nothing is stopped")
    assert why in text and "unknown" not in text and "Azure does not send it again" in text


def test_a_budget_that_nobody_registered_is_told_to_all(record: Record) -> None:
    assert fire(record, payload("common-actual", BudgetName="dev-dolar")) == 403
    (text,) = letters(record)
    assert text.startswith("| An alert of budget 'dev-dolar' was REFUSED")


def test_one_reason_is_told_once_a_day_and_no_day_is_without_an_end(record: Record) -> None:
    for spent in ("$1.70", "$1.80", "$1.90"):
        fire(record, payload("common-actual", SpentAmount=spent, **RAISED))
    assert len(letters(record)) == 1
    assert fire(record, payload("common-actual", SpentAmount="$1.95", **RAISED), DAY) == 422
    assert len(letters(record, DAY)) == 1
    for number in range(3 * refusals.MOST):
        fire(record, payload("common-actual", BudgetName=f"made-up-{number}"), DAY)
    assert len(record.events("refusals/2026-11-13")) == 1 + refusals.MOST
    fire(record, payload("common-actual", Unit="EUR"), DAY)
    assert len(record.events("refusals/2026-11-13")) == 2 + refusals.MOST


def test_what_is_no_budget_alert_is_for_the_log_alone(record: Record) -> None:
    assert fire(record, b"{}") == 422
    assert fire(record, payload("common-actual", BudgetName="Test_x", alertId="/x/alerts/Test_Alert")) == 202
    assert record.streams("refusals/") == [] and letters(record) == []
