"""The receipt of one order, from the alert to the bill: what led to it, each step, and what the machine cost then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from governance import lifecycle, restarts, streams
from governance.actor import named
from governance.machine_bill import AROUND, BESIDE, Bill
from governance.model import Event, State
from governance.receipt import grown, money, rounded
from governance.record import Record
from governance.runs import Life, Run

_TOLD = ("reason", "power", "would", "means", "attempt", "due")


def stopped(life: Life) -> date | None:
    """The day on which it was off, else on which the call was taken; None when nothing was stopped."""
    kinds = (lifecycle.VERIFIED, lifecycle.GONE, lifecycle.ACCEPTED)
    found = (streams.find(life.events, kind) for kind in kinds)
    event = next((one for one in found if one), None)
    return event.at.date() if event and life.state in (State.VERIFIED, State.ACCEPTED) else None


def on_again(record: Record, life: Life) -> Event | None:
    """What first tells that it was started after this stop: an undo's start that was not refused, or being seen on."""
    events = record.events(streams.machine_stream(life.target))
    mine = [one.sequence for one in events if one.kind == restarts.STOP_ORDERED and one.body["order"] == life.id]
    later = [one for one in events if mine and one.sequence > mine[-1]]
    return next((one for one in later if one.kind == restarts.SEEN_ON or _started(record, one)), None)


def _started(record: Record, event: Event) -> bool:
    order = streams.start_stream(str(event.body["order"]))
    return event.kind == restarts.START_ORDERED and restarts.begun(record.events(order)) is not None


def target_of(run: Run, life: Life) -> Mapping[str, object]:
    """The machine as the plan has it: kind, price, expected saving; empty when the plan is damaged."""
    targets = streams.targets_in(run.planned.body) if run.planned else []
    return next((one for one in targets if str(one["id"]).lower() == life.target.lower()), {})


def details(run: Run, life: Life) -> list[str]:
    """Alert, plan, price, then every event."""
    first, target = life.events[0].body, target_of(run, life)
    return [
        f"order {life.id[:12]}: {life.standing}, {'dry run' if first['dry_run'] is not False else 'live'}",
        f"machine  {life.target} ({first.get('kind', '')})",
        *_alert(run),
        f"plan     {str(first['plan'])[:12]}{_by(run)}; rule {first.get('policy') or 'of the budget'}: {first['why']}",
        *([f"price    {money(target)[2:]}"] if money(target) else []),
        *(f"  {event.at:%Y-%m-%d %H:%M:%S}Z  {event.kind}{_facts(event)}" for event in life.events),
    ]


def bill_lines(found: Bill, target: Mapping[str, object]) -> list[str]:
    """Day by day around the stop, then what a day cost before and after; amounts are effective costs."""
    if not found.known:
        return [f"bill     not yet in the cost data ({found.stopped} and {AROUND} days around it)"]
    return [
        f"bill     effective cost by UTC day; cost data up to {found.watermark}{_delivered(found)}",
        *(f"  {day}  {_when(day, found)}  {_day(day, found)}" for day in found.days()),
        *([f"  on again since {found.on_again}: only whole days off count as after"] if found.on_again else []),
        *(_compared(part, currency, found) for part, currency in found.parts()),
        *_expected(target),
    ]


def _alert(run: Run) -> Iterator[str]:
    if run.received:
        body = run.received.body
        who = body.get("who")
        way = f" by {_whom(who)}" if isinstance(who, Mapping) and who else ""
        percent = format((Decimal(str(body["threshold"])) * 100).normalize(), "f")
        yield (
            f"alert    {run.received.at:%Y-%m-%d %H:%M}Z{way}: {body['budget_name']}, {body['spent']} of "
            f"{body['limit']} {body['currency']}, {body['kind']} threshold {percent} %; body {str(body['digest'])[:12]}"
        )


def _whom(who: Mapping[str, object]) -> str:
    """The way in, the name that was typed, and whom Azure had signed in there."""
    typed = " ".join(str(who[name]) for name in ("entry", "by") if who.get(name))
    return named(typed, who.get("actor"))


def _by(run: Run) -> str:
    body = run.planned.body if run.planned else {}
    approver = body.get("approved_by")
    return f" approved by {named(approver, body.get('approver'))}" if approver else ""


def _facts(event: Event) -> str:
    before = event.body.get("before")
    seen = [f"before: {before['power']}"] if event.kind == lifecycle.CALLING and isinstance(before, Mapping) else []
    told = [f"{name} {event.body[name]}" for name in _TOLD if event.body.get(name) not in (None, "")]
    told += [note] if (note := grown(event)) else []
    return "".join(f"; {one}" for one in [*seen, *told]).replace("; ", "  ", 1)


def _when(day: date, found: Bill) -> str:
    if day == found.stopped:
        return "STOP  "
    return "before" if day < found.stopped else "after " if found.is_off(day) else "on    "


def _day(day: date, found: Bill) -> str:
    costs = [one for one in found.costs if one.day == day]
    if day not in found.known and not costs:
        return "not yet in the cost data" if found.watermark and day > found.watermark else "not in the cost data"
    told = "; ".join(f"{one.part} {_pair(one.effective, one.billed)} {one.currency}" for one in costs)
    return (told or "nothing") + (" (the newest day, hours may be missing)" if day == found.watermark else "")


def _pair(effective: Decimal, billed: Decimal) -> str:
    return rounded(effective) + (f" (billed {rounded(billed)})" if billed != effective else "")


def _delivered(found: Bill) -> str:
    """A day without any row may be one on which nothing at all was charged: then data was to be expected."""
    return f", last delivered {found.delivered:%Y-%m-%d}" if found.delivered else ""


def _compared(part: str, currency: str, found: Bill) -> str:
    before, after = (found.average(part, currency, after=after) for after in (False, True))
    told = [f"{rounded(one)} {currency} a day" if one is not None else "not yet known" for one in (before, after)]
    less = f", {rounded(before - after)} less" if before is not None and after is not None else ""
    note = "; disks and addresses go on costing" if part == BESIDE else ""
    return f"  {part}: before {told[0]}, after {told[1]}{less}{note}"


def _expected(target: Mapping[str, object]) -> Sequence[str]:
    if target.get("saves") is None:
        return ["  expected by the plan: unknown, the price was not known"] if target else []
    a_day = rounded(Decimal(str(target["saves"])) * 24)
    return [f"  expected by the plan: {a_day} {target['currency']} less a day while it stays off"]
