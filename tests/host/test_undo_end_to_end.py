"""From `ledger undo --service` to a machine that runs again: worker library, storage queues and blobs, emulated ARM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest

import cli
from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.scenario import LAB, PRODUCTION, UNTAGGED, World
from governance import streams
from tests.host.conftest import ALERTS, Service, Start
from tests.host.scene import alert_body, ledger_toml, world_now

OFF = "vm-off"
MACHINES = (LAB, OFF, UNTAGGED, PRODUCTION)


@pytest.fixture
def world() -> World:
    """Beside the scenario's machines one that opted in and is off already."""
    made = world_now()
    id, lab = made.setup.id(MACHINE, OFF), made.cloud.resource(made.setup.id(MACHINE, LAB))
    made.cloud.add_machine(id, tariff=lab.tariff, tags=lab.tags)
    made.cloud.begin(id, "deallocate")
    made.cloud.advance(timedelta(hours=1))
    return made


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    with Arm(world.cloud, page_size=2) as running:
        yield running


def power(world: World) -> list[str]:
    return [world.cloud.power(world.setup.id(MACHINE, name)) for name in MACHINES]


def stopped(service: Service, world: World) -> str:
    """A run that is over; its id."""
    pump = service.pump
    run = str(service.front.request(ALERTS, alert_body(world.setup)).json()["alert"])
    pump.run(until=lambda: pump.of("carry_out_order"))
    world.cloud.advance(timedelta(minutes=10))
    pump.run(until=lambda: pump.of("verify_order"))
    return run


def asked(service: Service, run: str, *words: str) -> int:
    with mock.patch.dict(os.environ, service.env):
        return cli.main(["undo", run, "--service", "--by", "kim", *words])


def test_an_undo_starts_the_stopped_machine_and_reads_it_back(start: Start, world: World, arm: Arm) -> None:
    with start(ledger_toml(world.setup), **arm.environment(), LEDGER_LIVE="true") as service:
        pump, run = service.pump, stopped(service, world)
        assert power(world) == ["deallocated", "deallocated", "running", "running"]

        assert service.host.timer("sweep").succeeded
        assert asked(service, run[:12]) == 0
        pump.run(until=lambda: len(pump.of("undo_run")) == 2)
        assert [event.kind for event in service.events("starts/")] == ["planned", "dry-run"]
        assert arm.asked("/start") == []

        assert asked(service, run[:12], "--execute", "--reason", "demo") == 0, "the service is live, as its sweep saw"
        pump.run(until=lambda: len(pump.of("start_order")) == 2)
        order = service.events("starts/")[-3:]
        assert [event.kind for event in order] == ["planned", "calling", "accepted"]
        world.cloud.advance(timedelta(minutes=10))
        pump.run(until=lambda: service.record.events(streams.undo_stream(run))[-1].kind == "finished")

        assert power(world) == ["running", "deallocated", "running", "running"]
        (call,) = arm.asked("/start")
        assert f"/{LAB}/" in call.path
        assert [one.attempt for one in pump.handled if not one.outcome.succeeded] == []
        assert all(service.record.verify(stream) == [] for stream in service.record.streams())

        again = pump.of("start_order")[-1]
        assert service.host.queue(again.function, again.text, attempt=2).succeeded
        assert asked(service, run, "--execute") == 2
        assert len(arm.asked("/start")) == 1
