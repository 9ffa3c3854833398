"""The webhook's flow: authenticate elsewhere, judge, record, enqueue, answer. Never raises, never answers 500.

Action groups retry 503 but not 500: whatever the storage or the queue does, the sender must hear 503.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from governance import overspend, period, refusals, streams, switches
from governance.alert import MAX_AGE, key_of, parse
from governance.canonical import plain
from governance.model import Alert, Answer, Budget, Event, Queue, Refusal
from governance.record import Record
from ledger.faults import Conflict

RETRY_SECONDS = 30
WEBHOOK: Mapping[str, str] = MappingProxyType({"entry": "webhook"})


def on_alert(
    body: bytes,
    *,
    budgets: Sequence[Budget],
    record: Record,
    queue: Queue,
    now: datetime,
    live: bool,
    who: Mapping[str, object] = WEBHOOK,
) -> Answer:
    """202 only after the alert is recorded and its planning enqueued; 4xx with a reason for what is not acted on.

    `who` brought it: its way in (webhook, timer, terminal) under `entry`, and `by` where a person is known.
    """
    try:
        verdict = _remembered(_dated(parse(body, budgets=budgets, now=now), budgets, record), record, now)
        if isinstance(verdict, Refusal):
            return _refuse(verdict, len(body), record, now)
        if verdict.notice_only:
            return _note(verdict, record, now)
        dry_run = not (live and _is_live(streams.budget_of(budgets, verdict.budget_id)))
        silent = not live and _is_live(streams.budget_of(budgets, verdict.budget_id)) and who.get("entry") == "webhook"
        return _accept(verdict, record, queue, now, {"dry_run": dry_run, "who": dict(who)}, silent=silent)
    except Exception as fault:
        # Deliberately broad: a fault of any kind must be redelivered, and its text may hold what callers must not see.
        return _unavailable(fault)


def _dated(verdict: Alert | Refusal, budgets: Sequence[Budget], record: Record) -> Alert | Refusal:
    """One that may be of either of two months is of the later where alerts of the earlier told more already."""
    if isinstance(verdict, Refusal) or verdict.kind != "actual" or not period.earlier(verdict.period):
        return verdict
    budget = streams.budget_of(budgets, verdict.budget_id)
    told = overspend.told_in(record, budget, period.earlier(verdict.period)) if budget else None
    months = period.settled(verdict.period, verdict.spent, told)
    return replace(verdict, key=key_of(verdict.budget_id, months, verdict.threshold, verdict.kind), period=months)


def _remembered(verdict: Alert | Refusal, record: Record, now: datetime) -> Alert | Refusal:
    """An alert is the one that came first of its id and instant, however it prints its threshold: one effect.

    A form that has neither is known by its body, and dated by its first arrival. A notice with an id claims nothing.
    """
    if isinstance(verdict, Refusal) or (verdict.fired_at and verdict.notice_only):
        return verdict
    claim = {"alert": verdict.key, "period": verdict.period}
    stream = streams.firing_stream(verdict) if verdict.fired_at else streams.body_stream(verdict.digest)
    first, _ = record.once(stream, streams.ARRIVED, claim, now)
    if now - first.at > MAX_AGE:
        text = f"this very alert first came more than {MAX_AGE.days} days ago"
        return Refusal(422, text, verdict.digest, verdict.budget_name, verdict.budget_id)
    return replace(verdict, key=str(first.body["alert"]), period=str(first.body["period"]))


def _refuse(refusal: Refusal, size: int, record: Record, now: datetime) -> Answer:
    body = {"status": refusal.status, "reason": refusal.reason, "bytes": size}
    record.once(streams.refused_stream(refusal.digest), streams.REFUSED, body, now)
    with suppress(Conflict):  # another of that day was written meanwhile: people hear of that one
        refusals.note(refusal, record, now)
    word = "notice" if refusal.status == 202 else "refused"
    return Answer(refusal.status, {word: refusal.reason, "digest": refusal.digest})


def _note(alert: Alert, record: Record, now: datetime) -> Answer:
    """A notice shares the alert's stream but never claims it: a test must not use up the real alert's effect."""
    stream = streams.alert_stream(alert.key)
    _, new = record.once(
        stream, streams.NOTICE, _body(alert), now, same=lambda event: event.body["digest"] == alert.digest
    )
    answer: dict[str, object] = {"alert": alert.key, "notice": alert.notice_only}
    return Answer(202, answer if new else {**answer, "duplicate": True})


def _is_live(budget: Budget | None) -> bool:
    return budget is not None and budget.live


def _accept(
    alert: Alert, record: Record, queue: Queue, now: datetime, taken: Mapping[str, object], *, silent: bool
) -> Answer:
    """Received, enqueued, noted as enqueued: a crash between any two leaves a redelivery that finishes the rest.

    `silent`: it is dry by the service's switch alone, which its budget does not ask for: people are told.
    """
    dry_run = taken["dry_run"] is not False
    run = streams.run_key(alert.key, dry_run=dry_run)
    stream = streams.alert_stream(run)
    answer: dict[str, object] = {"alert": run, "dry_run": dry_run}
    received, _ = record.once(stream, streams.RECEIVED, {**_body(alert), **taken, "run": run}, now)
    begun = _begun(received, {**_body(alert), **taken, "run": run}, record, now)
    if begun.kind == streams.REVIVED:
        answer["revived"] = True
    if any(event.kind == streams.ENQUEUED for event in record.events(stream)[begun.sequence :]):
        return Answer(202, {**answer, "duplicate": True})
    if silent:
        record.once(switches.dry_stream(run), switches.TAKEN_DRY, {"budget_id": alert.budget_id}, now)
        answer["taken_dry"] = "the service's own switch is off"
    queue.send(streams.plan_stop(run))
    record.once(
        stream, streams.ENQUEUED, {"queue": streams.PLAN_STOP}, now, same=lambda event: event.sequence > begun.sequence
    )
    return Answer(202, answer)


def _begun(received: Event, body: Mapping[str, object], record: Record, now: datetime) -> Event:
    """The event planning starts from: what came to rest starts again, from the alert as it is this time.

    One that was sent before is no alert any more once it is too old (_remembered).
    """
    events = record.events(received.stream)
    if not streams.at_rest(events):
        return next((event for event in reversed(events) if event.kind == streams.REVIVED), received)
    last = events[-1].sequence
    revived, _ = record.once(received.stream, streams.REVIVED, body, now, same=lambda event: event.sequence > last)
    return revived


def _body(alert: Alert) -> dict[str, object]:
    raw = plain(alert)
    assert isinstance(raw, dict)  # a dataclass becomes an object
    return raw


def _unavailable(fault: Exception) -> Answer:
    return Answer(
        503,
        {
            "error": "the alert could not be stored or enqueued; send it again",
            "fault": type(fault).__name__,
            "retry_after_seconds": RETRY_SECONDS,
        },
    )
