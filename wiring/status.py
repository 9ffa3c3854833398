"""How the service stands, on real parts: its switches and its feeds, as a terminal can see them in its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring import feeds
from wiring.parts import Env, record, store

if TYPE_CHECKING:
    from governance.feeds import Feed
    from governance.model import Event


@dataclass(frozen=True, slots=True)
class Standing:
    """`live` is what the service's sweep saw last of its switches, None where it never saw one on."""

    settings: Settings
    live: Event | None
    feeds: Sequence[Feed]

    def lines(self) -> list[str]:
        from governance import switches

        return switches.lines(self.live, self.settings.budgets)

    def document(self) -> dict[str, object]:
        from governance import switches

        return {"service": switches.document(self.live), "feeds": [one.document() for one in self.feeds]}


def status(found: Settings, env: Env, now: datetime) -> Standing:
    from governance import switches

    kept = record(store(found.store_url, env))
    return Standing(found, kept.last(switches.STREAM), feeds.standing(found, env, now))
