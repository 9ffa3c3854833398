"""Ways from the same files to rows that were written, measured side by side: interleaved rounds and their medians."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from duckdb import DuckDBPyConnection

import wiring
from bench.mapping import Cost
from settings import Settings

OPTIONS = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {}"
Way = Callable[[DuckDBPyConnection, Sequence[Path], Path], object]  # an engine of its own, the files, an empty folder


def medians(
    label: str, ways: Mapping[str, Way], files: Sequence[Path], found: Settings, rounds: int
) -> dict[str, Cost]:
    """Of each way, told as they come: a machine that is busy shows in how far its rounds are apart."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            costs[name].append(timed(way, files, found))
            print(f"  {label}, {name:<9} {_told(costs[name][-1])}", flush=True)
    return {name: _median(each) for name, each in costs.items()}


def timed(way: Way, files: Sequence[Path], found: Settings) -> Cost:
    with tempfile.TemporaryDirectory(prefix="bench-") as work, wiring.engine(found) as connection:
        wall, cpu = time.perf_counter(), time.process_time()
        way(connection, files, Path(work))
        return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def _median(each: Sequence[Cost]) -> Cost:
    return Cost(median(one.wall for one in each), median(one.cpu for one in each))


def _told(cost: Cost) -> str:
    return f"{cost.wall:6.2f} s on the clock, {cost.cpu:6.2f} s of processor"
