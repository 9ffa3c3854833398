"""A bucket as a place to read from: one level of a folder, a small object, what an object is, a file to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from ingest.sources.aws_faults import aws_faults
from ingest.sources.downloads import to_disk
from ledger.faults import Missing, Transient, reject

CHUNK = 1024 * 1024
TRIES = 4  # connections that one file may take: cut ones are resumed where they broke off
PAGES = 100  # of one folder's listing, 1,000 names each

Clients = Callable[[str, str], Any]
"""(service, region) -> a client of boto3; an empty region means the session's own."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One level: `folders` without the '/' at their end, `keys` whole."""

    folders: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What an object is; `written` (UTC) has whole seconds."""

    size: int
    version: str
    written: datetime


@dataclass(slots=True)
class Draft:
    """A file being filled, with the MD5 of what it holds."""

    stream: BinaryIO
    held: int = 0
    digest: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    def add(self, chunk: bytes) -> None:
        self.stream.write(chunk)
        self.digest.update(chunk)
        self.held += len(chunk)


class Bucket:
    """Reads only. Faults: Transient, Rejected, Missing."""

    def __init__(self, client: Any, name: str, owner: str = "") -> None:
        self._client = client
        self._place = {"Bucket": name} | ({"ExpectedBucketOwner": owner} if owner else {})
        self.name = name

    def folder(self, prefix: str) -> Listing:
        """The one level below `prefix`, which is empty or ends with '/'."""
        folders: list[str] = []
        keys: list[str] = []
        more: dict[str, str] = {}
        for _ in range(PAGES):
            with aws_faults(self._named(prefix)):
                page = self._client.list_objects_v2(**self._place, Prefix=prefix, Delimiter="/", **more)
            folders += [item["Prefix"].removeprefix(prefix)[:-1] for item in page.get("CommonPrefixes", [])]
            keys += [item["Key"] for item in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return Listing(tuple(folders), tuple(keys))
            more = {"ContinuationToken": page["NextContinuationToken"]}
        text = f"{self._named(prefix)} holds more than {PAGES * 1000} names"
        raise reject(text, "Point the location at the export's own S3 prefix.", "s3-location")

    def small(self, key: str, limit: int) -> tuple[bytes, datetime]:
        """An object's bytes, at most `limit` + 1 of them, and when it was written."""
        with aws_faults(self._named(key)):
            answer = self._client.get_object(**self._place, Key=key)
            with closing(answer["Body"]) as body:
                return body.read(limit + 1), answer["LastModified"]

    def head(self, key: str) -> Head:
        with aws_faults(self._named(key)):
            answer = self._client.head_object(**self._place, Key=key)
        return Head(answer["ContentLength"], answer["ETag"], answer["LastModified"])

    def download(self, key: str, size: int, version: str, target: Path) -> None:
        """Exactly this version, written under a passing name first: a file that has its final name is whole."""
        with to_disk(target, self._named(key)) as stream:
            self._fill(key, size, version, Draft(stream))

    def _fill(self, key: str, size: int, version: str, draft: Draft) -> None:
        for _ in range(TRIES):
            answer = self._opened(key, size - draft.held, version, draft.held)
            cut = self._read(answer["Body"], draft, key)
            if not cut and draft.held == size:
                return self._check(key, version, draft, answer.get("ServerSideEncryption", "AES256"))
        text = f"{self._named(key)}: the connection was cut {TRIES} times, {draft.held} of {size} bytes came"
        raise Transient(text)

    def _opened(self, key: str, expected: int, version: str, start: int) -> Any:
        """The answer whose body is what is still missing of this very version."""
        wanted = {"Range": f"bytes={start}-"} if start else {}
        try:
            with aws_faults(self._named(key)):
                answer = self._client.get_object(**self._place, Key=key, IfMatch=version, **wanted)
        except Missing as gone:
            raise Transient(f"{gone} any more: it was restated while it was being read") from gone
        if answer["ContentLength"] != expected:
            found = answer["ContentLength"]
            raise Transient(f"{self._named(key)}: {found} bytes are offered where {expected} are expected")
        return answer

    def _read(self, body: Any, draft: Draft, key: str) -> bool:
        """Whether the connection broke off; what came before is kept."""
        from botocore.exceptions import ConnectionError, HTTPClientError, IncompleteReadError

        try:
            with aws_faults(self._named(key)), closing(body):
                for chunk in body.iter_chunks(CHUNK):
                    draft.add(chunk)
        except Transient as fault:
            if isinstance(fault.__cause__, (ConnectionError, HTTPClientError, IncompleteReadError)):
                return True
            raise
        return False

    def _check(self, key: str, version: str, draft: Draft, encryption: str) -> None:
        """The ETag of an object that was written in one part, without a key of one's own, is its MD5."""
        told = version.strip('"')
        plain = encryption == "AES256" and len(told) == 32 and "-" not in told
        if plain and told != draft.digest.hexdigest():
            raise Transient(f"{self._named(key)}: it arrived damaged, its MD5 is another one")

    def _named(self, key: str) -> str:
        return f"s3://{self.name}/{key}"
