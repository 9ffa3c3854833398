"""One object that is written anew now and then, in a store that creates and never overwrites: by numbers, the newest
counts.

For aids that can be made again. Two writers at once: one of them is first, the other hears Conflict and loses nothing.
"""

from __future__ import annotations

from ledger.store import ObjectStore


def newest(store: ObjectStore, root: str) -> tuple[int, bytes] | None:
    """Number and bytes; None where there is none. `root` ends with '/'."""
    names = store.names(root)
    return (_number(names[-1]), store.read(names[-1])) if names else None


def follow(store: ObjectStore, root: str, number: int, body: bytes) -> int:
    """Write the one after `number`, and take that away; 0 where there was none."""
    store.create(f"{root}{number + 1:09d}.json", body)
    if number:
        store.delete(f"{root}{number:09d}.json")
    return number + 1


def _number(name: str) -> int:
    return int(name.rpartition("/")[2].removesuffix(".json"))
