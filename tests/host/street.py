"""The app's front behind a real address: what calls it over HTTP gets what the platform would answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.host.front import Front


class Street(ThreadingHTTPServer):
    """Listens before the app is there, so that the app's settings can name it; 502 until `front` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.front: Front | None = None

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Street

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        front = self.server.front
        answer = front.request(self.path, body, headers=dict(self.headers.items())) if front else None
        self.send_response(answer.status if answer else 502)
        self.end_headers()
        self.wfile.write(answer.body if answer else b"")

    def log_message(self, *_: object) -> None:
        """Paths hold the key of the test."""


@contextmanager
def street() -> Iterator[Street]:
    with Street() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
