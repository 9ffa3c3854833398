"""One alert under rules of the test's own, followed by hand: a clock, a fleet in memory, a record on a real folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from governance import flow, streams
from governance.model import Budget, Event, Machine, Message
from governance.record import Record
from governance.rules import NO_PRICES, Ceilings, Policy, Prices, Safeguards
from tests.governance.scene import DOLLAR, NOW, ListQueue, MemoryFleet, payload

HOUR = timedelta(hours=1)


def under(*rules: Policy, of: Budget = DOLLAR, **safeguards: Any) -> Budget:
    return replace(of, policies=rules, safeguards=Safeguards(**safeguards))


def rule(name: str = "r", **more: Any) -> Policy:
    return Policy(name, ("dev-dollar",), **more)


class Guarded:
    """`fire` takes the alert, `plan` handles its message, `sweep` finds what was lost; `now` moves only here."""

    def __init__(
        self,
        record: Record,
        budget: Budget,
        *machines: Machine,
        live: bool = True,
        prices: Prices = NO_PRICES,
        body: bytes = payload("common-actual"),
        now: datetime = NOW,
    ) -> None:
        self.record, self.budget, self.live, self.prices, self.body = record, budget, live, prices, body
        self.fleet, self.now = MemoryFleet(*machines), now
        answer = self.fire()
        assert answer["alert"], answer
        self.run = str(answer["alert"])

    def fire(self) -> dict[str, object]:
        answer = flow.on_alert(
            self.body, budgets=[self.budget], record=self.record, queue=ListQueue(), now=self.now, live=self.live
        )
        assert answer.status == 202, answer
        return dict(answer.body)

    def plan(self, after: timedelta = timedelta()) -> list[Message]:
        self.now += after
        return flow.on_plan(
            {"alert": self.run},
            budgets=[self.budget],
            record=self.record,
            fleet=self.fleet,
            now=self.now,
            live=self.live,
            prices=self.prices,
        )

    def carry_out(self, messages: list[Message]) -> None:
        for message in messages:
            assert message.queue == streams.CARRY_OUT_ORDER, message
            flow.on_order(
                message.body,
                budgets=[self.budget],
                record=self.record,
                fleet=self.fleet,
                now=self.now,
                live=self.live,
            )

    def sweep(self, after: timedelta = timedelta()) -> list[Message]:
        self.now += after
        return flow.on_sweep(record=self.record, now=self.now)

    def events(self) -> list[Event]:
        return self.record.events(streams.alert_stream(self.run))

    def kinds(self) -> list[str]:
        """What was told after the alert was received and enqueued."""
        return [event.kind for event in self.events()[2:]]

    def last(self, name: str) -> Any:
        return self.events()[-1].body[name]

    def again(self) -> Message:
        return streams.plan_stop(self.run)


def at(moment: datetime, world: Guarded) -> list[Message]:
    """The planning message handled at that instant."""
    return world.plan(moment - world.now)


TIGHT = Ceilings(count=1)
