"""The flows of orders as one story, for tests to walk through step by step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance import flow, lifecycle, streams
from governance.model import Message, State
from governance.record import Record
from tests.governance.scene import BUDGETS, NOW, ListQueue, MemoryFleet, payload


class Control:
    """The flows over one record and fleet; a live alert is received and planned at once."""

    def __init__(self, record: Record, *machines: Any, live: bool = True, budgets: Any = BUDGETS) -> None:
        self.record, self.live, self.budgets = record, live, budgets
        self.fleet = MemoryFleet(*machines)
        self.queue = ListQueue()
        self.body = payload("common-actual")

    def receive(self, now: datetime = NOW) -> dict[str, object]:
        answer = flow.on_alert(
            self.body, budgets=self.budgets, record=self.record, queue=self.queue, now=now, live=self.live
        )
        assert answer.status == 202, answer
        return dict(self.queue.sent[-1].body)

    def plan(self, message: dict[str, object], now: datetime = NOW) -> list[Message]:
        return flow.on_plan(message, **self._whole(now))

    def order(self, message: Message, now: datetime = NOW) -> list[Message]:
        return flow.on_order(message.body, **self._whole(now))

    def look(self, message: Message, now: datetime | None = None) -> list[Message]:
        """When it is due, if nobody says when."""
        now = now or datetime.fromisoformat(str(self.events(message)[-1].body.get("due") or NOW))
        return flow.on_verify(message.body, budgets=self.budgets, record=self.record, fleet=self.fleet, now=now)

    def settle(self, looks: list[Message], now: datetime = NOW) -> None:
        """Read back until nothing more is asked for; the fleet reads deallocating once before deallocated."""
        while looks:
            now += max(look.delay for look in looks)
            looks = [after for look in looks for after in self.look(look, now)]

    def go(self, message: dict[str, object]) -> None:
        for order in self.plan(message):
            self.order(order)

    def first(self) -> Message:
        (message,) = self.plan(self.receive())
        return message

    def kinds(self, message: Message) -> list[str]:
        return [event.kind for event in self.events(message)]

    def events(self, message: Message) -> list[Any]:
        return self.record.events(streams.order_stream(str(message.body["order"])))

    def state(self, message: Message) -> State | None:
        return lifecycle.fold(self.kinds(message))

    def _whole(self, now: datetime) -> dict[str, Any]:
        return {"budgets": self.budgets, "record": self.record, "fleet": self.fleet, "now": now, "live": self.live}
