"""What notices are sent to: loopback servers that keep what they get and answer as told."""

from __future__ import annotations

import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from emulators.certificate import write_pair


@dataclass
class Inbox:
    """`answers` are given first come first served, then 202; `hold` keeps every caller waiting until it is set."""

    url: str = ""
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    answers: deque[tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    hold: threading.Event | None = None
    drip: bool = False

    def bodies(self) -> list[bytes]:
        return [body for _, _, body in self.got]


@contextmanager
def inbox(folder: Path | None = None, path: str = "/hook?sig=top-secret") -> Iterator[Inbox]:
    """A webhook's end; over TLS, with a certificate in the folder, when one is given."""
    found = Inbox()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    server.daemon_threads = True
    scheme = "http"
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*write_pair(folder))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    found.url = f"{scheme}://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        if found.hold:
            found.hold.set()
        found.drip = False
        server.shutdown()
        server.server_close()


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.got.append((self.path, dict(self.headers), body))
            if inbox.hold:
                inbox.hold.wait(60)
            if inbox.drip:
                self._drip()
                return
            status, headers = inbox.answers.popleft() if inbox.answers else (202, {})
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def _drip(self) -> None:
            """A byte of a header now and then, for ever: each read of the client succeeds."""
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while inbox.drip:
                    self.wfile.write(b"x")
                    threading.Event().wait(0.05)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            return

    return Handler
