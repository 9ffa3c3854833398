"""The notices in the record as a person reads them: to whom, about what, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from governance import notices, streams
from governance.model import Event
from governance.record import Record
from ledger.faults import Rejected


@dataclass(frozen=True, slots=True)
class Posted:
    """One notice by its events."""

    events: Sequence[Event]

    @property
    def is_given_up(self) -> bool:
        return self.events[-1].kind in (notices.GIVEN_UP, streams.ABANDONED)

    def document(self) -> dict[str, object]:
        """JSON-ready."""
        first, last = self.events[0], self.events[-1]
        return {
            **first.body,
            "queued": first.at.isoformat(),
            "state": last.kind,
            "at": last.at.isoformat(),
            "tries": streams.count(self.events, notices.TRYING),
            "reason": last.body.get("reason", ""),
        }


def posted(record: Record) -> list[Posted]:
    """The newest first. A damaged stream is passed over; `ledger audit verify` names it."""
    found = [Posted(events) for events in _read(record) if events]
    return sorted(found, key=lambda one: one.events[0].at, reverse=True)


def lines(found: Iterable[Posted]) -> list[str]:
    """One line a notice."""
    return [_line(one.events[0], one.document()) for one in found] or ["no notices in the record"]


def _read(record: Record) -> Iterator[Sequence[Event]]:
    for stream in record.streams("notices/"):
        with suppress(Rejected):
            yield record.events(stream)


def _line(first: Event, told: dict[str, object]) -> str:
    to = f"{told['channel']} ({told['owner']})" if told["owner"] else told["channel"]
    reason = f": {told['reason']}" if told["reason"] else ""
    return f"{first.at:%Y-%m-%d %H:%M}  {told['notice']} to {to}: {told['state']}, tries {told['tries']}{reason}"
