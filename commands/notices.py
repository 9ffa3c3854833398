"""`ledger notices`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

import terminal
import wiring
from commands.options import Command, settings_of

NOT_SENT = 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    notices = commands.add_parser(
        "notices", help="messages to people: channels, and what became of each"
    ).add_subparsers(required=True, metavar="WHAT")
    command(notices, "list", run_list, "every notice in the record, the newest first, and whether it was sent")
    test = command(notices, "test", run_test, "send a test message to one channel, now")
    test.add_argument("name", metavar="NAME", help="the channel: [notices.NAME] of the settings")


def run_list(options: argparse.Namespace) -> int:
    from governance.posted import lines

    found = wiring.posted(settings_of(options), os.environ)
    document = {"notices": [one.document() for one in found]}
    terminal.show_lines(lines(found), document, as_json=options.json)
    return NOT_SENT if any(one.is_given_up for one in found) else 0


def run_test(options: argparse.Namespace) -> int:
    found = settings_of(options)
    answer = dict(wiring.try_channel(options.name, found, os.environ, datetime.now(UTC)))
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in answer.items())
    document = {"channel": options.name, "sent": True, **answer}
    terminal.show_lines([f"{options.name} took the test message: {told}"], document, as_json=options.json)
    return 0
