"""The plans in the record as a person reads them: which there are, where each stands, and every machine in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from governance import approval, streams
from governance.actor import named
from governance.model import Event
from governance.receipt import money, spend
from governance.record import Record
from ledger.faults import Rejected, reject

SHORTEST = 8
STANDINGS: Mapping[str, str] = {
    streams.PROPOSED: "awaiting approval",
    streams.APPROVED: "approved",
    streams.REJECTED: "rejected",
    streams.ABOVE_CEILING: "above a ceiling",
    streams.PAUSED: "paused",
    streams.OUTSIDE_HOURS: "outside business hours",
    streams.NOTICE_GIVEN: "notice given",
    streams.PLANNED: "carried out",
    streams.REFUSED: "refused",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One plan of a run: the event that holds it, and the run's events."""

    run: str
    event: Event
    events: Sequence[Event]

    @property
    def id(self) -> str:
        return str(self.event.body["digest"])

    @property
    def standing(self) -> str:
        """Of the run's newest plan what was last said about it; an older one was made anew."""
        told = [event for event in self.events if event.kind in STANDINGS]
        if self.is_newest:
            last = told[-1].kind
            return "dry run" if last == streams.PLANNED and self.event.body["dry_run"] else STANDINGS[last]
        return "made anew"

    @property
    def is_newest(self) -> bool:
        plans = [event for event in self.events if event.kind in streams.WITH_PLAN]
        return bool(plans) and plans[-1].body["digest"] == self.event.body["digest"]

    def document(self) -> dict[str, object]:
        """JSON-ready, whole."""
        decision = approval.decision(self.events, self.event)
        facts = {"run": self.run, "id": self.id, "standing": self.standing, "made": self.event.at.isoformat()}
        told = ("by", "reason", "actor")
        decided = {name: decision.body[name] for name in told if name in decision.body} if decision else None
        return {**facts, "decided": decided, "held_by": self.event.kind, "plan": dict(self.event.body)}


def listed(record: Record) -> list[Listed]:
    """Every plan, the newest first. A damaged stream is passed over; Record.verify names it."""
    found = [one for stream in record.streams("alerts/") for one in _of_stream(record, stream)]
    return sorted(found, key=lambda one: one.event.at, reverse=True)


def found(record: Record, id: str) -> Listed:
    """The plan whose id begins so; Rejected for none, for several, and for too few digits."""
    if not re.fullmatch(r"[0-9a-f]{8,64}", id):
        raise reject("a plan's id is hexadecimal", f"Give at least {SHORTEST} digits, as listed.", "plan-id")
    fitting = [one for one in listed(record) if one.id.startswith(id)]
    if len(fitting) != 1:
        text = f"{len(fitting)} plans begin with {id}" if fitting else f"there is no plan {id}"
        raise reject(text, "See `ledger plan list`.", "plan-id")
    return fitting[0]


def lines(plans: Iterable[Listed]) -> list[str]:
    """One line a plan."""
    told = [_line(one) for one in plans]
    return told or ["no plans in the record"]


def _decision(made: Event) -> str:
    by = named(made.body["by"], made.body.get("actor"))
    return f"{made.kind} by {by} {made.body['reason']}".rstrip()


def details(one: Listed) -> list[str]:
    """Every machine in or out of the plan, with its state, reason, price, and what stopping it saves."""
    body = one.event.body
    spared = body["spared"]
    assert isinstance(spared, list)  # written by planning
    decision = approval.decision(one.events, one.event)
    decided = [_decision(decision)] if decision else []
    held = [f"{name}: {_text(body[name])}" for name in ("why", "reasons", "due", "expires") if name in body]
    return [
        _line(one),
        *decided,
        *held,
        f"population of the scope: {body.get('population', 'unknown')}; period ends {body.get('until', 'unknown')}",
        *spend(body),
        *(f"  stop   {_machine(target)}" for target in streams.targets_in(body)),
        *(f"  spare  {_machine(target)}" for target in spared),
    ]


def _of_stream(record: Record, stream: str) -> Iterator[Listed]:
    with suppress(Rejected):
        events = record.events(stream)
        first = {str(one.body["digest"]): one for one in reversed(events) if one.kind in streams.WITH_PLAN}
        yield from (Listed(stream.removeprefix("alerts/"), event, events) for event in first.values())


def _line(one: Listed) -> str:
    targets = streams.targets_in(one.event.body)
    budget = str(one.event.body["budget_id"]).rpartition("/")[2]
    return (
        f"{one.id[:12]}  {one.event.at:%Y-%m-%d %H:%M}  {budget}  {one.standing}: {len(targets)} to stop{_sum(targets)}"
    )


def _sum(targets: Sequence[Mapping[str, object]]) -> str:
    """What the known prices come to, per currency, and how many are not known."""
    known: dict[str, Decimal] = {}
    for one in targets:
        if one.get("saves") is not None:
            currency = str(one["currency"])
            known[currency] = known.get(currency, Decimal(0)) + Decimal(str(one["saves"]))
    unknown = sum(one.get("saves") is None for one in targets)
    told = [f"{format(amount, 'f')} {currency}/h" for currency, amount in sorted(known.items())]
    return "".join(f", {part}" for part in [*told, *([f"{unknown} of unknown price"] if unknown else [])])


def _machine(target: Mapping[str, object]) -> str:
    rule = f" by rule {target['policy']}" if target.get("policy") else ""
    return f"{target['id']} ({target['kind']}, {target['power']}){rule}: {target['reason']}{money(target)}"


def _text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
