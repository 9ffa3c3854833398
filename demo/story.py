"""What the demo has seen, as values: the money story, the control story, and what latency would have made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emulators.scenario import Outcome
from governance.model import Event
from governance.terminal import Played
from governance.undo_receipt import Undone
from ledger.summary import Fact


@dataclass(frozen=True, slots=True)
class Money:
    """`document` is the summary as `ledger summary --json` prints it; `facts` are the cells it was added up from.

    `difference` is raw minus mapped, excluded and refused, over all deliveries of the run.
    """

    document: Mapping[str, Any]
    facts: tuple[Fact, ...]
    raw_rows: int
    difference: Decimal

    @property
    def block(self) -> Mapping[str, Any]:
        """The figures in US dollars, the samples' only currency; empty when the ledger holds none."""
        block: Mapping[str, Any] = self.document["currencies"].get("USD", {})
        return block

    def cost(self, group: str, name: str) -> str:
        return self._line(group, name).get("cost", "none")

    def percent(self, group: str, name: str) -> str:
        return self._line(group, name).get("percent", "none")

    def _line(self, group: str, name: str) -> Mapping[str, str]:
        return next((line for line in self.block.get(group, []) if line["name"] == name), {})


@dataclass(frozen=True, slots=True)
class Late:
    """The same world with cost data `hours` late, played until a day after the stop."""

    hours: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Control:
    """`faults` lists what is wrong with the record's chains; `calls` the machines that were asked to deallocate.

    `undone` is the undo after the last hour, looked at and then carried out; `started` are the machines it called.
    """

    outcome: Outcome
    unstopped: Outcome
    played: Sequence[Played]
    calls: Sequence[str]
    faults: Sequence[str]
    late: Sequence[Late]
    undone: Sequence[Undone] = ()
    started: Sequence[str] = ()

    def event(self, kind: str) -> Event | None:
        events = (event for played in self.played for event in played.events)
        return next((event for event in events if event.kind == kind), None)

    def targets(self, which: str) -> list[Mapping[str, Any]]:
        """`which` is targets or spared, as the plan recorded them."""
        planned = self.event("planned")
        found = planned.body[which] if planned else []
        return found if isinstance(found, list) else []
