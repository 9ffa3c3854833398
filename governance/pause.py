"""The global pause: while it is on, plans are made and nothing is stopped. Read anew for every plan and every call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from governance import streams
from governance.actor import beside, named
from governance.model import Budget, Event
from governance.record import Record
from ledger.faults import Rejected, reject


def standing(record: Record, budget: Budget | None = None) -> str:
    """Why nothing may be stopped now; empty when nothing is paused. A switch that cannot be read is on."""
    if budget is not None and budget.safeguards.paused:
        return "paused by the settings"
    try:
        last = _last(record)
    except Rejected as fault:
        return f"the pause switch cannot be read, so it counts as on: {fault}"
    if last is None or last.kind != streams.PAUSED:
        return ""
    by = named(last.body["by"], last.body.get("actor"))
    return f"paused by {by} since {last.at:%Y-%m-%d %H:%M} UTC: {last.body['reason']}"


def turn(
    record: Record, *, on: bool, by: str, reason: str, now: datetime, actor: Mapping[str, object] | None = None
) -> Event:
    """Record who turned the switch and why; turned to where it stands, it is only recorded again."""
    if not by.strip() or not reason.strip():
        raise reject("a pause needs who and why", "Give both; they are recorded.", "pause")
    kind = streams.PAUSED if on else streams.RESUMED
    body = {"by": by.strip(), "reason": reason.strip(), **beside(actor)}
    return record.append_retrying(streams.PAUSE, kind, body, now)


def _last(record: Record) -> Event | None:
    events = record.events(streams.PAUSE)
    return events[-1] if events else None
