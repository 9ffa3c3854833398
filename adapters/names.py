"""What an object may be called in any store, so that the same names work in a folder and in a container."""

from __future__ import annotations

import re

from ledger.faults import Rejected, reject
from ledger.store import without_secret

# One segment: not empty, no backslash, no control character, no dot at the end (Azure drops it; bars '.' and '..' too).
SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}(?<!\.)")
LONGEST = 900

BLOBS = "az://"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")

# The Delta library takes a table's place for an address: behind these it would read somewhere else.
ADDRESS_MARKS = frozenset("%#?\\")


def checked(name: str) -> str:
    """The name itself; Rejected when some store could not hold it or it would leave the root."""
    if len(name) > LONGEST or not all(SEGMENT.fullmatch(segment) for segment in name.split("/")):
        raise refusal(name)
    return name


def checked_prefix(prefix: str) -> str:
    """A prefix may stop anywhere inside a name, also right after a '/'."""
    *whole, last = prefix.split("/")
    if whole:
        checked("/".join(whole))
    if last:
        checked(last.rstrip(".") if last.strip(".") else last)
    return prefix


def checked_place(path: str) -> str:
    """A store's folder or prefix, where a table can also live."""
    if marks := ADDRESS_MARKS & set(path):
        advice = f"Choose a place without {' '.join(sorted(marks))} in its path."
        raise reject(f"not a place for a store: {without_secret(path)!r}", advice, "store-url")
    return path


def checked_url(url: str) -> str:
    """A store's address: its scheme is az, or it is a folder and has none."""
    if SCHEME.match(url) and not url.startswith(BLOBS):
        advice = f"Use a folder or {BLOBS}container/prefix; the account is named by AzureWebJobsStorage."
        raise reject(f"not an address of a store: {without_secret(url)!r}", advice, "store-url")
    return url


def refusal(name: str) -> Rejected:
    """What a store answers to a name it will not hold."""
    advice = "Use relative names of plain segments separated by '/'."
    return reject(f"not an object name: {without_secret(name)[:80]!r}", advice, "object-name")
