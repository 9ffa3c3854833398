"""`ledger alert`: a budget alert played through the control story from a terminal."""

from __future__ import annotations

import argparse
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import terminal
import wiring
from commands.options import Command, settings_of, user

NOT_STOPPED, REFUSED, LATER = 1, 2, 3


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    alert = command(commands, "alert", run_alert, "play a budget alert through the control story")
    alert.add_argument("file", help="the webhook's JSON body")
    alert.add_argument("--now", type=_instant, metavar="T", help="pretend it is this instant (ISO 8601)")
    alert.add_argument("--execute", action="store_true", help="really stop machines of budgets that are live")


def run_alert(options: argparse.Namespace) -> int:
    found, env = settings_of(options), os.environ
    body = Path(options.file).read_bytes() if Path(options.file).is_file() else _no_file(options.file)
    # Each sign-in that is not there would print a page; the receipt names what failed.
    logging.getLogger("azure").setLevel(logging.ERROR)
    if options.now and options.execute and found.live and not env.get("LEDGER_ARM_URL"):
        raise _pretended()
    now = options.now or datetime.now(UTC)
    with terminal.progress(quiet=options.json) as progress:
        told = wiring.alert(body, found, env, now, execute=options.execute, by=user(), progress=progress)
    status, lines, document = told
    terminal.show_receipt(status, lines, document, as_json=options.json)
    if status >= 400:
        return REFUSED if status < 500 else LATER
    return NOT_STOPPED if document["failed"] or document.get("switches_off") else 0


def _instant(text: str) -> datetime:
    """Far enough from both ends of the calendar that a delay or an age can be reckoned from it."""
    moment = datetime.fromisoformat(text)
    if not 1970 <= moment.year < 9000:
        raise ValueError(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _pretended() -> Exception:
    """By another day's clock ceilings of a day have room, holds have ended and business hours are open."""
    from ledger.faults import reject

    return reject("real machines are not stopped at a pretended instant", "Leave out --now or --execute.", "pretended")


def _no_file(name: str) -> bytes:
    from ledger.faults import reject

    raise reject("there is no such file", "Check the path.", "no-such-file", file=name)
