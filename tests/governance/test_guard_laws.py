"""Whatever happens in whatever order: no machine is called that rules, a person and the clock did not let through."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.folder import FolderStore
from governance import approval, pause
from governance.model import Message
from governance.record import Record
from governance.rules import Ceilings, Hours, Policy
from ledger.faults import Rejected
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import machine, payload

STEPS = (
    "plan",
    "sweep",
    "wait",
    "approve",
    "reject",
    "pause",
    "resume",
    "untag",
    "grow",
    "fire",
    "note",
    "abandon",
    "order",
)
DAYTIME = Hours("UTC", (0, 1, 2, 3, 4, 5, 6), time(8), time(18))


class Walk(Guarded):
    """Takes one step after another and checks each call to the fleet as it is made."""

    def __init__(self, record: Record, gate: Policy, most: int) -> None:
        super().__init__(record, under(gate, ceilings=Ceilings(day_count=most)), machine("a"), machine("b"))
        self.gate, self.waiting = gate, list[Message]()

    def step(self, name: str) -> None:
        with suppress(Rejected):
            getattr(self, f"do_{name}")()

    def do_plan(self) -> None:
        self.waiting += [one for one in self.plan() if one.queue == "carry-out-order"]

    def do_sweep(self) -> None:
        self.waiting += [one for one in self.sweep() if one.queue == "carry-out-order"]

    def do_wait(self) -> None:
        self.now += timedelta(minutes=50)

    def do_approve(self) -> None:
        self._decide("approve")

    def do_reject(self) -> None:
        self._decide("reject")

    def _decide(self, choice: str) -> None:
        proposal = approval.proposed(self.events())
        if proposal:
            plan = str(proposal.body["digest"])
            approval.decide(self.record, self.run, plan, choice, by="Kim", reason="x", now=self.now)

    def do_pause(self) -> None:
        pause.turn(self.record, on=True, by="Kim", reason="x", now=self.now)

    def do_resume(self) -> None:
        pause.turn(self.record, on=False, by="Kim", reason="x", now=self.now)

    def do_untag(self) -> None:
        self.fleet.set(machine("b").id, tags={})

    def do_grow(self) -> None:
        late = machine("late")
        self.fleet.known.setdefault(late.id, late)

    def do_fire(self) -> None:
        self.fire()

    def do_note(self) -> None:
        body, self.body = self.body, payload("common-actual", description="a test")
        self.fire()
        self.body = body

    def do_abandon(self) -> None:
        self.record.append(
            f"alerts/{self.run}", "abandoned", {"queue": "plan-stop", "message": str(self.now)}, self.now
        )

    def do_order(self) -> None:
        before = len(self.fleet.stops)
        self.carry_out(self.waiting)
        self.waiting = []
        for id in self.fleet.stops[before:]:
            self.check(id)

    def check(self, id: str) -> None:
        events = self.events()
        (planned,) = (event for event in events if event.kind == "planned")
        assert id in [target["id"] for target in planned.body["targets"]]  # type: ignore[attr-defined]  # a list
        assert self.fleet.known[id].tags, "untagged since"
        assert pause.standing(self.record) == ""
        if self.gate.approval:
            (given,) = (e for e in events if e.kind == "approved" and e.body["plan"] == planned.body["digest"])
            (asked, *_) = (e for e in reversed(events[: given.sequence]) if e.kind == "proposed")
            assert given.at < asked.at + self.gate.approval
            assert asked.body["targets"] == planned.body["targets"]
        if self.gate.notice:
            told = [e for e in events if e.kind == "notice-given" and e.at + self.gate.notice <= planned.at]
            assert id in [target["id"] for e in told for target in e.body["targets"]]  # type: ignore[attr-defined]  # a list
        if self.gate.hours:
            assert self.gate.hours.is_open(planned.at)


GATES: tuple[Any, ...] = (
    rule(approval=3 * HOUR),
    rule(notice=2 * HOUR),
    rule(hours=DAYTIME),
    rule(approval=3 * HOUR, notice=HOUR, hours=DAYTIME),
    rule(approval=3 * HOUR, hours=replace(DAYTIME, closes=time(17))),
)


@pytest.mark.parametrize("gate", GATES, ids=["approval", "notice", "hours", "all", "approval-hours"])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=25), most=st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_law_nothing_is_called_that_was_not_let_through(gate: Policy, steps: list[str], most: int) -> None:
    with TemporaryDirectory() as folder:
        walk = Walk(Record(FolderStore(Path(folder))), gate, most)
        for step in [*steps, "plan", "order"]:
            walk.step(step)
        assert len(set(walk.fleet.stops)) <= most
