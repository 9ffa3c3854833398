"""`ledger drill` and `ledger status`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import terminal
import wiring
from commands.options import Command, settings_of

if TYPE_CHECKING:
    from governance.drill import Life
    from governance.feeds import Feed

DEAD_LINK, LATER = 1, 3
BETWEEN_LOOKS = 5


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    drill = command(commands, "drill", run_drill, "the last proof of life of each budget, or a drill now")
    drill.add_argument("--now", action="store_true", help="send a signed test alert to the webhook, always a dry run")
    drill.add_argument("--wait", type=int, default=300, metavar="SECONDS", help="how long to wait for its proof")
    command(commands, "status", run_status, "the last proof of life of each budget, and of each link of the chain")


def run_status(options: argparse.Namespace) -> int:
    found = settings_of(options)
    return _show(wiring.lives(found, os.environ), options, wiring.feeds(found, os.environ, _now()))


def run_drill(options: argparse.Namespace) -> int:
    """With --now the service has to be running: it answers, plans and settles; this terminal only sends and reads."""
    if not options.now:
        return run_status(options)
    found = settings_of(options)
    sent = wiring.drill(os.environ, _now, found)
    if not sent:
        terminal.show_problem("no drill: set LEDGER_DRILL_KEY, and have a budget that stops", as_json=options.json)
        return 2
    ends = time.monotonic() + options.wait
    while (state := wiring.standing(sent, found, os.environ, _now())) is None and time.monotonic() < ends:
        time.sleep(min(BETWEEN_LOOKS, max(0.1, ends - time.monotonic())))
    _show(wiring.lives(found, os.environ), options)
    return LATER if state is None else 0 if state else DEAD_LINK


def _show(found: Sequence[Life], options: argparse.Namespace, feeds: Sequence[Feed] = ()) -> int:
    from governance.drill import document, has_failed, lines

    told = [*lines(found, _now()), *(one.line() for one in feeds)]
    budgets = {"budgets": document(found), "feeds": [one.document() for one in feeds]}
    terminal.show_lines(told, budgets, as_json=options.json)
    return DEAD_LINK if has_failed(found) or any(one.stale for one in feeds) else 0


def _now() -> datetime:
    return datetime.now(UTC)
