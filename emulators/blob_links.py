"""Blobs on a host of their own over HTTPS, for whoever has the link: its query is the right to read, no token is.

with Blobs() as blobs:
    link = blobs.put(b"...")
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from emulators.certificate import write_pair


@dataclass(slots=True)
class Blobs:
    """`got` holds the headers of every request. `cut` connections break off half way, `answers` come before any blob;
    a link that is `expired` is refused; `seconds_a_byte` lets bodies trickle.
    """

    held: dict[str, bytes] = field(default_factory=dict)
    got: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    cut: int = 0
    seconds_a_byte: float = 0
    url: str = ""
    ca_file: Path = Path()
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Blobs:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-blobs-")))
        self.ca_file, key = write_pair(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        server = _Server(("127.0.0.1", 0), _Handler)
        server.blobs = self
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._stack.callback(thread.join)
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def put(self, content: bytes) -> str:
        """Its link, which is a secret."""
        path = f"/reports/{secrets.token_hex(8)}.csv?sv=2024-11-04&sp=r&sig={secrets.token_urlsafe(24)}"
        self.held[path] = content
        return f"{self.url}{path}"

    def expire(self) -> None:
        """All links that were given out so far."""
        self.expired |= set(self.held)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    blobs: Blobs

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        blobs = self.server.blobs
        blobs.got.append(dict(self.headers.items()))
        content = blobs.held.get(self.path)
        if blobs.answers:
            self._answer(*blobs.answers.pop(0))
        elif content is None or self.path in blobs.expired or self.headers.get("Authorization"):
            self._answer(403 if content is not None else 404, {})
        else:
            self._blob(content)

    def _blob(self, content: bytes) -> None:
        """Whole, or what the range leaves of this very version."""
        blobs, version = self.server.blobs, f'"{len(content)}-{hash(content) & 0xFFFFFF:x}"'
        if self.headers.get("If-Match", version) != version:
            return self._answer(412, {})
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        told = {"ETag": version} | (
            {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        )
        rest = content[start:]
        shown = rest[: len(rest) // 2] if blobs.cut > 0 else rest
        self._head(206 if start else 200, len(rest), told)
        self._body(shown)
        if blobs.cut > 0:
            blobs.cut -= 1
            self.close_connection = True
        return None

    def _body(self, shown: bytes) -> None:
        pause = self.server.blobs.seconds_a_byte
        for place in range(0, len(shown), 1 if pause else len(shown)):
            self.wfile.write(shown[place : place + 1] if pause else shown)
            time.sleep(pause)

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self._head(status, 0, headers)

    def _head(self, status: int, size: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(size)}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a link is in every line."""
