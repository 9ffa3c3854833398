"""Runs that wait for a control plane which takes no call: written down once a run, so that people hear of it early."""

from __future__ import annotations

from governance.order import Order

DELAYED = "delayed"


def told(order: Order, fault: Exception, attempt: int) -> None:
    """For the first order of its run that comes to this."""
    planned = order.planned
    body = {
        "budget_id": planned["budget_id"],
        "plan": planned["plan"],
        "target": order.target,
        "reason": str(fault),
        "attempt": attempt,
        "since": order.events[0].at,
    }
    order.record.once(f"delays/{planned['alert']}", DELAYED, body, order.now)
