"""Undo of what the run called and never read as off: by the machine as it is now, not by how its order ended."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.queue import MemoryQueue
from governance import flow, lifecycle, streams
from governance.actions.snowflake_warehouse import SnowflakeWarehouses
from governance.fleets import Fleets
from governance.model import Machine
from governance.record import Record
from governance.terminal import handlers
from governance.undo_terminal import run_undo
from ledger.faults import Rejected, reject
from tests.contracts.stages import signed_in
from tests.governance.scene import DOLLAR, NOW, ListQueue, machine, payload
from tests.governance.undoing import LIVE, StartingFleet, Story, names
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.snowflake import Account

A, B = machine("a"), machine("b")


class Slow(StartingFleet):
    """A stop is taken and reads deallocating until the test says otherwise."""

    def machine(self, id: str) -> Machine:
        return self.known[id] if self.known[id].power == "deallocating" else super().machine(id)


class Beside(Fleets):
    """Nothing in Azure, and the warehouses of the account."""

    def machines(self, scope: str) -> list[Machine]:
        return super().machines(scope) if scope.startswith("snowflake") else []


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def orders(story: Story) -> list[str]:
    return [story.record.events(stream)[-1].kind for stream in story.record.streams("orders/")]


def hourly(story: Story, hours: int) -> None:
    """The sweep of each ten minutes, and what it sends, for so long."""
    flows = handlers((story.budget,), story.record, story.fleet, True)
    for _ in range(hours * 6):
        story.later(minutes=10)
        for message in flow.on_sweep(record=story.record, now=story.now):
            flows[message.queue](message.body, story.now)


def test_a_stop_that_lasts_for_hours_is_read_hourly_and_told_once(record: Record) -> None:
    fleet = Slow(A)
    story = Story(record, fleet)
    run = story.run()
    hourly(story, 10)
    (stream,) = record.streams("orders/")
    assert 6 <= len(record.events(stream)) - 23 <= 10
    assert [event.kind for event in record.events(f"delays/{run}")] == ["still-on"]
    fleet.set(A.id, power="deallocated")
    hourly(story, 2)
    assert orders(story) == ["verified"]


def test_invariant_17_a_stop_that_took_effect_after_its_order_was_given_up_is_undone(record: Record) -> None:
    story = Story(record, Slow(A))
    run = story.run()
    assert orders(story) == ["waiting"]
    story.fleet.set(A.id, power="deallocated")
    story.undo(run)
    assert (names(story.fleet.starts), story.fleet.known[A.id].power) == (["a"], "running")


def test_invariant_17_one_that_was_given_up_for_good_is_undone_too(record: Record) -> None:
    story = Story(record, Slow(A))
    run = story.run()
    hourly(story, 80)
    assert orders(story) == ["failed"]
    story.fleet.set(A.id, power="deallocated")
    story.undo(run)
    assert names(story.fleet.starts) == ["a"]


def test_invariant_17_an_older_stop_of_another_run_does_not_stand_in_its_way(record: Record) -> None:
    story = Story(record, StartingFleet(A))
    story.run()
    story.fleet.set(A.id, power="running")
    story.later(hours=9)
    story.alert(NotificationThresholdAmount="$0.85", SpentAmount="$0.90")  # sees it on: its cool-off begins
    story.later(hours=9)
    slow = Slow(*story.fleet.known.values())
    story.fleet = slow
    run = story.run(NotificationThresholdAmount="$0.90", SpentAmount="$0.91")
    assert names(slow.stops) == ["a"]
    slow.set(A.id, power="deallocated")
    story.undo(run)
    assert names(slow.starts) == ["a"]


def test_one_that_never_went_off_is_looked_at_and_left(record: Record) -> None:
    fleet = Slow(A)
    story = Story(record, fleet)
    run = story.run()
    fleet.set(A.id, power="running")
    story.undo(run)
    assert fleet.starts == []
    (start,) = record.streams("starts/")
    assert record.events(start)[-1].kind == "refused"


def test_one_whose_call_was_not_taken_is_left(record: Record) -> None:
    story = Story(record, StartingFleet(A))
    story.fleet.faults["begin_stop"].append(reject("403 AuthorizationFailed", "Give it the role.", "azure-403"))
    run = story.run()
    with pytest.raises(Rejected, match="the run did not stop it: 403"):
        story.undo(run)


def test_invariant_17_a_warehouse_that_was_left_under_its_monitor_gets_its_own_back(
    record: Record, snowflake: Account
) -> None:
    """Its session died between the monitor and the suspension, and so did the way back; then somebody exempted it."""
    with closing(snowflake.connect()) as session:
        session.cursor().execute(
            "CREATE WAREHOUSE WATCHED RESOURCE_MONITOR = MONTHLY COMMENT = 'ledger-stop=dev-dollar; environment=dev'"
        )
    planes = Beside([SnowflakeWarehouses(signed_in(snowflake), snowflake.name, monitor="FROZEN")])
    place = f"snowflake:{snowflake.name}"
    queue = ListQueue()
    budgets = (replace(DOLLAR, also=(place.lower(),)),)
    fleet = planes
    flow.on_alert(payload("common-actual"), budgets=budgets, record=record, queue=queue, now=NOW, live=True)
    run = str(queue.sent[-1].body["alert"])
    (order,) = flow.on_plan({"alert": run}, budgets=budgets, record=record, fleet=fleet, now=NOW, live=True)
    snowflake.fail(
        {"pattern": "SUSPEND$", "code": "000604", "times": 1},
        {"pattern": 'MONITOR = "MONTHLY"', "code": "000604", "times": 1},
    )
    (again,) = flow.on_order(order.body, budgets=budgets, record=record, fleet=fleet, now=NOW, live=True)
    stream = streams.order_stream(str(order.body["order"]))
    last = record.events(stream)[-1]
    assert (last.kind, "may still stand under FROZEN" in str(last.body["reason"])) == (lifecycle.DEFERRED, True)
    with closing(snowflake.connect()) as session:
        session.cursor().execute(
            "ALTER WAREHOUSE WATCHED SET COMMENT = 'ledger-stop=dev-dollar; environment=dev; ledger-exempt'"
        )
    later = NOW + timedelta(minutes=5)
    assert flow.on_order(again.body, budgets=budgets, record=record, fleet=fleet, now=later, live=True) == []
    assert record.events(stream)[-1].kind == "refused"
    run_undo(
        run, LIVE, budgets=budgets, record=record, fleet=fleet, now=later, live=True,
        queue=MemoryQueue(lambda: later), wait=lambda until: until,
    )  # fmt: skip
    found = planes.machine(str(order.body["target"]))
    assert (found.power, dict(found.parts)) == ("running", {"MONTHLY": "resource monitor"})
