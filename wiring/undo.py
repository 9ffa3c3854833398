"""The undo of a run on real parts: played from a terminal, or asked of the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from settings import Settings
from wiring.actors import actor
from wiring.control import AT_ONCE, send
from wiring.fleets import fleet
from wiring.parts import Env, quiet, record, store

if TYPE_CHECKING:
    from governance.model import Budget
    from governance.record import Record
    from governance.undo import Wish
    from governance.undo_receipt import Undone
    from ingest.flow import Progress


def undo(
    id: str,
    wish: Wish,
    found: Settings,
    env: Env,
    now: datetime,
    *,
    sleep: Callable[[float], object] = time.sleep,
    progress: Progress | None = None,
) -> tuple[list[str], Undone]:
    """Play it here; machines start only with a wish that is live and both switches on. What keeps it dry comes first.

    Rejected for what is not to be undone.
    """
    from adapters.clock import Clock
    from adapters.queue import MemoryQueue
    from governance.undo_terminal import run_undo

    clock, kept = Clock(now, sleep, progress or quiet), record(store(found.store_url, env))
    run, off = _switched(id, wish, found, kept)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        undone = run_undo(
            run,
            replace(wish, dry_run=(dry := wish.dry_run or bool(off)), actor=actor(found, env, acts=not dry)),
            budgets=found.budgets,
            record=kept,
            queue=MemoryQueue(clock.now),
            fleet=fleet(env, found.machines),
            now=now,
            live=found.live,
            wait=clock.wait_until,
            each=pool.map,
        )
    return off, undone


def ask_undo(id: str, wish: Wish, found: Settings, env: Env, now: datetime) -> tuple[list[str], Undone, bool]:
    """Record the wish for the service, as it is: the service's own switches decide, not this terminal's.

    What is known to keep it from starting anything, and whether its messages were sent, or are left to the sweep.
    """
    from governance.undo import ask
    from governance.undo_receipt import undone

    kept = record(store(found.store_url, env))
    run, budget = _meant(id, found, kept)
    messages = ask(run, replace(wish, actor=actor(found, env)), budgets=found.budgets, record=kept, now=now)
    sent = bool(env.get("AzureWebJobsStorage") or env.get("AzureWebJobsStorage__accountName"))
    if sent:
        send(messages, env)
    return _asleep(wish, budget, kept), undone(kept, run), sent


def _asleep(wish: Wish, budget: Budget | None, kept: Record) -> list[str]:
    """What is known here of the service's own switches; those of this terminal say nothing about it."""
    from governance import switches

    if wish.dry_run or budget is None or budget.name in switches.armed(kept.last(switches.STREAM)):
        return []
    return [f"the service was not live for {budget.name} at its last sweep: while it is not, nothing is started"]


def _meant(id: str, found: Settings, kept: Record) -> tuple[str, Budget | None]:
    """The run that an id means, and its budget as it is registered now."""
    from governance.streams import budget_of
    from governance.undo import planned_in
    from governance.undo_receipt import found as looked_up

    run = looked_up(kept, id)
    return run, budget_of(found.budgets, planned_in(run, kept).body["budget_id"])


def _switched(id: str, wish: Wish, found: Settings, kept: Record) -> tuple[str, list[str]]:
    """The run, and what of this terminal's own switches keeps a live wish from being one."""
    run, budget = _meant(id, found, kept)
    if wish.dry_run:
        return run, []
    master = [] if found.live else ["not executed: the master switch is off ([ledger] live, or LEDGER_LIVE=true)"]
    asleep = [f"not executed: [budgets.{budget.name}] is not live"] if budget and not budget.live else []
    return run, [*master, *asleep]
