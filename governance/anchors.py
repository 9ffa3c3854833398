"""Anchors: once a day the heads of all streams that grew go into one event of `anchors/YYYY-MM`.

A chain cannot show that its newest events were cut off, nor that a whole stream is gone. What an anchor has seen must
still be there. The months' streams anchor each other, as they are streams like any other.

It costs one listing and one read of each stream that grew. It shows nothing of what was removed before the next
anchor, and nothing to whom every object since may be rewritten: docs/stop-machines.md says what does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from governance.model import Event
from governance.record import Record
from ledger.faults import Conflict, Rejected

ROOT = "anchors/"
ANCHORED = "anchored"


@dataclass(frozen=True, slots=True)
class Head:
    """A stream's newest event as an anchor saw it; `place` is the anchor's stream and sequence."""

    stream: str
    sequence: int
    digest: str
    place: str


def anchor(record: Record, now: datetime) -> Event | None:
    """Today's anchor, if it is not there yet; None where it is, or where another writes it just now."""
    stream = f"{ROOT}{now.astimezone(UTC):%Y-%m}"
    last = record.last(stream)
    if last and last.at.astimezone(UTC).date() >= now.astimezone(UTC).date():
        return None
    here = record.events(stream)
    seen = {head.stream: head.sequence for head in _of_all(record)}
    grown = [name for name, size in record.sizes().items() if name != stream and size > seen.get(name, 0)]
    body = {"heads": {name: head for name in grown if (head := _head(record, name))}}
    with suppress(Conflict):
        return record.append(stream, ANCHORED, body, now, after=here)
    return None


def heads(events: Iterable[Event]) -> Iterator[Head]:
    """Every head that these anchors saw, in their order."""
    for event in events:
        found = event.body.get("heads")
        for stream, told in found.items() if isinstance(found, Mapping) else ():
            if isinstance(told, list) and len(told) == 2 and isinstance(told[0], int):
                yield Head(stream, told[0], str(told[1]), f"{event.stream} {event.sequence}")


def _of_all(record: Record) -> Iterator[Head]:
    """A damaged month is passed over: what it saw is anchored again, and the audit names it."""
    for stream in record.streams(ROOT):
        with suppress(Rejected):
            yield from heads(record.events(stream))


def _head(record: Record, stream: str) -> list[object] | None:
    """Sequence and digest; None where the newest object is no event, which the audit names."""
    with suppress(Rejected):
        last = record.last(stream)
        return [last.sequence, last.digest] if last else None
    return None
