from __future__ import annotations

from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import lifecycle
from governance.lifecycle import TRANSITIONS, IllegalStep, fold, is_over, step
from governance.model import State

KINDS = sorted({kind for row in TRANSITIONS.values() for kind in row})
STATES: list[State | None] = [None, *State]


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(STATES)


@pytest.mark.parametrize(("state", "kind"), list(product(STATES, KINDS)))
def test_walk_the_table(state: State | None, kind: str) -> None:
    if kind in TRANSITIONS[state]:
        assert step(state, kind) is TRANSITIONS[state][kind]
    else:
        with pytest.raises(IllegalStep):
            step(state, kind)


def test_the_straight_way_and_the_dry_one() -> None:
    assert fold(["planned", "calling", "accepted", "waiting", "verified"]) is State.VERIFIED
    assert fold(["planned", "dry-run"]) is State.DRY_RUN
    assert fold([]) is None


def test_invariant_12_only_a_reading_makes_an_order_verified() -> None:
    into = {kind for row in TRANSITIONS.values() for kind, state in row.items() if state is State.VERIFIED}
    assert into - {lifecycle.ABANDONED} == {lifecycle.VERIFIED, lifecycle.GONE}


def test_acceptance_needs_a_recorded_call() -> None:
    with pytest.raises(IllegalStep):
        fold(["planned", "accepted"])


@given(st.sampled_from(KINDS))
def test_what_is_over_stays_as_it_is(kind: str) -> None:
    for state in filter(is_over, State):
        with suppress(IllegalStep):
            assert step(state, kind) is state


def test_every_state_can_reach_an_end() -> None:
    for state in set(STATES) - {None}:
        assert is_over(state) or any(is_over(after) for after in TRANSITIONS[state].values())
