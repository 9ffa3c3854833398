"""A run that stopped machines, and its undo, for tests to walk through: the flows of the service on a movable clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.queue import MemoryQueue
from governance import streams
from governance.model import Budget, Event, Machine
from governance.record import Record
from governance.rules import Safeguards, Stages
from governance.terminal import Played, run_alert
from governance.undo import Wish
from governance.undo_receipt import Undone
from governance.undo_terminal import run_undo
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, MemoryFleet, payload

LIVE = Wish("kim", "the demo needs them", dry_run=False)
DRY = Wish("kim")


class StartingFleet(MemoryFleet):
    """A start is accepted, reads starting once, then running; `deaf` machines accept a start and stay off."""

    def __init__(self, *machines: Machine) -> None:
        super().__init__(*machines)
        self.deaf: set[str] = set()
        self.refusing: dict[str, Exception] = {}

    def machine(self, id: str) -> Machine:
        seen = super().machine(id)
        if seen.power == "starting":
            self.set(id, power="running")
        return seen

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        if id in self.refusing:
            self.starts.append(id)
            raise self.refusing[id]
        super().begin_start(id, parts)
        if id in self.deaf:
            self.set(id, power="deallocated")


class Story:
    """Alerts and undos of one budget over one record; `now` goes on with whatever is waited for."""

    def __init__(self, record: Record, fleet: StartingFleet, budget: Budget = DOLLAR, now: datetime = NOW) -> None:
        self.record, self.fleet, self.budget, self.now = record, fleet, budget, now
        self.alerts = 0

    def alert(self, **changes: object) -> Played:
        """Each is another one of Azure's."""
        self.alerts += 1
        id = f"{SUBSCRIPTION}/providers/Microsoft.CostManagement/alerts/{UUID(int=self.alerts)}"
        body = payload("common-actual", alertId=id, firedDateTime=self.now.isoformat(), **changes)
        return run_alert(body, live=True, **self._parts())

    def run(self, **changes: object) -> str:
        """A run of its own: one effect per threshold."""
        played = self.alert(**changes)
        assert played.run, played
        return played.run

    def undo(self, run: str, wish: Wish = LIVE, *, live: bool = True) -> Undone:
        return run_undo(run, wish, live=live, **self._parts())

    def wait(self, until: datetime) -> datetime:
        self.now = max(self.now, until)
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def undo_events(self, run: str) -> list[Event]:
        return self.record.events(streams.undo_stream(run))

    def _parts(self) -> dict[str, Any]:
        queue = MemoryQueue(lambda: self.now)
        parts = {"budgets": (self.budget,), "record": self.record, "fleet": self.fleet}
        return {**parts, "queue": queue, "now": self.now, "wait": self.wait}


def staged(batch: int, minutes: int = 5, days: int = 7) -> Budget:
    stages = Stages(batch, timedelta(minutes=minutes), timedelta(days=days))
    return replace(DOLLAR, safeguards=Safeguards(undo=stages))


def names(ids: Iterable[str]) -> list[str]:
    return [id.rpartition("/")[2] for id in ids]
