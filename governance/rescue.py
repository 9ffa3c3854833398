"""What the queue lost or gave up: poison messages are written down, lost ones are sent again from the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from governance import lifecycle, pause, streams
from governance.alert import MAX_AGE
from governance.model import Event, Message, State
from governance.notices import SEND_NOTICE, notice_stream
from governance.order import Order, Overtaken
from governance.planning import targets_in
from governance.record import Record
from governance.settled import Settled
from governance.undo import attempt
from ledger.faults import Rejected

STALE = timedelta(minutes=10)
LAST_CHANCE = timedelta(hours=1)
SWEPT = ("alerts/", "orders/", "undos/", "starts/")
# Whose stream a message of a queue is about, and under which word it names it; of other queues it is an order's.
_NAMED: Mapping[str, tuple[Callable[[str], str], str]] = {
    streams.PLAN_STOP: (streams.alert_stream, "alert"),
    streams.UNDO_RUN: (streams.undo_stream, "alert"),
    streams.START_ORDER: (streams.start_stream, "order"),
    SEND_NOTICE: (notice_stream, "notice"),
}


def on_poison(queue_name: str, message: object, *, record: Record, now: datetime) -> None:
    """Note that a message was given up, in the stream it names, or in one of its own if it names none."""
    queue = queue_name.removesuffix("-poison")
    seal = streams.seal(message)
    stream = _stream_of(queue, message, record) or streams.refused_stream(seal)
    revived = streams.revived_at(record.events(stream))
    record.once(
        stream,
        streams.ABANDONED,
        {"queue": queue, "message": seal},
        now,
        same=lambda event: event.body.get("message") == seal and event.sequence > revived,
    )


def _stream_of(queue: str, message: object, record: Record) -> str | None:
    """The existing stream a message belongs to; a made-up key must not start one."""
    if not isinstance(message, Mapping):
        return None
    try:
        named, key = _NAMED.get(queue, (streams.order_stream, "order"))
        stream = named(streams.key_in(message, key))
    except Rejected:
        return None
    return stream if record.events(stream) else None


def on_sweep(*, record: Record, now: datetime) -> list[Message]:
    """Messages for whatever should have moved by now and has not. The queue is not the truth, the record is.

    A damaged stream is passed over, so that it cannot hold up the others; Record.verify names it.
    """
    messages, settled = [], Settled(record, "sweep")
    for stream in [stream for prefix in SWEPT for stream in settled.unsettled(prefix)]:
        with suppress(Rejected, lifecycle.IllegalStep):
            events = record.events(stream)
            found = _again(stream, events, record, now)
            messages += found
            if not found and _is_settled(stream, events, record, now):
                settled.close(stream, len(events))
    settled.keep()
    return messages


def _is_settled(stream: str, events: Sequence[Event], record: Record, now: datetime) -> bool:
    """Whether time alone can bring no message for it any more: only what is added to it can."""
    if stream.startswith("alerts/"):
        return _alert_is_settled(events, record, now)
    if stream.startswith("undos/"):
        current = attempt(events)
        return current is None or current.ended is not None
    return lifecycle.is_over(lifecycle.fold(event.kind for event in events))


def _alert_is_settled(events: Sequence[Event], record: Record, now: datetime) -> bool:
    planned = streams.find(events, streams.PLANNED)
    if streams.find(events, streams.RECEIVED) is None or streams.is_settled(events):
        return True
    if streams.at_rest(events) and now - streams.begun(events) > MAX_AGE:
        return True
    return planned is not None and not _orders_missing(planned, record)


def _again(stream: str, events: Sequence[Event], record: Record, now: datetime) -> list[Message]:
    if stream.startswith("alerts/"):
        return _alert_again(events, record, now)
    return _undo_again(events, now) if stream.startswith("undos/") else _order_again(events, record, now)


def unfinished(run: str, *, record: Record) -> list[Message]:
    """Everything a run still needs, however fresh: for a terminal whose own queue died with it."""
    planned = streams.find(record.events(streams.alert_stream(run)), streams.PLANNED)
    messages = [streams.plan_stop(run)]
    for target in targets_in(planned) if planned else []:
        order = streams.order_key(run, str(target["id"]))
        events = record.events(streams.order_stream(order))
        if events and not lifecycle.is_over(lifecycle.fold(event.kind for event in events)):
            messages.append(streams.carry_out(order, events[0].body))
    return messages


def _alert_again(events: Sequence[Event], record: Record, now: datetime) -> list[Message]:
    received = streams.find(events, streams.RECEIVED)
    if received is None or streams.is_settled(events) or not _stale(events[-1], now):
        return []
    if streams.at_rest(events) and now - streams.begun(events) > MAX_AGE:
        return []
    if events[-1].kind == streams.PAUSED and pause.standing(record):
        return []
    planned = streams.find(events, streams.PLANNED)
    if planned and not _orders_missing(planned, record):
        return []
    return [streams.plan_stop(str(received.body["run"]))]


def _orders_missing(planned: Event, record: Record) -> bool:
    """True after a crash between recording the plan and opening the stream of each order."""
    keys = (streams.order_key(str(planned.body["run"]), str(target["id"])) for target in targets_in(planned))
    orders = (streams.order_stream(key) for key in keys)
    return any(one not in record.streams(one) for one in orders)  # by their names alone: nothing is read


def _order_again(events: Sequence[Event], record: Record, now: datetime) -> list[Message]:
    state = lifecycle.fold(event.kind for event in events)
    if lifecycle.is_over(state) or not _stale(events[-1], now):
        return []
    if events[-1].kind == lifecycle.HELD and pause.standing(record):
        return []
    kind, _, order = events[0].stream.rpartition("/")
    if events[-1].kind == lifecycle.ABANDONED and now - events[0].at > MAX_AGE + LAST_CHANCE:
        _give_up(Order(order, record, tuple(events), now))
        return []
    if kind == "starts":
        return [streams.start(order, events[0].body)]
    if state is State.ACCEPTED:
        return [streams.look(order, events[0].body, delay=streams.AT_ONCE)]
    return [streams.carry_out(order, events[0].body)]


def _give_up(order: Order) -> None:
    """Its messages cannot even come to say that it is too old."""
    with suppress(Overtaken):
        order.add(lifecycle.FAILED, reason=f"its messages failed for {MAX_AGE}: given up by the queue")


def _undo_again(events: Sequence[Event], now: datetime) -> list[Message]:
    current = attempt(events)
    if current is None or current.ended or not _stale(events[-1], now):
        return []
    return [streams.undo_run(str(current.asked.body["run"]), current.id)]


def _stale(last: Event, now: datetime) -> bool:
    """Long after the last event, or after the moment that event said it would be looked at again."""
    due = last.body.get("due")
    expected = datetime.fromisoformat(str(due)) if due else last.at
    return now - expected > STALE
