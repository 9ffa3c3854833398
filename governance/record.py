"""The record of control: append-only, hash-chained streams of events on an object store.

One object per event, `record/<stream>/<sequence:06d>.json`, created only if absent: two writers of the same sequence
cannot both succeed. An event's digest covers its stream, sequence, kind, instant, body and the digest before it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from governance.canonical import canonical, digest, plain
from governance.model import Event
from ledger.faults import Conflict, Missing, Rejected, reject
from ledger.store import ObjectStore

GENESIS = "0" * 64
ROOT = "record/"
_TRIES = 8


class Record:
    """Streams of events; Conflict means another writer was first: read again, then decide again."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @property
    def store(self) -> ObjectStore:
        """Where it is; for what lies beside the record and is none of it."""
        return self._store

    def events(self, stream: str) -> list[Event]:
        """All events in order; Rejected when an object is not an event any more."""
        return [self._read(stream, name) for name in self._names(stream)]

    def append(
        self, stream: str, kind: str, body: Mapping[str, object], at: datetime, *, after: Sequence[Event] | None = None
    ) -> Event:
        """Add one event at the tail, or right behind `after` (what the caller has read): Conflict if that is stale."""
        known = self.events(stream) if after is None else after
        event = _sealed(stream, known[-1] if known else None, kind, body, at)
        self._store.create(_name(stream, event.sequence), canonical(event))
        return event

    def append_retrying(self, stream: str, kind: str, body: Mapping[str, object], at: datetime) -> Event:
        """Append wherever the tail is by then: only for events whose meaning does not depend on the one before."""
        for _ in range(_TRIES - 1):
            try:
                return self.append(stream, kind, body, at)
            except Conflict:
                continue
        return self.append(stream, kind, body, at)

    def once(
        self,
        stream: str,
        kind: str,
        body: Mapping[str, object],
        at: datetime,
        *,
        same: Callable[[Event], bool] = lambda _: True,
    ) -> tuple[Event, bool]:
        """The stream's one event of that kind (and `same`): the one found, or a new one and True.

        Of any number of writers at once exactly one gets True.
        """
        for _ in range(_TRIES):
            known = self.events(stream)
            found = next((event for event in known if event.kind == kind and same(event)), None)
            if found:
                return found, False
            try:
                return self.append(stream, kind, body, at, after=known), True
            except Conflict:
                continue
        raise Conflict(f"stream {stream} is too busy to add {kind!r}")

    def streams(self, prefix: str = "") -> list[str]:
        """Names of all streams that start with prefix, sorted."""
        names = self._store.names(ROOT + prefix)
        return sorted({name[len(ROOT) :].rpartition("/")[0] for name in names})

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """How many objects each stream has whose name starts with prefix, without reading one."""
        names = self._store.names(ROOT + prefix)
        return dict(sorted(Counter(name[len(ROOT) :].rpartition("/")[0] for name in names).items()))

    def last(self, stream: str) -> Event | None:
        """The newest event; Rejected when it is none any more."""
        names = self._names(stream)
        return self._read(stream, names[-1]) if names else None

    def verify(self, stream: str) -> list[str]:
        """What is wrong with a stream: gaps, altered bodies, a broken chain; empty when it is whole.

        A chain cannot show that its newest events were cut off: anchors.py keeps the heads elsewhere in the record.
        """
        return self.examined(stream)[1]

    def examined(self, stream: str) -> tuple[list[Event], list[str]]:
        """The events up to the first that is not whole, and what is wrong with that one."""
        whole: list[Event] = []
        for expected, name in enumerate(self._names(stream), start=1):
            if name != _name(stream, expected):
                return whole, [f"gap: expected {_name(stream, expected)}, found {name}"]
            try:
                event = self._read(stream, name)
            except (Rejected, Missing) as fault:
                return whole, [f"unreadable: {name}: {fault}"]
            problems = _problems(event, stream, expected, whole[-1].digest if whole else GENESIS)
            if problems:
                return whole, problems
            whole.append(event)
        return whole, []

    def _names(self, stream: str) -> list[str]:
        return self._store.names(f"{ROOT}{stream}/")

    def _read(self, stream: str, name: str) -> Event:
        body = self._store.read(name)
        try:
            return _event(json.loads(body))
        except (ValueError, KeyError, TypeError) as fault:
            raise reject(
                f"{name} is not an event of {stream} ({type(fault).__name__})",
                "The record was changed from outside; compare it with the store's own versions.",
                "record-damaged",
            ) from fault


def _name(stream: str, sequence: int) -> str:
    return f"{ROOT}{stream}/{sequence:06d}.json"


def _sealed(stream: str, last: Event | None, kind: str, body: Mapping[str, object], at: datetime) -> Event:
    sequence = last.sequence + 1 if last else 1
    previous = last.digest if last else GENESIS
    kept = {name: plain(value) for name, value in body.items()}  # the same values a later reader will see
    return Event(stream, sequence, kind, at, kept, previous, _digest(stream, sequence, kind, at, kept, previous))


def _digest(stream: str, sequence: int, kind: str, at: datetime, body: Mapping[str, object], previous: str) -> str:
    return digest([stream, sequence, kind, at, body, previous])


def _event(raw: Mapping[str, object]) -> Event:
    body = raw["body"]
    if not isinstance(body, dict) or not isinstance(raw["sequence"], int):
        raise TypeError("body or sequence")
    plain(body)  # a float was never written by us
    at = datetime.fromisoformat(str(raw["at"]))
    if at.tzinfo is None or plain(at) != raw["at"]:
        raise ValueError("an instant that is spelt otherwise, or has no offset, was never written by us")
    return Event(
        stream=str(raw["stream"]),
        sequence=raw["sequence"],
        kind=str(raw["kind"]),
        at=at,
        body=body,
        previous_digest=str(raw["previous_digest"]),
        digest=str(raw["digest"]),
    )


def _problems(event: Event, stream: str, expected: int, previous: str) -> list[str]:
    problems = []
    if (event.stream, event.sequence) != (stream, expected):
        problems.append(f"event {expected}: says it is {event.stream} {event.sequence}")
    if event.previous_digest != previous:
        problems.append(f"event {expected}: does not follow the event before it")
    sealed = _digest(event.stream, event.sequence, event.kind, event.at, event.body, event.previous_digest)
    if event.digest != sealed:
        problems.append(f"event {expected}: its content was changed")
    return problems
