"""A control plane that takes no call for hours: an order lasts as long as an alert, and people hear of it early."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import backoff
from governance.alert import MAX_AGE
from governance.model import Message, State
from governance.record import Record
from ledger.faults import Conflict, Transient
from tests.governance.control import Control
from tests.governance.desk import Post, channel
from tests.governance.scene import BUDGETS, NOW, machine

FAULTS = [Transient("503"), Conflict("busy"), Transient("429", timedelta(seconds=7)), Transient("429", MAX_AGE)]


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def outlast(control: Control, order: Message, fault: Exception, until: datetime, method: str) -> tuple[Message, int]:
    """The order's message that is due from then on, and how often it came until then."""
    pending, now, tries = order, NOW, 0
    while (now := now + pending.delay) < until:
        control.fleet.faults[method] = deque([fault])
        (pending,) = control.order(pending, now)
        tries += 1
    return pending, tries


@pytest.mark.parametrize("method", ["machine", "begin_stop"])
@pytest.mark.parametrize("fault", FAULTS, ids=["503", "409", "429", "429-long"])
def test_an_outage_of_two_days_is_outlasted_by_few_calls(control: Control, method: str, fault: Exception) -> None:
    order = control.first()
    pending, tries = outlast(control, order, fault, NOW + timedelta(days=2), method)
    assert control.state(order) is State.PLANNED
    assert tries <= 70
    control.fleet.faults[method].clear()
    later = NOW + timedelta(days=2, hours=6)
    looks = control.order(pending, later)
    while looks:
        later += looks[0].delay
        looks = control.look(looks[0], later)
    assert control.state(order) is State.VERIFIED


@pytest.mark.parametrize(
    ("method", "fault"), [("machine", FAULTS[0]), *(("begin_stop", fault) for fault in FAULTS[1:])]
)
def test_one_that_lasts_longer_than_an_alert_is_a_failure(control: Control, method: str, fault: Exception) -> None:
    order = control.first()
    pending, now = [order], NOW
    while pending:
        now += pending[0].delay
        control.fleet.faults[method].append(fault)
        pending = control.order(pending[0], now)
    assert MAX_AGE - timedelta(hours=2) <= now - NOW <= MAX_AGE
    assert control.state(order) is State.FAILED
    assert f"took no call in {MAX_AGE}" in str(control.events(order)[-1].body["reason"])


def test_delays_grow_and_what_was_asked_for_is_the_least() -> None:
    silent = [backoff.lasting(Transient("503"), attempt) for attempt in range(1, 90)]
    assert silent == sorted(silent)
    assert sum(silent[: backoff.QUICK], timedelta()) < timedelta(minutes=40)
    assert silent[-1] == timedelta(hours=1)
    soon, late = Transient("429", timedelta(seconds=7)), Transient("429", timedelta(minutes=50))
    assert backoff.lasting(soon, 1) == timedelta(seconds=7)
    assert backoff.lasting(soon, 90) == timedelta(hours=1)
    assert backoff.lasting(late, 11) == timedelta(minutes=50)


def test_people_are_told_once_that_a_run_waits_and_again_how_it_ended(control: Control) -> None:
    control = Control(control.record, machine("a"), machine("b"))
    orders, post = control.plan(control.receive()), Post(control.record, BUDGETS, channel())
    for order in orders:
        outlast(control, order, Transient("503 ServerBusy"), NOW + timedelta(minutes=30), "begin_stop")
    post.run(NOW + timedelta(minutes=30))
    assert post.kept.letters == []
    pending = [
        outlast(control, order, Transient("503 ServerBusy"), NOW + timedelta(hours=3), "begin_stop")[0]
        for order in orders
    ]
    post.run(NOW + timedelta(hours=3), str(control.events(orders[0])[0].body["alert"]))
    post.run(NOW + timedelta(hours=3))
    ((_, letter, _),) = post.kept.letters
    assert letter.kind == "delayed" and letter.budget == "dev-dollar"
    assert "503 ServerBusy" in letter.lines[0]
    control.fleet.faults["begin_stop"] = deque([Transient("503 ServerBusy")] * 20)
    for message in pending:
        last, late = [message], NOW + timedelta(days=2, hours=20)
        while last:
            last = control.order(last[0], late)
            late += last[0].delay if last else timedelta()
    assert {control.state(order) for order in orders} == {State.FAILED}
    post.run(NOW + MAX_AGE)
    assert [found.kind for _, found, _ in post.kept.letters] == ["delayed", "not-stopped"]


def test_of_a_dry_run_nobody_is_told_that_machines_are_still_on(record: Record) -> None:
    control = Control(record, machine("a"), live=False)
    outlast(control, control.first(), Transient("503"), NOW + timedelta(hours=3), "machine")
    assert list(record.streams("delays/")) == []
