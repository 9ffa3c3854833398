"""Every event of an order tells by itself who, why, on what input, by which plan, from what state, with what result."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import approval, flow, lifecycle, streams
from governance.record import Record
from ledger.faults import Missing, Rejected, Transient
from tests.governance.control import Control
from tests.governance.guarded import Guarded, rule, under
from tests.governance.scene import BUDGETS, NOW, Crash, CrashingStore, ListQueue, machine, payload
from tests.governance.undoing import StartingFleet, Story


def told(control: Control, order: object) -> list[dict[str, object]]:
    """Bodies of the events after the first; each must hold all that is asked of it."""
    received = streams.find(control.record.events(control.record.streams("alerts/")[0]), streams.RECEIVED)
    first, *events = control.events(order)  # type: ignore[arg-type]  # a message, as planning returns it
    assert received
    for event in events:
        basis = event.body["basis"]
        assert basis["who"] == {"entry": "webhook"}
        assert basis["input"] == received.body["digest"]
        assert basis["plan"] == first.body["plan"]
        assert "opted in" in basis["why"]
        assert event.body["before"]["power"]
        assert event.body["result"]
    return [event.body for event in events]


def test_invariant_16_all_events_of_a_stop_tell_everything(control: Control) -> None:
    order = control.first()
    control.settle(control.order(order))
    bodies = told(control, order)
    assert control.kinds(order)[1:] == ["calling", "accepted", "waiting", "verified"]
    assert {str(body["before"]["power"]) for body in bodies} == {"running"}  # type: ignore[index]  # a mapping
    assert bodies[0]["result"] == lifecycle.RESULTS[lifecycle.CALLING]
    assert bodies[-1]["result"] == "verified"


@pytest.mark.parametrize("method", ["machine", "begin_stop"])
@pytest.mark.parametrize("fault", [Transient("busy"), Missing("x"), Rejected(())], ids=["transient", "missing", "no"])
def test_what_failed_tells_everything_too(control: Control, method: str, fault: Exception) -> None:
    order = control.first()
    control.fleet.faults[method].append(fault)
    control.order(order)
    assert told(control, order)


def test_what_was_never_looked_at_is_told_as_the_plan_saw_it(control: Control) -> None:
    order = control.first()
    control.fleet.faults["machine"].append(Transient("busy"))
    control.order(order)
    assert told(control, order)[0]["before"] == {"power": "running", "seen": "for the plan"}


def test_the_approver_is_told_with_who_brought_the_alert(record: Record) -> None:
    world = Guarded(record, under(rule(approval=timedelta(hours=24))), machine("a"))
    assert world.plan() == []
    approval.decide(record, world.run, world.last("digest"), "approve", by="Kim", reason="", now=world.now)
    (order,) = world.plan()
    first = record.events(streams.order_stream(str(order.body["order"])))[0]
    assert first.body["who"] == {"entry": "webhook", "approved_by": "Kim"}


def test_invariant_16_all_events_of_a_start_tell_everything(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a")))
    run = story.run()
    story.undo(run)
    asked = story.undo_events(run)[0]
    (stream,) = record.streams("starts/")
    _, *events = record.events(stream)
    assert [event.kind for event in events] == ["calling", "accepted", "waiting", "verified"]
    for event in events:
        basis = event.body["basis"]
        assert basis["who"] == {"entry": "terminal", "by": "kim"}  # type: ignore[index]  # a mapping
        assert basis["input"] == asked.digest and basis["plan"] == asked.body["plan"]  # type: ignore[index]  # likewise
        assert "the demo needs them" in basis["why"]  # type: ignore[index]  # likewise
        assert event.body["before"] and event.body["result"]


def test_a_terminal_says_who_sat_there(record: Record) -> None:
    who = {"entry": "terminal", "by": "kim"}
    flow.on_alert(
        payload("common-actual"), budgets=BUDGETS, record=record, queue=ListQueue(), now=NOW, live=True, who=who
    )
    assert record.events(record.streams("alerts/")[0])[0].body["who"] == who


def test_invariant_16_after_a_power_cut_between_write_and_call_the_chain_shows_the_gap(tmp_path: Path) -> None:
    """The event before the call stands, whole, and nothing after it: a call of which nobody knows what came."""
    store = FolderStore(tmp_path / "store")
    record = Record(store)
    control = Control(record, machine("a"))
    order = control.first()
    written = len(list(Path(store.url).rglob("*.json")))
    control.record = Record(CrashingStore(Path(store.url), 2, after=True))
    with pytest.raises(Crash):
        control.order(order)
    control.record = record
    assert len(list(Path(store.url).rglob("*.json"))) == written + 2  # the machine's past names the order first
    assert control.fleet.stops == []
    assert control.kinds(order) == ["planned", "calling"]
    assert told(control, order)[-1]["result"] == "none yet: the call is about to be made"
    stream = streams.order_stream(str(order.body["order"]))
    assert record.verify(stream) == []
    last = sorted(Path(store.url, "record", stream).iterdir())[-1]
    assert json.loads(last.read_bytes())["kind"] == "calling"
