"""Blobs behind links that carry their own right to read: fetched to disk with nothing of ours in the request.

Through the standard library alone: it neither signs in, nor logs an address.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from ingest.cost_reports import AGAIN, RULE, Blob, refuse_link
from ingest.sources.azure_patience import Wait, longest
from ingest.sources.downloads import Pace, to_disk
from ledger.faults import Missing, Transient, reject

CHUNK = 1024 * 1024
TRIES = 4  # connections that one blob may take: cut ones are resumed where they broke off
TIMEOUT = 60
BUSY = frozenset({408, 429, 500, 502, 503, 504})
GONE = frozenset({401, 403, 404, 410})
CHANGED = frozenset({412, 416})
# What urllib raises is an OSError, too; the last two are for hosts and ports that cannot be.
BROKEN = (OSError, HTTPException, ValueError, OverflowError)


class _Here(HTTPRedirectHandler):
    """A redirect is an answer like any other: nothing is asked anywhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(slots=True)
class _Draft:
    stream: BinaryIO
    pace: Pace
    held: int = 0
    version: str = ""

    def restart(self) -> None:
        if self.held:
            self.stream.seek(0)
            self.stream.truncate()
        self.held = 0


class Links:
    """`trust` is a file of certificates beside the public ones. Faults: Transient, Rejected, Missing (no longer good).

    No fault is chained to the library's own error, whose text may hold the address.
    """

    def __init__(self, wait: Wait, trust: str | None = None, pace: Callable[[], Pace] = Pace) -> None:
        self._wait, self._trust, self._pace = wait, trust, pace
        self._opener: OpenerDirector | None = None

    def fetch(self, blob: Blob, what: str, target: Path) -> None:
        """Exactly as many bytes as the manifest says; a file that has its final name is whole."""
        refuse_link(blob.link, what)
        with to_disk(target, what) as stream:
            self._fill(blob, what, _Draft(stream, self._pace()))

    def _fill(self, blob: Blob, what: str, draft: _Draft) -> None:
        for number in range(TRIES):
            asked = self._once(blob, what, draft)
            if draft.held == blob.size:
                return
            if draft.held > blob.size:
                raise Transient(f"{what}: it is longer than the {blob.size} bytes that the manifest says")
            if number + 1 < TRIES:
                self._wait(min(asked or 2**number, TIMEOUT))
        raise Transient(f"{what}: {draft.held} of {blob.size} bytes came in {TRIES} connections")

    def _once(self, blob: Blob, what: str, draft: _Draft) -> int:
        """As much as comes over one connection; the seconds that are asked for before the next, 0 where none are."""
        try:
            answer = self._opened(blob, draft)
        except HTTPError as error:
            error.close()
            status, asked = error.code, longest(dict(error.headers or {}))
        except BROKEN:
            return 0
        else:
            with closing(answer):
                _read(answer, blob, what, draft)
            return 0
        _judge(status, what)
        if status not in BUSY:
            draft.restart()
        return asked

    def _opened(self, blob: Blob, draft: _Draft) -> HTTPResponse:
        resumed = {"Range": f"bytes={draft.held}-", "If-Match": draft.version} if draft.held and draft.version else {}
        if self._opener is None:
            context = ssl.create_default_context()
            if self._trust:
                context.load_verify_locations(self._trust)
            self._opener = build_opener(HTTPSHandler(context=context), _Here())
        answer: HTTPResponse = self._opener.open(Request(blob.link, headers=resumed), timeout=TIMEOUT)
        return answer


def _read(answer: HTTPResponse, blob: Blob, what: str, draft: _Draft) -> None:
    """To its end, to where the connection breaks off, or until there is more than the manifest says."""
    if answer.status != 206 or not (answer.headers.get("Content-Range") or "").startswith(f"bytes {draft.held}-"):
        draft.restart()
        if answer.status != 200:
            return
    draft.version = answer.headers.get("ETag") or ""
    draft.pace.begin()
    for chunk in _chunks(answer):
        draft.stream.write(chunk)
        draft.held += len(chunk)
        if draft.held > blob.size:
            return
        _timed(draft.pace, len(chunk), what)


def _timed(pace: Pace, size: int, what: str) -> None:
    try:
        pace.came(size)
    except Transient as slow:
        raise Transient(f"{what}: {slow}") from None


def _chunks(answer: HTTPResponse) -> Iterator[bytes]:
    """As they come: whoever waits for a whole chunk does not notice that it only trickles."""
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except BROKEN:
            return
        if not chunk:
            return
        yield chunk


def _judge(status: int, what: str) -> None:
    """What neither passes with time nor starts the blob over."""
    if status in GONE:
        raise Missing(f"{what}: its link is no longer good ({status})")
    if status not in (*BUSY, *CHANGED):
        raise reject(f"{what}: the link to a part of it answers {status}", AGAIN, RULE)
