"""`python -m bench.peak ROW_GROUP MEMORY_LIMIT FILE...`: ingest into a scratch ledger, print the peak memory in MB."""

from __future__ import annotations

import resource
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import wiring
from ingest.intake import Request
from settings import Settings


def main(row_group: str, memory_limit: str, *files: str) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as store:
        found = Settings(store_url=store, memory_limit=memory_limit, row_group_size=int(row_group))
        intake = wiring.take_in(files, Request(), found, {}, datetime(2026, 2, 1, tzinfo=UTC), wiring.quiet)
    assert [run.outcome for run in intake.runs] == ["committed"], intake
    print(peak())
    return 0


def peak() -> int:
    """Megabytes. The process's own high-water mark: ru_maxrss also remembers the process that started this one."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
