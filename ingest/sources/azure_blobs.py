"""A blob container as a place to read from: what lies below a prefix, a small blob, a file to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ingest.azure_manifests import Place
from ingest.sources.azure_faults import azure_faults
from ingest.sources.downloads import Pace, PacedBody, to_disk
from ledger.faults import Missing, Transient, reject

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, ContainerClient

TRIES = 4  # connections that one file may take: cut ones are resumed where they broke off
MOST_NAMES = 200_000  # below one prefix
ROLE = "Storage Blob Data Reader"
CUT = (None, 200, 206)  # statuses of an answer that began well, or never came


@dataclass(frozen=True, slots=True)
class Head:
    """What a blob is; `written` (UTC) has whole seconds, `md5` is empty where Azure keeps none."""

    size: int
    version: str
    written: datetime
    md5: bytes = b""


@dataclass(slots=True)
class Draft:
    """A file being filled, with the MD5 of what it holds and, once Azure has told it, the one it has to have."""

    stream: BinaryIO
    held: int = 0
    digest: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    expected: bytes = b""

    def add(self, chunk: bytes) -> None:
        self.stream.write(chunk)
        self.digest.update(chunk)
        self.held += len(chunk)


class Blobs:
    """Reads only. Faults: Transient, Rejected, Missing."""

    def __init__(self, client: ContainerClient, place: Place, pace: Callable[[], Pace] = Pace) -> None:
        self._client, self._place, self._pace = client, place, pace

    def names(self, prefix: str) -> Iterator[tuple[str, Head]]:
        """Every blob below the prefix with what it is, as the listing goes on. Rejected where there is no container."""
        with self._container(prefix):
            for count, found in enumerate(self._client.list_blobs(name_starts_with=prefix)):
                if count >= MOST_NAMES:
                    raise _too_many(self._place.label(prefix))
                yield found.name, _head(found)

    def head(self, name: str) -> Head:
        with azure_faults(self._place.label(name), ROLE):
            return _head(self._client.get_blob_client(name).get_blob_properties())

    def small(self, name: str, head: Head, limit: int) -> bytes:
        """At most `limit` + 1 bytes of this very version."""
        if not head.size:
            return b""
        with self._gone(name), azure_faults(self._place.label(name), ROLE):
            return bytes(self._opened(name, head.version, 0, limit + 1).readall())

    def download(self, name: str, size: int, version: str, target: Path) -> None:
        """Exactly this version, written under a passing name first: a file that has its final name is whole."""
        with to_disk(target, self._place.label(name)) as stream, self._gone(name):
            self._fill(name, size, version, Draft(stream))

    def _fill(self, name: str, size: int, version: str, draft: Draft) -> None:
        for _ in range(TRIES):
            with azure_faults(self._place.label(name), ROLE):
                self._read(name, size, version, draft)
            if draft.held == size:
                return self._check(name, draft)
        text = f"{self._place.label(name)}: the connection was cut {TRIES} times, {draft.held} of {size} bytes came"
        raise Transient(text)

    def _read(self, name: str, size: int, version: str, draft: Draft) -> None:
        """What comes of the rest of this version; where the connection breaks, what came before is kept."""
        from azure.core.exceptions import AzureError

        try:
            answer = self._opened(name, version, draft.held or None)
            if answer.size != size - draft.held:
                raise Transient(f"{answer.size} bytes are offered where {size - draft.held} are expected")
            draft.expected = bytes(answer.properties.content_settings.content_md5 or b"")
            for chunk in answer.chunks():
                draft.add(chunk)
        except AzureError as error:
            if getattr(error, "status_code", None) not in CUT:
                raise

    def _opened(self, name: str, version: str, start: int | None, length: int | None = None) -> Any:
        """As it is stored: a file that is kept packed is not unpacked on the way."""
        from azure.core import MatchConditions

        blob, same, pace = self._client.get_blob_client(name), MatchConditions.IfNotModified, self._pace()
        held: dict[str, Any] = {"etag": version, "match_condition": same, "decompress": False}
        return blob.download_blob(start, length, **held, raw_response_hook=partial(_paced, pace))

    def _check(self, name: str, draft: Draft) -> None:
        if draft.expected and draft.expected != draft.digest.digest():
            raise Transient(f"{self._place.label(name)}: it arrived damaged, its MD5 is another one")

    @contextmanager
    def _gone(self, name: str) -> Iterator[None]:
        try:
            yield
        except Missing as gone:
            text = f"{self._place.label(name)}: it is not there any more: another run of the export is under way"
            raise Transient(text) from gone

    @contextmanager
    def _container(self, prefix: str) -> Iterator[None]:
        try:
            with azure_faults(self._place.label(prefix), ROLE):
                yield
        except Missing as gone:
            advice = "Check the container's name in `location`, and that it lies in this storage account."
            text = f"there is no such container: {self._place.container}"
            raise reject(text, advice, "no-such-container") from gone


def _paced(pace: Pace, answer: Any) -> None:
    found = answer.http_response.internal_response
    found.raw = PacedBody(found.raw, pace)


def _head(found: BlobProperties) -> Head:
    """A listing writes an ETag without the quotes that a condition needs."""
    version = str(found.etag)
    quoted = version if version.startswith('"') else f'"{version}"'
    return Head(found.size, quoted, found.last_modified, bytes(found.content_settings.content_md5 or b""))


def _too_many(place: str) -> Exception:
    advice = "Point the location at the export's own folder, or remove old runs of exports."
    return reject(f"{place} holds more than {MOST_NAMES} blobs", advice, "location")
