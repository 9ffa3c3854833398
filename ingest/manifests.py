"""A manifest's bytes as one JSON object, whoever wrote it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ledger.faults import Rejected


def manifest_object(body: bytes, largest: int, broken: Callable[[str], Rejected]) -> dict[str, Any]:
    """Hostile until parsed: what is wrong with it is raised as `broken` says it."""
    if len(body) > largest:
        raise broken(f"the manifest is larger than {largest} bytes")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise broken(f"the manifest is not JSON: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise broken(f"the manifest is no JSON object but a {type(content).__name__}")
    return content
