"""A run that came to rest before its orders were opened, planned anew because a person says so.

It goes the same way again: the settings as they are now, a new listing, a new plan, every ceiling, wait and approval.
What a person rejected stays so, and what is carried out is not planned twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from governance import period, streams
from governance.actor import beside
from governance.model import Event, Message
from governance.record import Record
from ledger.faults import Rejected, reject

SHORTEST = 8


def command(run: str) -> str:
    """What plans it anew, for texts that tell of its end."""
    return f"ledger plan again {streams.short(run)}"


def again(
    record: Record, begins: str, *, by: str, reason: str, now: datetime, actor: Mapping[str, object] | None = None
) -> tuple[str, list[Message]]:
    """The run and what moves it along. Rejected for a run that is not at rest; Conflict when somebody else wrote."""
    if not by.strip() or not reason.strip():
        raise _refusal("planning anew needs who and why", "Give --by and --reason; they are recorded.")
    run = _found(record, begins)
    events = record.events(streams.alert_stream(run))
    if why := _why_not(events, now):
        raise _refusal(f"run {run[:12]} {why}", "See `ledger plan list` and `ledger orders`.")
    body = {"who": {"entry": "terminal", "by": by.strip(), **beside(actor)}, "reason": reason.strip()}
    record.append(streams.alert_stream(run), streams.REVIVED, body, now, after=events)
    return run, [streams.plan_stop(run)]


def _found(record: Record, begins: str) -> str:
    """The live run where the dry one of the same alert begins alike."""
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},64}}({streams.DRY})?", begins):
        raise _refusal("a run's id is hexadecimal", f"Give at least {SHORTEST} digits, as `ledger orders` lists it.")
    runs = [name.removeprefix("alerts/") for name in record.streams(f"alerts/{begins.removesuffix(streams.DRY)}")]
    chosen = streams.named(runs, begins)
    if len(chosen) != 1:
        text = f"{len(chosen)} runs begin with {begins}" if chosen else f"there is no run {begins}"
        raise _refusal(text, "See `ledger orders`.")
    return chosen[0]


def _why_not(events: Sequence[Event], now: datetime) -> str:
    taken = streams.taken(events)
    if taken is None:
        return "is a notice: it never was to stop anything"
    if streams.find(events, streams.PLANNED):
        return "is carried out: its orders go on by themselves"
    if rejection := streams.find(events, streams.REJECTED):
        return f"was rejected by {rejection.body['by']}, which is for good"
    if now >= (ends := period.ends(str(taken.body["period"]))):
        return f"is of a period that ended at {ends:%Y-%m-%d %H:%M} UTC"
    if not streams.at_rest(events) and streams.last_word(events) != streams.PAUSED:
        return f"is under way, its last word is: {streams.last_word(events)}"
    return ""


def _refusal(message: str, advice: str) -> Rejected:
    return reject(message, advice, "plan-again")
