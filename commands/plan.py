"""`ledger plan`, `ledger pause` and `ledger resume`: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

import terminal
import wiring
from commands.options import Command, settings_of, steered, user


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    plans = commands.add_parser("plan", help="plans of budget alerts, and deciding about them").add_subparsers(
        required=True, metavar="WHAT"
    )
    command(plans, "list", run_list, "every plan in the record and where it stands")
    _id(command(plans, "show", run_show, "every machine in or out of a plan, with reason and price"))
    approve = _id(command(plans, "approve", run_approve, "approve exactly this plan"))
    rejecting = _id(command(plans, "reject", run_reject, "reject a plan, for good"))
    anew = command(plans, "again", run_again, "plan a run anew that was refused, was above a ceiling or came to rest")
    anew.add_argument("begins", metavar="RUN", help="the run's id, or its first 8 digits or more")
    _reason(anew)
    _who(anew)
    links = _id(command(plans, "links", run_links, "one-time links to approve or reject a plan"))
    links.add_argument("--to", required=True, metavar="NAME", help="who gets them, and is recorded when they are used")
    approve.add_argument("--reason", default="", metavar="TEXT", help="why; recorded")
    _who(approve)
    _reason(rejecting)
    _who(rejecting)
    for name, run, text in (
        ("pause", run_pause, "stop nothing any more, whatever is alerted, planned or approved"),
        ("resume", run_resume, "end the pause; what waited for it is planned anew"),
    ):
        switch = command(commands, name, run, text)
        _reason(switch)
        _who(switch)


def run_list(options: argparse.Namespace) -> int:
    from governance.plans import lines

    found = wiring.plans(settings_of(options), os.environ)
    document = {"plans": [one.document() for one in found]}
    terminal.show_lines(lines(found), document, as_json=options.json)
    return 0


def run_show(options: argparse.Namespace) -> int:
    from governance.plans import details

    one = wiring.plan(options.id, settings_of(options), os.environ)
    terminal.show_lines(details(one), one.document(), as_json=options.json)
    return 0


def run_approve(options: argparse.Namespace) -> int:
    return _decide(options, "approve", "approved")


def run_reject(options: argparse.Namespace) -> int:
    return _decide(options, "reject", "rejected")


def run_again(options: argparse.Namespace) -> int:
    (found, place), now = steered(options), datetime.now(UTC)
    run, sent = wiring.plan_again(options.begins, options.by, options.reason, found, os.environ, now)
    carried = "" if sent else "; the sweep, or the same alert again, carries it on"
    line = f"run {run[:12]} is planned anew by {options.by}{carried}"
    document = {"run": run, "by": options.by, "reason": options.reason, "record": place}
    terminal.show_lines([line, f"record: {place}"], document, as_json=options.json)
    return 0


def run_links(options: argparse.Namespace) -> int:
    links = wiring.links(options.id, options.to, settings_of(options), os.environ)
    terminal.show_lines([f"{name}: {link}" for name, link in links.items()], links, as_json=options.json)
    return 0


def run_pause(options: argparse.Namespace) -> int:
    return _switch(options, on=True)


def run_resume(options: argparse.Namespace) -> int:
    return _switch(options, on=False)


def _decide(options: argparse.Namespace, choice: str, word: str) -> int:
    (found, place), now = steered(options), datetime.now(UTC)
    sent = wiring.decide(options.id, choice, options.by, options.reason, found, os.environ, now)
    carried = "" if sent or choice == "reject" else "; the sweep, or the same alert again, carries it on"
    line = f"plan {options.id} {word} by {options.by}{carried}"
    document = {"plan": options.id, "decision": word, "by": options.by, "record": place}
    terminal.show_lines([line, f"record: {place}"], document, as_json=options.json)
    return 0


def _switch(options: argparse.Namespace, *, on: bool) -> int:
    found, place = steered(options)
    wiring.pause(on, options.by, options.reason, found, os.environ, datetime.now(UTC))
    line = f"{'paused' if on else 'resumed'} by {options.by}: {options.reason}"
    document = {"paused": on, "by": options.by, "reason": options.reason, "record": place}
    terminal.show_lines([line, f"record: {place}"], document, as_json=options.json)
    return 0


def _id(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("id", metavar="ID", help="the plan's id, or its first 8 digits or more")
    return command


def _who(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", default=user(), metavar="NAME", help="who; recorded (default: the user signed in)")


def _reason(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, metavar="TEXT", help="why; recorded")
