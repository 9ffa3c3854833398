"""Time that passes for real, on a clock that may have been set to another day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

Tell = Callable[[str, Mapping[str, object]], None]


class Clock:
    """Real waiting on a clock that may have been set to another day."""

    def __init__(self, now: datetime, sleep: Callable[[float], object], progress: Tell) -> None:
        self._offset = now - datetime.now(UTC)
        self._sleep = sleep
        self._progress = progress

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def wait_until(self, due: datetime) -> datetime:
        seconds = max((due - self.now()).total_seconds(), 0)
        if seconds >= 1:
            self._progress("wait", {"for": f"{seconds:.0f} s until the next step, due {due:%H:%M:%S} UTC"})
        self._sleep(seconds)
        self._offset += max(due - self.now(), timedelta())  # a sleep that woke early, or only pretended
        return self.now()
