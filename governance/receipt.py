"""The receipt of one alert, from the record alone: what was decided, stopped, spared and why, and the read-back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from governance import lifecycle, streams
from governance.actor import named
from governance.model import Event, State
from governance.planning import targets_in
from governance.record import Record

# What may happen on the way to a plan; the fields are the event's.
_TURNS = {
    streams.DEFERRED: "machines could not be listed, again at {due}: {reason}",
    streams.UNLISTED: "machines could not be listed, planning rests until the alert or the sweep revives it: {reason}",
    streams.UNUSABLE: "planning refused until the settings allow it: {reason}",
    streams.ABANDONED: "given up by queue {queue}",
    streams.REVIVED: "planning revived, by the alert that came again or by a person",
    streams.APPROVED: "approved by {by}: plan {plan:.12} {reason}",
    streams.REJECTED: "rejected by {by}: plan {plan:.12} {reason}",
}
# What holds a plan; the plan follows.
_HOLDS = {
    streams.PROPOSED: "awaits approval until {expires}",
    streams.ABOVE_CEILING: "ABOVE A CEILING, nothing is stopped: {reasons}",
    streams.PAUSED: "{why}",
    streams.OUTSIDE_HOURS: "outside business hours, made anew at {due}",
    streams.NOTICE_GIVEN: "notice given to owners, acts from {due}{cut}",
}


def receipt(record: Record, run: str) -> list[str]:
    """Lines for a person; `run` is the alert key as the webhook answered it."""
    events = record.events(streams.alert_stream(run))
    lines = [line for event in events for line in _lines(event)]
    planned = streams.find(events, streams.PLANNED)
    for target in targets_in(planned) if planned else []:
        order = streams.order_stream(streams.order_key(run, str(target["id"])))
        lines += _order(str(target["id"]), record.events(order))
    return lines


def _lines(event: Event) -> list[str]:
    body = event.body
    if event.kind == streams.RECEIVED:
        return [f"{_at(event)}  alert: {_money(body)}; {'dry run' if body['dry_run'] else 'live'}"]
    if event.kind == streams.NOTICE:
        return [f"{_at(event)}  notice only: {_money(body)}; {body['notice_only']}"]
    if event.kind == streams.REFUSED:
        return [f"{_at(event)}  planning refused: {body['reason']}"]
    if event.kind in _TURNS:
        return [f"{_at(event)}  {_TURNS[event.kind].format_map(_signed(body))}"]
    if event.kind in _HOLDS:
        told = {name: "; ".join(map(str, value)) if isinstance(value, list) else value for name, value in body.items()}
        told["cut"] = _cut(body)
        return [f"{_at(event)}  {_HOLDS[event.kind].format_map(told)}", *_plan(event)]
    return _plan(event) if event.kind == streams.PLANNED else []


def _money(body: Mapping[str, object]) -> str:
    percent = format((Decimal(str(body["threshold"])) * 100).normalize(), "f")
    return (
        f"budget {body['budget_name']} of {body['limit']} {body['currency']} for {body['period']}, "
        f"spent {body['spent']}, {body['kind']} threshold {percent} %"
    )


def _plan(event: Event) -> list[str]:
    targets, spared = targets_in(event), event.body["spared"]
    assert isinstance(spared, list)  # written by planning
    head = f"{_at(event)}  plan {str(event.body['digest'])[:12]}: {len(targets)} to stop, {len(spared)} spared"
    return [
        head + (" (dry run: nothing is called)" if event.body["dry_run"] else ""),
        *(f"    stop   {_name(one['id'])}: {one['reason']}{money(one)}" for one in targets),
        *(f"    spare  {_name(one['id'])}: {one['reason']}" for one in spared),
        *(f"    UNSEEN {place}: {reason}" for place, reason in streams.unseen(event.body).items()),
        *(f"    {line}" for line in spend(event.body)),
    ]


def _cut(notice: Mapping[str, object]) -> str:
    full = notice.get("full_notice")
    return f", not {full}: the cap would break first" if full and full != notice["due"] else ""


def spend(plan: Mapping[str, object]) -> list[str]:
    """What was probably spent when the plan was made; plans of old say nothing of it."""
    found = plan.get(streams.ESTIMATE)
    if not isinstance(found, Mapping):
        return []
    stale = [f"spend: STALE, the estimate is widened; {found['stale']}"] if found["stale"] else []
    if found["unknown"]:
        return [f"spend: no estimate, {found['unknown']}", *stale]
    low, mid, high = (rounded(found[name]) for name in ("low", "mid", "high"))
    breaks = _minute(found["breaks_at"]) if found["breaks_at"] else "not within the month"
    told = f"{mid} {found['currency']} ({low} to {high}), data until {_minute(found['covers_until'])}"
    return [f"spend: about {told}; at this rate the cap breaks: {breaks}", *stale]


def _minute(at: object) -> str:
    return f"{datetime.fromisoformat(str(at)):%Y-%m-%d %H:%M}Z"


def money(target: Mapping[str, object]) -> str:
    """What a target costs and saves, and where the price is from; recorded plans of old have none."""
    if not target.get("price_source"):
        return ""
    if target.get("per_hour") is None:
        return f"; price {target['price_source']}"
    currency, rest = target["currency"], rounded(target["saves_until_end"])
    source = f"{rounded(target['per_hour'])} {currency}/h by {target['price_source']}"
    return f"; {source}; stopping saves {rounded(target['saves'])} {currency}/h, {rest} until the period ends"


def rounded(amount: object) -> str:
    """For a person: at most four decimals."""
    return format(Decimal(str(amount)).quantize(Decimal("0.0001")).normalize(), "f")


def _order(target: str, events: Sequence[Event]) -> list[str]:
    if not events:
        return [f"    {_name(target)}: no order was opened yet"]
    state, last = lifecycle.fold(event.kind for event in events), events[-1]
    order = last.stream.rpartition("/")[2][:12]
    return [f"{_at(last)}  {_name(target)}: {_outcome(state, last)} (order {order})"]


def _outcome(state: State | None, last: Event) -> str:
    body = last.body
    if state is State.VERIFIED:
        what = f"power state read back: {body['power']}" if "power" in body else "gone"
        notes = [str(note) for note in (body.get("reason"), grown(last)) if note]
        return f"verified, {what}" + (f" ({'; '.join(notes)})" if notes else "")
    if state is State.DRY_RUN:
        return f"dry run, would do: {body['would']}"
    if state in (State.REFUSED, State.FAILED):
        return f"{state.value.upper()}: {body.get('reason', 'given up by the queue')}"
    return f"not finished, state {state.value if state else 'unknown'}" + (
        f": {body['reason']}" if "reason" in body else ""
    )


def _signed(body: Mapping[str, object]) -> dict[str, object]:
    """The event with who Azure had signed in beside the name that was typed."""
    return {**body, "by": named(body.get("by", ""), body.get("actor"))}


def grown(event: Event) -> str:
    """That a set has instances which came after the last look before the call, and go on costing."""
    later = event.body.get("left_alone")
    return f"left alone, came after the look: instance {', '.join(map(str, later))}" if isinstance(later, list) else ""


def _name(id: object) -> str:
    return str(id).rpartition("/")[2]


def _at(event: Event) -> str:
    return event.at.strftime("%Y-%m-%d %H:%M:%SZ")
