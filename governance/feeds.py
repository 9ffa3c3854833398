"""Whether cost data still comes: deliveries of each source as they are committed, and the moment when one is overdue.

Old data is a state of its own. It is recorded and told once for each gap, and days without data are never days without
spend: they widen the estimate (estimate.py), and a price that is not known is never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from governance.model import Event
from governance.record import Record

DELIVERED = "delivered"
AWAITED = "awaited"  # from here on it is waited for: the first look at a source that never delivered
STALE = "stale"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Feed:
    """`since` is the last delivery, or when it was first waited for; None where nobody has looked yet."""

    source: str
    since: datetime | None
    ever: bool
    stale: bool

    def line(self) -> str:
        last = f"{self.since:%Y-%m-%d %H:%M}Z" if self.since else "not looked for yet"
        told = f"last delivered {last}" if self.ever else f"nothing delivered, awaited since {last}"
        return f"data of {self.source}: {'STALE, ' if self.stale else ''}{told}"

    def document(self) -> dict[str, object]:
        since = self.since.isoformat() if self.since else None
        return {"source": self.source, "since": since, "delivered": self.ever, "stale": self.stale}


def delivered(record: Record, source: str, period: str, digest: str, now: datetime) -> None:
    """Once for each delivery, by its digest: one that is looked at again and again is no news."""
    body = {"source": source, "period": period, "digest": digest}
    known = (event for event in _events(record, source, now) if event.kind == DELIVERED)
    if not any((event.body["period"], event.body["digest"]) == (period, digest) for event in known):
        record.append_retrying(_stream(source, now), DELIVERED, body, now)


def check(record: Record, sources: Iterable[str], after: timedelta, now: datetime) -> list[Event]:
    """Sources that are overdue now and were not before; `after` of nothing never is. Each gap is recorded once."""
    found = (_overdue(record, source, after, now) for source in (sources if after else ()))
    return [event for event in found if event]


def _overdue(record: Record, source: str, after: timedelta, now: datetime) -> Event | None:
    events = _events(record, source, now)
    since = _since(events)
    if since is None:
        record.once(_stream(source, now), AWAITED, {"source": source}, now)
        return None
    if now - since.at <= after or any(_is_told(one, since) for one in events):
        return None
    body = {"source": source, "since": since.at, "ever": since.kind == DELIVERED, "hours": after // HOUR}
    body["gap"] = since.digest
    event, new = record.once(_stream(source, now), STALE, body, now, same=lambda one: _is_told(one, since))
    return event if new else None


def _is_told(event: Event, since: Event) -> bool:
    return event.kind == STALE and event.body["gap"] == since.digest


def feeds(record: Record, sources: Iterable[str], after: timedelta, now: datetime) -> list[Feed]:
    return [_feed(source, _since(_events(record, source, now)), after, now) for source in sources]


def _feed(source: str, since: Event | None, after: timedelta, now: datetime) -> Feed:
    if since is None:
        return Feed(source, None, False, False)
    return Feed(source, since.at, since.kind == DELIVERED, bool(after) and now - since.at > after)


def _since(events: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(events) if event.kind in (DELIVERED, AWAITED)), None)


def _events(record: Record, source: str, now: datetime) -> list[Event]:
    """Of this month and the last: streams do not grow without end, and no gap that long is young."""
    before = now.astimezone(UTC).replace(day=1) - timedelta(days=1)
    return [event for at in (before, now) for event in record.events(_stream(source, at))]


def _stream(source: str, at: datetime) -> str:
    return f"feeds/{at.astimezone(UTC):%Y-%m}/{source}"
