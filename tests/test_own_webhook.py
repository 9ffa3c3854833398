"""The call to the service's own webhook: what comes back, and that the key in its address goes nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from adapters.own_webhook import post
from ledger.faults import Rejected

SECRET = "the-function-key"


class Server(ThreadingHTTPServer):
    """Answers each call as it is told; `paths` are those that were asked for."""

    status, body, place = 202, b"{}", ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/alerts/budget?code={SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(self.server.status)
        if self.server.place:
            self.send_header("Location", self.server.place)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Paths hold the key of the test."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_the_status_and_what_is_refused_come_back(server: Server) -> None:
    assert post(server.address, b"body", {"x-ledger-drill": "signed"}) == (202, "")
    assert server.headers[0]["x-ledger-drill"] == "signed"
    server.status, server.body = 403, json.dumps({"refused": "not signed\n" + "x" * 900}).encode()
    status, reason = post(server.address, b"", {})
    assert (status, len(reason), "\n" in reason) == (403, 200, False)


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b"\xff\xfe", b'{"error": 1}'])
def test_whatever_comes_back_is_read_as_nothing_or_a_text(server: Server, body: bytes) -> None:
    server.status, server.body = 500, body
    status, reason = post(server.address, b"", {})
    assert (status, isinstance(reason, str)) == (500, True)


def test_a_redirection_is_an_answer_and_is_not_followed(server: Server) -> None:
    server.status, server.place = 302, f"http://127.0.0.1:{server.server_port}/elsewhere"
    assert post(server.address, b"", {}) == (302, "")
    assert len(server.paths) == 1


def test_where_nobody_answers_the_status_is_zero(server: Server) -> None:
    server.shutdown()
    server.server_close()
    status, reason = post(server.address, b"", {})
    assert (status, SECRET in reason, bool(reason)) == (0, False, True)


@pytest.mark.parametrize(
    "address",
    ["", "x", f"http://example.org/a?code={SECRET}", f"https://user@example.org/?code={SECRET}", "file:///etc/passwd"],
)
def test_what_is_no_address_is_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(Rejected) as refused:
        post(address, b"", {})
    assert SECRET not in str(refused.value)
