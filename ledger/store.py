"""The one storage protocol both stories see; a folder and a blob container pass the same suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

SECRET = re.compile(r"(?i)\b(sig|accountkey|sharedaccesssignature)=[^&;\s]+")


def without_secret(url: str) -> str:
    """The address or place as it may be shown: no query, which may hold a signature, and no key."""
    return SECRET.sub(r"\1=***", url.partition("?")[0])


class ObjectStore(Protocol):
    """Named byte objects under one root; names are relative, '/'-separated, never absolute or with '..'.

    Faults of the storage itself surface as Transient; a name that is absent as Missing.
    """

    @property
    def url(self) -> str:
        """The root as the person wrote it; never holds a secret."""

    def read(self, name: str) -> bytes: ...

    def create(self, name: str, body: bytes) -> None:
        """Write a new object whole; Conflict if the name exists (atomic on both stores)."""

    def names(self, prefix: str = "") -> list[str]:
        """All names that start with prefix, sorted."""

    def put_file(self, name: str, path: Path) -> None:
        """Move or upload a local file to a name; it may replace."""

    def fetch(self, name: str) -> Path:
        """A local file with the object's bytes: the file itself, or an immutable cached copy by name and digest."""

    def delete(self, name: str) -> None:
        """Remove one object; no error when it is absent."""

    def table_uri(self, name: str) -> str:
        """Where delta-rs finds the table `name`."""

    def table_options(self) -> Mapping[str, str]:
        """delta-rs storage options; secrets stay inside."""
