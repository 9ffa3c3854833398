"""Several control planes as one: a scope is asked of all that know it, a machine of the one it belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from governance.model import Fleet, Machine
from ledger.faults import reject


class Action(Fleet, Protocol):
    """The control plane of one kind of machine, which can tell its own scopes and ids."""

    def lists(self, scope: str) -> bool:
        """Whether the scope is one that it can list."""

    def owns(self, id: str) -> bool:
        """Whether the id is one of its machines'."""

    def missing_rights(self, id: str) -> Sequence[str]:
        """The rights to stop and to start it that the identity has not, asked without changing anything."""


class Fleets:
    """The first action that owns an id acts on it. A listing is whole or it fails: what is not seen is not stopped."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = tuple(actions)

    def machines(self, scope: str) -> list[Machine]:
        asked = [action for action in self._actions if action.lists(scope)]
        if not asked:
            raise reject(f"no control plane is set up for {scope!r}", "Correct the budget's scope.", "unknown-scope")
        return [machine for action in asked for machine in action.machines(scope)]

    def machine(self, id: str) -> Machine:
        return self._of(id).machine(id)

    def missing_rights(self, id: str) -> Sequence[str]:
        return self._of(id).missing_rights(id)

    def lock(self, id: str) -> str:
        return self._of(id).lock(id)

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        self._of(id).begin_stop(id, parts)

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        self._of(id).begin_start(id, parts)

    def _of(self, id: str) -> Action:
        found = next((action for action in self._actions if action.owns(id)), None)
        if found is None:
            raise reject(f"{id!r} is no machine of a control plane that is set up", "Check the settings.", "unknown-id")
        return found
