"""The control story on real parts: what the triggers call, and the same played from a terminal.

Settings are read anew for each job, and messages come back as values for `send`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring import drills, feeds
from wiring.actors import actor
from wiring.audit import anchor_day
from wiring.callers import denied
from wiring.fleets import fleet
from wiring.parts import Env, queue, quiet, record, settings, store
from wiring.prices import prices

if TYPE_CHECKING:
    from governance.model import Message
    from governance.record import Record
    from governance.terminal import Played
    from ingest.flow import Progress

AT_ONCE = 8  # messages of a run that a terminal handles at once


def on_alert(
    body: bytes, env: Env, now: datetime, authorization: str = "", drill: str = ""
) -> tuple[int, Mapping[str, object]]:
    """Status and JSON-ready body for the webhook's caller; where a token is asked for, nothing is read before it is.

    What comes with a `drill` signature is a drill, or refused: never an alert.
    """
    from adapters import telemetry
    from governance import flow

    found = settings(env)
    if drill:
        return drills.taken(body, drill, found, env, now)
    refusal = denied(found.caller, authorization, env, now) if found.caller else None
    if refusal:
        return refusal.status, {"error": "the caller is not let in"}
    kept = record(store(found.store_url, env))
    who = {"entry": "webhook", "by": f"app {found.caller.app}" if found.caller else "function key"}
    line = queue(env)
    answer = flow.on_alert(body, budgets=found.budgets, record=kept, queue=line, now=now, live=found.live, who=who)
    if answer.status >= 400 and "refused" in answer.body:
        telemetry.alarm("alert-refused", status=answer.status, reason=answer.body["refused"])
    if "taken_dry" in answer.body:
        telemetry.alarm("alert-taken-dry", alert=answer.body["alert"], reason=answer.body["taken_dry"])
    return answer.status, answer.body


def on_queue(name: str, body: Mapping[str, object], env: Env, now: datetime) -> list[Message]:
    """One message of a control queue; the faults of its flow surface, so that the queue brings it again."""
    from governance.streams import is_drill
    from governance.terminal import handlers

    found = settings(env)
    kept = record(store(found.store_url, env))
    told = prices(found, env)
    planes = fleet(env, found.machines)
    messages = handlers(found.budgets, kept, planes, found.live, found.classification, told)[name](body, now)
    if is_drill(str(body.get("order", ""))):
        messages += drills.carried_on(name, body, found, env, now)
    return messages


def on_poison(name: str, text: str, env: Env, now: datetime) -> None:
    """Record that a message of queue `name` was given up; `text` may be anything."""
    from governance import flow

    flow.on_poison(name, json_or_text(text), record=record(store(settings(env).store_url, env)), now=now)


def json_or_text(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def sweep(env: Env, now: datetime) -> list[Message]:
    """Lost messages again."""
    from governance import flow

    return flow.on_sweep(record=record(store(settings(env).store_url, env)), now=now)


def look_about(env: Env, now: datetime) -> None:
    """What else a sweep does, once its messages are sent: switches and machines that came back are noted, drills are
    settled, the record is anchored. Nothing of it can hold up or lose a message.
    """
    from governance import switches

    found = settings(env)
    kept = record(store(found.store_url, env))
    _beside("switches-not-noted", lambda: switches.noted(kept, found.budgets, now, live=found.live))
    _beside("returned-not-looked-for", lambda: _came_back(found, kept, env, now))
    _beside("feeds-not-looked-at", lambda: feeds.overdue(found, kept, now))
    _beside("drills-not-settled", lambda: drills.settle(found, kept, now))
    _beside("record-not-anchored", lambda: anchor_day(kept, now))


def _came_back(found: Settings, kept: Record, env: Env, now: datetime) -> None:
    """No control plane is asked while the record knows of nothing that a run stopped of late."""
    from adapters import telemetry
    from governance import returned

    waiting = returned.should_be_off(kept, now)
    if waiting:
        seen = returned.look(waiting, found.budgets, kept, fleet(env, found.machines), now)
        telemetry.event("returned-looked-for", returned=seen.returned, unseen=dict(seen.unseen))


def _beside(name: str, task: Callable[[], object]) -> None:
    """Told where it fails: the others are done, whatever becomes of one."""
    from adapters import telemetry

    try:
        task()
    except Exception as fault:
        telemetry.failed(name, fault)


def send(messages: Sequence[Message], env: Env) -> None:
    """Put each on its queue; a crash in between is made good by the flows' redelivery and by the sweep."""
    if not messages:
        return
    line = queue(env)
    for message in messages:
        line.send(message)


def alert(
    body: bytes,
    found: Settings,
    env: Env,
    now: datetime,
    *,
    execute: bool,
    by: str = "",
    sleep: Callable[[float], object] = time.sleep,
    progress: Progress | None = None,
) -> tuple[int, list[str], dict[str, object]]:
    """Play an alert through the flows of the service; machines stop only with `execute` and both switches on.

    `by` is who sits there; recorded. Returns the status, the receipt's lines and a JSON-ready document.
    """
    from adapters.clock import Clock
    from adapters.queue import MemoryQueue
    from governance.terminal import run_alert

    clock = Clock(now, sleep, progress or quiet)
    kept = record(store(found.store_url, env))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        played = run_alert(
            body,
            budgets=found.budgets,
            record=kept,
            queue=MemoryQueue(clock.now),
            fleet=fleet(env, found.machines),
            now=now,
            live=execute and found.live,
            wait=clock.wait_until,
            rules=found.classification,
            prices=prices(found, env),
            each=pool.map,
            who={"entry": "terminal", "by": by, "actor": actor(found, env, acts=execute and found.live)},
        )
    off = _switches_off(played, found) if execute else []
    events = [{"kind": event.kind, "at": event.at.isoformat(), "body": dict(event.body)} for event in played.events]
    document = {"status": played.answer.status, "answer": dict(played.answer.body), "run": played.run, "events": events}
    return (
        played.answer.status,
        [*off, *played.lines],
        {
            **document,
            "switches_off": off,
            "failed": list(played.failed),
        },
    )


def _switches_off(played: Played, found: Settings) -> list[str]:
    """What keeps --execute from executing."""
    named = {str(event.body["budget_id"]).lower() for event in played.events if "budget_id" in event.body}
    asleep = [one.name for one in found.budgets if one.id.lower() in named and not one.live]
    return [
        *([] if found.live else ["not executed: the master switch is off ([ledger] live, or LEDGER_LIVE=true)"]),
        *(f"not executed: [budgets.{name}] is not live" for name in asleep),
    ]
