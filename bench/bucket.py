"""A delivery of many chunks in a bucket against the same files at hand; `python -m bench.bucket [CHUNKS]` alone.

The bucket is moto's, on this machine: how long a chunk takes to arrive is told without a target, as it is the server's
own doing. What has one is the disk: chunks are let go again, so the most that is here at one time is bounded.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from bench.gen import cur2
from bench.launch import Cost, cost

DATA = Path(__file__).parent / "data"
LIMIT, ROW_GROUP = "350MB", 20_480
NAME, PREFIX, EXPORT, PERIOD = "bench-bills", "exports", "big", "2026-01"
SHELF = 512  # MB of chunks that may lie here at one time
LEDGER = "bench.bucket"


@dataclass(slots=True)
class Disk:
    """The most bytes that lay below a folder, looked at a few times a second."""

    folder: Path
    peak: int = 0

    def watch(self, done: threading.Event) -> None:
        while not done.wait(0.2):
            self.peak = max(self.peak, used(self.folder))


def used(folder: Path) -> int:
    """Bytes of the files below; those that go while it looks count as gone."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                continue
    return total


def figures(bills: Sequence[Path]) -> Iterator[Figure]:
    from tests.servers import moto
    from tests.servers.s3_exports import write_export

    if not moto.PROGRAM.is_file():
        print("  skipped: moto is not installed: python3 tools/bootstrap.py --server moto")
        return
    with tempfile.TemporaryDirectory(prefix="bench-moto-") as place, moto.shared(Path(place)) as server:
        client = server.client("s3")
        client.create_bucket(Bucket=NAME)
        write_export(client, NAME, PREFIX, EXPORT, PERIOD, list(bills))
        time.sleep(1)  # a manifest as old as its files is one that is still being written
        files, _ = _ingested([str(bill) for bill in bills], dict(os.environ))
        remote, disk = _ingested([f"s3://{NAME}/{PREFIX}"], {**os.environ, **server.env})
    size = sum(bill.stat().st_size for bill in bills) / 1e6
    print(f"  {len(bills)} chunks, {size:.0f} MB, at hand {files.wall:7.2f} s, {files.cpu:7.2f} s of processor")
    print(f"  the same from a bucket     {remote.wall:7.2f} s, {remote.cpu:7.2f} s of processor, {remote.peak:.0f} MB")
    print(f"  from a bucket / at hand: {remote.wall / files.wall:.2f} on the clock, {remote.cpu / files.cpu:.2f} cpu")
    yield Figure("scratch disk of a delivery in a bucket beside its result, MB", disk / 1e6, SHELF)


def _ingested(locations: Sequence[str], env: dict[str, str]) -> tuple[Cost, int]:
    """Cost of the whole way to a ledger, and the most scratch bytes that were not the mapped rows."""
    scratch = Path(tempfile.mkdtemp(prefix="bench-scratch-"))
    disk, done = Disk(scratch), threading.Event()
    watcher = threading.Thread(target=disk.watch, args=(done,))
    watcher.start()
    before = dict(os.environ)
    os.environ.update({**env, "TMPDIR": str(scratch)})
    try:
        found = cost([sys.executable, "-m", LEDGER, "ingest", *locations], DATA / "bucket.txt")
    finally:
        done.set()
        watcher.join()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(scratch, ignore_errors=True)
    return found, disk.peak


def ingest(*locations: str) -> int:
    """In a process of its own: the bill's way to a ledger that is thrown away."""
    import wiring
    from ingest.intake import Request
    from settings import Settings

    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as store:
        found = Settings(store_url=store, memory_limit=LIMIT, row_group_size=ROW_GROUP)
        intake = wiring.take_in(locations, Request(), found, os.environ, now, wiring.quiet)
    assert [run.outcome for run in intake.runs] == ["committed"], intake
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["ingest"]:
        sys.exit(ingest(*sys.argv[2:]))
    chunks = int(sys.argv[1]) if sys.argv[1:] else 5
    missed = []
    for figure in figures(cur2.write(DATA, chunks * cur2.FILE_ROWS)):
        print(figure, flush=True)
        missed += [] if figure.met else [figure]
    sys.exit(1 if missed else 0)
