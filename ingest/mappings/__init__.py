"""The only loader of the mapping files: shapes, SQL and lookup tables beside this module."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def text(name: str) -> str:
    """One mapping file as text."""
    return (files(__name__) / name).read_text(encoding="utf-8")


@cache
def shape_entries() -> tuple[dict[str, Any], ...]:
    """Every `<shape>.json`, sorted by shape name."""
    names = sorted(entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".json"))
    return tuple(json.loads(text(name)) for name in names)


def table_path(name: str) -> str:
    """Where the lookup table `<name>.csv` lies on disk."""
    return str(files(__name__) / f"{name}.csv")


@cache
def table_names() -> tuple[str, ...]:
    return tuple(sorted(entry.name[:-4] for entry in files(__name__).iterdir() if entry.name.endswith(".csv")))
