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


def settings_of(options: argparse.Namespace) -> Settings:
    return wiring.settings({**os.environ, **({"LEDGER_STORE": options.store} if options.store else {})}, options.config)
