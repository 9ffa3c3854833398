"""From the record to people: derive notices, send each, try again, give up in the record. No action waits for this.

The record says what was sent: a notice is a stream of its own, `notices/<key>`, queued, tried, sent or given up. Where
the answer of a try was late or lost, or a crash came before it was recorded, it is sent again, with the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from governance import approval, backoff, drill, lifecycle, notices, streams
from governance.alert import MAX_AGE
from governance.canonical import digest
from governance.letter import Letter, letter
from governance.model import Budget, Event, Message
from governance.notices import Channel, Kind, Notice, notice_stream
from governance.outcome import record_outcome
from governance.record import Record
from governance.rescue import STALE
from governance.settled import Settled
from ledger.faults import Conflict, Missing, Rejected, Transient, reject

MOST_TRIES = 6
# As long as one try can take, and more: a copy of the message that comes meanwhile leaves it alone.
LEASE = timedelta(minutes=1)
DAMAGED = "record-damaged"
# Nothing is told any more of a stream that lay still for so long, and no outcome of its run is awaited (outcome.py).
HISTORY = notices.FRESH + MAX_AGE
# Streams that are named after a run; what is told of others is found by the sweep.
OF_A_RUN = ("alerts/", "taken-dry/", "delays/", "outcomes/", "undos/")
NOBODY = "the channel is not in the settings any more"

Links = Callable[[Event, str], Mapping[str, str]]


class Sender(Protocol):
    """Brings a letter to a channel within seconds. Transient (with retry_after), or Rejected: trying again is vain."""

    def send(self, channel: Channel, found: Letter, to: Sequence[str]) -> Mapping[str, object]:
        """What of it is worth recording; `to` is who gets it where the medium has addresses."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What notices are made with; `links` gives the one-time links of a proposed plan to whom a channel names."""

    record: Record
    channels: Sequence[Channel]
    kinds: Sequence[Kind]
    budgets: Sequence[Budget]
    sender: Sender
    links: Links
    now: datetime

    def channel(self, name: object) -> Channel | None:
        return next((one for one in self.channels if one.name == name), None)

    def kind(self, name: object) -> Kind | None:
        return next((one for one in self.kinds if one.name == name), None)


def on_notice(message: Mapping[str, object], desk: Desk) -> list[Message]:
    """One message of queue send-notice: news to be looked through, or one notice to be sent."""
    if "news" not in message:
        return _deliver(streams.key_in(message, "notice"), desk)
    if message["news"] == notices.EVERYTHING:
        return _everything(desk)
    return _of_run(streams.key_in(message, "news"), desk)


def _of_run(run: str, desk: Desk) -> list[Message]:
    """A drill is told by how it ended, see its kind; its own plan is nobody's news."""
    if streams.is_drill(run):
        drill.on_news(run, desk.record, desk.now)
        return []
    record_outcome(desk.record, desk.record.events(streams.alert_stream(run)), desk.now)
    return [one for prefix in OF_A_RUN for one in _queued(f"{prefix}{run}", desk, None)]


def _everything(desk: Desk) -> list[Message]:
    """Also what was queued and then lost. A damaged stream is noted and passed over: it must not hold up the others."""
    known, settled = set(desk.record.streams("notices/")), Settled(desk.record, "notices")
    told = set(desk.record.streams("outcomes/"))
    for stream in settled.unsettled("alerts/"):
        if notices.outcome_stream(stream.removeprefix("alerts/")) not in told:
            with suppress(Rejected, lifecycle.IllegalStep):
                record_outcome(desk.record, desk.record.events(stream), desk.now)
    messages = []
    for stream in [one for prefix in _prefixes(desk) for one in settled.unsettled(prefix)]:
        try:
            events = desk.record.events(stream)
            messages += _due(stream, events, desk, known)
        except Rejected as fault:
            _damaged(stream, fault, desk)
            continue
        if events and desk.now - events[-1].at > HISTORY:
            settled.close(stream, len(events))
    settled.keep()
    return messages


def _damaged(stream: str, fault: Rejected, desk: Desk) -> None:
    body = {"place": stream, "reason": str(fault)}
    with suppress(Rejected):
        desk.record.once(f"damage/{digest(stream)}", DAMAGED, body, desk.now)


def _prefixes(desk: Desk) -> list[str]:
    return sorted({kind.stream for kind in desk.kinds})


def _queued(stream: str, desk: Desk, known: set[str] | None) -> list[Message]:
    """Messages for what is new in a stream, and, given the `known` notice streams, for what was lost since."""
    return _due(stream, desk.record.events(stream), desk, known)


def _due(stream: str, events: Sequence[Event], desk: Desk, known: set[str] | None) -> list[Message]:
    if known is not None:
        _require_whole(stream, events, desk)
    messages = []

    def budget(event: Event) -> str:
        return _budget(event, _alert(event, desk), desk)

    for notice in notices.due(events, desk.kinds, desk.channels, budget, desk.now):
        if known is not None and notice_stream(notice.key) in known:
            messages += _again(notice, desk)
        elif _is_new(notice, desk):
            messages.append(notices.send_notice(notice.key))
    return messages


def _require_whole(stream: str, events: Sequence[Event], desk: Desk) -> None:
    """Of what is new the chain is worked out again; of all there is, `ledger audit verify` does."""
    if events and desk.now - events[-1].at <= notices.FRESH and (problems := desk.record.verify(stream)):
        raise reject(problems[0], "The record was changed from outside.", "record-damaged")


def _is_new(notice: Notice, desk: Desk) -> bool:
    """Of any number that ask at once, one is told so."""
    body = {
        "channel": notice.channel,
        "notice": notice.kind,
        "stream": notice.stream,
        "event": notice.sequence,
        "owner": notice.owner,
    }
    return desk.record.once(notice_stream(notice.key), notices.QUEUED, body, desk.now)[1]


def _again(notice: Notice, desk: Desk) -> list[Message]:
    events = desk.record.events(notice_stream(notice.key))
    if not events or notices.is_over(events) or desk.now - _expected(events[-1]) <= STALE:
        return []
    return [notices.send_notice(notice.key)]


def _expected(last: Event) -> datetime:
    return datetime.fromisoformat(str(last.body["due"])) if "due" in last.body else last.at


def _deliver(key: str, desk: Desk) -> list[Message]:
    events = desk.record.events(notice_stream(key))
    if not events:
        raise reject(f"no notice {key} was queued", "Send only messages the flows returned.", "unknown-notice")
    if notices.is_over(events) or _is_tried(events[-1], desk.now):
        return []
    attempt = streams.count(events, notices.TRYING) + 1
    if reason := _vain(events[0], attempt, desk):
        return _end(key, notices.GIVEN_UP, {"reason": reason}, desk)
    try:
        desk.record.append(notice_stream(key), notices.TRYING, {"attempt": attempt}, desk.now, after=events)
    except Conflict:  # another handler of the same notice was first, and carries on
        return []
    return _try(key, events[0], attempt, desk)


def _is_tried(last: Event, now: datetime) -> bool:
    return last.kind == notices.TRYING and now - last.at < LEASE


def _vain(queued: Event, attempt: int, desk: Desk) -> str:
    if desk.channel(queued.body["channel"]) is None or desk.kind(queued.body["notice"]) is None:
        return NOBODY
    if attempt > MOST_TRIES:
        return f"no try of {MOST_TRIES} came to an end"
    return f"older than {notices.FRESH.days} days" if desk.now - queued.at > notices.FRESH else ""


def _try(key: str, queued: Event, attempt: int, desk: Desk) -> list[Message]:
    try:
        told = _sent(key, queued, desk)
    except (Transient, Conflict) as fault:
        return _later(key, attempt, fault, desk)
    except (Rejected, Missing) as fault:
        return _end(key, notices.GIVEN_UP, {"reason": str(fault)}, desk)
    return _end(key, notices.SENT, told, desk)


def _later(key: str, attempt: int, fault: Exception, desk: Desk) -> list[Message]:
    if attempt >= MOST_TRIES:
        return _end(key, notices.GIVEN_UP, {"reason": f"not taken in {attempt} tries: {fault}"}, desk)
    delay = backoff.delay(fault, attempt)
    body = {"reason": str(fault), "attempt": attempt, "due": desk.now + delay}
    desk.record.append_retrying(notice_stream(key), notices.DEFERRED, body, desk.now)
    return [notices.send_notice(key, delay=delay)]


def _end(key: str, kind: str, body: Mapping[str, object], desk: Desk) -> list[Message]:
    desk.record.append_retrying(notice_stream(key), kind, body, desk.now)
    return []


def _sent(key: str, queued: Event, desk: Desk) -> Mapping[str, object]:
    channel, kind = desk.channel(queued.body["channel"]), desk.kind(queued.body["notice"])
    assert channel and kind  # else it was vain
    owner = str(queued.body["owner"])
    found = _composed(key, queued, kind, channel, desk)
    return desk.sender.send(channel, found, (owner,) if owner else channel.to)


def _composed(key: str, queued: Event, kind: Kind, channel: Channel, desk: Desk) -> Letter:
    events = desk.record.events(str(queued.body["stream"]))
    event = next((one for one in events if one.sequence == queued.body["event"]), None)
    if event is None:
        raise reject("the event behind the notice is gone", "Verify the record.", "record-damaged")
    owner, targets = queued.body["owner"], None
    if owner:
        targets = [one for one in streams.targets_in(event.body) if notices.owner_of(one, channel) == owner]
    links = desk.links(event, channel.approver) if _wants_links(kind, channel, events, event) else {}
    alert = _alert(event, desk)
    return letter(key, kind, event, alert, _budget(event, alert, desk), targets=targets, links=links)


def _wants_links(kind: Kind, channel: Channel, events: Sequence[Event], event: Event) -> bool:
    """Only while the plan still awaits a decision: a link that decides nothing is noise."""
    return (
        kind.links
        and bool(channel.approver)
        and approval.proposed(events) == event
        and approval.decision(events, event) is None
    )


def _budget(event: Event, alert: Mapping[str, object], desk: Desk) -> str:
    """The name in the settings of the budget that an event is about; '' where it is about none."""
    id = event.body.get("budget_id") or alert.get("budget_id")
    budget = streams.budget_of(desk.budgets, id) if id else None
    return budget.name if budget else str(id or "").rpartition("/")[2]


def _alert(event: Event, desk: Desk) -> Mapping[str, object]:
    """The alert behind an event, as it was received or noted; empty where it has none."""
    run = _run(event, desk)
    events = desk.record.events(streams.alert_stream(run)) if run else []
    return events[0].body if events else {}


def _run(event: Event, desk: Desk) -> str:
    """A machine's events name the order, and that its run; other streams are named after their run."""
    if "order" in event.body:
        order = desk.record.events(streams.order_stream(streams.key_in(event.body, "order")))
        return str(order[0].body["alert"]) if order else ""
    try:
        return streams.key_in({"run": event.stream.rpartition("/")[2]}, "run")
    except Rejected:
        return ""
