"""How the service stands, on real parts: its switches and its feeds, as a terminal can see them in its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring import feeds
from wiring.parts import Env, place, record, store

if TYPE_CHECKING:
    from governance.feeds import Feed
    from governance.model import Event


@dataclass(frozen=True, slots=True)
class Standing:
    """`live` is what the service's sweep saw last of its switches, None where it never saw one on."""

    settings: Settings
    place: str
    paused: str
    live: Event | None
    feeds: Sequence[Feed]

    def lines(self) -> list[str]:
        from governance import switches

        paused = f"NOTHING IS STOPPED: {self.paused}" if self.paused else "not paused"
        return [f"record: {self.place}", *switches.lines(self.live, self.settings.budgets), paused]

    def document(self) -> dict[str, object]:
        from governance import switches

        service = {**switches.document(self.live), "paused": self.paused, "record": self.place}
        return {"service": service, "feeds": [one.document() for one in self.feeds]}


def status(found: Settings, env: Env, now: datetime) -> Standing:
    from governance import pause, switches

    kept = record(store(found.store_url, env))
    held = f"{held}; until `ledger resume`" if (held := pause.standing(kept)) else ""
    paused = held or ("paused by the settings, until they say otherwise" if found.safeguards.paused else "")
    at, live = meant(found, env, told=True), kept.last(switches.STREAM)
    return Standing(found, at, paused, live, feeds.standing(found, env, now))


def meant(found: Settings, env: Env, *, told: bool) -> str:
    """The place of the record that a command acts on, for a person to see. `told`: somebody named it for this command.

    Rejected for one that nobody named and no alert ever reached: a pause there would hold nothing up, without a word.
    """
    from ledger.faults import reject

    at = place(found.store_url, env)
    if record(store(found.store_url, env)).streams("alerts/"):
        return at
    if told:
        return f"{at} (no alert was ever recorded there)"
    text = f"no alert was ever recorded in {at}: this is not the record of a service"
    raise reject(
        text, "Name the service's: --store az://ledger/main, or LEDGER_STORE (docs/stop-machines.md).", "store"
    )
