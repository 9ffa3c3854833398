"""What all of these commands have: how one is added, whose settings it works by, and who gives it."""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Callable
from typing import Protocol

import wiring
from settings import Settings


class Command(Protocol):
    """Adds a command with the options that all have."""

    def __call__(
        self,
        commands: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        run: Callable[[argparse.Namespace], int],
        text: str,
    ) -> argparse.ArgumentParser: ...


def user() -> str:
    """Empty where the system knows no name: then it has to be given."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def steered(options: argparse.Namespace) -> tuple[Settings, str]:
    """The settings of a command that acts on a record, and the place of that record, which it has to show.

    Rejected where nobody named it and no alert ever reached it: what is meant is hardly the folder one stands in.
    """
    found, told = settings_of(options), bool(options.store or os.environ.get("LEDGER_STORE"))
    return found, wiring.meant(found, os.environ, told=told)


def settings_of(options: argparse.Namespace) -> Settings:
    return wiring.settings({**os.environ, **({"LEDGER_STORE": options.store} if options.store else {})}, options.config)
