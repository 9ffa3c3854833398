"""`python -m bench.plain MEMORY_LIMIT ROW_GROUP FILE FOLDER`: a bill's FOCUS rows as plain Parquet, nothing else kept.

All of a conversion: the file is read and checked as ingest does it, its money is held against the mapped rows. What is
left out is the ledger: no gate, no commit. Prints the rows and columns written.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import wiring
from ingest.deliveries import assemble
from ingest.flow import Job, Tuning, map_delivery
from ingest.inspection import inspect
from ingest.run import opening
from ingest.shelf import Shelf
from ingest.staging import stage
from ledger.delivery import SourceRef
from settings import Settings


def main(memory_limit: str, row_group: str, file: str, folder: str) -> int:
    settings = Settings(memory_limit=memory_limit, row_group_size=int(row_group))
    with tempfile.TemporaryDirectory(prefix="bench-") as work, wiring.engine(settings) as connection:
        found = inspect(connection, stage(connection, Path(file), Path(file).name, Path(work)))
        assembled = assemble(SourceRef("bench", "aws"), found[0].period, found, "amortized")
        tuning = Tuning(row_group_size=settings.row_group_size)
        job = Job(assembled, connection, Path(folder), wiring.quiet, tuning, Shelf())
        parts, run = map_delivery(job, opening(assembled, datetime(2026, 2, 1, tzinfo=UTC), "bench"))
        columns = connection.execute(f"DESCRIBE FROM read_parquet('{parts[0].path}')").fetchall()
    print(run.mapped_rows, len(columns))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
