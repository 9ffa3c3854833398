"""How long a machine is left alone that somebody started again after a run had stopped it. Pure.

Nobody tells when a machine was started, so the time runs from when it was first seen on. A start of our own undo counts
from that start. It holds nothing when the cap is broken, or would be before its end: then the rule applies at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.policy import OFF
from governance.rules import COOL_OFF_HOURS

SETTLED = timedelta(hours=COOL_OFF_HOURS)

# On, or off without being deallocated: none of these can become of a deallocated machine unless somebody starts it.
STARTED = ("starting", "running", "stopping", "stopped")


@dataclass(frozen=True, slots=True)
class Past:
    """What the record knows of a machine since a run last stopped it: `order` is that stop, `stopped` when it was read
    back, `undone` when an undo started it, `seen` when it was first seen on since it was last off, `off` when it was
    seen off after that although no run stopped it. Blank where it never was. `instances` are those of the stop, and
    `grown` says that only others were on when it was seen.
    """

    order: str = ""
    stopped: datetime | None = None
    undone: datetime | None = None
    seen: datetime | None = None
    off: datetime | None = None
    grown: bool = False
    instances: frozenset[str] | None = None

    @property
    def on_since(self) -> datetime | None:
        """When it was last started again, as far as is known."""
        return max((at for at in (self.undone, self.seen) if at), default=None)


def is_restart(past: Past, power: str, at: datetime) -> bool:
    """Whether that power, read after `at`, shows a start by somebody else that is not known yet."""
    is_off = past.on_since is None or past.off is not None
    return past.stopped is not None and is_off and past.stopped < at and power in STARTED


def is_off_again(past: Past, power: str, at: datetime) -> bool:
    """Whether that power shows that somebody else ended it after a restart, so that the next start is another one.

    One that is on and off within SETTLED is told of once: it must neither flood people nor stay in a cool-off for ever.
    """
    since = past.on_since
    return (
        past.stopped is not None and since is not None and past.off is None and power == OFF and at - since >= SETTLED
    )


def is_another(past: Past, power: str, launched: datetime | None, at: datetime) -> bool:
    """Whether that launch is one more start by somebody else, though nobody saw the machine off in between."""
    since = past.on_since
    if past.stopped is None or since is None or past.off is not None or launched is None:
        return False
    return power in STARTED and since + SETTLED <= launched <= at


def ends(past: Past, cool_off: timedelta) -> datetime | None:
    """When the machine may be stopped again; None when it was not started again."""
    return past.on_since + cool_off if past.on_since else None


def holds(past: Past, cool_off: timedelta, now: datetime, breaks_at: datetime | None = None) -> str:
    """Why the machine is left alone now; empty when it is not. `breaks_at`: when the cap would break, where known."""
    end = ends(past, cool_off)
    if end is None or now >= end or (breaks_at is not None and breaks_at < end):
        return ""
    who = "an undo" if past.undone == past.on_since else "somebody else"
    return f"started by {who} after a stop: left alone until {end:%Y-%m-%d %H:%M} UTC"
