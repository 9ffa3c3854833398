"""Drills on real parts: begun and sent over HTTP, taken at the webhook, settled by the sweep, read by a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from settings import Settings
from wiring.fleets import fleet
from wiring.parts import Env, queue, record, settings, store

if TYPE_CHECKING:
    from governance.drill import Drill, Life
    from governance.model import Message
    from governance.record import Record

KEY, ADDRESS = "LEDGER_DRILL_KEY", "LEDGER_DRILL_URL"


def drill(env: Env, clock: Callable[[], datetime], found: Settings | None = None) -> list[dict[str, object]]:
    """One drill for each budget that has them, and what the webhook answered; none where no key is set."""
    from governance import drill as drills

    if not env.get(KEY):
        return []
    found = found or settings(env)
    kept = record(store(found.store_url, env))
    return [_sent(drills.begin(one, kept, clock()), env, clock, kept) for one in drills.chosen(found.budgets)]


def _sent(begun: Drill, env: Env, clock: Callable[[], datetime], kept: Record) -> dict[str, object]:
    from governance import drill as drills

    status, reason = _posted(begun, env, clock())
    drills.answered(begun, status, reason, kept, clock())
    return {"budget": begun.budget.name, "run": begun.run, "status": status, "reason": reason}


def _posted(begun: Drill, env: Env, now: datetime) -> tuple[int, str]:
    """A key or an address that is not usable is a dead link like any other, and is recorded."""
    from adapters.own_webhook import post
    from governance.drill_alert import HEADER, signature
    from ledger.faults import Rejected

    try:
        return post(env.get(ADDRESS, ""), begun.body, {HEADER: signature(begun.body, env[KEY], now)})
    except Rejected as refusal:
        return 0, str(refusal)


def taken(body: bytes, given: str, found: Settings, env: Env, now: datetime) -> tuple[int, Mapping[str, object]]:
    """A drill at the webhook; its signature is its token."""
    from governance import flow

    kept = record(store(found.store_url, env))
    answer = flow.on_drill(
        body, given, key=env.get(KEY, ""), budgets=found.budgets, record=kept, queue=queue(env), now=now
    )
    return answer.status, answer.body


def carried_on(name: str, body: Mapping[str, object], found: Settings, env: Env, now: datetime) -> list[Message]:
    """What a message of a drill's order leads to, besides what it leads to for any order."""
    from governance import flow, streams
    from governance.fleets import Fleets

    if name != streams.VERIFY_ORDER:
        return flow.after_order(body)
    planes = fleet(env, found.machines)
    assert isinstance(planes, Fleets)
    flow.on_probe(body, record=record(store(found.store_url, env)), fleet=planes, now=now)
    return []


def settle(found: Settings, kept: Record, now: datetime) -> list[dict[str, object]]:
    """The drills that passed or failed since the last sweep; each is told to the log store, a failure as an error."""
    from adapters import telemetry
    from governance import drill as drills

    told = []
    for event in drills.check(kept, now, timedelta(minutes=found.drill_minutes), channels=bool(found.channels)):
        fields = {name: event.body.get(name) for name in ("budget", "run", "link", "reason") if name in event.body}
        (telemetry.alarm if event.kind == drills.FAILED else telemetry.event)(event.kind, **fields)
        told.append({"outcome": event.kind, **fields})
    return told


def standing(sent: Sequence[Mapping[str, object]], found: Settings, env: Env, now: datetime) -> bool | None:
    """Whether all drills that were sent have passed; None while one has neither passed nor failed.

    Settled here as well as by the sweep: a drill in its record is one event, whoever writes it.
    """
    from governance import drill as drills

    kept = record(store(found.store_url, env))
    settle(found, kept, now)
    return drills.all_passed([str(one["run"]) for one in sent], kept, now)


def lives(found: Settings, env: Env) -> list[Life]:
    from governance import drill as drills

    return drills.lives(record(store(found.store_url, env)), found.budgets)
