"""The one table that turns the engine's errors into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.faults import Rejected, Transient, reject

_FULL = ("No space left", "Could not write")
_OVERFLOW = "Overflow in HUGEINT addition"


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Whatever the engine cannot do with this file is a Rejected that names it; a full machine is a Transient."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise told(error, label) from error


def told(error: Exception, label: str) -> Rejected | Transient:
    """An engine's error by what the caller must do."""
    import duckdb

    shown = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
    if isinstance(error, duckdb.OutOfMemoryException) or any(mark in str(error) for mark in _FULL):
        return Transient(f"memory or disk ran out while reading {label}: {shown}")
    if isinstance(error, duckdb.OutOfRangeException) and _OVERFLOW in str(error):
        text = "its amounts come to more than the ledger holds in one sum: fourteen digits before the point"
        advice = "Check the file for a corrupted amount. A month that truly comes to so much cannot be held."
        return reject(text, advice, "sum-out-of-range", file=label)
    if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
        advice = "Check the file for a corrupted row; export it again rather than editing it."
        return reject(f"a value does not fit its column ({shown})", advice, "unreadable-value", file=label)
    advice = "Download it again and compare its size with the source."
    return reject(f"the file cannot be read; it may be damaged ({shown})", advice, "unreadable-file", file=label)
