"""The record on real parts: anchored once a day, and audited from a terminal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from settings import Settings
from wiring.parts import Env, record, store

if TYPE_CHECKING:
    from governance.audit import Audited
    from governance.record import Record

AT_ONCE = 16  # streams that are read at once


def anchor_day(kept: Record, now: datetime) -> None:
    """Write the day's anchor, and its digest into the log, which lies elsewhere."""
    from adapters import telemetry
    from governance.anchors import anchor

    if event := anchor(kept, now):
        telemetry.event("record-anchored", place=f"{event.stream} {event.sequence}", digest=event.digest)


def audit(found: Settings, env: Env, now: datetime, unfinished_after: timedelta) -> Audited:
    from governance.audit import audit as audited

    kept = record(store(found.store_url, env))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return audited(kept, now, unfinished_after=unfinished_after, each=pool.map)
