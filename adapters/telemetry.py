"""Structured log events: one JSON object a line, through `logging`, which the host hands to its log store."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

_LOG = logging.getLogger("ledger")
_OWN = "ledger.faults"


def event(name: str, **fields: object) -> None:
    """Something happened as it should."""
    _LOG.info(_line(name, fields))


def alarm(name: str, **fields: object) -> None:
    """Somebody has to look: the infrastructure alerts on these by name."""
    _LOG.error(_line(name, fields))


def failed(name: str, fault: BaseException, **fields: object) -> None:
    """Something did not happen. Only our own faults are quoted: a stranger's text may hold a connection string."""
    _LOG.error(_line(name, {**fields, **described(fault)}))


def described(fault: BaseException) -> dict[str, object]:
    """Type and place of a fault, with its text if one of our edges wrote it."""
    told = type(fault).__module__ == _OWN
    return {"fault": type(fault).__name__, "where": _innermost(fault), **({"text": str(fault)} if told else {})}


def _innermost(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _line(name: str, fields: dict[str, object]) -> str:
    return json.dumps({"event": name, **fields}, default=str)
