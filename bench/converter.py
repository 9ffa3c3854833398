"""The same legacy Cost and Usage Report through focus-converter and through our mapping, to plain Parquet files.

`python3 tools/bootstrap.py --server focus_converter` sets the other one up; `python -m bench.converter [ROWS]` measures
only this. Of its two ways to read Parquet the faster one counts, and it writes its FOCUS columns alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from bench.figure import Figure
from bench.gen import cur_legacy
from bench.launch import Cost, cost

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "bench/data"
PROGRAM = ROOT / ".venvs/focus_converter/bin/focus-converter"
SET_UP = "focus-converter is not installed: python3 tools/bootstrap.py --server focus_converter"
MODES = ("dataset", "file")
ROUNDS = 3
LIMIT, ROW_GROUP = "350MB", 20_480


def figures(rows: int = 1_000_000) -> Iterator[Figure]:
    if not PROGRAM.is_file():
        print(f"  skipped: {SET_UP}")
        return
    report = cur_legacy.write(DATA, rows)
    costs = {name: _median(found) for name, found in _rounds(report).items()}
    for name, found in costs.items():
        print(f"  legacy report, {rows / 1e6:g} M rows, {name:<24} {shown(found)}")
    our, their = costs.pop("ours"), min(costs.values(), key=lambda found: found.wall)
    yield Figure("time of focus-converter / ours, legacy report", their.wall / our.wall, 1.7, True)
    yield Figure("the same in processor seconds", their.cpu / our.cpu, 1.7, True)
    yield Figure("peak memory of ours / focus-converter's largest process", our.peak / their.peak, 0.33)


def ours(report: Path) -> Cost:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-m", "bench.plain", LIMIT, str(ROW_GROUP), str(report), folder]
        return cost(command, DATA / "plain.txt")


def theirs(report: Path, mode: str) -> Cost:
    options = ["--provider", "aws", "--data-format", "parquet", "--parquet-data-format", mode]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        places = ["--data-path", str(report), "--export-path", folder, "--no-export-include-source-columns"]
        found = cost([str(PROGRAM), "convert", *options, *places], DATA / "converter.txt")
        _same_rows(report, folder)
    return found


def shown(found: Cost) -> str:
    return f"{found.wall:7.2f} s, {found.cpu:7.2f} s of processor, {found.peak:6.0f} MB"


def _rounds(report: Path) -> Mapping[str, list[Cost]]:
    """Interleaved, so that a machine that is busy for a while is busy for all."""
    ways: Mapping[str, Callable[[Path], Cost]] = {
        "ours": ours,
        **{f"focus-converter, {mode}": partial(theirs, mode=mode) for mode in MODES},
    }
    rounds = [{name: way(report) for name, way in ways.items()} for _ in range(ROUNDS)]
    return {name: [found[name] for found in rounds] for name in ways}


def _median(found: list[Cost]) -> Cost:
    wall, cpu, peak = zip(*((one.wall, one.cpu, one.peak) for one in found), strict=True)
    return Cost(median(wall), median(cpu), median(peak), found[-1].output)


def _same_rows(report: Path, folder: str) -> None:
    """It drops nothing, so fewer rows mean that a writer of its died: its exit code would not tell."""
    import duckdb

    counts = [f"(SELECT count(*) FROM read_parquet('{place}'))" for place in (report, f"{folder}/*.parquet")]
    with duckdb.connect() as connection:
        [(given, written)] = connection.execute(f"SELECT {', '.join(counts)}").fetchall()
    if given != written:
        raise RuntimeError(f"focus-converter wrote {written} of {given} rows")


if __name__ == "__main__":
    missed = []
    for figure in figures(*map(int, sys.argv[1:])):
        print(figure, flush=True)
        missed += [] if figure.met else [figure]
    sys.exit(1 if missed else 0)
