"""One spelling per value, so that a digest means the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from hashlib import sha256


def plain(value: object) -> object:
    """JSON-ready copy: Decimals as text, instants as ISO 8601, dataclasses as objects. A float raises TypeError."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    return _container(value)


def _container(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"no canonical form for {type(value).__name__}")


def canonical(value: object) -> bytes:
    """Sorted keys, no spaces, ASCII only: the bytes that are hashed."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(value: object) -> str:
    """SHA-256 of the canonical form, in hex."""
    return sha256(canonical(value)).hexdigest()
