"""One suite over every action: list, look, stop, read back, start. Real SDKs over the wire, stand-ins behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.fleets import Fleets
from governance.instances import on
from governance.places import account_of, below, is_scope
from governance.policy import ALREADY_OFF, OFF
from ledger.faults import Rejected
from tests.contracts.stages import COUNT, STAGES, TAGS, Stage

ALWAYS_TOLD = {"aws_ec2", "snowflake_warehouse"}  # a state is part of whatever these clouds answer


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with STAGES[request.param](request) as built:
        yield built


def stop(stage: Stage, number: int) -> None:
    """As an order does it: by what a look has seen."""
    id = stage.ids[number]
    stage.action.begin_stop(id, on(stage.action.machine(id)))


def test_all_pages_are_listed_with_tags_state_and_what_the_price_hangs_on(stage: Stage) -> None:
    found = stage.action.machines(stage.scope)
    assert sorted(one.id for one in found) == sorted(stage.ids)
    assert len(found) == COUNT
    for one in found:
        assert (dict(one.tags), one.power, one.kind, one.unstoppable) == (TAGS, "running", stage.kind, ""), one
        assert one.name
        assert one.location
        assert one.size
        assert one.units >= 1


def test_every_listed_machine_lies_in_the_scope_and_is_owned(stage: Stage) -> None:
    assert stage.action.lists(stage.scope)
    assert is_scope(stage.scope)
    for one in stage.action.machines(stage.scope):
        assert stage.action.owns(one.id)
        assert below(one.id, stage.scope)
        assert account_of(one.id)


def test_one_machine_reads_as_it_was_listed(stage: Stage) -> None:
    listed = {one.id: one for one in stage.action.machines(stage.scope)}
    assert stage.action.machine(stage.ids[0]) == listed[stage.ids[0]]


def test_a_stop_is_accepted_then_reads_off_and_touches_no_other(stage: Stage) -> None:
    stop(stage, 1)
    assert stage.action.machine(stage.ids[1]).power in (*ALREADY_OFF, "running")
    stage.settle()
    powers = {one.id: one.power for one in stage.action.machines(stage.scope)}
    assert powers == {**dict.fromkeys(stage.ids, "running"), stage.ids[1]: OFF}
    assert stage.action.machine(stage.ids[1]).power == OFF


def test_a_stop_is_one_call(stage: Stage) -> None:
    stop(stage, 0)
    assert stage.begun() == 1


def test_a_second_stop_does_no_harm(stage: Stage) -> None:
    named = on(stage.action.machine(stage.ids[0]))
    for _ in range(2):
        stage.action.begin_stop(stage.ids[0], named)
        stage.settle()
    assert stage.action.machine(stage.ids[0]).power == OFF


def test_undo_starts_it_again(stage: Stage) -> None:
    before = stage.action.machine(stage.ids[0])
    stop(stage, 0)
    stage.settle()
    stage.action.begin_start(stage.ids[0], tuple(before.parts))
    stage.settle()
    assert stage.action.machine(stage.ids[0]).power == "running"


def test_what_is_not_there_is_told(stage: Stage) -> None:
    with pytest.raises(stage.gone):
        stage.action.machine(stage.absent)
    with pytest.raises(stage.gone):
        stage.action.begin_stop(stage.absent, ["0"])


@pytest.mark.parametrize("id", ["", "/", "x", "/subscriptions/x", "arn:aws:s3:::bucket"])
def test_what_is_no_id_is_refused_before_any_call(stage: Stage, id: str) -> None:
    assert not stage.action.owns(id)
    for call in (stage.action.machine, stage.action.begin_stop, stage.action.begin_start):
        with pytest.raises(Rejected):
            call(id)
    assert stage.begun() == 0


@pytest.mark.parametrize("scope", ["", "/", "*", "all"])
def test_invariant_1_what_is_no_scope_lists_nothing(stage: Stage, scope: str) -> None:
    assert not stage.action.lists(scope)
    with pytest.raises(Rejected):
        stage.action.machines(scope)


@pytest.mark.parametrize("stage", sorted(set(STAGES) - ALWAYS_TOLD), indirect=True)
def test_invariant_14_a_state_that_is_not_told_is_unknown(stage: Stage) -> None:
    assert stage.hide is not None
    stage.hide(stage.ids[2])
    assert stage.action.machine(stage.ids[2]).power == "unknown"


def test_among_several_control_planes_the_right_one_acts(stage: Stage) -> None:
    fleets = Fleets([stage.action])
    assert {one.id for one in fleets.machines(stage.scope)} == set(stage.ids)
    fleets.begin_stop(stage.ids[0], on(fleets.machine(stage.ids[0])))
    stage.settle()
    assert fleets.machine(stage.ids[0]).power == OFF
    with pytest.raises(Rejected, match="no machine of a control plane"):
        fleets.begin_stop("elsewhere")
    with pytest.raises(Rejected, match="no control plane"):
        fleets.machines("elsewhere")
