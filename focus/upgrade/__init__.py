"""The only loader of the upgrade files: FOCUS exports of older versions to 1.3, and the names of their parties."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def names() -> tuple[str, ...]:
    """The data files beside this module: shapes, SQL and lookup tables."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name for name in found if name.endswith((".csv", ".json", ".sql"))))


@cache
def text(name: str) -> str:
    """One of them as text."""
    return (files(__name__) / name).read_text(encoding="utf-8")


def path(name: str) -> str:
    """Where it lies on disk."""
    return str(files(__name__) / name)


@cache
def parties() -> tuple[dict[str, str], ...]:
    """The names under which companies appear in bills: name, entity, provider, kind (brand or company)."""
    return tuple(csv.DictReader(text("focus_parties.csv").splitlines()))
