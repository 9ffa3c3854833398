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
SHELF = 512 * 1.024 * 1.024  # MB of chunks that may lie here at one time
STORE = "bench-ledger-"


@dataclass(slots=True)
class Disk:
    """The most bytes that lay below a folder, looked at a few times a second: of chunks, and of all but the ledger."""

    folder: Path
    chunks: int = 0
    scratch: int = 0

    def watch(self, done: threading.Event) -> None:
        while not done.wait(0.1):
            found = [(path, _size(path)) for path in self.folder.rglob("*") if STORE not in str(path)]
            self.chunks = max(self.chunks, sum(size for path, size in found if path.name.startswith("chunk-")))
            self.scratch = max(self.scratch, sum(size for _, size in found))


def _size(path: Path) -> int:
    """What goes while it is looked at counts as gone."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


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
    print(f"  scratch disk at its fullest: {disk.scratch / 1e6:.0f} MB with the mapped rows, which grow with the bill")
    yield Figure("chunks of a bucket's delivery at hand at one time, MB", disk.chunks / 1e6, SHELF)


def _ingested(locations: Sequence[str], env: dict[str, str]) -> tuple[Cost, Disk]:
    """Cost of the whole way to a ledger, and the disk that it took."""
    scratch = Path(tempfile.mkdtemp(prefix="bench-scratch-"))
    disk, done = Disk(scratch), threading.Event()
    watcher = threading.Thread(target=disk.watch, args=(done,))
    watcher.start()
    before = dict(os.environ)
    os.environ.update({**env, "TMPDIR": str(scratch)})
    try:
        found = cost([sys.executable, "-m", "bench.bucket", "ingest", *locations], DATA / "bucket.txt")
    finally:
        done.set()
        watcher.join()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(scratch, ignore_errors=True)
    return found, disk


def ingest(*locations: str) -> int:
    """In a process of its own: the bill's way to a ledger that is thrown away."""
    import wiring
    from ingest.intake import Request
    from settings import Settings

    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix=STORE) as store:
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
