"""Names of streams and orders, and the messages that move an alert along. Pure.

A run is one alert taken live or dry: a dry run has a stream of its own, so that looking first does not use up the
alert's one effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from governance.canonical import canonical, digest
from governance.model import Alert, Budget, Event, Message
from governance.rules import BUILT_IN
from ledger.faults import reject

PLAN_STOP = "plan-stop"
CARRY_OUT_ORDER = "carry-out-order"
VERIFY_ORDER = "verify-order"
UNDO_RUN = "undo-run"
START_ORDER = "start-order"

RECEIVED = "received"
ENQUEUED = "enqueued"
NOTICE = "notice"
PLANNED = "planned"
DEFERRED = "deferred"
UNLISTED = "unlisted"
UNUSABLE = "unusable"  # what the settings say of its budget allows no plan
REVIVED = "revived"
REFUSED = "refused"
ABANDONED = "abandoned"
ARRIVED = "arrived"
# What a plan may wait for or end with before its orders are opened; the body of each holds the whole plan.
PROPOSED = "proposed"
APPROVED = "approved"
REJECTED = "rejected"
ABOVE_CEILING = "above-ceiling"
PAUSED = "paused"
OUTSIDE_HOURS = "outside-hours"
NOTICE_GIVEN = "notice-given"
RESUMED = "resumed"
CLAIMED = "claimed"
WITH_PLAN = (PROPOSED, ABOVE_CEILING, PAUSED, OUTSIDE_HOURS, NOTICE_GIVEN, PLANNED)

PAUSE = "switches/pause"
ESTIMATE = "estimate"  # in a plan: what was probably spent by then (governance/estimate.py)
UNSEEN = "unseen"  # in a plan: the scopes that could not be listed, each with its reason

AT_ONCE = timedelta()
FIRST_LOOK = timedelta(seconds=15)
DRY = "-dry-run"
DRILL = "-drill"
_KEY = re.compile(r"[0-9a-f]{64}(-dry-run|-drill)?")


def run_key(alert_key: str, *, dry_run: bool) -> str:
    return alert_key + DRY if dry_run else alert_key


def short(run: str) -> str:
    """As a person reads it: a dry run and the live one of one alert differ in their ends alone."""
    return run[:12] + (DRY if run.endswith(DRY) else "")


def named(runs: Iterable[str], begins: str) -> list[str]:
    """Runs whose key begins so; one without the end of a dry run means the live one, where there is one."""
    fitting = [one for one in runs if one.startswith(begins.removesuffix(DRY))]
    ending = [one for one in fitting if one.endswith(DRY) == begins.endswith(DRY)]
    return ending if begins.endswith(DRY) else ending or fitting


def is_drill(key: str) -> bool:
    """Whether it is the key of a drill's run, or of one of its orders: these never call anything that changes."""
    return key.endswith(DRILL)


def alert_stream(run: str) -> str:
    return f"drills/{run}" if is_drill(run) else f"alerts/{run}"


def order_stream(order: str) -> str:
    return f"drill-orders/{order}" if is_drill(order) else f"orders/{order}"


def undo_stream(run: str) -> str:
    """Every undo of that run, one after another."""
    return f"undos/{run}"


def start_stream(order: str) -> str:
    return f"starts/{order}"


def machine_stream(target: str) -> str:
    """What was ordered for one machine, by all runs, and what was seen of it in between."""
    return f"machines/{digest(target.lower())[:32]}"


def refused_stream(seal: str) -> str:
    return f"refused/{seal}"


def body_stream(seal: str) -> str:
    return f"bodies/{seal}"


def firing_stream(alert: Alert) -> str:
    """Of an alert id at the instant it fired: whoever sends it, and however its amounts are printed."""
    return f"firings/{digest([alert.budget_id.lower(), alert.alert_id.lower(), alert.fired_at, alert.kind])}"


def order_key(run: str, target: str) -> str:
    """One order per run and machine; ARM ids compare without case."""
    return digest([run, target.lower()]) + (DRILL if is_drill(run) else "")


def seal(message: object) -> str:
    """SHA-256 of any message, readable or not."""
    if isinstance(message, bytes):
        return sha256(message).hexdigest()
    try:
        return sha256(canonical(message)).hexdigest()
    except (TypeError, ValueError):
        return sha256(repr(message).encode("utf-8", "backslashreplace")).hexdigest()


def plan_stop(run: str, *, delay: timedelta = AT_ONCE) -> Message:
    return Message(PLAN_STOP, {"alert": run}, delay)


def carry_out(order: str, planned: Mapping[str, object], *, attempt: int = 0, delay: timedelta = AT_ONCE) -> Message:
    """`planned` is the body of the order's first event."""
    return _order_message(CARRY_OUT_ORDER, order, planned, attempt, delay)


def look(order: str, planned: Mapping[str, object], *, attempt: int = 0, delay: timedelta = FIRST_LOOK) -> Message:
    """Asks for the power state to be read back after the delay."""
    return _order_message(VERIFY_ORDER, order, planned, attempt, delay)


def undo_run(run: str, undo: object, *, delay: timedelta = AT_ONCE) -> Message:
    return Message(UNDO_RUN, {"alert": run, "undo": undo}, delay)


def start(order: str, planned: Mapping[str, object], *, attempt: int = 0, delay: timedelta = AT_ONCE) -> Message:
    """Start the machine, or read back whether it runs: what an order needs next, its events say."""
    return _order_message(START_ORDER, order, planned, attempt, delay)


def _order_message(queue: str, order: str, planned: Mapping[str, object], attempt: int, delay: timedelta) -> Message:
    body = {"alert": planned["alert"], "order": order, "target": planned["target"], "attempt": attempt}
    return Message(queue, body, delay)


def day_stream(now: datetime) -> str:
    """What may be stopped on one UTC day, by all runs together."""
    return f"days/{now.astimezone(UTC):%Y-%m-%d}"


def key_in(message: Mapping[str, object], name: str) -> str:
    """The key a message carries; Rejected when it is none (a key becomes part of an object name)."""
    value = message.get(name)
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise reject(f"the message has no usable {name!r}", "Send only messages the flows returned.", "message-shape")
    return value


def find(events: Iterable[Event], kind: str) -> Event | None:
    return next((event for event in events if event.kind == kind), None)


def count(events: Iterable[Event], kind: str) -> int:
    return sum(event.kind == kind for event in events)


def targets_in(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The targets of a recorded plan; every event of WITH_PLAN has them."""
    targets = body["targets"]
    assert isinstance(targets, list)  # written by planning
    return targets


def at_rest(events: Sequence[Event]) -> bool:
    """Whether planning came to an end before its orders that was nobody's wish, and was not revived since."""
    return last_word(events) in (UNLISTED, UNUSABLE, ABANDONED, ABOVE_CEILING, REFUSED)


def last_word(events: Sequence[Event]) -> str:
    """The kind of the newest event that is about the plan; a notice, such as a test of the portal, is not."""
    return next((event.kind for event in reversed(events) if event.kind != NOTICE), "")


def taken(events: Sequence[Event], before: int | None = None) -> Event | None:
    """The alert as it came last: received, or reviving what it had led to; before that sequence where one is given."""
    came = [one for one in events if one.kind in (RECEIVED, REVIVED) and "key" in one.body]
    return next((one for one in reversed(came) if before is None or one.sequence < before), None)


def revived_at(events: Iterable[Event]) -> int:
    """The sequence of the last revival; 0 when there was none."""
    return max((event.sequence for event in events if event.kind == REVIVED), default=0)


def begun(events: Sequence[Event]) -> datetime:
    """When planning was last begun: since the alert came, or was revived."""
    return max(event.at for event in events if event.kind in (RECEIVED, REVIVED))


def since_revival(events: Sequence[Event]) -> list[Event]:
    revived = revived_at(events)
    return [event for event in events if event.sequence > revived]


def is_settled(events: Sequence[Event]) -> bool:
    """Whether planning ended without orders: for good where a person rejected it, else until it is revived."""
    ended = any(event.kind in (REFUSED, ABOVE_CEILING) for event in since_revival(events))
    return ended or find(events, REJECTED) is not None


def alert_of(body: Mapping[str, object]) -> Alert:
    """The alert as its 'received' event recorded it."""
    raw: dict[str, Any] = {field.name: body[field.name] for field in fields(Alert) if field.name in body}
    raw["policies"] = _names(body.get("policies", [BUILT_IN]))  # recorded before there were rules
    for name in ("limit", "spent", "threshold"):
        raw[name] = Decimal(raw[name])
    raw["fired_at"] = datetime.fromisoformat(raw["fired_at"]) if raw["fired_at"] else None
    return Alert(**raw)


def unseen(plan: Mapping[str, object]) -> Mapping[str, object]:
    """The scopes of a plan that could not be listed, each with its reason."""
    found = plan.get(UNSEEN)
    return found if isinstance(found, Mapping) else {}


def budget_of(budgets: Sequence[Budget], id: object) -> Budget | None:
    return next((budget for budget in budgets if budget.id.lower() == str(id).lower()), None)


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()
