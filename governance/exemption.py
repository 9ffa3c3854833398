"""Tags by which people keep a machine out: exempt (its owner's wish) and hold (hands off until a day). Pure.

Both may carry the day on which they end. What cannot be read as a day keeps the machine out all the same, and says so:
a person who wrote the tag meant it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

EXEMPT_KEY = "ledger-exempt"
HOLD_KEY = "ledger-hold"
_WORDS = {EXEMPT_KEY: "exempt", HOLD_KEY: "held"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def keeps_out(tags: Mapping[str, str], now: datetime) -> str:
    """Why such a tag forbids a stop now; empty when none is there or all of them have ended."""
    return next(_reasons(tags, now, _WORDS), "")


def held(tags: Mapping[str, str], now: datetime) -> str:
    """Why a hold forbids a start as well; an exemption is from stops alone."""
    return next(_reasons(tags, now, {HOLD_KEY: _WORDS[HOLD_KEY]}), "")


def _reasons(tags: Mapping[str, str], now: datetime, words: Mapping[str, str]) -> Iterator[str]:
    for key, word in words.items():
        for name, value in sorted(tags.items()):
            if _folded(name) != _folded(key):
                continue
            end = end_of(value)
            if end is None:
                yield f"{word} by tag {key}: {value[:40]!r} is no day, so it has no end"
            elif now < end:
                yield f"{word} by tag {key} until {value.strip()}"


def _folded(name: str) -> str:
    """Without case and separators: who wrote Ledger_Exempt or a blank behind it meant it too."""
    return re.sub(r"[\W_]+", "", name.casefold())


def end_of(value: str) -> datetime | None:
    """The instant at which the tag ends: after the whole day (UTC), or at the instant with offset; None for neither."""
    text = value.strip()
    try:
        moment = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            return datetime.combine(moment.date(), time(), UTC) + timedelta(days=1)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
