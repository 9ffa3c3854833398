"""The webhook's answer, and what is left behind by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance import flow
from governance.model import Answer
from governance.record import Record
from ledger.faults import Conflict, Transient
from tests.governance.scene import (
    BUDGETS,
    DOLLAR,
    LAB,
    NOW,
    Crash,
    CrashingStore,
    ListQueue,
    MemoryFleet,
    machine,
    payload,
)

BODY = payload("common-actual")
SAMPLE = payload("common-actual", BudgetName="Test_actual_cost_budget", alertId="/x/alerts/Test_Alert")


def post(record: Record, queue: ListQueue, body: bytes = BODY, **more: Any) -> Answer:
    given: dict[str, Any] = {"budgets": BUDGETS, "now": NOW, "live": True, **more}
    return flow.on_alert(body, record=record, queue=queue, **given)


def kinds(record: Record, stream: str) -> list[str]:
    return [event.kind for event in record.events(stream)]


def test_accepted_is_recorded_before_and_after_it_is_enqueued(record: Record) -> None:
    queue = ListQueue()
    answer = post(record, queue)
    key = answer.body["alert"]
    assert answer == Answer(202, {"alert": key, "dry_run": False})
    assert [(message.queue, message.body) for message in queue.sent] == [("plan-stop", {"alert": key})]
    assert kinds(record, f"alerts/{key}") == ["received", "enqueued"]


def test_invariant_8_redelivery_is_a_duplicate(record: Record) -> None:
    queue = ListQueue()
    first = post(record, queue)
    again = post(record, queue, payload("common-actual", SpentAmount="$0.93"))
    assert again == Answer(202, {**first.body, "duplicate": True})
    assert len(queue.sent) == 1


def test_invariant_8_a_hundred_identical_posts_make_one_plan(record: Record) -> None:
    queue, fleet = ListQueue(), MemoryFleet(machine("a"), machine("b"))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(record, queue), range(100)))
        assert {answer.status for answer in answers} == {202}
        plan = lambda message: flow.on_plan(  # noqa: E731  # one call, said once
            message.body, budgets=BUDGETS, record=record, fleet=fleet, now=NOW, live=True
        )
        orders = [order for orders in pool.map(plan, queue.sent) for order in orders]
    key = answers[0].body["alert"]
    assert sorted(kinds(record, f"alerts/{key}")) == ["enqueued", "planned", "received"]
    assert len({order.body["order"] for order in orders}) == len(record.streams("orders/")) == 2


def test_invariant_8_one_alert_id_and_instant_is_one_effect_however_it_is_printed(record: Record) -> None:
    queue = ListQueue()
    first = post(record, queue)
    again = post(record, queue, payload("common-actual", NotificationThresholdAmount="$0.801", SpentAmount="$0.9"))
    assert again == Answer(202, {**first.body, "duplicate": True})
    for change in ({"alertId": "/x/alerts/another"}, {"firedDateTime": "2026-11-12T16:04:11Z"}):
        other = post(record, queue, payload("common-actual", NotificationThresholdAmount="$0.801", **change))
        assert "duplicate" not in other.body or other.body["alert"] != first.body["alert"]
    assert len(queue.sent) == 2


def test_one_alert_id_of_two_budgets_is_two_effects(record: Record) -> None:
    other = replace(LAB, amount=DOLLAR.amount)
    told = payload("common-actual", Scope=other.scope, BudgetName=other.name, BudgetId=other.id)
    answers = [
        flow.on_alert(body, budgets=[DOLLAR, other], record=record, queue=ListQueue(), now=NOW, live=True)
        for body in (payload("common-actual"), told)
    ]
    assert len({str(one.body["alert"]) for one in answers}) == 2
    assert not any("duplicate" in one.body for one in answers)


def test_a_notice_does_not_take_the_place_of_the_alert_with_its_id(record: Record) -> None:
    queue = ListQueue()
    notice = post(record, queue, payload("common-actual", NotificationThresholdAmount="$0.50"))
    alert = post(record, queue)
    assert alert.body["alert"] != notice.body["alert"]
    assert kinds(record, f"alerts/{alert.body['alert']}") == ["received", "enqueued"]
    assert len(queue.sent) == 1


def test_a_test_alert_of_the_portal_is_taken_and_nothing_else_happens(record: Record) -> None:
    queue = ListQueue()
    answers = [post(record, queue, SAMPLE) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert "test alert" in str(answers[0].body["notice"])
    (event,) = record.events(f"refused/{answers[0].body['digest']}")
    assert event.body["status"] == 202
    assert not queue.sent
    assert record.streams("alerts/") == []


def test_invariant_10_a_queue_that_is_down_answers_503_and_the_redelivery_is_taken_once(record: Record) -> None:
    queue = ListQueue()
    queue.down.append(Transient("queue"))
    assert post(record, queue).status == 503
    answer = post(record, queue)
    assert (answer.status, "duplicate" in answer.body) == (202, False)
    assert post(record, queue).body["duplicate"] is True
    assert len(queue.sent) == 1
    assert kinds(record, f"alerts/{answer.body['alert']}") == ["received", "enqueued"]


@pytest.mark.parametrize("fault", [Transient("x"), Conflict("x"), RuntimeError("secret"), KeyError("x"), OSError("x")])
def test_invariant_10_any_fault_is_503_and_tells_nothing_inside(record: Record, fault: Exception) -> None:
    queue = ListQueue()
    queue.down.append(fault)
    answer = post(record, queue)
    assert answer.status == 503
    assert answer.body["retry_after_seconds"] == 30
    assert "secret" not in str(answer.body)


@pytest.mark.parametrize("body", [BODY, b"junk", payload("common-forecast")], ids=["alert", "refused", "notice"])
def test_invariant_10_a_store_that_is_down_is_503(tmp_path: Path, body: bytes) -> None:
    class Down(CrashingStore):
        def names(self, prefix: str = "") -> list[str]:
            raise Transient(prefix)

    assert post(Record(Down(tmp_path, 0, after=False)), ListQueue(), body).status == 503


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_invariant_8_a_crash_at_any_write_is_finished_by_the_redelivery(tmp_path: Path, at: int, after: bool) -> None:
    queue = ListQueue()
    with pytest.raises(Crash):
        post(Record(CrashingStore(tmp_path, at, after=after)), queue)
    record = Record(CrashingStore(tmp_path, 0, after=False))
    answer = post(record, queue)
    assert answer.status == 202
    assert queue.sent
    assert kinds(record, f"alerts/{answer.body['alert']}") == ["received", "enqueued"]


@pytest.mark.parametrize(
    "body", [b"junk", b" " * 1024 * 1024, payload("metric"), payload("legacy", SpendingAmount="x")]
)
def test_a_refusal_is_answered_recorded_once_and_enqueues_nothing(record: Record, body: bytes) -> None:
    queue = ListQueue()
    answers = [post(record, queue, body) for _ in range(3)]
    assert 400 <= answers[0].status < 500
    assert answers[0].body["refused"]
    (event,) = record.events(f"refused/{answers[0].body['digest']}")
    assert event.body == {"status": answers[0].status, "reason": answers[0].body["refused"], "bytes": len(body)}
    assert not queue.sent


@pytest.mark.parametrize(
    "change",
    [
        {"BudgetName": "nobody"},
        {"Scope": "/subscriptions/33333333-2222-4222-8222-222222222222"},
        {"Unit": "EUR"},
        {"firedDateTime": "2026-11-01T00:00:00Z"},
    ],
)
def test_invariant_9_what_does_not_match_the_registry_changes_nothing(record: Record, change: dict[str, str]) -> None:
    queue = ListQueue()
    assert post(record, queue, payload("common-actual", **change)).status in (403, 422)
    assert not queue.sent
    assert record.streams("alerts/") == record.streams("orders/") == []


def test_a_notice_is_recorded_once_and_enqueues_nothing(record: Record) -> None:
    queue = ListQueue()
    answers = [post(record, queue, payload("common-forecast")) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[1].body["duplicate"] is True
    assert kinds(record, f"alerts/{answers[0].body['alert']}") == ["notice"]
    assert not queue.sent


def test_a_portal_test_does_not_use_up_the_real_alert(record: Record) -> None:
    queue = ListQueue()
    tested = post(record, queue, payload("common-actual", alertId="/x/Test_Alert"))
    real = post(record, queue)
    assert tested.body["alert"] == real.body["alert"]
    assert "duplicate" not in real.body
    assert len(queue.sent) == 1


def test_invariant_4_a_dry_run_does_not_use_up_the_live_effect(record: Record) -> None:
    queue = ListQueue()
    dry, live = post(record, queue, live=False), post(record, queue, live=True)
    assert (dry.body["dry_run"], live.body["dry_run"]) == (True, False)
    assert dry.body["alert"] != live.body["alert"]
    assert len(queue.sent) == 2


def test_invariant_4_a_budget_that_is_not_live_makes_a_dry_run(record: Record) -> None:
    answer = post(record, ListQueue(), budgets=[replace(DOLLAR, live=False)])
    assert answer.body["dry_run"] is True


def test_invariant_9_an_alert_is_judged_by_the_clock_of_its_arrival(record: Record) -> None:
    assert post(record, ListQueue(), now=NOW + timedelta(days=4)).status == 422


LEGACY = [payload("legacy"), payload("legacy-short")]


@pytest.mark.parametrize("body", LEGACY, ids=["legacy", "legacy-short"])
def test_invariant_8_a_legacy_body_is_one_effect_over_the_end_of_its_month(record: Record, body: bytes) -> None:
    queue, midnight = ListQueue(), datetime(2026, 12, 1, tzinfo=UTC)
    first = post(record, queue, body, now=midnight - timedelta(minutes=1))
    again = post(record, queue, body, now=midnight + timedelta(minutes=1))
    assert (first.status, again.body) == (202, {**first.body, "duplicate": True})
    assert len(queue.sent) == 1


@pytest.mark.parametrize("body", LEGACY, ids=["legacy", "legacy-short"])
def test_invariant_9_a_legacy_body_replayed_months_later_changes_nothing(record: Record, body: bytes) -> None:
    queue = ListQueue()
    post(record, queue, body)
    for days in (4, 40, 400):
        answer = post(record, queue, body, now=NOW + timedelta(days=days))
        assert (answer.status, "days ago" in str(answer.body["refused"])) == (422, True)
    assert len(queue.sent) == len(record.streams("alerts/")) == 1


def test_a_new_legacy_body_of_the_next_month_is_a_new_effect(record: Record) -> None:
    queue = ListQueue()
    post(record, queue, LEGACY[0])
    answer = post(record, queue, payload("legacy", SpendingAmount="8300.01"), now=NOW + timedelta(days=30))
    assert (answer.status, "duplicate" in answer.body, len(queue.sent)) == (202, False, 2)
