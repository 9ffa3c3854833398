"""The only loader of the specification's data files."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """The parsed JSON of one data file of this folder; FileNotFoundError if there is none."""
    return json.loads((files(__name__) / name).read_text(encoding="utf-8"))
