"""From the webhook to a machine that reads deallocated: worker library, storage queues and blobs, emulated ARM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.scenario import LAB, PRODUCTION, UNTAGGED, World
from tests.host.conftest import ALERTS, Service, Start
from tests.host.scene import alert_body, ledger_toml, world_now


@pytest.fixture
def world() -> World:
    return world_now()


@pytest.fixture
def arm(world: World) -> Iterator[Arm]:
    with Arm(world.cloud, page_size=1) as running:
        yield running


@contextmanager
def started(start: Start, world: World, arm: Arm, *, live: bool = True) -> Iterator[Service]:
    settings = {**arm.environment(), "LEDGER_LIVE": str(live).lower()}
    with start(ledger_toml(world.setup), **settings) as service:
        yield service


def power(world: World) -> list[str]:
    return [world.cloud.power(world.setup.id(MACHINE, name)) for name in (LAB, UNTAGGED, PRODUCTION)]


def test_a_budget_alert_stops_the_tagged_machine_and_reads_it_back(start: Start, world: World, arm: Arm) -> None:
    with started(start, world, arm) as service:
        pump = service.pump
        assert service.front.request(ALERTS, alert_body(world.setup)).status == 202
        pump.run(until=lambda: pump.of("carry_out_order"))
        assert [event.kind for event in service.events("orders/")] == ["planned", "calling", "accepted"]
        world.cloud.advance(timedelta(minutes=10))
        pump.run(until=lambda: pump.of("verify_order"))
        last = service.events("orders/")[-1]
        assert (last.kind, last.body["result"]) == ("verified", "verified")
        assert last.body["basis"]["who"] == {"entry": "webhook", "by": "function key"}  # type: ignore[index]  # a mapping
        assert power(world) == ["deallocated", "running", "running"]
        assert len(arm.asked("/deallocate")) == 1
        assert [one.attempt for one in pump.handled if not one.outcome.succeeded] == []
        assert all(service.record.verify(stream) == [] for stream in service.record.streams())


def test_dry_run_is_the_default_and_calls_nothing(start: Start, world: World, arm: Arm) -> None:
    with started(start, world, arm, live=False) as service:
        assert service.front.request(ALERTS, alert_body(world.setup)).json()["dry_run"] is True
        service.pump.run(until=lambda: service.pump.of("carry_out_order"))
        assert [event.kind for event in service.events("orders/")] == ["planned", "dry-run"]
    assert (arm.asked("/deallocate"), power(world)) == ([], ["running"] * 3)


def test_a_message_delivered_twice_stops_once(start: Start, world: World, arm: Arm) -> None:
    with started(start, world, arm) as service:
        pump = service.pump
        service.front.request(ALERTS, alert_body(world.setup))
        pump.run(until=lambda: pump.of("carry_out_order"))
        for again in (pump.of("plan_stop")[0], pump.of("carry_out_order")[0]):
            assert service.host.queue(again.function, again.text, attempt=2).succeeded
    assert len(arm.asked("/deallocate")) == 1


def test_the_sweep_has_nothing_to_do_after_a_finished_alert(start: Start, world: World, arm: Arm) -> None:
    with started(start, world, arm, live=False) as service:
        service.front.request(ALERTS, alert_body(world.setup))
        service.pump.run(until=lambda: service.pump.of("carry_out_order"))
        swept = service.host.timer("sweep", past_due=True)
    assert [event["sent"] for event in swept.events() if event["event"] == "swept"] == [[]]
