"""The webhook's flow: authenticate elsewhere, judge, record, enqueue, answer. Never raises, never answers 500.

Action groups retry 503 but not 500: whatever the storage or the queue does, the sender must hear 503.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance import streams
from governance.alert import parse
from governance.canonical import plain
from governance.model import Alert, Answer, Budget, Queue, Refusal
from governance.record import Record

RETRY_SECONDS = 30


def on_alert(
    body: bytes, *, budgets: Sequence[Budget], record: Record, queue: Queue, now: datetime, live: bool
) -> Answer:
    """202 only after the alert is recorded and its planning enqueued; 4xx with a reason for what is not acted on."""
    try:
        verdict = parse(body, budgets=budgets, now=now)
        if isinstance(verdict, Refusal):
            return _refuse(verdict, len(body), record, now)
        if verdict.notice_only:
            return _note(verdict, record, now)
        return _accept(verdict, streams.budget_of(budgets, verdict.budget_id), record, queue, now, live)
    except Exception as fault:
        # Deliberately broad: a fault of any kind must be redelivered, and its text may hold what callers must not see.
        return _unavailable(fault)


def _refuse(refusal: Refusal, size: int, record: Record, now: datetime) -> Answer:
    body = {"status": refusal.status, "reason": refusal.reason, "bytes": size}
    record.once(streams.refused_stream(refusal.digest), streams.REFUSED, body, now)
    return Answer(refusal.status, {"refused": refusal.reason, "digest": refusal.digest})


def _note(alert: Alert, record: Record, now: datetime) -> Answer:
    """A notice shares the alert's stream but never claims it: a test must not use up the real alert's effect."""
    stream = streams.alert_stream(alert.key)
    _, new = record.once(
        stream, streams.NOTICE, _body(alert), now, same=lambda event: event.body["digest"] == alert.digest
    )
    answer: dict[str, object] = {"alert": alert.key, "notice": alert.notice_only}
    return Answer(202, answer if new else {**answer, "duplicate": True})


def _accept(alert: Alert, budget: Budget | None, record: Record, queue: Queue, now: datetime, live: bool) -> Answer:
    """Received, enqueued, noted as enqueued: a crash between any two leaves a redelivery that finishes the rest."""
    dry_run = not (live and budget is not None and budget.live)
    run = streams.run_key(alert.key, dry_run=dry_run)
    stream = streams.alert_stream(run)
    answer: dict[str, object] = {"alert": run, "dry_run": dry_run}
    record.once(stream, streams.RECEIVED, {**_body(alert), "run": run, "dry_run": dry_run}, now)
    if streams.find(record.events(stream), streams.ENQUEUED):
        return Answer(202, {**answer, "duplicate": True})
    queue.send(streams.plan_stop(run))
    record.once(stream, streams.ENQUEUED, {"queue": streams.PLAN_STOP}, now)
    return Answer(202, answer)


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
