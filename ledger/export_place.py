"""Where an export goes: written aside, then put in place: a folder by one rename, a store by its list of files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ledger.faults import Missing, Rejected, reject
from ledger.metadata_files import FOLDER, NAMES, metadata_beside
from ledger.store import ObjectStore

LIST = "export.json"  # names every file of an export; a folder with it may be replaced by the next one
KIND = "focus-export"


class Place(Protocol):
    """A place for one export; `stamp` goes before the names of data files that must not collide with earlier ones."""

    stamp: str

    def earlier(self) -> Mapping[str, object]:
        """Metadata of the export that lies here, empty when the place is; Rejected when it holds anything else."""

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A local folder to write into, which is gone afterwards."""

    def publish(self, draft: Path) -> None:
        """Put the draft where readers look, in place of an earlier export."""


def place(out: str, opened: Callable[[str], ObjectStore], now: datetime) -> Place:
    """A folder, or what an address like az://container/prefix opens."""
    return StorePlace(opened(out), f"{now:%Y%m%dT%H%M%SZ}-") if "://" in out else FolderPlace(Path(out))


class FolderPlace:
    """A folder that need not exist yet; between two renames a reader finds none, never half of one."""

    stamp = ""

    def __init__(self, out: Path) -> None:
        self._given, self._out = str(out), out.expanduser().resolve()

    def earlier(self) -> Mapping[str, object]:
        if not self._out.exists():
            return {}
        listed = self._out / LIST
        ours = listed.is_file() and _is_ours(listed.read_bytes())
        if not ours and (not self._out.is_dir() or any(self._out.iterdir())):
            raise _foreign(self._given)
        return (metadata_beside(self._out) or {}) if ours else {}

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """On the file system of the place itself, so that renaming is enough."""
        with written(self._given):
            self._out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{self._out.name}-", dir=self._out.parent) as aside:
                new = Path(aside, "new")
                new.mkdir()
                yield new

    def publish(self, draft: Path) -> None:
        old = draft.with_name("old")
        with written(self._given):
            if self._out.exists():
                self._out.rename(old)
            try:
                draft.rename(self._out)
            except OSError:
                if old.exists():
                    old.rename(self._out)
                raise


class StorePlace:
    """A container or prefix: data under new names, then metadata, last the list; then what it does not name goes."""

    def __init__(self, store: ObjectStore, stamp: str) -> None:
        self._store, self.stamp = store, stamp

    def earlier(self) -> Mapping[str, object]:
        if not (names := self._store.names()):
            return {}
        if LIST not in names or not _is_ours(self._store.read(LIST)):
            raise _foreign(self._store.url)
        try:
            return dict(json.loads(self._store.read(f"{FOLDER}/{NAMES['Schema']}")))
        except (Missing, ValueError):
            return {}

    @contextmanager
    def draft(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="ledger-export-") as aside, written(aside):
            yield Path(aside)

    def publish(self, draft: Path) -> None:
        before = set(self._store.names())
        files = {path.relative_to(draft).as_posix(): path for path in draft.rglob("*") if path.is_file()}
        for name in sorted(files, key=lambda name: (name == LIST, name.startswith(FOLDER), name)):
            self._store.put_file(name, files[name])
        for name in sorted(before - set(files)):
            self._store.delete(name)


@contextmanager
def written(label: str) -> Iterator[None]:
    """What the system refuses is told to the person, with the place."""
    try:
        yield
    except OSError as error:
        advice = "Check that the folder may be written to and that there is room."
        raise reject(f"cannot be written: {error.strerror or error}", advice, "export-place", file=label) from error


def _is_ours(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("kind") == KIND


def _foreign(label: str) -> Rejected:
    advice = "Nothing was written. Name a new or empty folder, or one that an export wrote."
    return reject("holds something else than an earlier export", advice, "export-place", file=label)
