"""What the sweep sees besides lost messages, through the worker library and the emulated control plane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import settings
import wiring
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.scenario import LAB
from governance import switches
from tests.host.conftest import ALERTS, Start
from tests.host.scene import alert_body, ledger_toml, world_now


def test_invariant_20_a_machine_that_came_back_is_noted_by_the_sweep_once(start: Start) -> None:
    world = world_now()
    lab = world.setup.id(MACHINE, LAB)
    with Arm(world.cloud) as arm, pytest.MonkeyPatch.context() as patch:
        for name, value in arm.environment().items():
            patch.setenv(name, value)
        with start(ledger_toml(world.setup), **arm.environment(), LEDGER_LIVE="true") as service:
            before = len(arm.requests)
            assert service.host.timer("sweep").succeeded
            assert len(arm.requests) == before  # nothing should be off, so nothing is asked
            service.front.request(ALERTS, alert_body(world.setup))
            service.pump.run(until=lambda: service.pump.of("carry_out_order"))
            world.cloud.advance(timedelta(minutes=10))
            service.pump.run(until=lambda: service.pump.of("verify_order"))
            wiring.fleet(arm.environment()).begin_start(lab)
            world.cloud.advance(timedelta(minutes=10))
            world.cloud.faults.add(faults.broken("list", times=1))
            for _ in range(3):
                assert service.host.timer("sweep").succeeded
            kinds = [event.kind for event in service.events("machines/")]
            assert kinds == ["stop-ordered", "seen-on"]
            assert world.cloud.power(lab) == "running"


def test_the_sweep_notes_that_the_service_was_switched_and_an_alert_taken_dry_is_an_alarm(start: Start) -> None:
    world = world_now()
    with Arm(world.cloud) as arm, start(ledger_toml(world.setup), **arm.environment()) as service:
        switches.noted(service.record, settings.load(None, service.env).budgets, datetime.now(UTC), live=True)
        assert service.host.timer("sweep").succeeded
        assert [event.kind for event in service.events("switches/live")] == ["switched-live", "switched-dry"]
        answer = service.front.request(ALERTS, alert_body(world.setup))
        assert answer.json()["taken_dry"] == "the service's own switch is off"
        assert "alert-taken-dry" in [event["event"] for event in answer.events()]
