"""Files as a source: single files, folders and blob prefixes, brought to local disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.staging import Collected, LocalFile, looks_like_data
from ledger.faults import reject
from ledger.store import ObjectStore, without_secret


def collect(locations: Sequence[str], open_store: Callable[[str], ObjectStore]) -> Collected:
    """Every file of the locations, in a stable order; a blob prefix is read through the store of its container."""
    files: list[LocalFile] = []
    ignored: list[str] = []
    for location in locations:
        found = _blobs(location, open_store) if location.startswith("az://") else _local(location)
        files += [file for file in found if file.named or looks_like_data(file.label)]
        ignored += [file.label for file in found if not (file.named or looks_like_data(file.label))]
    return Collected(tuple(files), tuple(ignored))


def _local(location: str) -> list[LocalFile]:
    path = Path(location)
    if path.is_dir():
        inner = sorted(entry for entry in path.rglob("*") if entry.is_file() and not _hidden(entry, path))
        return [LocalFile(entry, _shown(entry), named=False) for entry in inner]
    if path.is_file():
        return [LocalFile(path, _shown(path), named=True)]
    raise reject("there is no such file or folder", "Check the path.", "no-such-file", file=without_secret(location))


def _shown(path: Path) -> str:
    """The name as text, also where the system's own name is none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _hidden(entry: Path, root: Path) -> bool:
    return any(part.startswith((".", "_")) for part in entry.relative_to(root).parts)


def _blobs(location: str, open_store: Callable[[str], ObjectStore]) -> list[LocalFile]:
    container, _, prefix = location.removeprefix("az://").partition("/")
    store = open_store(f"az://{container}")
    names = [
        name
        for name in store.names(prefix)
        if name == prefix or name.startswith(prefix.rstrip("/") + "/" if prefix else "")
    ]
    if not names:
        advice, shown = "Check the container and the prefix.", without_secret(location)
        raise reject("there is no blob under this name", advice, "no-such-file", file=shown)
    return [LocalFile(store.fetch(name), f"az://{container}/{name}", named=name == prefix) for name in names]
