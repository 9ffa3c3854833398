"""What a control plane asked one order holds for all orders of that account: marks on the record that each one reads.

An order's clock stands still while its account is held back. So those that wait keep their distances, and do not all
come back at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from governance import pace
from governance.backoff import LONGEST_ASKED
from governance.canonical import digest
from governance.record import Record
from ledger.faults import Conflict

THROTTLED = "throttled"
LITTLE = timedelta(seconds=1)
Hold = tuple[datetime, datetime]


def mark(record: Record, target: str, until: datetime, now: datetime) -> None:
    """Hold the account back until then. A hold that another has marked already, or is about to, is enough."""
    stream = _stream(target, now)
    events = record.events(stream)
    if events and until - datetime.fromisoformat(str(events[-1].body["until"])) < LITTLE:
        return
    with suppress(Conflict):
        record.append(stream, THROTTLED, {"account": pace.account(target), "until": until}, now, after=events)


def holds(record: Record, target: str, since: datetime, now: datetime) -> list[Hold]:
    """Every hold of the account that was begun on the days from `since` to now, or before and may still last then."""
    days = (now.astimezone(UTC).date() - (since - LONGEST_ASKED).astimezone(UTC).date()).days
    found = [
        (event.at, datetime.fromisoformat(str(event.body["until"])))
        for day in range(max(0, days) + 1)
        for event in record.events(_stream(target, now - timedelta(days=day)))
    ]
    return sorted(found)


def shifted(due: datetime, since: datetime, found: Iterable[Hold]) -> datetime:
    """The moment that is due on a clock which stood still in every hold since then."""
    counted = since
    for begun, until in found:
        if begun > due:
            break
        begins = max(begun, counted)
        if until > begins:
            due, counted = due + (until - begins), until
    return due


def rest(now: datetime, spread: timedelta, found: Iterable[Hold]) -> timedelta:
    """How much longer the hold of this moment lasts for who comes `spread` after the first; nothing when none does."""
    running = [(begun, until) for begun, until in found if begun <= now < until]
    if not running:
        return timedelta()
    begun, until = max(running, key=lambda one: one[1])
    return until - now + spread % (until - begun)


def _stream(target: str, now: datetime) -> str:
    return f"throttles/{digest(pace.account(target))[:32]}/{now.astimezone(UTC):%Y-%m-%d}"
