"""Files on their way to disk: under a passing name until they are whole, and no slower than a floor."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ledger.faults import Transient

WINDOW = 60  # seconds of one connection after which its speed is judged
FLOOR = 32 * 1024  # bytes a second; whoever sends less would hold a run up for days
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def to_disk(target: Path, what: str) -> Iterator[BinaryIO]:
    """A stream into a file that has its final name only once it is whole; Transient where there is no room for it."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(target)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        room = "there is no room left for it on disk: make some there, or let TMPDIR name a larger disk"
        raise Transient(f"{what}: {room} ({target.parent})") from None
    finally:
        part.unlink(missing_ok=True)


class Pace:
    """How fast bytes come; Transient where a server only trickles, which no timeout of a socket notices."""

    def __init__(self, window: float = WINDOW, floor: int = FLOOR, clock: Callable[[], float] = time.monotonic) -> None:
        self._window, self._floor, self._clock = window, floor, clock
        self.begin()

    def begin(self) -> None:
        """A new connection, or a new window of the same."""
        self._since, self._bytes = self._clock(), 0

    def came(self, size: int) -> None:
        self._bytes += size
        passed = self._clock() - self._since
        if passed < self._window:
            return
        if self._bytes < self._floor * passed:
            raise Transient(f"it only trickles: {self._bytes} bytes came in {passed:.0f} s")
        self.begin()


class PacedBody:
    """In place of the raw body of an answer of requests: read as it comes, where the library waits for whole pieces."""

    def __init__(self, raw: Any, pace: Pace) -> None:
        self._raw, self._pace = raw, pace
        pace.begin()

    def stream(self, size: int, decode_content: bool | None = None) -> Iterator[bytes]:
        while piece := self._raw.read1(size, decode_content=decode_content):
            self._pace.came(len(piece))
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
