"""`ledger status`: how the service stands, by its record: the words of the command line and what they call."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import terminal
import wiring
from commands.options import Command, settings_of

if TYPE_CHECKING:
    from governance.drill import Life
    from wiring.status import Standing

NOT_WELL = 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    command(commands, "status", run_status, "live or dry, the pause, the last proof of life of each budget and link")


def run_status(options: argparse.Namespace) -> int:
    found = settings_of(options)
    return show(wiring.lives(found, os.environ), options, wiring.status(found, os.environ, datetime.now(UTC)))


def show(
    lives: Sequence[Life], options: argparse.Namespace, standing: Standing | None = None, first: Sequence[str] = ()
) -> int:
    from governance.drill import document, has_failed, lines

    told = [*first, *(standing.lines() if standing else []), *lines(lives, datetime.now(UTC))]
    feeds = standing.feeds if standing else ()
    document_of = {"budgets": document(lives), **(standing.document() if standing else {"feeds": []})}
    if first:
        document_of["sent"] = list(first)
    terminal.show_lines([*told, *(one.line() for one in feeds)], document_of, as_json=options.json)
    return NOT_WELL if has_failed(lives) or any(one.stale for one in feeds) else 0
