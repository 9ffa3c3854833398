"""The emulated Resource Manager on loopback: HTTPS for the control plane, HTTP for the managed identity.

    with Arm(cloud, page_size=3) as arm:
        os.environ.update(arm.environment())

`POST /_clock {"hours": 1}` moves the cloud's clock from another process; `GET /_clock` reads it.
"""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from emulators.buckets import TokenBuckets
from emulators.certificate import write_pair
from emulators.cloud import Cloud
from emulators.control_plane import ControlPlane, Dropped, Reply, failure
from emulators.cost_management import CostManagement
from emulators.identity import ManagedIdentity

LONGEST_BODY = 64 * 1024
CLOCK_UNITS = frozenset({"days", "hours", "minutes", "seconds"})


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log, at an instant of the cloud's clock; `status` 0 means the connection was cut."""

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    at: datetime


class Arm:
    """Running while the `with` block is; ports are free ones. `requests` logs what the control plane was asked."""

    def __init__(
        self, cloud: Cloud, *, page_size: int = 50, retry_after: int = 10, buckets: TokenBuckets | None = None
    ) -> None:
        self.cloud, self.identity = cloud, ManagedIdentity()
        self.cost = CostManagement(cloud.faults)
        self.requests: list[Request] = []
        self._page_size, self._retry_after, self._buckets = page_size, retry_after, buckets
        self._stack = ExitStack()
        self.url = self.identity_url = ""
        self.ca_file = Path()

    def __enter__(self) -> Arm:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-arm-")))
        self.ca_file, key = write_pair(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        control, identity = _Server(self._control, context), _Server(self._identify)
        self.url = f"https://127.0.0.1:{control.server_port}"
        self.identity_url = f"http://127.0.0.1:{identity.server_port}/msi/token"
        self._plane = ControlPlane(
            self.cloud, self.url, page_size=self._page_size, retry_after=self._retry_after, buckets=self._buckets
        )
        for server in (control, identity):
            _run(self._stack, server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """What a process needs to find and trust this control plane, past any proxy it is set up with."""
        return {
            "LEDGER_ARM_URL": self.url,
            "LEDGER_ARM_CA": str(self.ca_file),
            "IDENTITY_ENDPOINT": self.identity_url,
            "IDENTITY_HEADER": self.identity.header,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def asked(self, ending: str, *, method: str = "") -> list[Request]:
        """The logged requests whose path ends so, without case."""
        found = (one for one in self.requests if one.path.lower().endswith(ending.lower()))
        return [one for one in found if method in ("", one.method)]

    def _control(self, handler: _Handler) -> Reply:
        url = urlsplit(handler.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if url.path == "/_clock":
            return self._clock(handler)
        status = 0
        try:
            refusal = self.identity.refusal(handler.headers.get("Authorization", ""))
            with self.cloud.lock:
                reply = refusal or self._answer(handler, url.path, query)
            status = reply.status
            return reply
        finally:
            self.requests.append(Request(handler.command, url.path, query, status, self.cloud.now))

    def _answer(self, handler: _Handler, path: str, query: Mapping[str, str]) -> Reply:
        costs = self.cost.answer(handler.command, path, query, handler.body(), self.url)
        return costs or self._plane.answer(handler.command, path, query, handler.body())

    def _identify(self, handler: _Handler) -> Reply:
        url = urlsplit(handler.path)
        header = handler.headers.get("X-IDENTITY-HEADER", "")
        return self.identity.answer(url.path, dict(parse_qsl(url.query)), header)

    def _clock(self, handler: _Handler) -> Reply:
        if handler.command == "POST":
            try:
                self.cloud.advance(_step(handler.body()))
            except (ValueError, TypeError, OverflowError) as fault:
                return failure(400, "InvalidClockStep", str(fault))
        return Reply(200, {"now": self.cloud.now.isoformat()})


class _Server(ThreadingHTTPServer):
    """One thread per connection; `answer` says what each request gets."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Callable[[_Handler], Reply], context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        if context:
            # The handshake belongs to the request's own thread: a client that dawdles must not hold up the others.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: a client that does not trust the certificate hangs up, and tests do that on purpose."""


class _Handler(BaseHTTPRequestHandler):
    """Turns a reply value into bytes; what to reply is the server's to say."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._body = self._read()
        try:
            self._send(self.server.answer(self))
        except Dropped:
            self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def body(self) -> bytes:
        return self._body

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log that counts is Arm.requests."""

    def _read(self) -> bytes:
        """Always to the end: what is left unread would be taken for the connection's next request."""
        size = int(self.headers.get("Content-Length") or 0)
        self.close_connection = self.close_connection or size > LONGEST_BODY
        return self.rfile.read(min(size, LONGEST_BODY))

    def _send(self, reply: Reply) -> None:
        body = b"" if reply.body is None else reply.body
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if content:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _run(stack: ExitStack, server: _Server) -> None:
    """Serve in the background until the stack closes."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    thread.start()


def _step(body: bytes) -> timedelta:
    """{"hours": 1} and the like; the numbers are JSON numbers."""
    wanted = json.loads(body)
    if not isinstance(wanted, dict) or not wanted or not set(wanted) <= CLOCK_UNITS:
        raise ValueError(f"a step is an object of {', '.join(sorted(CLOCK_UNITS))}")
    return timedelta(**wanted)
