"""One alert played to its end in one process."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.queue import MemoryQueue
from governance.model import Fleet, Machine
from governance.record import Record
from governance.rules import Ceilings, Policy
from governance.terminal import Played, run_alert
from ledger.faults import Transient, reject
from tests.governance.scene import BUDGETS, DOLLAR, NOW, MemoryFleet, machine, payload


class Clock:
    """Jumps to wherever it is asked to wait for."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, until: datetime) -> datetime:
        self.now = max(self.now, until)
        return self.now


def play(record: Record, fleet: Fleet, body: bytes = payload("common-actual"), **more: Any) -> Played:
    clock = Clock()
    queue = MemoryQueue(clock)
    given = {"budgets": BUDGETS, "live": True, "now": clock.now, "wait": clock.wait, **more}
    return run_alert(body, record=record, queue=queue, fleet=fleet, **given)


def scene() -> MemoryFleet:
    return MemoryFleet(machine("vm-dev"), machine("vm-other", ledger_stop=""), machine("vm-prod", env="production"))


def test_the_receipt_says_what_was_decided_stopped_spared_and_why(record: Record) -> None:
    fleet = scene()
    played = play(record, fleet)
    assert fleet.stops == [machine("vm-dev").id]
    text = "\n".join(played.lines)
    assert "budget dev-dollar of 1.00 USD for 2026-11, spent 0.81, actual threshold 80 %" in text
    assert "1 to stop, 2 spared" in text
    assert "stop   vm-dev: opted in by ledger-stop=dev-dollar; running" in text
    assert "spare  vm-other: no opt-in tag" in text
    assert "spare  vm-prod: tag env says production" in text
    assert "vm-dev: verified, power state read back: deallocated" in text
    assert [event.kind for event in played.events] == [
        *("received", "enqueued", "planned"),
        *("planned", "calling", "accepted", "waiting", "verified"),
    ]
    assert played.events[-1].at == NOW + timedelta(seconds=15 + 15)


def test_a_dry_run_says_so_and_calls_nothing(record: Record) -> None:
    fleet = scene()
    played = play(record, fleet, live=False)
    assert not fleet.stops
    assert "vm-dev: dry run, would do: deallocate" in played.lines[-1]


def test_live_after_a_dry_run_acts(record: Record) -> None:
    fleet = scene()
    play(record, fleet, live=False)
    play(record, fleet, live=True)
    assert len(fleet.stops) == 1


def test_faults_on_the_way_are_waited_out(record: Record) -> None:
    fleet = scene()
    fleet.faults["machines"].append(Transient("429", timedelta(seconds=50)))
    fleet.faults["begin_stop"].append(Transient("429", timedelta(seconds=70)))
    fleet.faults["machine"].append(Transient("503"))
    played = play(record, fleet)
    assert "verified" in played.lines[-1]
    assert played.events[-1].at == NOW + timedelta(seconds=50 + 15 + 70 + 15 + 15)


def test_a_listing_that_never_works_is_given_up_and_said(record: Record) -> None:
    fleet = scene()
    fleet.faults["machines"].extend([Transient("503")] * 7)
    assert "planning rests until the alert or the sweep revives it: 503" in play(record, fleet).lines[-1]
    assert not fleet.stops
    assert "verified" in play(record, fleet).lines[-1]  # the alert, sent again, revives it


DENIED = reject("list machines: 403", "Grant the role.", "azure-403")
HELD = Policy("r", ("dev-dollar",), ceilings=Ceilings(per_hour=Decimal(1)))
NOT_GREEN: dict[str, tuple[list[Exception], dict[str, Any]]] = {
    "denied": ([DENIED], {}),
    "down": ([Transient("503")] * 7, {}),
    "above a ceiling": ([], {"policies": (HELD,)}),
    "refused": ([], {"opt_in_value": ""}),
}


@pytest.mark.parametrize(("faults", "changes"), NOT_GREEN.values(), ids=NOT_GREEN)
def test_invariant_13_a_run_without_a_plan_that_is_carried_out_is_not_green(
    record: Record, faults: list[Exception], changes: dict[str, Any]
) -> None:
    fleet = scene()
    fleet.faults["machines"].extend(faults)
    assert play(record, fleet, budgets=[replace(DOLLAR, **changes)]).failed == (DOLLAR.scope,)


def test_invariant_13_a_machine_that_is_spared_at_the_last_look_is_not_off(record: Record) -> None:
    class Tagged(MemoryFleet):
        def machine(self, id: str) -> Machine:
            return replace(super().machine(id), tags={})

    assert play(record, Tagged(machine("vm-dev"))).failed == (machine("vm-dev").id,)


def test_invariant_13_an_order_that_was_never_opened_is_not_green(record: Record) -> None:
    planned = play(record, scene())
    events = tuple(event for event in planned.events if event.stream.startswith("alerts/"))
    assert planned.failed == ()
    assert replace(planned, events=events).failed == (machine("vm-dev").id,)


@pytest.mark.parametrize("gate", [{"approval": timedelta(hours=4)}, {"notice": timedelta(hours=4)}])
def test_a_plan_that_waits_as_its_rule_says_has_not_failed(record: Record, gate: dict[str, Any]) -> None:
    waits = replace(DOLLAR, policies=(replace(HELD, ceilings=Ceilings(), **gate),))
    assert play(record, scene(), budgets=[waits]).failed == ()


def test_a_message_sent_by_a_clock_that_runs_ahead_is_waited_for(record: Record) -> None:
    clock, fleet = Clock(), scene()
    ahead = MemoryQueue(lambda: clock.now + timedelta(milliseconds=3))
    played = run_alert(
        payload("common-actual"),
        budgets=BUDGETS,
        record=record,
        queue=ahead,
        fleet=fleet,
        now=NOW,
        live=True,
        wait=clock.wait,
    )
    assert "verified" in played.lines[-1]
    assert len(fleet.stops) == 1


def test_a_refused_stop_is_said(record: Record) -> None:
    fleet = scene()
    fleet.faults["begin_stop"].append(reject("409 ScopeLocked", "Remove the lock.", "azure-ScopeLocked"))
    assert "vm-dev: FAILED: 409 ScopeLocked" in play(record, fleet).lines[-1]


class Interrupted(Exception):
    pass


def test_an_interrupted_run_is_carried_on_by_the_same_alert(record: Record) -> None:
    fleet = scene()

    def interrupt(_: datetime) -> datetime:
        raise Interrupted

    with pytest.raises(Interrupted):
        play(record, fleet, wait=interrupt)
    played = play(record, fleet)
    assert played.answer.body["duplicate"] is True
    assert "verified" in played.lines[-1]
    assert len(fleet.stops) == 1


def test_a_notice_and_a_refusal_are_said(record: Record) -> None:
    assert "a forecast" in play(record, scene(), payload("common-forecast")).lines[0]
    assert play(record, scene(), b"junk").lines == ("not acted on (400): not JSON: JSONDecodeError",)


def test_a_selector_without_a_value_is_said(record: Record) -> None:
    played = play(record, scene(), budgets=[replace(DOLLAR, opt_in_value="")])
    assert "planning refused" in played.lines[-1]
    assert "empty opt-in tag" in played.lines[-1]
