"""Downloads onto a full disk, and from servers that only trickle, over real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulators.blob_links import Blobs as LinkedBlobs
from ingest.azure_manifests import Place
from ingest.cost_reports import Blob
from ingest.sources.azure_blobs import Blobs
from ingest.sources.azure_links import Links
from ingest.sources.downloads import Pace, to_disk
from ledger.faults import Transient
from tests.ingest.test_azure_blobs import BODY, ETAG, client, send, serving

QUICK = partial(Pace, window=0.3, floor=10_000)


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A name whose file lies on a device that is full."""
    (tmp_path / "bill.part").symlink_to("/dev/full")
    return tmp_path / "bill"


def nothing_is_left(target: Path) -> bool:
    return list(target.parent.iterdir()) == []


def test_a_blob_for_which_there_is_no_room_comes_later_and_leaves_nothing(full: Path) -> None:
    told = "az://costs/bill: there is no room left for it on disk"
    whole = serving(lambda request, _number: send(request, len(BODY)))
    with whole as (blobs, _), pytest.raises(Transient, match=told):
        blobs.download("bill", len(BODY), ETAG, full)
    assert nothing_is_left(full)


@pytest.mark.parametrize("content", [b"x" * 3_000_000, b"few"], ids=["while-writing", "at-the-end"])
def test_a_linked_part_for_which_there_is_no_room_comes_later(full: Path, content: bytes) -> None:
    with LinkedBlobs() as host:
        links, blob = Links(lambda _seconds: None, str(host.ca_file)), Blob(host.put(content), len(content))
        with pytest.raises(Transient, match="part 1: there is no room left") as caught:
            links.fetch(blob, "part 1", full)
    assert "sig=" not in str(caught.value) and nothing_is_left(full)


def test_other_faults_of_the_disk_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), to_disk(tmp_path / "none" / "bill", "bill"):
        pass


@contextmanager
def trickling() -> Iterator[int]:
    """The port of a server whose every answer is long, and comes byte by byte."""
    stopped = threading.Event()

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                send(self, 1)
                while not stopped.wait(0.02):
                    self.wfile.write(b"x")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            stopped.set()
            server.shutdown()


def test_a_blob_that_only_trickles_comes_later(tmp_path: Path) -> None:
    started = time.monotonic()
    with trickling() as port, pytest.raises(Transient, match=r"az://costs/bill: it only trickles: \d+ bytes"):
        Blobs(client(port), Place("", "costs", ""), QUICK).download("bill", len(BODY), ETAG, tmp_path / "bill")
    assert time.monotonic() - started < 10 and nothing_is_left(tmp_path / "bill")


def test_a_linked_part_that_only_trickles_comes_later(tmp_path: Path) -> None:
    started, content = time.monotonic(), b"x" * 100_000
    with LinkedBlobs() as host:
        host.seconds_a_byte = 0.02
        links = Links(lambda _seconds: None, str(host.ca_file), QUICK)
        with pytest.raises(Transient, match=r"part 1: it only trickles: \d+ bytes") as caught:
            links.fetch(Blob(host.put(content), len(content)), "part 1", tmp_path / "bill")
    assert time.monotonic() - started < 10 and nothing_is_left(tmp_path / "bill")
    assert "sig=" not in str(caught.value)


def test_each_window_is_judged_by_itself_and_a_short_one_not_at_all() -> None:
    now = [0.0]
    pace = Pace(window=10, floor=100, clock=lambda: now[0])
    pace.came(1)
    now[0] = 9.9
    pace.came(1)
    now[0] = 10
    pace.came(998)
    now[0] = 20
    with pytest.raises(Transient, match="999 bytes came in 10 s"):
        pace.came(999)
