"""A terminal of its own for each of several commands at once; `spawn` hands it plain values."""

from __future__ import annotations

import os
from typing import Any

import cli


def ingest(words: list[str], env: dict[str, str], gate: Any) -> None:
    """Exit code of the command; it starts when everybody is ready."""
    os.environ.update(env)
    gate.wait(60)
    raise SystemExit(cli.main(["ingest", "--json", *words]))
