"""The documented throttling of Azure: token buckets on the cloud's clock, of the Resource Manager and of compute.

Azure documents them (May 2024) per subscription and region, or per resource; refilled in steps, here as there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emulators.routes import READS, Call

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `capacity` tokens; `refill` of them come back each period."""

    capacity: int
    refill: int
    every: timedelta


MANAGER = {"reads": Limit(250, 25, SECOND), "writes": Limit(200, 10, SECOND)}
# Kind of call -> the limit per machine or set, and that per subscription; None where there is none.
COMPUTE: Mapping[str, tuple[Limit | None, Limit]] = {
    "deallocate": (Limit(12, 4, MINUTE), Limit(1500, 500, MINUTE)),
    "start": (Limit(12, 4, MINUTE), Limit(1500, 500, MINUTE)),
    "powerOff": (Limit(12, 4, MINUTE), Limit(1500, 500, MINUTE)),
    "get": (Limit(36, 12, MINUTE), Limit(24_000, 8000, MINUTE)),
    "operation": (Limit(45, 15, MINUTE), Limit(15_000, 5000, MINUTE)),
    "list": (None, Limit(900, 300, MINUTE)),
    "listSets": (None, Limit(1080, 360, MINUTE)),
    "deallocate set": (Limit(12, 4, MINUTE), Limit(525, 175, MINUTE)),
}


@dataclass(slots=True)
class TokenBuckets:
    """Levels by (kind, whose); a bucket that nobody has used is full. `manager` is what is left by everybody else."""

    manager: Mapping[str, Limit] = field(default_factory=lambda: MANAGER)
    levels: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)

    def wait(self, call: Call, now: datetime) -> int:
        """Seconds until the call may come again; 0 when it was let through and its tokens are taken."""
        wanted = _limits(call, self.manager)
        held = {key: self._level(key, limit, now) for key, limit in wanted.items()}
        waits = [limit.every - (now - held[key][1]) for key, limit in wanted.items() if held[key][0] < 1]
        if waits:
            return max(1, math.ceil(max(waits).total_seconds()))
        self.levels.update({key: (level - 1, since) for key, (level, since) in held.items()})
        return 0

    def _level(self, key: tuple[str, str], limit: Limit, now: datetime) -> tuple[int, datetime]:
        level, since = self.levels.get(key, (limit.capacity, now))
        steps = max(0, (now - since) // limit.every)
        return min(limit.capacity, level + steps * limit.refill), since + steps * limit.every


def _limits(call: Call, manager: Mapping[str, Limit]) -> dict[tuple[str, str], Limit]:
    subscription = call.subscription.lower()
    traffic = "reads" if call.kind in READS else "writes"
    found = {(traffic, subscription): manager[traffic]}
    kind = "get" if call.kind == "instanceView" else call.kind
    each, all_of_them = COMPUTE.get(f"{kind} set" if call.of_set else kind, (None, None))
    if each:
        found[kind, f"{subscription}/{call.group}/{call.name}".lower()] = each
    if all_of_them:
        found[kind, subscription] = all_of_them
    return found
