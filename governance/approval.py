"""Approving and rejecting a proposed plan. A decision names the plan's digest: it holds for that set or for none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from governance import revival, streams
from governance.actor import beside
from governance.model import Event, Message
from governance.record import Record
from ledger.faults import Rejected, reject

DECISIONS: Mapping[str, str] = {"approve": streams.APPROVED, "reject": streams.REJECTED}


def proposed(events: Sequence[Event]) -> Event | None:
    """The proposal that stands: the last one since planning was last begun anew."""
    return next((one for one in reversed(streams.since_revival(events)) if one.kind == streams.PROPOSED), None)


def decision(events: Sequence[Event], proposal: Event) -> Event | None:
    """What was decided about exactly this proposal; a decision about another set is none about this one."""
    later = [event for event in events if event.sequence > proposal.sequence]
    made = (streams.APPROVED, streams.REJECTED)
    return next((one for one in later if one.kind in made and one.body["plan"] == proposal.body["digest"]), None)


def expires(proposal: Event) -> datetime:
    return datetime.fromisoformat(str(proposal.body["expires"]))


def decide(
    record: Record,
    run: str,
    plan: str,
    choice: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    link: str = "",
    actor: Mapping[str, object] | None = None,
) -> list[Message]:
    """Record who approved or rejected exactly this plan; what then moves it along.

    `link` is the digest of the one-time link it was done with, `actor` whom Azure had signed in (actor.py). Rejected
    when the plan is not the one that stands, was decided already, or its time is over; Conflict when somebody else
    wrote at the same moment.
    """
    kind = DECISIONS[choice]
    if not by.strip() or (kind == streams.REJECTED and not reason.strip()):
        raise reject("a decision needs who, and a rejection why", "Give --by, and --reason.", "approval")
    events = record.events(streams.alert_stream(run))
    require_open(events, plan, now)
    body = {"plan": plan, "by": by.strip(), "reason": reason.strip(), "link": link, **beside(actor)}
    record.append(streams.alert_stream(run), kind, body, now, after=events)
    return [streams.plan_stop(run)] if kind == streams.APPROVED else []


def require_open(events: Sequence[Event], plan: str, now: datetime) -> None:
    proposal = proposed(events)
    if proposal is None:
        raise _refusal("this plan awaits no approval", _advice(events))
    if proposal.body["digest"] != plan:
        raise _refusal(f"this plan was made anew as {str(proposal.body['digest'])[:12]}", "Decide about the new one.")
    made = decision(events, proposal)
    if made:
        raise _refusal(f"this plan was {made.kind} by {made.body['by']} already", "A decision is made once.")
    if streams.is_settled(events):
        raise _refusal("this plan was refused already", _advice(events))
    if now >= expires(proposal):
        raise _refusal(f"its approval window ended at {expires(proposal):%Y-%m-%d %H:%M} UTC", _advice(events))


def _advice(events: Sequence[Event]) -> str:
    taken = streams.taken(events)
    if taken and streams.at_rest(events):
        return f"What it was refused for put right, `{revival.command(str(taken.body['run']))}` plans it anew."
    return "See `ledger plan list`."


def _refusal(message: str, advice: str) -> Rejected:
    return reject(message, advice, "approval")
