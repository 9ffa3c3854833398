"""One undo played to its end in one process: the flows of the service, a queue in memory, a clock the caller moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance import flow, undo
from governance.model import Budget, Fleet
from governance.record import Record
from governance.terminal import Each, TakingQueue, Wait, drain, handlers
from governance.undo_receipt import Undone, undone


def run_undo(
    run: str,
    wish: undo.Wish,
    *,
    budgets: Sequence[Budget],
    record: Record,
    queue: TakingQueue,
    fleet: Fleet,
    now: datetime,
    live: bool,
    wait: Wait,
    each: Each = map,
) -> Undone:
    """Ask for it and follow its messages until none is left; an undo that a dead process left is carried on."""
    for message in undo.ask(run, wish, budgets=budgets, record=record, now=now):
        queue.send(message)
    drain(
        queue,
        handlers(budgets, record, fleet, live),
        now=now,
        wait=wait,
        given_up=lambda message, at: flow.on_poison(message.queue, message.body, record=record, now=at),
        each=each,
    )
    return undone(record, run)
