"""What waits for a control plane that takes no call: written down once, so that people hear of it early."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from governance.order import Order
from governance.record import Record
from ledger.faults import Transient

DELAYED = "delayed"
STILL_ON = "still-on"
UNDO_DELAYED = "undo-delayed"


def told(order: Order, fault: Exception, attempt: int) -> None:
    """For the first order of its run that comes to this."""
    body = _body(order.planned, order.target, fault, attempt, order.events[0].at)
    order.record.once(_stream(order.planned["alert"]), DELAYED, body, order.now)


def still_on(order: Order, power: str, attempt: int) -> None:
    """Its call was taken, and it did not go off; for the first order of its run that comes to this."""
    fault = Transient(f"it reads {power}")
    body = _body(order.planned, order.target, fault, attempt, order.events[0].at)
    order.record.once(_stream(order.planned["alert"]), STILL_ON, body, order.now)


def of_undo(
    run: str,
    asked: Mapping[str, object],
    fault: Exception,
    attempt: int,
    since: datetime,
    record: Record,
    now: datetime,
) -> None:
    """For the first start of its undo, or the look at locks before a stage; `asked` names undo, budget and plan."""
    body = {**_body(asked, str(asked.get("target", "")), fault, attempt, since), "undo": asked["undo"]}
    record.once(_stream(run), UNDO_DELAYED, body, now, same=lambda event: event.body.get("undo") == asked["undo"])


def _stream(run: object) -> str:
    return f"delays/{run}"


def _body(
    asked: Mapping[str, object], target: str, fault: Exception, attempt: int, since: datetime
) -> dict[str, object]:
    named = {"budget_id": asked["budget_id"], "plan": asked["plan"], "target": target}
    return {**named, "reason": str(fault), "attempt": attempt, "since": since}
