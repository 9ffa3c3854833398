"""What a plan passes before its orders are opened: the pause, ceilings, business hours, notice, approval, the day.

Each gate that holds it records why, with the whole plan, and that event is what people are told from. A dry run waits
for nothing, but a ceiling holds it too. A drill is not held at all: its orders call nothing, whatever the settings say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance import ceilings, estimate, pause, streams
from governance.model import Budget, Event, Message
from governance.policy import policies_of
from governance.record import Record
from governance.rules import Policy, Terms, opening, terms
from ledger.faults import Conflict

# A storage queue keeps a message back for seven days at most; who arrives early is sent to wait again.
LONGEST_DELAY = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Gate:
    """A plan before its gates: `body` as it is recorded, `events` of its alert as read now.

    `breaks_at` is when the cap would break; a notice does not last longer.
    """

    record: Record
    events: Sequence[Event]
    budget: Budget
    body: Mapping[str, object]
    now: datetime
    breaks_at: datetime | None = None

    @property
    def run(self) -> str:
        return str(self.body["run"])

    @property
    def policies(self) -> list[Policy]:
        """The rules that picked a target, as the settings have them now."""
        names = {target.get("policy", "") for target in streams.targets_in(self.body)}
        return [one for one in policies_of(self.budget) if one.name in names]

    def told(self, kind: str, **more: object) -> None:
        """Record why the plan is held; whoever was quicker has told already and carries on."""
        with suppress(Conflict):
            body = {**self.body, **more}
            self.record.append(streams.alert_stream(self.run), kind, body, self.now, after=self.events)


def held(gate: Gate, *, approved: bool) -> list[Message] | None:
    """What becomes of a plan that may not be carried out now; None when it may, and its place in the day is taken.

    `approved`: a person has decided about this very set, so neither notice nor approval is asked for again.
    """
    if not streams.targets_in(gate.body) or streams.is_drill(gate.run):
        return None
    if gate.body["dry_run"]:
        return _above(gate, ceilings.exceeded(_run(gate), gate.record, gate.now))
    if reason := pause.standing(gate.record, gate.budget):
        return _paused(gate, reason)
    if reasons := ceilings.exceeded(_run(gate), gate.record, gate.now):
        return _above(gate, reasons)
    wanted = terms(gate.policies)
    waiting = _outside(gate, wanted)
    if waiting is None and not approved:
        waiting = _warned(gate, wanted) if wanted.notice else None
        waiting = _proposed(gate, wanted) if waiting is None and wanted.approval else waiting
    return _above(gate, ceilings.claim(_run(gate), gate.record, gate.now)) if waiting is None else waiting


def not_yet(events: Sequence[Event], run: str, now: datetime) -> list[Message] | None:
    """The same message for later, when the last word was to wait and the time has not come; else None.

    A notice in between, such as a test alert of the portal, is no word about the plan.
    """
    last = next(event for event in reversed(events) if event.kind != streams.NOTICE)
    if last.kind not in (streams.OUTSIDE_HOURS, streams.NOTICE_GIVEN) or due(last) <= now:
        return None
    return [_again(run, due(last), now)]


def due(event: Event) -> datetime:
    return datetime.fromisoformat(str(event.body["due"]))


def notice_given(events: Sequence[Event]) -> Event | None:
    return next((one for one in reversed(streams.since_revival(events)) if one.kind == streams.NOTICE_GIVEN), None)


def _run(gate: Gate) -> ceilings.Run:
    population = gate.body["population"]
    assert isinstance(population, int)  # written by planning
    loads = ceilings.loads(streams.targets_in(gate.body))
    return ceilings.Run(gate.run, gate.budget, gate.policies, loads, population)


def _above(gate: Gate, reasons: Sequence[str]) -> list[Message] | None:
    if not reasons:
        return None
    gate.told(streams.ABOVE_CEILING, reasons=list(reasons))
    return []


def _paused(gate: Gate, reason: str) -> list[Message]:
    """The sweep asks again once the pause is over."""
    last = gate.events[-1]
    if last.kind != streams.PAUSED or last.body["why"] != reason:
        gate.told(streams.PAUSED, why=reason)
    return []


def _outside(gate: Gate, wanted: Terms) -> list[Message] | None:
    opens = opening(wanted.hours, gate.now)
    if opens is None:
        gate.told(streams.REFUSED, reason="the business hours of its rules leave no common hour within two weeks")
        return []
    if opens == gate.now:
        return None
    gate.told(streams.OUTSIDE_HOURS, due=opens)
    return [_again(gate.run, opens, gate.now)]


def _warned(gate: Gate, wanted: Terms) -> list[Message] | None:
    given = notice_given(gate.events)
    if given:
        return None if due(given) <= gate.now else [_again(gate.run, due(given), gate.now)]
    acts = estimate.acts_from(gate.now, wanted.notice, gate.breaks_at)
    gate.told(streams.NOTICE_GIVEN, due=acts, full_notice=gate.now + wanted.notice)
    return [_again(gate.run, acts, gate.now)]


def _proposed(gate: Gate, wanted: Terms) -> list[Message]:
    ends = gate.now + wanted.approval
    gate.told(streams.PROPOSED, expires=ends, due=ends)
    return []


def _again(run: str, at: datetime, now: datetime) -> Message:
    return streams.plan_stop(run, delay=min(at - now, LONGEST_DELAY))
