"""Whether cost data still comes, on real parts: noted when it is committed, looked at by the sweep and a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, record, store

if TYPE_CHECKING:
    from governance.feeds import Feed
    from governance.record import Record

# After a crash between the commit and the note the run that is repeated finds the delivery unchanged.
IN_THE_LEDGER = ("committed", "unchanged")


def noted(report: Mapping[str, object], found: Settings, env: Env, now: datetime) -> None:
    """What a run committed is a delivery, noted once."""
    from governance import feeds

    if report.get("outcome") in IN_THE_LEDGER:
        kept = record(store(found.store_url, env))
        feeds.delivered(kept, str(report["source"]), str(report["period"]), str(report["digest"]), now)


def overdue(found: Settings, kept: Record, now: datetime) -> None:
    """Each source whose data stayed away too long is told once, as an error."""
    from adapters import telemetry
    from governance import feeds

    for event in feeds.check(kept, fed(found), timedelta(hours=found.stale_hours), now):
        telemetry.alarm("cost-data-stale", source=event.body["source"], since=event.body["since"])


def standing(found: Settings, env: Env, now: datetime) -> list[Feed]:
    from governance import feeds

    return feeds.feeds(record(store(found.store_url, env)), fed(found), timedelta(hours=found.stale_hours), now)


def fed(found: Settings) -> list[str]:
    """What the timer looks for; a source without a location is fed by hand, when somebody has something."""
    return [one.name for one in found.sources if one.location]
