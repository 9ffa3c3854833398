"""The only loader of the mapping files: shapes, SQL, identities and tables beside this module and in focus.upgrade."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from importlib.resources import files
from typing import Any

from focus import upgrade

IDENTITIES = ".identities.json"
PRICES = ".prices.json"  # the shape of a price sheet, which is no bill
COMPANION = ".companion.json"  # the shape of what else stands beside a bill


@cache
def text(name: str) -> str:
    """One mapping file as text."""
    return upgrade.text(name) if name in upgrade.names() else (files(__name__) / name).read_text(encoding="utf-8")


@cache
def shape_entries() -> tuple[dict[str, Any], ...]:
    """Every `<shape>.json`, sorted by shape name."""
    shapes = (
        name for name in _names() if name.endswith(".json") and not name.endswith((IDENTITIES, PRICES, COMPANION))
    )
    return tuple(json.loads(text(name)) for name in shapes)


@cache
def price_sheet_entry() -> dict[str, Any]:
    """The one shape of price sheets."""
    [name] = (name for name in _names() if name.endswith(PRICES))
    return {**json.loads(text(name)), "files": [name]}


@cache
def companion_entries() -> tuple[dict[str, Any], ...]:
    """Every shape of a companion, sorted by its name, which is that of its table too."""
    named = (name for name in _names() if name.endswith(COMPANION))
    return tuple({"rows_sql": _beside(name), **json.loads(text(name)), "files": [name]} for name in named)


@cache
def identity_entry(select: str) -> dict[str, Any]:
    """What must hold for the rows of that SELECT: `<its name>.identities.json`, empty where there is none."""
    name = select.removesuffix(".sql") + IDENTITIES
    return json.loads(text(name)) if name in _names() else {}


def table_path(name: str) -> str:
    """Where the lookup table `<name>.csv` lies on disk."""
    file = f"{name}.csv"
    return upgrade.path(file) if file in upgrade.names() else str(files(__name__) / file)


def table_rows(name: str) -> list[dict[str, str]]:
    """The rows of a lookup table by its header."""
    return list(csv.DictReader(io.StringIO(text(f"{name}.csv"))))


@cache
def table_names() -> tuple[str, ...]:
    return tuple(name[:-4] for name in _names() if name.endswith(".csv"))


def _beside(name: str) -> str:
    """The SQL of a companion, which has no rows of its own."""
    return name.removesuffix(COMPANION) + ".sql"


def _names() -> list[str]:
    return sorted([*(entry.name for entry in files(__name__).iterdir()), *upgrade.names()])
