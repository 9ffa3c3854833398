"""Laws of the meters: what burns, from when to when, and that the size of the clock's steps does not matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.cloud import ADDRESS, DISK, MACHINE, Cloud, UnknownResource, resource_id, total

START = datetime(2026, 1, 1, tzinfo=UTC)
VM = resource_id("s", "rg", MACHINE, "vm")
STEPS = st.lists(st.integers(0, 10**10).map(lambda micros: timedelta(microseconds=micros)), max_size=8)
TARIFFS = st.decimals("0", "99", places=7)
ACTIONS = st.lists(st.sampled_from(["deallocate", "start", "powerOff"]), max_size=6)


def with_machine(tariff: str = "1", power: str = "running") -> Cloud:
    cloud = Cloud(START)
    cloud.add_machine(VM, tariff=Decimal(tariff), power=power)
    return cloud


@given(STEPS, TARIFFS)
@settings(deadline=None)
def test_the_burn_does_not_depend_on_how_the_clock_was_moved(steps: list[timedelta], tariff: Decimal) -> None:
    stepped, jumped = with_machine(str(tariff)), with_machine(str(tariff))
    for step in steps:
        stepped.advance(step)
    jumped.advance(sum(steps, timedelta()))
    assert stepped.cost() == jumped.cost()


@given(STEPS, ACTIONS)
@settings(deadline=None)
def test_time_billed_adds_up_over_any_cut(steps: list[timedelta], actions: list[str]) -> None:
    cloud = with_machine()
    for step, action in zip(steps, actions, strict=False):
        cloud.advance(step)
        cloud.begin(VM, action)
    end = cloud.advance(timedelta(hours=1))
    cuts = sorted({START, end, *(START + step for step in steps if START + step < end)})
    machine = cloud.resource(VM)
    pieces = [machine.billed(cut, after) for cut, after in pairwise(cuts)]
    assert sum(pieces, timedelta()) == machine.billed(START, end)


@given(STEPS)
@settings(deadline=None)
def test_a_deallocated_machine_burns_nothing(steps: list[timedelta]) -> None:
    cloud = with_machine(power="deallocated")
    for step in steps:
        cloud.advance(step)
    assert cloud.cost() == 0


@given(STEPS)
@settings(deadline=None)
def test_an_empty_cloud_costs_nothing(steps: list[timedelta]) -> None:
    cloud = Cloud(START)
    for step in steps:
        cloud.advance(step)
    assert cloud.cost() == 0


@pytest.mark.parametrize("power", ["starting", "running", "stopping", "stopped"])
def test_every_state_short_of_deallocation_burns(power: str) -> None:
    cloud = with_machine("0.5", power)
    cloud.advance(timedelta(hours=3))
    assert cloud.cost() == Decimal("1.5")


def test_billing_ends_when_deallocation_begins_and_resumes_with_the_start() -> None:
    cloud = with_machine("60")
    cloud.advance(timedelta(hours=1))
    cloud.begin(VM, "deallocate")
    assert cloud.power(VM) == "deallocating"
    cloud.advance(timedelta(minutes=2))
    assert (cloud.power(VM), cloud.cost()) == ("deallocated", Decimal(60))
    cloud.begin(VM, "start")
    cloud.advance(timedelta(minutes=1))
    assert (cloud.power(VM), cloud.cost()) == ("running", Decimal(61))


def test_powering_off_keeps_burning() -> None:
    cloud = with_machine()
    cloud.begin(VM, "powerOff")
    cloud.advance(timedelta(hours=5))
    assert (cloud.power(VM), cloud.cost()) == ("stopped", Decimal(5))


def test_a_later_action_replaces_the_one_under_way() -> None:
    cloud = with_machine()
    cloud.begin(VM, "powerOff")
    cloud.advance(timedelta(seconds=10))
    cloud.begin(VM, "deallocate")
    cloud.advance(timedelta(seconds=25))  # the powering off would have been over by now
    assert cloud.power(VM) == "deallocating"
    cloud.advance(timedelta(hours=1))
    assert cloud.power(VM) == "deallocated"
    assert cloud.resource(VM).billed(START, cloud.now) == timedelta(seconds=10)


def test_deallocating_twice_is_one_deallocation() -> None:
    cloud = with_machine()
    first = cloud.begin(VM, "deallocate")
    cloud.advance(timedelta(minutes=1))
    assert cloud.begin(VM, "deallocate").ends == first.ends
    cloud.advance(timedelta(hours=1))
    assert cloud.begin(VM, "deallocate").ends == cloud.now


def test_disks_and_addresses_burn_whatever_the_machine_does() -> None:
    cloud = with_machine("1", "deallocated")
    cloud.add_disk(resource_id("s", "rg", DISK, "d"), tariff=Decimal("0.25"))
    cloud.add_address(resource_id("s", "rg", ADDRESS, "a"), tariff=Decimal("0.125"))
    cloud.advance(timedelta(hours=8))
    assert cloud.cost() == Decimal(3)
    assert cloud.cost(lambda one: one.kind == DISK) == Decimal(2)


def test_past_cost_can_be_asked_for_and_the_future_is_not_billed() -> None:
    cloud = with_machine()
    cloud.advance(timedelta(hours=10))
    assert cloud.cost(until=START + timedelta(hours=4)) == 4
    assert cloud.cost(since=START + timedelta(hours=4)) == 6
    assert cloud.cost(until=START + timedelta(hours=99)) == 10


def test_the_clock_goes_only_forward() -> None:
    cloud = with_machine()
    with pytest.raises(ValueError, match="forward"):
        cloud.advance(timedelta(hours=-1))
    assert cloud.advance_to(START - timedelta(hours=1)) == START


def test_machines_are_found_without_case_by_scope_and_kind() -> None:
    cloud = with_machine()
    cloud.add_disk(resource_id("s", "rg", DISK, "d"), tariff=Decimal(1))
    assert [one.name for one in cloud.machines("S", "RG")] == ["vm"]
    assert cloud.machines("s", "other") == []
    cloud.erase(VM.upper())
    with pytest.raises(UnknownResource):
        cloud.resource(VM)


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="is no"):
        Cloud(START).add_disk(VM, tariff=Decimal(1))


def test_a_total_of_nothing_is_zero() -> None:
    assert total([]) == 0
