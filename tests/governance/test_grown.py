"""Invariant 5 for scale sets: an autoscaler adds instances at any moment, and a stop is about those it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.folder import FolderStore
from adapters.identity import credential
from adapters.queue import MemoryQueue
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from emulators.resources import FLEXIBLE
from governance import instances, outcome, restarts, returned, runs, streams
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Fleets
from governance.model import Event
from governance.notices import outcome_stream
from governance.order_receipt import details
from governance.record import Record
from governance.terminal import Played, run_alert
from governance.undo import Wish
from governance.undo_terminal import run_undo
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, TAGS, payload

SET = resource_id(SUBSCRIPTION.rpartition("/")[2], "rg-dev", SCALE_SET, "web")
MEMBER = resource_id(SUBSCRIPTION.rpartition("/")[2], "rg-dev", MACHINE, "web")
PRICE = Decimal("0.1")
LIVE = Wish("kim", "the demo needs them", dry_run=False)


class Autoscaled(Fleets):
    """The real control planes; `before` and `after` happen around the next call of a stop."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        before, after = self.before, self.after
        self.before = self.after = lambda: None
        before()
        super().begin_stop(id, parts)
        after()


class Scene:
    """Alerts and undos of the dollar budget over one scale set; the cloud's clock goes on with what is waited for."""

    def __init__(self, arm: Arm, folder: Path) -> None:
        self.cloud, self.record = arm.cloud, Record(FolderStore(folder))
        clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
        self.fleet = Autoscaled([AzureVirtualMachines(clients), AzureScaleSets(clients)])

    def grow(self, *numbers: int) -> None:
        self.cloud.grow(SET, numbers, tariff=PRICE, tags=TAGS)

    def alert(self) -> Played:
        return run_alert(payload("common-actual"), live=True, **self._parts())

    def undo(self, run: str) -> Sequence[str]:
        return run_undo(run, LIVE, live=True, **self._parts()).lines

    def powers(self) -> dict[str, str]:
        return dict(self.fleet.machine(SET).parts)

    def events(self, kind: str) -> list[Event]:
        found = (one for stream in self.record.streams("orders/") for one in self.record.events(stream))
        return [one for one in found if one.kind == kind]

    def sweep(self) -> Sequence[str]:
        now = self.cloud.now
        waiting = returned.should_be_off(self.record, now)
        return returned.look(waiting, [DOLLAR], self.record, self.fleet, now).returned

    def _parts(self) -> dict[str, Any]:
        queue = MemoryQueue(lambda: self.cloud.now)
        parts = {"budgets": (DOLLAR,), "record": self.record, "fleet": self.fleet, "queue": queue}
        return {**parts, "now": self.cloud.now, "wait": self.cloud.advance_to}


@pytest.fixture
def scene(memory_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUBSCRIPTION.rpartition("/")[2], "dev")
    with Arm(cloud) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        yield Scene(arm, memory_folder)


@pytest.fixture
def uniform(scene: Scene) -> Scene:
    scene.cloud.add_scale_set(SET, tariff=PRICE, instances=2, tags=TAGS)
    return scene


@pytest.mark.parametrize("moment", ["before", "after"])
def test_invariant_5_what_a_set_grew_by_since_the_look_is_left_alone_and_told(uniform: Scene, moment: str) -> None:
    setattr(uniform.fleet, moment, lambda: uniform.grow(2, 3))
    played = uniform.alert()
    assert uniform.powers() == {"0": "deallocated", "1": "deallocated", "2": "running", "3": "running"}
    assert played.failed == (), "what was called is off"
    (verified,) = uniform.events("verified")
    assert verified.body["left_alone"] == ["2", "3"]
    told = "verified, power state read back: deallocated (left alone, came after the look: instance 2, 3)"
    assert any(told in line for line in played.lines), played.lines


def test_what_is_left_alone_is_in_the_orders_receipt_and_in_what_people_are_told(uniform: Scene) -> None:
    uniform.fleet.before = lambda: uniform.grow(2)
    run = uniform.alert().run
    (found,) = runs.listed(uniform.record, run)
    (life,) = found.orders
    assert details(found, life)[-1].endswith("left alone, came after the look: instance 2")
    alert = uniform.record.events(streams.alert_stream(run))
    outcome.record_outcome(uniform.record, alert, uniform.cloud.now)
    (told,) = uniform.record.events(outcome_stream(run))
    (target,) = streams.targets_in(told.body)
    assert target["outcome"] == "verified, deallocated, left alone, came after the look: instance 2"


def test_a_set_that_grew_before_the_look_is_stopped_whole(uniform: Scene) -> None:
    """The plan names the set; the last look before the call says what it is made of."""
    uniform.grow(2)
    uniform.alert()
    assert set(uniform.powers().values()) == {"deallocated"}
    assert "left_alone" not in uniform.events("verified")[0].body


def test_invariant_17_undo_starts_what_the_stop_named_though_the_set_grew(uniform: Scene) -> None:
    uniform.fleet.before = lambda: uniform.grow(2)
    run = uniform.alert().run
    uniform.cloud.begin(f"{SET}/virtualMachines/2", "deallocate")  # its owner ends the new one
    uniform.cloud.advance(timedelta(minutes=5))
    lines = uniform.undo(run)
    assert uniform.powers() == {"0": "running", "1": "running", "2": "deallocated"}, lines


def test_new_instances_are_told_as_such_and_do_not_keep_an_undo_from_starting_the_old(uniform: Scene) -> None:
    uniform.fleet.before = lambda: uniform.grow(2)
    run = uniform.alert().run
    uniform.cloud.advance(timedelta(hours=1))
    assert uniform.sweep() == (SET,)
    uniform.cloud.advance(timedelta(minutes=10))
    assert uniform.sweep() == ()
    note = uniform.record.events(streams.machine_stream(SET))[-1]
    assert (note.kind, note.body["notice"], note.body[restarts.NEW]) == (
        restarts.SEEN_ON,
        "has new instances since a stop",
        ["2"],
    )
    uniform.undo(run)
    assert uniform.powers() == {"0": "running", "1": "running", "2": "running"}


def test_an_instance_of_the_stop_that_somebody_started_is_a_restart_as_ever(uniform: Scene) -> None:
    uniform.fleet.before = lambda: uniform.grow(2)
    run = uniform.alert().run
    uniform.cloud.begin(f"{SET}/virtualMachines/0", "start")
    uniform.cloud.advance(timedelta(hours=1))
    assert uniform.sweep() == (SET,)
    note = uniform.record.events(streams.machine_stream(SET))[-1]
    assert note.body["notice"] == "started again after a stop"
    assert any("somebody started it since the stop" in line for line in uniform.undo(run))


def test_after_a_lost_answer_the_call_is_made_again_for_the_same_instances(uniform: Scene) -> None:
    uniform.fleet.before = _dies
    with pytest.raises(KeyboardInterrupt):
        uniform.alert()
    uniform.grow(2)
    uniform.cloud.advance(timedelta(minutes=10))
    uniform.alert()
    assert uniform.powers() == {"0": "deallocated", "1": "deallocated", "2": "running"}
    assert [one.body["before"]["parts"] for one in uniform.events("calling")] == [dict.fromkeys("01", "running")] * 2  # type: ignore[index]  # JSON


def _dies() -> None:
    raise KeyboardInterrupt


def test_after_a_call_that_was_not_taken_the_next_look_is_the_last(uniform: Scene) -> None:
    uniform.cloud.faults.add(faults.throttled("deallocate", "web", retry_after=30))
    uniform.fleet.before = lambda: uniform.grow(2)
    uniform.alert()
    assert len(uniform.events("deferred")) == 1
    assert uniform.powers() == dict.fromkeys("012", "deallocated")


def test_an_instance_that_ended_between_look_and_call_puts_the_call_off_and_no_more(uniform: Scene) -> None:
    uniform.fleet.before = lambda: uniform.cloud.erase(f"{SET}/virtualMachines/1")
    played = uniform.alert()
    assert played.failed == ()
    assert uniform.powers() == {"0": "deallocated"}
    (deferred,) = uniform.events("deferred")
    assert "an instance is not there any more" in str(deferred.body["reason"])


def test_invariant_5_machines_that_a_flexible_set_grew_by_are_in_no_plan(scene: Scene) -> None:
    scene.cloud.add_scale_set(SET, tariff=PRICE, instances=0, mode=FLEXIBLE)
    scene.grow(0, 1)
    scene.fleet.before = lambda: scene.grow(2)
    played = scene.alert()
    powers = {number: scene.cloud.power(f"{MEMBER}_{number}") for number in range(3)}
    assert powers == {0: "deallocated", 1: "deallocated", 2: "running"}
    assert played.failed == ()
    scene.undo(played.run)
    assert {scene.cloud.power(f"{MEMBER}_{number}") for number in range(3)} == {"running"}


def test_an_order_of_old_that_recorded_no_instances_is_read_back_whole(uniform: Scene) -> None:
    found = uniform.fleet.machine(SET)
    assert instances.only(found, instances.seen("azure_vmss", {"power": "running"})) == found
    assert instances.seen("azure_vm", {"parts": {"0": "running"}}) is None
    assert instances.on(replace(found, kind="snowflake_warehouse")) == []
