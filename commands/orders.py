"""`ledger orders`, `ledger order show` and `ledger audit verify`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime, timedelta

import terminal
import wiring
from commands.options import Command, settings_of

NOT_WHOLE = 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    orders = command(commands, "orders", run_orders, "what was to be stopped, and what became of it")
    orders.add_argument("--run", dest="begins", default="", metavar="RUN", help="this run's receipt, up to the bill")
    orders.add_argument("--since", type=_day, metavar="DAY", help="runs that began on this day or later (UTC)")
    one = commands.add_parser("order", help="one order").add_subparsers(required=True, metavar="WHAT")
    show = command(one, "show", run_show, "one order from its alert to the bill of the machine")
    show.add_argument("id", metavar="ID", help="the order's id, or its first 8 digits or more")
    audits = commands.add_parser("audit", help="the record of control").add_subparsers(required=True, metavar="WHAT")
    verify = command(audits, "verify", run_verify, "walk the whole record and tell what was changed or has no end")
    verify.add_argument(
        "--unfinished-after", type=_hours, default=timedelta(hours=24), metavar="HOURS",
        help="an order without an end is a problem after so many hours (default: 24)",
    )  # fmt: skip


def run_orders(options: argparse.Namespace) -> int:
    from governance.runs import lines

    found = settings_of(options)
    runs = wiring.runs(found, os.environ, options.begins, options.since)
    if options.begins and len(runs) == 1:
        told, document = wiring.receipt(runs[0], found, os.environ)
        terminal.show_lines(told, document, as_json=options.json)
    else:
        document = {"runs": [one.document() for one in runs]}
        terminal.show_lines(lines(runs), document, as_json=options.json)
    return 0


def run_show(options: argparse.Namespace) -> int:
    lines, document = wiring.order(options.id, settings_of(options), os.environ)
    terminal.show_lines(lines, document, as_json=options.json)
    return 0


def run_verify(options: argparse.Namespace) -> int:
    found = wiring.audit(settings_of(options), os.environ, datetime.now(UTC), options.unfinished_after)
    terminal.show_lines(found.lines(), found.document(), as_json=options.json)
    return NOT_WHOLE if found.problems else 0


def _day(text: str) -> datetime:
    moment = datetime.strptime(text, "%Y-%m-%d")
    return moment.replace(tzinfo=UTC)


def _hours(text: str) -> timedelta:
    if not 0 < int(text) < 100_000:
        raise ValueError(text)
    return timedelta(hours=int(text))
