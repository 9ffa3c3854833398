"""The only loader of what notices say: their kinds, with the words of each, and the form of each medium."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from governance.notices import Kind


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind of kinds.toml, in its order."""
    found = tomllib.loads(_text("kinds.toml"))
    return tuple(Kind(name, **{**entry, "lines": tuple(entry["lines"])}) for name, entry in found.items())


@cache
def form(medium: str) -> Any:
    """The JSON document of a medium, with $fields in its texts; FileNotFoundError where it has none."""
    return json.loads(_text(f"{medium}.json"))


def _text(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")
