"""An order's life as a table: (state, event kind) -> state. What the table does not list is illegal.

Pure: the state is never stored, it is folded from the kinds of an order's recorded events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from governance.model import State

PLANNED = "planned"
CALLING = "calling"
ACCEPTED = "accepted"
UNDERWAY = "underway"
DEFERRED = "deferred"
HELD = "held"
WAITING = "waiting"
VERIFIED = "verified"
GONE = "gone"
REFUSED = "refused"
DRY_RUN = "dry-run"
FAILED = "failed"
ABANDONED = "abandoned"

# What an event says came of the call; the kinds that are not here are results by their own name.
RESULTS: Mapping[str, str] = {
    CALLING: "none yet: the call is about to be made",
    ACCEPTED: "the call was taken",
    DEFERRED: "not taken, again later",
    HELD: "not called, again when that is over",
    WAITING: "not there yet",
    DRY_RUN: "nothing was called",
}

_BEFORE_ACCEPTANCE: Mapping[str, State] = {
    CALLING: State.CALLING,
    DEFERRED: State.PLANNED,  # the other side asked to come back later, so nothing is under way
    UNDERWAY: State.ACCEPTED,  # seen deallocating without an accepted call of ours: only watched
    VERIFIED: State.VERIFIED,  # seen deallocated: another's stop, or our call just before a crash
    GONE: State.VERIFIED,  # the machine no longer exists: nothing left to bill
    REFUSED: State.REFUSED,
    FAILED: State.FAILED,
}
# A message that the queue gave up says nothing of the machine: its order is where it was, and the sweep goes on.
_OVER = (State.VERIFIED, State.REFUSED, State.DRY_RUN, State.FAILED)

TRANSITIONS: Mapping[State | None, Mapping[str, State]] = {
    None: {PLANNED: State.PLANNED},
    State.PLANNED: {**_BEFORE_ACCEPTANCE, ABANDONED: State.PLANNED, HELD: State.PLANNED, DRY_RUN: State.DRY_RUN},
    State.CALLING: {**_BEFORE_ACCEPTANCE, ABANDONED: State.CALLING, HELD: State.CALLING, ACCEPTED: State.ACCEPTED},
    State.ACCEPTED: {
        WAITING: State.ACCEPTED,
        VERIFIED: State.VERIFIED,
        GONE: State.VERIFIED,
        FAILED: State.FAILED,
        ABANDONED: State.ACCEPTED,
    },
    **{state: {ABANDONED: state} for state in _OVER},
}


class IllegalStep(Exception):
    """The event cannot follow in that state."""


def step(state: State | None, kind: str) -> State:
    """The state after one more event; IllegalStep when the table has none."""
    try:
        return TRANSITIONS[state][kind]
    except KeyError:
        raise IllegalStep(f"{kind!r} cannot follow {state.value if state else 'nothing'}") from None


def fold(kinds: Iterable[str]) -> State | None:
    """The state after all events of a stream; None for an empty one."""
    state: State | None = None
    for kind in kinds:
        state = step(state, kind)
    return state


def is_over(state: State | None) -> bool:
    """Whether nothing more is to be done."""
    return state in _OVER
