"""A hundred alerts at once that are one, and how long an answer takes, through the worker library over real storage."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from emulators import entra
from emulators.arm import Arm
from emulators.budget import payload
from emulators.scenario import Setup, World
from tests.host.conftest import ALERTS, Service, Start
from tests.host.scene import ledger_toml, world_now

AT_ONCE = 16
RETRIES = 5  # as often as an action group tries again
SECONDS = 5  # generous: the caller waits for ten


@pytest.fixture
def world() -> World:
    return world_now()


@pytest.fixture
def service(start: Start, world: World) -> Iterator[Service]:
    with Arm(world.cloud) as arm, start(ledger_toml(world.setup), **arm.environment()) as running:
        yield running


def bodies(setup: Setup) -> list[bytes]:
    """One threshold of one month, a hundred times: the same body, sent by a second action group, fired again later."""
    fired = datetime.now(UTC)
    first = payload(setup.budget(), setup.threshold, Decimal("0.8125"), fired)
    same = json.dumps(first)
    other = same.replace("CostManagement/alerts/", "CostManagement/alerts/other-")
    again = json.dumps(payload(setup.budget(), setup.threshold, Decimal("0.95"), fired + timedelta(seconds=1)))
    return [one.encode() for one in (*[same] * 60, *[other] * 20, *[again] * 20)]


def delivered(service: Service, body: bytes) -> int:
    """The last status of an alert that is sent again after 503, as action groups do."""
    for _ in range(RETRIES):
        if (status := service.front.request(ALERTS, body).status) != 503:
            break
    return status


def test_invariant_8_a_hundred_alerts_at_once_in_any_order_make_one_plan(service: Service, world: World) -> None:
    sent = bodies(world.setup)
    random.Random(8).shuffle(sent)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(lambda body: delivered(service, body), sent))
    assert statuses == [202] * len(sent)
    service.pump.run(until=lambda: service.pump.of("carry_out_order"))
    kinds = [event.kind for event in service.events("alerts/")]
    assert sorted(kinds) == ["enqueued", "planned", "received"]
    assert len(service.record.streams("orders/")) == 1
    assert all(service.record.verify(stream) == [] for stream in service.record.streams())


@pytest.mark.parametrize("secure", [False, True], ids=["key", "key and token"])
def test_invariant_10_an_answer_takes_well_under_the_callers_patience(
    start: Start, world: World, secure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    took = {"first": list[float](), "again": list[float]()}
    with entra.Tenant() as tenant, start(ledger_toml(world.setup), **tenant.environment() if secure else {}) as service:
        for place in range(20):
            share = Decimal("0.8") + Decimal(place) / 100
            body = json.dumps(payload(world.setup.budget(), share, share, datetime.now(UTC))).encode()
            headers = {"Authorization": f"Bearer {tenant.token()}"}
            for times in took.values():
                begun = time.perf_counter()
                assert service.front.request(ALERTS, body, headers=headers).status == 202
                times.append(time.perf_counter() - begun)
    with capsys.disabled():
        for name, times in took.items():
            print(
                f"\n202 {name}: median {statistics.median(times) * 1000:.0f} ms, max {max(times) * 1000:.0f} ms", end=""
            )
    assert statistics.median(took["first"]) < SECONDS
