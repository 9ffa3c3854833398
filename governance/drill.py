"""Drills: a signed alert that goes the whole way from the webhook to a dry-run order, and the proof that it did.

A drill is recorded in streams of its own (`drills/`, `drill-orders/`), and each day's drills and what came of them in
`proofs/<day>`. Nothing of it counts against an alert, a ceiling or a day. What it needs is there or it is not: the
sweep sends nothing of a drill again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from governance import drill_alert, policy, streams
from governance.alert import parse
from governance.canonical import plain
from governance.links import DEAD, NEWS, PENDING, READ_BACK, RIGHTS, Proof, proofs
from governance.model import Alert, Answer, Budget, Event, Machine, Message, Plan, Queue, Refusal
from governance.record import Record
from ledger.faults import Missing, Rejected

BEGUN = "drill-begun"
ANSWERED = "drill-answered"
PASSED = "drill-passed"
FAILED = "drill-failed"
OVER = (PASSED, FAILED)


class Probing(Protocol):
    """A control plane that can tell, changing nothing, how a machine is and what the identity may not do to it."""

    def machine(self, id: str) -> Machine:
        """As of a Fleet."""

    def missing_rights(self, id: str) -> Sequence[str]:
        """The rights to stop and to start it that are not there; empty when all are. Faults as those of a Fleet."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that is begun: `body` is to be sent to the webhook."""

    run: str
    budget: Budget
    body: bytes
    day: str


def day_stream(now: datetime) -> str:
    return f"proofs/{now.astimezone(UTC):%Y-%m-%d}"


def chosen(budgets: Sequence[Budget]) -> list[Budget]:
    """Those marked for drills; all where none is marked. A budget that stops nothing has no chain to prove."""
    marked = [one for one in budgets if one.drill] or budgets
    return [one for one in marked if drill_alert.stops(one)]


def begin(budget: Budget, record: Record, now: datetime) -> Drill:
    """Recorded before anything is sent: a drill that nobody answers must be missed."""
    rule = drill_alert.stops(budget)
    assert rule is not None  # chosen has looked
    body = drill_alert.body(budget, rule, now)
    run = drill_alert.run_of(body)
    told = {"run": run, "budget": budget.name, "budget_id": budget.id}
    record.append_retrying(day_stream(now), BEGUN, told, now)
    return Drill(run, budget, body, day_stream(now))


def answered(drill: Drill, status: int, reason: str, record: Record, now: datetime) -> None:
    """What the webhook said to it; status 0 where nobody answered, and then why."""
    record.append_retrying(drill.day, ANSWERED, {"run": drill.run, "status": status, "reason": reason}, now)


def on_drill(
    body: bytes, given: str, *, key: str, budgets: Sequence[Budget], record: Record, queue: Queue, now: datetime
) -> Answer:
    """Take a drill at the webhook: 202 after it is recorded and its planning enqueued. Faults surface, as a 503.

    One that is not ours is refused before it is read.
    """
    try:
        good = drill_alert.is_signed(body, given, key, now)
    except Rejected as fault:
        return Answer(403, {"refused": str(fault.faults[0].message)})
    if not good:
        return Answer(403, {"refused": "the drill is not signed with this service's key, or not of now"})
    alert = parse(body, budgets=budgets, now=now)
    if isinstance(alert, Refusal):
        return Answer(alert.status, {"refused": alert.reason})
    return _accept(alert, drill_alert.run_of(body), record, queue, now)


def _accept(alert: Alert, run: str, record: Record, queue: Queue, now: datetime) -> Answer:
    raw, stream = plain(alert), streams.alert_stream(run)
    assert isinstance(raw, dict)  # a dataclass becomes an object
    told = {**raw, "run": run, "dry_run": True, "who": {"entry": "drill"}}
    record.once(stream, streams.RECEIVED, told, now)
    if streams.find(record.events(stream), streams.ENQUEUED):
        return Answer(202, {"drill": run, "dry_run": True, "duplicate": True})
    queue.send(streams.plan_stop(run))
    record.once(stream, streams.ENQUEUED, {"queue": streams.PLAN_STOP}, now)
    return Answer(202, {"drill": run, "dry_run": True})


def one_of_each_kind(plan: Plan, alert: Alert, budget: Budget) -> Plan:
    """The first target of each kind of machine: each control plane is proven, and no more is asked than that."""
    first = {one.kind: one for one in reversed(plan.targets)}
    targets = tuple(one for one in plan.targets if first[one.kind] is one)
    return policy.sealed(replace(plan, targets=targets), alert, budget)


def after_order(message: Mapping[str, object]) -> list[Message]:
    """What follows a drill's order: the reading back, as after a real call."""
    return [streams.look(streams.key_in(message, "order"), message, delay=streams.AT_ONCE)]


def on_probe(message: Mapping[str, object], *, record: Record, fleet: Probing, now: datetime) -> None:
    """In place of a drill's reading back: read the machine, and ask for the rights that a call would have needed.

    Transient faults surface, so that the message comes again.
    """
    first = record.events(streams.order_stream(streams.key_in(message, "order")))[0]
    stream, target = streams.alert_stream(str(first.body["alert"])), str(first.body["target"])
    told: dict[str, object] = {"missing": []}
    try:
        _told(record, stream, READ_BACK, {"target": target, "power": fleet.machine(target).power}, now)
        told["missing"] = list(fleet.missing_rights(target))
    except (Missing, Rejected) as fault:
        told["reason"] = str(fault)
    _told(record, stream, RIGHTS, {"target": target, **told}, now)


def on_news(run: str, record: Record, now: datetime) -> None:
    """Somebody looks for what is new about a drill's run: proof that notices are read at all."""
    record.once(streams.alert_stream(run), NEWS, {}, now)


def _told(record: Record, stream: str, kind: str, body: Mapping[str, object], now: datetime) -> None:
    record.once(stream, kind, body, now, same=lambda event: event.body.get("target") == body["target"])


def check(record: Record, now: datetime, patience: timedelta, *, channels: bool = False) -> list[Event]:
    """What came of the drills of today and yesterday that are not settled yet: the events that were recorded now.

    A link that is not proven is dead when the drill was begun longer than `patience` ago.
    """
    found = []
    for day in (now - timedelta(days=1), now):
        events = record.events(day_stream(day))
        over = {str(event.body["run"]) for event in events if event.kind in OVER}
        for begun in events:
            if begun.kind == BEGUN and str(begun.body["run"]) not in over:
                answer = _answer(begun, events)
                links = proofs(str(begun.body["run"]), begun, answer, record, channels)
                found += _settled(begun, links, record, now, patience)
    return found


def _answer(begun: Event, events: Sequence[Event]) -> Event | None:
    return next((one for one in events if one.kind == ANSWERED and one.body["run"] == begun.body["run"]), None)


def _settled(begun: Event, links: Sequence[Proof], record: Record, now: datetime, patience: timedelta) -> list[Event]:
    broken = next((one for one in links if one.state == DEAD), None)
    broken = broken or next((one for one in links if one.state == PENDING), None)
    if broken and now - begun.at <= patience:
        return []
    kind, body = (FAILED, _failure(broken)) if broken else (PASSED, {})
    told = {**begun.body, **body, "begun": begun.at, "links": [plain(one) for one in links]}
    event, new = record.once(begun.stream, kind, told, now, same=lambda one: one.body.get("run") == begun.body["run"])
    return [event] if new else []


def _failure(broken: Proof) -> dict[str, object]:
    return {"link": broken.link, "reason": broken.told}


@dataclass(frozen=True, slots=True)
class Life:
    """The last proof of life of a budget, and the last word about it: passed, failed, or begun and not settled."""

    budget: str
    passed: Event | None
    last: Event | None


def lives(record: Record, budgets: Sequence[Budget]) -> list[Life]:
    """Of each budget that is drilled; days are read backwards until each has passed once."""
    wanted = chosen(budgets)
    passed: dict[str, Event] = {}
    last: dict[str, Event] = {}
    for stream in reversed(record.streams("proofs/")):
        for event in reversed(record.events(stream)):
            id = str(event.body.get("budget_id", ""))
            if event.kind in (BEGUN, *OVER):
                last.setdefault(id, event)
            if event.kind == PASSED:
                passed.setdefault(id, event)
        if all(one.id in passed for one in wanted):
            break
    return [Life(one.name, passed.get(one.id), last.get(one.id)) for one in wanted]


def lines(found: Sequence[Life], now: datetime) -> list[str]:
    """For a person: the last proof of life of each budget, and of each of its links."""
    if not found:
        return ["no budget is drilled: there is none, or none that stops anything"]
    return [line for one in found for line in _lines(one, now)]


def document(found: Sequence[Life]) -> list[dict[str, object]]:
    """JSON-ready."""
    return [{"budget": one.budget, "passed": _shown(one.passed), "last": _shown(one.last)} for one in found]


def has_failed(found: Sequence[Life]) -> bool:
    return any(one.last is not None and one.last.kind == FAILED for one in found)


def all_passed(runs: Sequence[str], record: Record, now: datetime) -> bool | None:
    """None while one of the runs has neither passed nor failed."""
    events = [event for day in (now - timedelta(days=1), now) for event in record.events(day_stream(day))]
    kinds = {str(event.body["run"]): event.kind for event in events if event.kind in OVER}
    return None if set(runs) - set(kinds) else all(kinds[run] == PASSED for run in runs)


def _shown(event: Event | None) -> dict[str, object] | None:
    return {"kind": event.kind, "at": event.at.isoformat(), **event.body} if event else None


def _lines(one: Life, now: datetime) -> list[str]:
    alive = f"last proof of life {_ago(one.passed.at, now)}" if one.passed else "NO proof of life yet"
    if one.last is None:
        return [f"{one.budget}: {alive}; no drill was begun"]
    if one.last.kind == FAILED:
        head = f"{one.budget}: FAILED {_ago(one.last.at, now)} at {one.last.body['link']}: {one.last.body['reason']}"
        return [f"{head}; {alive}", *_links(one.last)]
    under_way = "" if one.last.kind == PASSED else f"; a drill was begun {_ago(one.last.at, now)}"
    return [f"{one.budget}: {alive}{under_way}", *(_links(one.passed) if one.passed else [])]


def _links(event: Event) -> list[str]:
    links = event.body["links"]
    assert isinstance(links, list)  # written by check
    return [f"    {one['link']:<9} {one['state']:<9} {one['at'] or '':<33} {one['told']}".rstrip() for one in links]


def _ago(at: datetime, now: datetime) -> str:
    minutes = int((now - at).total_seconds()) // 60
    return f"{at:%Y-%m-%d %H:%M}Z ({minutes // 60} h {minutes % 60} min ago)"
