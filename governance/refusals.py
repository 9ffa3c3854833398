"""Alerts that were refused, as people hear of them: what a budget sent is lost with it, for Azure sends it only once.

Whoever has the webhook's key can send any number: a reason is told once a day for each budget, and of names that nobody
registered no more than MOST. These take nothing from the others.
"""

from __future__ import annotations

from datetime import UTC, datetime

from governance.model import Refusal
from governance.record import Record

ALERT_REFUSED = "alert-refused"
MOST = 10


def note(refusal: Refusal, record: Record, now: datetime) -> None:
    """Only of what claims to be a budget's alert; what is none at all is for the log alone."""
    if not refusal.budget or refusal.status < 400:
        return
    stream = f"refusals/{now.astimezone(UTC):%Y-%m-%d}"
    key = {"named": refusal.budget, "about": refusal.reason.partition(" ")[0]}
    events = record.events(stream)
    strangers = sum(not event.body["budget_id"] for event in events)
    if any(event.body.items() >= key.items() for event in events) or (not refusal.budget_id and strangers >= MOST):
        return
    told = {**key, "budget_id": refusal.budget_id, "status": refusal.status, "reason": refusal.reason}
    record.append(stream, ALERT_REFUSED, told, now, after=events)
