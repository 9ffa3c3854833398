"""How long a machine is left alone that somebody started again after a run had stopped it. Pure.

Nobody tells when a machine was started, so the time runs from when it was first seen on. A start of our own undo counts
from that start. It holds nothing when the cap is broken, or would be before its end: then the rule applies at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# On, or off without being deallocated: none of these can become of a deallocated machine unless somebody starts it.
STARTED = ("starting", "running", "stopping", "stopped")


@dataclass(frozen=True, slots=True)
class Past:
    """What the record knows of a machine since a run last stopped it: `order` is that stop, `stopped` when it was read
    back, `undone` when an undo started it, `seen` when it was first seen on without one. Blank where it never was.
    """

    order: str = ""
    stopped: datetime | None = None
    undone: datetime | None = None
    seen: datetime | None = None


def is_restart(past: Past, power: str, at: datetime) -> bool:
    """Whether that power, read after `at`, shows a start by somebody else that is not known yet."""
    known = past.undone or past.seen
    return past.stopped is not None and known is None and past.stopped < at and power in STARTED


def ends(past: Past, cool_off: timedelta) -> datetime | None:
    """When the machine may be stopped again; None when it was not started again."""
    since = past.undone or past.seen
    return since + cool_off if since else None


def holds(past: Past, cool_off: timedelta, now: datetime, breaks_at: datetime | None = None) -> str:
    """Why the machine is left alone now; empty when it is not. `breaks_at`: when the cap would break, where known."""
    end = ends(past, cool_off)
    if end is None or now >= end or (breaks_at is not None and breaks_at < end):
        return ""
    who = "an undo" if past.undone else "somebody else"
    return f"started by {who} after a stop: left alone until {end:%Y-%m-%d %H:%M} UTC"
