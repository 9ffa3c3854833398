"""`ledger undo`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import logging
import os
from datetime import UTC, datetime

import terminal
import wiring
from commands.options import Command, steered, user

NOT_STARTED = 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    undo = command(commands, "undo", run_undo, "start again exactly what a run stopped")
    undo.add_argument("id", metavar="RUN", help="the run's id or its plan's, or the first 8 digits or more")
    undo.add_argument("--execute", action="store_true", help="really start machines of budgets that are live")
    undo.add_argument("--service", action="store_true", help="let the service do it instead of this terminal")
    undo.add_argument("--reason", default="", metavar="TEXT", help="why; recorded")
    undo.add_argument("--by", default=user(), metavar="NAME", help="who; recorded (default: you)")
    undo.add_argument("--continue", dest="keep_going", action="store_true", help="go on after a stage that failed")
    undo.add_argument(
        "--despite-budget", action="store_true", help="though the budget is over its limit; needs --reason"
    )


def run_undo(options: argparse.Namespace) -> int:
    from governance.undo import Wish

    (found, place), now = steered(options), datetime.now(UTC)
    wish = Wish(options.by, options.reason, not options.execute, options.keep_going, options.despite_budget)
    if options.service:
        off, undone, sent = wiring.ask_undo(options.id, wish, found, os.environ, now)
        does = "looks at them" if wish.dry_run else "starts them"
        last = f"the service {does}" if sent else f"the service {does} with its next sweep"
        document = {**undone.document(), "switches_off": off}
        terminal.show_lines([*off, *undone.lines, last, f"record: {place}"], document, as_json=options.json)
        return NOT_STARTED if off else 0
    # Each sign-in that is not there would print a page; the receipt names what failed.
    logging.getLogger("azure").setLevel(logging.ERROR)
    with terminal.progress(quiet=options.json) as progress:
        off, undone = wiring.undo(options.id, wish, found, os.environ, now, progress=progress)
    document = {**undone.document(), "switches_off": off}
    terminal.show_lines([*off, *undone.lines, f"record: {place}"], document, as_json=options.json)
    return NOT_STARTED if undone.failed or off else 0
