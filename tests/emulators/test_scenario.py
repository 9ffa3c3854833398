"""The reference scenario: its figures, other tariffs, other latencies, and the product's own path through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.folder import FolderStore
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.rehearsal import responder
from emulators.scenario import (
    ADDRESS_OF_LAB,
    DISK_OF_LAB,
    LAB,
    PRODUCTION,
    UNTAGGED,
    Hour,
    Outcome,
    Setup,
    World,
    build,
    play,
)
from governance.terminal import Played

REFERENCE = Setup()


def stopped_by_hand(setup: Setup) -> Outcome:
    """The same world with an ideal responder: the deallocation begins the moment the alert comes."""
    world = build(setup)
    return play(world, lambda _: world.cloud.begin(setup.id(MACHINE, LAB), "deallocate"))


def test_spend_passes_the_threshold_at_hour_forty() -> None:
    seen: list[Hour] = []
    play(build(REFERENCE), lambda _: None, seen.append)
    assert [seen[hour - 1].spent for hour in (39, 40)] == [Decimal("0.7921875"), Decimal("0.8125")]
    assert [hour.number for hour in seen if hour.alerts] == [40]


def test_the_bill_at_hour_sixty_four() -> None:
    outcome = stopped_by_hand(REFERENCE)
    costs = {name: outcome.line(name).cost for name in (LAB, DISK_OF_LAB, ADDRESS_OF_LAB)}
    assert costs == {LAB: Decimal("0.75"), DISK_OF_LAB: Decimal("0.08"), ADDRESS_OF_LAB: Decimal("0.02")}
    assert (outcome.fired, outcome.tagged_cost) == (40, Decimal("0.85"))


def test_without_anybody_acting_the_bill_goes_on() -> None:
    outcome = play(build(REFERENCE), lambda _: None)
    assert outcome.tagged_cost == 64 * Decimal("0.0203125")


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_each_hour_of_latency_costs_an_hour_of_the_machine(latency: int) -> None:
    hours = 200
    late = stopped_by_hand(replace(REFERENCE, hours=hours, latency=timedelta(hours=latency)))
    prompt = stopped_by_hand(replace(REFERENCE, hours=hours))
    assert late.fired == 40 + latency
    assert late.tagged_cost - prompt.tagged_cost == latency * REFERENCE.machine


@given(st.decimals("0.001", "0.9", places=5))
@settings(max_examples=20, deadline=None)
def test_any_tariff_gives_the_hours_it_can_pay_for(tariff: Decimal) -> None:
    setup = replace(REFERENCE, machine=tariff, hours=400)
    outcome = stopped_by_hand(setup)
    rate = tariff + setup.disk + setup.address
    wanted = next((hour for hour in range(1, 401) if hour * rate >= Decimal("0.8")), None)
    assert outcome.fired == wanted
    assert outcome.line(LAB).cost == tariff * (wanted or 400)


class TestTheProductsPath:
    """The webhook body through the flows, the record and the Azure SDK over TLS."""

    @pytest.fixture
    def world(self) -> World:
        return build(REFERENCE)

    @pytest.fixture
    def arm(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
        with Arm(world.cloud, page_size=1) as running:
            for name, value in running.environment().items():
                monkeypatch.setenv(name, value)
            yield running

    @pytest.fixture
    def played(self) -> list[Played]:
        return []

    @pytest.fixture
    def respond(self, world: World, arm: Arm, played: list[Played], tmp_path: Path) -> Callable[[bytes], None]:
        answer = responder(world, FolderStore(tmp_path), arm.environment())
        return lambda body: played.append(answer(body))

    def test_it_stops_what_opted_in_and_nothing_else(
        self, world: World, arm: Arm, respond: Callable[[bytes], None], played: list[Played]
    ) -> None:
        outcome = play(world, respond)
        assert (outcome.fired, outcome.tagged_cost, outcome.line(LAB).hours) == (40, Decimal("0.85"), Decimal(40))
        assert [outcome.line(name).state for name in (LAB, UNTAGGED, PRODUCTION)] == [
            "deallocated",
            "running",
            "running",
        ]
        assert outcome.others_cost == 64 * (REFERENCE.untagged + REFERENCE.production)
        assert [one.path.rpartition("/")[0].rpartition("/")[2] for one in arm.requests if one.method == "POST"] == [LAB]
        assert [event.kind for event in played[0].events][-1] == "verified"

    def test_a_redelivered_alert_stops_nothing_twice(
        self, world: World, arm: Arm, respond: Callable[[bytes], None], played: list[Played]
    ) -> None:
        def twice(body: bytes) -> None:
            respond(body)
            respond(body)

        play(world, twice)
        assert len(arm.asked("/deallocate")) == 1
        assert played[0].run == played[1].run

    def test_throttling_costs_the_time_it_asks_for(
        self, world: World, arm: Arm, respond: Callable[[bytes], None]
    ) -> None:
        world.cloud.faults.add(faults.throttled("deallocate", times=2, retry_after=1800))
        outcome = play(world, respond)
        assert outcome.line(LAB).cost == 41 * REFERENCE.machine
        assert [one.status for one in arm.asked("/deallocate")] == [429, 429, 202]

    def test_a_success_in_words_only_is_never_verified(
        self, world: World, respond: Callable[[bytes], None], played: list[Played]
    ) -> None:
        world.cloud.faults.add(faults.operation_lies("deallocate"))
        outcome = play(world, respond)
        kinds = [event.kind for event in played[0].events]
        assert ("verified" in kinds, kinds[-1], outcome.line(LAB).state) == (False, "waiting", "running")
        assert outcome.tagged_cost == 64 * Decimal("0.0203125")

    def test_dry_run_calls_nothing(self, world: World, arm: Arm, tmp_path: Path) -> None:
        outcome = play(world, responder(world, FolderStore(tmp_path), arm.environment(), live=False))
        assert [one for one in arm.requests if one.method == "POST"] == []
        assert outcome.line(LAB).state == "running"
