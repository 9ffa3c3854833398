"""`ledger drill`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import terminal
import wiring
from commands import status
from commands.options import Command, settings_of

DEAD_LINK, LATER = 1, 3
BETWEEN_LOOKS = 5


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    drill = command(commands, "drill", run_drill, "the last proof of life of each budget, or a drill now")
    drill.add_argument("--now", action="store_true", help="send a signed test alert to the webhook, always a dry run")
    drill.add_argument("--wait", type=int, default=300, metavar="SECONDS", help="how long to wait for its proof")


def run_drill(options: argparse.Namespace) -> int:
    """With --now the service has to be running: it answers, plans and settles; this terminal only sends and reads."""
    if not options.now:
        return status.run_status(options)
    found = settings_of(options)
    sent = wiring.drill(os.environ, _now, found)
    if not sent:
        terminal.show_problem("no drill: set LEDGER_DRILL_KEY, and have a budget that stops", as_json=options.json)
        return 2
    if dead := [one for one in sent if one["status"] != 202]:
        told = [f"{one['budget']}: the webhook did not take the drill: {_why(one)}" for one in dead]
        status.show(wiring.lives(found, os.environ), options, first=told)
        return DEAD_LINK
    ends = time.monotonic() + options.wait
    while (state := wiring.standing(sent, found, os.environ, _now())) is None and time.monotonic() < ends:
        time.sleep(min(BETWEEN_LOOKS, max(0.1, ends - time.monotonic())))
    status.show(wiring.lives(found, os.environ), options)
    return LATER if state is None else 0 if state else DEAD_LINK


def _why(sent: Mapping[str, object]) -> str:
    from governance.links import ANSWERS

    code, reason = int(str(sent["status"])), str(sent["reason"])
    meaning = ANSWERS.get(code, "it answers with a fault")
    return f"{code or 'no answer'}: {meaning}{f' ({reason})' if reason else ''}"


def _now() -> datetime:
    return datetime.now(UTC)
