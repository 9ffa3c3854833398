"""Poison messages are written down; lost ones are found again in the record."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import flow, lifecycle, planning, streams
from governance.alert import MAX_AGE
from governance.model import Message, State
from governance.record import Record
from governance.rescue import STALE
from ledger.faults import Missing, Transient
from tests.governance.scene import BUDGETS, NOW, ListQueue, MemoryFleet, machine, payload

LATER = NOW + STALE + timedelta(seconds=1)


@pytest.fixture
def run(record: Record) -> str:
    """A live alert received and enqueued."""
    answer = flow.on_alert(
        payload("common-actual"), budgets=BUDGETS, record=record, queue=ListQueue(), now=NOW, live=True
    )
    return str(answer.body["alert"])


@pytest.fixture
def fleet() -> MemoryFleet:
    return MemoryFleet(machine("a"))


@pytest.fixture
def order(record: Record, run: str, fleet: MemoryFleet) -> Message:
    (message,) = flow.on_plan({"alert": run}, budgets=BUDGETS, record=record, fleet=fleet, now=NOW, live=True)
    return message


def carry_out(record: Record, fleet: MemoryFleet, order: Message) -> list[Message]:
    return flow.on_order(order.body, budgets=BUDGETS, record=record, fleet=fleet, now=NOW, live=True)


def settle(record: Record, fleet: MemoryFleet, order: Message) -> Message:
    """The order carried out and read back to its end; gives its first reading."""
    (first,) = looks = carry_out(record, fleet, order)
    now = NOW
    while looks:
        now += looks[0].delay
        looks = flow.on_verify(looks[0].body, budgets=BUDGETS, record=record, fleet=fleet, now=now)
    return first


def test_a_lost_plan_message_is_sent_again_when_stale(record: Record, run: str) -> None:
    assert flow.on_sweep(record=record, now=NOW + STALE) == []
    assert flow.on_sweep(record=record, now=LATER) == [streams.plan_stop(run)]


def test_an_alert_received_but_never_enqueued_is_found(record: Record, run: str, store: FolderStore) -> None:
    store.delete(f"record/alerts/{run}/000002.json")
    assert [message.body for message in flow.on_sweep(record=record, now=LATER)] == [{"alert": run}]


def test_a_plan_whose_orders_were_not_opened_is_sent_again(
    record: Record, run: str, order: Message, store: FolderStore
) -> None:
    store.delete(f"record/orders/{order.body['order']}/000001.json")
    assert flow.on_sweep(record=record, now=LATER) == [streams.plan_stop(run)]


def test_a_lost_order_is_sent_again(record: Record, order: Message) -> None:
    assert flow.on_sweep(record=record, now=NOW) == []
    assert flow.on_sweep(record=record, now=LATER) == [order]


def test_a_lost_reading_is_asked_for_again(record: Record, order: Message, fleet: MemoryFleet) -> None:
    carry_out(record, fleet, order)
    assert flow.on_sweep(record=record, now=LATER) == []  # it is not due for that long yet
    (message,) = flow.on_sweep(record=record, now=LATER + streams.FIRST_LOOK)
    assert (message.queue, message.body["order"]) == ("verify-order", order.body["order"])


def test_what_is_due_later_is_not_stale_yet(record: Record, order: Message, fleet: MemoryFleet) -> None:
    fleet.faults["begin_stop"].append(Transient("429", timedelta(minutes=30)))
    carry_out(record, fleet, order)
    assert flow.on_sweep(record=record, now=LATER) == []
    assert len(flow.on_sweep(record=record, now=LATER + timedelta(minutes=30))) == 1


def test_what_is_over_is_left_alone(record: Record, order: Message, fleet: MemoryFleet) -> None:
    settle(record, fleet, order)
    assert flow.on_sweep(record=record, now=LATER + timedelta(days=30)) == []


def test_a_notice_needs_nothing(record: Record) -> None:
    flow.on_alert(payload("common-forecast"), budgets=BUDGETS, record=record, queue=ListQueue(), now=NOW, live=True)
    assert flow.on_sweep(record=record, now=LATER) == []


def test_invariant_13_a_damaged_stream_does_not_hold_up_the_others(
    record: Record, order: Message, store: FolderStore
) -> None:
    bad = "0" * 64
    store.create(f"record/orders/{bad}/000001.json", b"junk")
    assert flow.on_sweep(record=record, now=LATER) == [order]


@pytest.mark.parametrize("name", ["carry-out-order", "carry-out-order-poison", "verify-order"])
def test_a_poison_message_of_an_order_is_noted_and_the_order_goes_on(record: Record, order: Message, name: str) -> None:
    for _ in range(2):
        flow.on_poison(name, order.body, record=record, now=NOW)
    events = record.events(streams.order_stream(str(order.body["order"])))
    assert [event.kind for event in events] == ["planned", "abandoned"]
    assert events[-1].body["queue"] == name.removesuffix("-poison")
    assert lifecycle.fold(event.kind for event in events) is State.PLANNED
    assert flow.on_sweep(record=record, now=LATER) == [order]


def test_a_poison_message_of_a_finished_order_changes_nothing(
    record: Record, order: Message, fleet: MemoryFleet
) -> None:
    look = settle(record, fleet, order)
    flow.on_poison("verify-order", look.body, record=record, now=NOW)
    events = record.events(streams.order_stream(str(order.body["order"])))
    assert lifecycle.fold(event.kind for event in events) is State.VERIFIED


def test_a_poison_plan_is_noted_at_its_alert_and_swept_until_the_alert_is_too_old(record: Record, run: str) -> None:
    flow.on_poison("plan-stop", {"alert": run}, record=record, now=NOW)
    assert record.events(streams.alert_stream(run))[-1].kind == "abandoned"
    assert flow.on_sweep(record=record, now=LATER) == [streams.plan_stop(run)]
    assert flow.on_sweep(record=record, now=NOW + MAX_AGE + STALE) == []


def test_a_plan_given_up_again_after_a_revival_can_be_revived_again(record: Record, run: str) -> None:
    for _ in range(2):
        flow.on_poison("plan-stop", {"alert": run}, record=record, now=NOW)
        answer = flow.on_alert(
            payload("common-actual"), budgets=BUDGETS, record=record, queue=ListQueue(), now=NOW, live=True
        )
        assert (answer.body.get("revived"), "duplicate" in answer.body) == (True, False)


def test_a_listing_that_was_refused_is_asked_for_again_hourly(record: Record, run: str, fleet: MemoryFleet) -> None:
    def plan(now: datetime) -> list[Message]:
        return flow.on_plan({"alert": run}, budgets=BUDGETS, record=record, fleet=fleet, now=now, live=True)

    fleet.faults["machines"].append(Missing("group"))
    assert plan(NOW) == []
    assert flow.on_sweep(record=record, now=LATER) == []
    assert flow.on_sweep(record=record, now=LATER + planning.REST) == [streams.plan_stop(run)]
    assert [order.queue for order in plan(LATER + planning.REST)] == ["carry-out-order"]


def test_a_deferred_plan_whose_message_was_lost_is_sent_again(record: Record, run: str, fleet: MemoryFleet) -> None:
    fleet.faults["machines"].append(Transient("503"))
    flow.on_plan({"alert": run}, budgets=BUDGETS, record=record, fleet=fleet, now=NOW, live=True)
    assert flow.on_sweep(record=record, now=LATER) == []
    assert flow.on_sweep(record=record, now=LATER + timedelta(seconds=15)) == [streams.plan_stop(run)]


@pytest.mark.parametrize(
    "message",
    [None, b"\xff", "text", 1.5, [], {}, {"order": "../x"}, {"order": "0" * 64}, {"x": float("nan")}, {"x": "\ud800"}],
)
@pytest.mark.parametrize("name", ["verify-order-poison", "plan-stop-poison", "ingest-partition-poison"])
def test_an_unreadable_poison_message_is_noted_by_its_digest(record: Record, message: object, name: str) -> None:
    flow.on_poison(name, message, record=record, now=NOW)
    (stream,) = record.streams()
    assert stream == streams.refused_stream(streams.seal(message))
    assert record.verify(stream) == []


def test_streams_survive_a_new_process(order: Message, tmp_path: Path) -> None:
    again = Record(FolderStore(tmp_path / "store"))
    assert flow.on_sweep(record=again, now=LATER) == [order]
