"""An ObjectStore in a blob container, under a prefix."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.folder import disk_faults
from adapters.names import checked, checked_place, checked_prefix
from adapters.storage_account import StorageAccount, azure_faults
from ledger.faults import Conflict, Missing, reject
from ledger.store import without_secret

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, ContainerClient, StorageStreamDownloader

CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")

STREAMS = 4


class BlobStore:
    """Objects as blobs; the container is created by the first write that misses it, never by reading.

    `cache` keeps fetched files (default: a private folder below the system's temporary one). A name that `lasting`
    matches is fetched once and never asked for again: only who writes the names can know that. By default none does.
    """

    def __init__(
        self,
        account: StorageAccount,
        container: str,
        prefix: str = "",
        cache: Path | None = None,
        lasting: re.Pattern[str] | None = None,
    ) -> None:
        if not CONTAINER.fullmatch(container):
            shown = without_secret(container)
            raise reject(f"not a container name: {shown!r}", "Use 3 to 63 of a-z, 0-9 and '-'.", "store-url")
        self._lasting = lasting
        self._account = account
        self._container_name = container
        inner = checked_place(prefix.strip("/"))
        self._prefix = f"{checked(inner)}/" if inner else ""
        place = f"{account.blob_endpoint}/{container}/{self._prefix}"
        self._cache = (cache or _private_cache()) / _digest(place)
        self._client: ContainerClient | None = None

    @property
    def url(self) -> str:
        return f"az://{self._container_name}/{self._prefix}".rstrip("/")

    def read(self, name: str) -> bytes:
        with azure_faults(name):
            return self._blob(name).download_blob().readall()

    def create(self, name: str, body: bytes) -> None:
        """A lost answer may have been a success: a retry then sees its own object and raises Conflict."""
        blob = self._blob(name)
        self._write(name, lambda: blob.upload_blob(body, overwrite=False))

    def names(self, prefix: str = "") -> list[str]:
        start = self._prefix + checked_prefix(prefix)
        try:
            with azure_faults(prefix or self.url):
                found = list(self._container().list_blob_names(name_starts_with=start))
        except Missing:
            return []
        return sorted(name.removeprefix(self._prefix) for name in found)

    def put_file(self, name: str, path: Path) -> None:
        blob = self._blob(name)

        def upload() -> None:
            with path.open("rb") as file:
                blob.upload_blob(file, overwrite=True, max_concurrency=STREAMS)

        self._write(name, upload)

    def fetch(self, name: str) -> Path:
        lasting = self._lasting is not None and self._lasting.fullmatch(checked(name)) is not None
        kept = self._cache / "data" / name
        if lasting and kept.exists():
            return kept
        with azure_faults(name), disk_faults(name):
            content = self._blob(name).download_blob(max_concurrency=STREAMS)
            return _saved(content, kept if lasting else self._cache / _digest(str(content.properties.etag)) / name)

    def delete(self, name: str) -> None:
        with suppress(Missing), azure_faults(name):
            self._blob(name).delete_blob()

    def table_uri(self, name: str) -> str:
        return f"az://{self._container_name}/{self._prefix}{checked(name)}"

    def table_options(self) -> Mapping[str, str]:
        return self._account.delta_options()

    def _container(self) -> ContainerClient:
        if self._client is None:
            self._client = self._account.blobs().get_container_client(self._container_name)
        return self._client

    def _blob(self, name: str) -> BlobClient:
        return self._container().get_blob_client(self._prefix + checked(name))

    def _write(self, name: str, upload: Callable[[], object]) -> None:
        """A write can miss nothing but its container, so a miss means to create that and try once more."""
        try:
            with azure_faults(name):
                upload()
        except Missing:
            with suppress(Conflict), azure_faults(self.url):
                self._container().create_container()
            with azure_faults(name):
                upload()


def _saved(content: StorageStreamDownloader[bytes], target: Path) -> Path:
    """Written under a passing name first: a file that has its final name is whole."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{uuid.uuid4().hex}.part")
    try:
        with draft.open("wb") as file:
            content.readinto(file)
        return draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _private_cache() -> Path:
    """One folder per user, closed to others: what lies in it is read as if it came from the store."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"cloud-ledger-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != user:
        raise reject(f"the cache folder {folder} belongs to another user", "Remove or rename it.", "store-access")
    return folder
