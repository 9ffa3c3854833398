"""An undo that is asked for while its run still stops machines: nothing is stopped after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import undo
from governance.model import Message, State
from governance.record import Record
from governance.undo import Wish
from ledger.faults import Rejected
from tests.governance.control import Control
from tests.governance.scene import DOLLAR, NOW, machine
from tests.governance.undoing import DRY, LIVE, names

A, B, C = machine("a"), machine("b"), machine("c")


@pytest.fixture
def control(memory_folder: Path) -> Control:
    return Control(Record(FolderStore(memory_folder)), A, B, C)


def ask(control: Control, order: Message, wish: Wish) -> None:
    undo.ask(str(order.body["alert"]), wish, budgets=(DOLLAR,), record=control.record, now=NOW)


def test_invariant_17_what_was_not_called_yet_is_not_stopped_after_an_undo(control: Control) -> None:
    first, *others = control.plan(control.receive())
    control.settle(control.order(first))
    ask(control, first, LIVE)
    for order in others:
        assert control.order(order) == []
        assert control.state(order) is State.REFUSED
        assert "an undo of this run was asked for by kim" in control.events(order)[-1].body["reason"]
    assert names(control.fleet.stops) == ["a"]


def test_one_that_comes_before_anything_was_stopped_keeps_everything_on(control: Control) -> None:
    orders = control.plan(control.receive())
    with pytest.raises(Rejected, match="nothing of that run is left to start"):
        ask(control, orders[0], LIVE)
    assert [control.order(order) for order in orders] == [[], [], []]
    assert control.fleet.stops == []


def test_a_call_that_was_taken_is_among_what_is_started(control: Control) -> None:
    first, *_ = control.plan(control.receive())
    control.order(first)
    ask(control, first, LIVE)
    asked = control.record.events(f"undos/{first.body['alert']}")[-1].body["targets"]
    assert [one["id"] for one in asked] == [A.id]  # type: ignore[attr-defined]  # written by the undo


def test_a_look_at_it_keeps_nothing_from_being_stopped(control: Control) -> None:
    first, *others = control.plan(control.receive())
    control.settle(control.order(first))
    ask(control, first, DRY)
    for order in others:
        control.order(order)
    assert names(control.fleet.stops) == ["a", "b", "c"]


def test_one_that_was_refused_for_another_reason_keeps_nothing_from_being_stopped(control: Control) -> None:
    first, *others = control.plan(control.receive())
    control.settle(control.order(first))
    with pytest.raises(Rejected, match="needs who"):
        ask(control, first, Wish(" ", dry_run=False))
    for order in others:
        control.order(order)
    assert names(control.fleet.stops) == ["a", "b", "c"]
