"""The links of the chain from the webhook to a machine, and what the record proves of each for one drill. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance import lifecycle, streams
from governance.model import Event, State
from governance.record import Record
from ledger.faults import Rejected

PROVEN, DEAD, PENDING, UNTRIED = "proven", "dead", "pending", "untried"
# Events of a drill's own: what the identity may not do to one machine, its power read again, the asking for notices.
RIGHTS, READ_BACK, NEWS = "rights", "read-back", "news"
# What an answer of the webhook other than 202 means.
ANSWERS: Mapping[int, str] = {
    0: "nobody answered",
    401: "the key in its address, or the caller, is not accepted any more",
    403: "it does not take the drill: another drill key, or a budget that is not in its registry",
    404: "there is no such webhook",
    503: "it cannot store or enqueue an alert now",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One link; `at` is the instant of what proves it, or None."""

    link: str
    state: str
    at: datetime | None = None
    told: str = ""


Found = tuple[str, datetime | None, str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is of one drill: the webhook's answer, the run's own events, each target with its order's."""

    answer: Event | None
    events: Sequence[Event]
    orders: Sequence[tuple[str, Sequence[Event]]]
    channels: bool


def proofs(run: str, begun: Event, answer: Event | None, record: Record, channels: bool) -> list[Proof]:
    """One for each link, in the order of the chain; `channels`: whether there are any that notices go to."""
    events = record.events(streams.alert_stream(run))
    planned = streams.find(events, streams.PLANNED)
    targets = [str(one["id"]) for one in streams.targets_in(planned.body)] if planned else []
    orders = [(one, record.events(streams.order_stream(streams.order_key(run, one)))) for one in targets]
    seen = _Seen(answer, events, orders, channels)
    return [Proof("begun", PROVEN, begun.at), *(Proof(link, *look(seen)) for link, look in LINKS.items())]


def _webhook(seen: _Seen) -> Found:
    if seen.answer is None:
        return PENDING, None, "no answer of the webhook was recorded"
    status, reason = seen.answer.body["status"], str(seen.answer.body["reason"])
    if status == 202:
        return PROVEN, seen.answer.at, ""
    assert isinstance(status, int)  # written by drill
    meaning = ANSWERS.get(status, "it answers with a fault")
    return DEAD, seen.answer.at, f"{status or 'no answer'}: {meaning}{f' ({reason})' if reason else ''}"


def _recorded(kind: str, missing: str) -> Callable[[_Seen], Found]:
    def look(seen: _Seen) -> Found:
        found = streams.find(seen.events, kind)
        return (PROVEN, found.at, "") if found else (PENDING, None, missing)

    return look


def _listing(seen: _Seen) -> Found:
    planned = streams.find(seen.events, streams.PLANNED)
    hidden = streams.unseen(planned.body) if planned else {}
    if planned and not hidden:
        return PROVEN, planned.at, ""
    if hidden:
        return DEAD, None, "; ".join(f"{place}: {reason}" for place, reason in hidden.items())
    faults = [one for one in seen.events if one.kind in (streams.UNLISTED, streams.DEFERRED)]
    if faults:
        return DEAD, None, f"machines cannot be listed: {faults[-1].body['reason']}"
    return PENDING, None, "no listing was recorded"


def _plan(seen: _Seen) -> Found:
    planned = streams.find(seen.events, streams.PLANNED)
    if planned:
        return PROVEN, planned.at, f"{len(seen.orders)} to try it on"
    refused = streams.find(seen.events, streams.REFUSED)
    if refused:
        return DEAD, None, str(refused.body["reason"])
    given_up = streams.find(seen.events, streams.ABANDONED)
    if given_up:
        return DEAD, None, f"given up by queue {given_up.body['queue']}"
    return PENDING, None, "no plan came of it: is the function of queue plan-stop alive?"


def _order(seen: _Seen) -> Found:
    """Each machine of the drill was read, with its tags, and would have been called."""
    if not streams.find(seen.events, streams.PLANNED):
        return PENDING, None, "no order was made"
    if not seen.orders:
        return UNTRIED, None, "no machine to try it on was on"
    found = [_of_order(target, events) for target, events in seen.orders]
    return next((one for one in found if one[0] != PROVEN), found[-1])


def _of_order(target: str, events: Sequence[Event]) -> Found:
    name = target.rpartition("/")[2]
    try:
        state = lifecycle.fold(event.kind for event in events)
    except (lifecycle.IllegalStep, Rejected):
        return DEAD, None, f"{name}: its record is damaged"
    if state in (State.DRY_RUN, State.VERIFIED):
        return PROVEN, events[-1].at, ""
    if state in (State.REFUSED, State.FAILED):
        return DEAD, None, f"{name}: {events[-1].body.get('reason', 'given up by the queue')}"
    return PENDING, None, f"{name}: not carried out; is the function of queue carry-out-order alive?"


def _read_back(seen: _Seen) -> Found:
    if not seen.orders:
        return (UNTRIED, None, "") if streams.find(seen.events, streams.PLANNED) else (PENDING, None, "not asked for")
    read = {str(one.body["target"]): one for one in seen.events if one.kind == READ_BACK}
    unread = [target.rpartition("/")[2] for target, _ in seen.orders if target not in read]
    if unread:
        return PENDING, None, f"{unread[0]}: not read back; is the function of queue verify-order alive?"
    last = max(read.values(), key=lambda event: event.at)
    return PROVEN, last.at, ", ".join(str(one.body["power"]) for one in read.values())


def _notice(seen: _Seen) -> Found:
    """That somebody reads what is new; to people a drill that passes says nothing."""
    if not seen.channels:
        return UNTRIED, None, "no channel is set up"
    found = streams.find(seen.events, NEWS)
    missing = "nobody looked for notices; is the function of queue send-notice alive?"
    return (PROVEN, found.at, "") if found else (PENDING, None, missing)


def _rights(seen: _Seen) -> Found:
    if not seen.orders:
        return (UNTRIED, None, "") if streams.find(seen.events, streams.PLANNED) else (PENDING, None, "not asked for")
    asked = {str(one.body["target"]): one for one in seen.events if one.kind == RIGHTS}
    found = [_of_rights(target, asked.get(target)) for target, _ in seen.orders]
    return next((one for one in found if one[0] != PROVEN), found[-1])


def _of_rights(target: str, asked: Event | None) -> Found:
    name = target.rpartition("/")[2]
    if asked is None:
        return PENDING, None, f"{name}: its rights were not asked for"
    missing = asked.body["missing"]
    assert isinstance(missing, list)  # written by drill
    reason = ", ".join(map(str, missing)) or str(asked.body.get("reason", ""))
    return (DEAD, None, f"{name}: {reason}") if reason else (PROVEN, asked.at, "")


LINKS: Mapping[str, Callable[[_Seen], Found]] = {
    "webhook": _webhook,
    "intake": _recorded(streams.RECEIVED, "the alert was not recorded"),
    "queue": _recorded(streams.ENQUEUED, "its planning was not enqueued"),
    "plan": _plan,
    "listing": _listing,
    "order": _order,
    "read-back": _read_back,
    "rights": _rights,
    "notice": _notice,
}
