"""A blob service that is slow, cut off, busy or closed, over real sockets; and another account, with an identity."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import responses
from azure.storage.blob import ContainerClient

import wiring.sources as sources
from ingest.azure_manifests import Place
from ingest.sources.azure_blobs import TRIES, Blobs
from ingest.sources.azure_exports import AzureExports
from ledger.faults import Missing, Rejected, Transient

BODY = bytes(range(256)) * 12_000
PIECE = 1024 * 1024
ETAG = '"0x8DC"'
MD5 = base64.b64encode(hashlib.md5(BODY, usedforsecurity=False).digest()).decode()
Answer = Callable[[BaseHTTPRequestHandler, int], None]


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[Blobs, list[tuple[str, str]]]]:
    """A container on a loopback server, with range and condition of every request; `answer` gets its number."""
    asked: list[tuple[str, str]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.headers.get("x-ms-range", ""), self.headers.get("If-Match", "")))
            answer(self, len(asked))
            self.close_connection = True

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Blobs(client(server.server_port), Place("", "costs", "")), asked
        finally:
            server.shutdown()


def client(port: int) -> ContainerClient:
    """Without the product's patience, and in pieces that are smaller than the library's own."""
    patience: Any = {"retry_total": 0, "read_timeout": 1, "connection_timeout": 1}
    pieces: Any = {"max_single_get_size": PIECE, "max_chunk_get_size": PIECE}
    return ContainerClient(f"http://127.0.0.1:{port}", "costs", credential=None, **patience, **pieces)


def send(request: BaseHTTPRequestHandler, most: int, body: bytes = BODY, **headers: str) -> None:
    """What is asked for, of which at most so many bytes are sent before the connection ends."""
    first, _, last = request.headers["x-ms-range"].removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(body)), len(body) - 1)
    request.send_response(206)
    request.send_header("Content-Length", str(end + 1 - start))
    request.send_header("Content-Range", f"bytes {start}-{end}/{len(body)}")
    request.send_header("ETag", ETAG)
    request.send_header("Last-Modified", "Sat, 31 Jan 2026 00:00:00 GMT")
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body[start : min(end + 1, start + most)])
    request.wfile.flush()


def refuse(request: BaseHTTPRequestHandler, status: int, code: str) -> None:
    text = f"<Error><Code>{code}</Code><Message>sig=SECRET</Message></Error>".encode()
    request.send_response(status)
    request.send_header("x-ms-error-code", code)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)


def test_a_cut_connection_is_resumed_where_it_broke_off(tmp_path: Path) -> None:
    """The library itself asks three times for a piece before it gives up."""
    kept: Any = {"x-ms-blob-content-md5": MD5}
    with serving(lambda request, number: send(request, 0 if 2 <= number < 5 else PIECE, **kept)) as (blobs, asked):
        blobs.download("k", len(BODY), ETAG, tmp_path / "chunk")
    assert (tmp_path / "chunk").read_bytes() == BODY
    assert len(asked) > 5
    assert [start.startswith("bytes=0-") for start, _ in asked].count(True) == 1
    assert {condition for _, condition in asked} == {ETAG}


def test_a_connection_that_is_cut_again_and_again_is_left_for_later(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, 0)) as (blobs, asked), pytest.raises(Transient, match="cut"):
        blobs.download("k", len(BODY), ETAG, tmp_path / "chunk")
    assert len(asked) >= TRIES
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_not_those_of_the_md5_are_not_taken(tmp_path: Path) -> None:
    wrong = BODY[:-1] + b"x"
    kept = {"x-ms-blob-content-md5": MD5}
    with (
        serving(lambda request, _: send(request, len(wrong), wrong, **kept)) as (blobs, _),
        pytest.raises(Transient, match="MD5"),
    ):
        blobs.download("k", len(wrong), ETAG, tmp_path / "chunk")
    assert list(tmp_path.iterdir()) == []


def test_another_length_than_was_offered_is_not_taken(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, len(BODY))) as (blobs, _), pytest.raises(Transient, match="offered"):
        blobs.download("k", len(BODY) + 1, ETAG, tmp_path / "chunk")


def test_no_server_is_worth_another_try(tmp_path: Path) -> None:
    with serving(lambda request, _: send(request, 0)) as (blobs, _):
        pass
    with pytest.raises(Transient):
        blobs.download("k", 1, ETAG, tmp_path / "chunk")
    with pytest.raises(Transient):
        list(blobs.names(""))


@pytest.mark.parametrize(
    ("status", "code", "fault", "told"),
    [
        (403, "AuthorizationPermissionMismatch", Rejected, "Storage Blob Data Reader"),
        (403, "AuthorizationFailure", Rejected, "Storage Blob Data Reader"),
        (401, "NoAuthenticationInformation", Rejected, "Storage Blob Data Reader"),
        (412, "ConditionNotMet", Transient, "restated"),
        (404, "BlobNotFound", Transient, "not there any more"),
        (503, "ServerBusy", Transient, "busy"),
        (429, "TooManyRequests", Transient, "fewer requests"),
    ],
)
def test_an_answer_of_the_service_becomes_a_fault(
    status: int, code: str, fault: type[Exception], told: str, tmp_path: Path
) -> None:
    with serving(lambda request, _: refuse(request, status, code)) as (blobs, _), pytest.raises(fault) as raised:
        blobs.download("k", 1, ETAG, tmp_path / "chunk")
    assert told in str(raised.value) and "az://costs/k" in str(raised.value)
    assert "SECRET" not in str(raised.value)


def test_a_blob_that_is_not_there_is_missing() -> None:
    with serving(lambda request, _: refuse(request, 404, "BlobNotFound")) as (blobs, _), pytest.raises(Missing):
        blobs.head("k")


LISTING = f"""<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Prefix>bills/</Prefix><Blobs>
<Blob><Name>bills/readme.txt</Name><Properties><Last-Modified>Sat, 31 Jan 2026 00:00:00 GMT</Last-Modified>
<Etag>{ETAG.strip('"')}</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>
</Blobs><NextMarker /></EnumerationResults>"""
TOKEN = {"access_token": "the-token", "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"}


@responses.activate
def test_another_account_is_read_with_the_services_own_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    account = "https://acct.blob.core.windows.net"
    asked = responses.get("http://127.0.0.1:1/msi/token", json=TOKEN)
    listed = responses.get(f"{account}/costs", body=LISTING, content_type="application/xml")
    env = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi/token", "IDENTITY_HEADER": "x"}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    reader = AzureExports(lambda one: sources.blobs(one, env), f"{account}/costs/bills", lambda: datetime.now(UTC))
    with pytest.raises(Rejected, match="no manifest of a bill"):
        reader.offers()
    assert "storage.azure.com" in asked.calls[0].request.url
    assert listed.calls[0].request.headers["Authorization"] == "Bearer the-token"
