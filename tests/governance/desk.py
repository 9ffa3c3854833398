"""Notices over a record on a real folder: a clock, channels, and a real sender to loopback inboxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.notify import Notifier
from governance import notices, telling
from governance.letter import Letter
from governance.media import document, plain_text
from governance.model import Budget, Event, Message
from governance.notices import Channel
from governance.record import Record
from governance.telling import Desk, Links, Sender
from governance.templates import form, kinds
from tests.governance.scene import NOW


def channel(name: str = "ops", medium: str = "webhook", **more: Any) -> Channel:
    return Channel(name, medium, "ADDRESS", **more)


class Kept:
    """A sender that keeps letters in memory, and fails as told."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, Letter, Sequence[str]]] = []
        self.faults: list[BaseException] = []

    def send(self, channel: Channel, found: Letter, to: Sequence[str]) -> Mapping[str, object]:
        if self.faults:
            raise self.faults.pop(0)
        self.letters.append((channel.name, found, to))
        return {"status": 202}

    def count(self) -> Counter[tuple[str, str]]:
        """How many letters of each kind each channel got."""
        return Counter((name, found.kind) for name, found, _ in self.letters)

    def ids(self) -> Counter[str]:
        return Counter(found.id for _, found, _ in self.letters)


def sender(url: str, seconds: float = 5) -> Notifier:
    """The real one, to one address."""
    return Notifier(
        {"ADDRESS": url}, lambda: NOW, lambda medium, one: document(medium, form(medium), one), plain_text, seconds
    )


def no_links(_event: Event, _approver: str) -> Mapping[str, str]:
    return {}


class Post:
    """The queue send-notice, worked off by hand; a message comes back when it fails."""

    def __init__(self, record: Record, budgets: Sequence[Budget], *channels: Channel, to: Sender | None = None) -> None:
        self.record, self.budgets, self.channels = record, budgets, channels
        self.kept = Kept()
        self.sender: Sender = to or self.kept
        self.links: Links = no_links
        self.line: list[Message] = []

    def desk(self, now: datetime) -> Desk:
        return Desk(self.record, self.channels, kinds(), self.budgets, self.sender, self.links, now)

    def handle(self, message: Message, now: datetime) -> list[Message]:
        assert message.queue == notices.SEND_NOTICE
        return telling.on_notice(message.body, self.desk(now))

    def run(self, now: datetime, run: str = notices.EVERYTHING) -> datetime:
        """News, and every message it leads to, each when it is due; gives the time at the end."""
        line = [notices.news(run), *self.line]
        self.line = []
        while line:
            message = line.pop(0)
            now += max(message.delay, timedelta())
            line += self.handle(message, now)
        return now

    def events(self) -> list[Event]:
        streams = self.record.streams("notices/")
        return [event for stream in streams for event in self.record.events(stream)]

    def told(self) -> Counter[str]:
        return Counter(event.kind for event in self.events())
