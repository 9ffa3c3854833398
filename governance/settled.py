"""Which streams of the record need no reading any more: an index beside the record, for the sweep alone.

It is an aid and never the truth. A stream that grew since is read again, whatever the index says; without an index, or
with one that cannot be read, all are. What it would hide, `ledger audit verify` finds: that reads every stream.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

from governance.canonical import canonical, digest
from governance.record import Record
from ledger.faults import Conflict, Missing, Transient
from ledger.newest import follow, newest

ROOT = "index/"
# A first walk over a long history must not be lost where the time of the sweep ends before it does.
EVERY = 500
Fact = dict[str, str]


class Settled:
    """By stream the number of its events when nothing was left to do in it, and what is worth keeping of it."""

    def __init__(self, record: Record, name: str) -> None:
        self._record, self._root = record, f"{ROOT}{name}/"
        self._known: dict[str, tuple[int, Fact]] = {}
        self._number, self._new = 0, 0
        with suppress(Missing, Transient, Conflict, ValueError, TypeError, LookupError, AttributeError):
            self._load()

    def unsettled(self, prefix: str) -> Iterator[str]:
        """The streams that are to be read: never settled, or grown since. One listing, and no reading."""
        for stream, size in self._record.sizes(prefix).items():
            if self._known.get(_key(stream), (0, {}))[0] != size:
                yield stream

    def closed(self, prefix: str) -> Iterator[Fact]:
        """What was kept of the others."""
        for stream, size in self._record.sizes(prefix).items():
            known = self._known.get(_key(stream))
            if known and known[0] == size:
                yield known[1]

    def close(self, stream: str, size: int, fact: Fact | None = None) -> None:
        self._known[_key(stream)] = (size, fact or {})
        self._new += 1
        if self._new % EVERY == 0:
            self.keep()

    def keep(self) -> None:
        """Written anew where it changed. What fails here costs the next sweep some reading, and nothing else."""
        if not self._new:
            return
        body = canonical({key: [size, fact] if fact else [size] for key, (size, fact) in self._known.items()})
        with suppress(Missing, Transient, Conflict):
            self._number = follow(self._record.store, self._root, self._number, body)
            self._new = 0

    def _load(self) -> None:
        found = newest(self._record.store, self._root)
        if found is None:
            return
        self._number, body = found
        raw = json.loads(body)
        self._known = {str(key): (int(one[0]), dict(one[1]) if len(one) > 1 else {}) for key, one in raw.items()}


def _key(stream: str) -> str:
    return digest(stream)[:20]
