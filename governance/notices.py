"""Which events of the record lead to a notice, and to which channel: one notice per event and channel. Pure.

Kinds are a table (templates/kinds.toml): a new one needs no code, only an event that somebody records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.canonical import digest
from governance.model import Event, Message

SEND_NOTICE = "send-notice"
MEDIA = ("teams", "slack", "email", "webhook")
EVERYTHING = "*"  # as news: the whole record is looked through
# Older events are history: a channel that is new, or was away for long, is not told them.
FRESH = timedelta(days=2)

QUEUED = "queued"
TRYING = "trying"
DEFERRED = "deferred"
SENT = "sent"
GIVEN_UP = "given-up"
_OVER = (SENT, GIVEN_UP, "abandoned")
_ADDRESS = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,63}@([a-z0-9-]+(?:\.[a-z0-9-]+)+)")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go ([notices.NAME]). `address`, `key`, `user` and `password` name environment variables.

    `events` are names of kinds and `budgets` names of budgets; empty means all. `approver` is as whom its links decide.
    """

    name: str
    medium: str
    address: str
    events: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    key: str = ""
    user: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    approver: str = ""
    owner_tag: str = ""
    owner_domains: tuple[str, ...] = ()

    def takes(self, kind: str, budget: str) -> bool:
        """What belongs to no budget is for all."""
        return (not self.events or kind in self.events) and (not self.budgets or not budget or budget in self.budgets)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice: `event` in a stream that begins with `stream`, and what it says (templates/kinds.toml)."""

    name: str
    stream: str
    event: str
    title: str
    lines: tuple[str, ...]
    shows: bool = False
    first: bool = False
    links: bool = False
    owners: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One event for one channel; with `owner`, for that address alone and about its machines alone."""

    channel: str
    kind: str
    stream: str
    sequence: int
    owner: str = ""

    @property
    def key(self) -> str:
        return digest([self.stream, self.sequence, self.kind, self.channel, self.owner])


def due(
    events: Sequence[Event],
    kinds: Iterable[Kind],
    channels: Sequence[Channel],
    budget: Callable[[Event], str],
    now: datetime,
) -> Iterator[Notice]:
    """Every notice that the events of one stream lead to, sent already or not; `budget` names that of an event."""
    for kind in kinds:
        for event in _told(events, kind):
            if now - event.at <= FRESH:
                yield from _addressed(event, kind, channels, budget(event))


def _told(events: Sequence[Event], kind: Kind) -> Sequence[Event]:
    found = [event for event in events if event.kind == kind.event and event.stream.startswith(kind.stream)]
    return found[:1] if kind.first else found


def _addressed(event: Event, kind: Kind, channels: Sequence[Channel], budget: str) -> Iterator[Notice]:
    for channel in channels:
        if not channel.takes(kind.name, budget):
            continue
        if channel.medium != "email" or channel.to:
            yield Notice(channel.name, kind.name, event.stream, event.sequence)
        for owner in owners(event.body, channel) if kind.owners else ():
            yield Notice(channel.name, kind.name, event.stream, event.sequence, owner)


def owners(body: Mapping[str, object], channel: Channel) -> list[str]:
    """Addresses in the owner tag of the machines named, of the channel's domains only: anybody can write a tag."""
    targets = body.get("targets")
    found = (owner_of(one, channel) for one in targets) if isinstance(targets, list) else ()
    return sorted({owner for owner in found if owner})


def owner_of(target: Mapping[str, object], channel: Channel) -> str:
    """Names of tags compare without case, as Azure's do."""
    tags, wanted = target.get("tags"), channel.owner_tag.lower()
    named = tags.items() if isinstance(tags, Mapping) and wanted else ()
    written = next((str(value) for name, value in named if str(name).lower() == wanted), "")
    match = _ADDRESS.fullmatch(written.strip().lower())
    return match[0] if match and match[1] in channel.owner_domains else ""


def notice_stream(key: str) -> str:
    return f"notices/{key}"


def outcome_stream(run: str) -> str:
    return f"outcomes/{run}"


def is_over(events: Sequence[Event]) -> bool:
    return any(event.kind in _OVER for event in events)


def news(run: str = EVERYTHING) -> Message:
    """Asks for notices of what is new about a run; sent behind the messages of an action, never before them."""
    return Message(SEND_NOTICE, {"news": run})


def send_notice(key: str, *, delay: timedelta = timedelta()) -> Message:
    """Carries a key and nothing else: what is said, and any link, is made when it is sent."""
    return Message(SEND_NOTICE, {"notice": key}, delay)
