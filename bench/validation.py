"""`ledger validate` beside the official validator on one file, and its own cost from 0.1 M rows upwards.

`python -m bench.validation` measures only this; 20 M rows (1.5 GB on disk) only when BENCH_BIG is set. Our engine has a
memory limit as `ledger.toml` can set one; the official validator has no such setting.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import official
from bench.figure import Figure
from bench.gen.focus_rows import write_focus
from bench.launch import Cost, cost

DATA = Path(__file__).parent / "data"
SIDE_BY_SIDE = 1_000_000
SIZES = (100_000, 1_000_000, 5_000_000)
BIG = 20_000_000
LIMIT, MOST = "300MB", 450
SETTINGS = f'[engine]\nmemory_limit = "{LIMIT}"\n'
LEDGER = Path(sys.executable).with_name("ledger")
VERDICTS = ("passed", "violated")


def figures(*, big: bool = bool(os.environ.get("BENCH_BIG"))) -> Iterator[Figure]:
    DATA.mkdir(parents=True, exist_ok=True)
    yield from beside_the_official_one()
    yield from growth((*SIZES, BIG) if big else SIZES)
    if not big:
        print(f"  skipped: {BIG // 1_000_000} M rows, measured when BENCH_BIG is set")


def beside_the_official_one() -> Iterator[Figure]:
    """Both on the same CSV files of 1 M rows: one of 1.2, one of 1.3, which the official model reads as 1.2."""
    for version in ("1.2", "1.3"):
        data = write_focus(DATA / f"focus-{version}-{SIDE_BY_SIDE}.csv", SIDE_BY_SIDE, version, "csv")
        before = ledger(data, version)
        executed = with_verdict(before)
        print(f"  {version} CSV, 1 M rows, ledger validate    {_shown(before)}, {executed} rules with a verdict")
        if official.command() is None:
            print(f"  skipped: {official.SET_UP}")
        else:
            yield from _compared(version, data, before)
        if version == "1.3":
            yield Figure("rules of 1.3 executed on one file", executed, 400, True)


def growth(sizes: tuple[int, ...]) -> Iterator[Figure]:
    """Cost per row and memory of ours from the smallest to the biggest Parquet file."""
    costs = {rows: ledger(write_focus(DATA / f"focus-1.3-{rows}.parquet", rows), "1.3") for rows in sizes}
    for rows, found in costs.items():
        print(f"  1.3 Parquet, {rows / 1e6:>4g} M rows, ledger validate {_shown(found)}")
    small, million, most = sizes[0], sizes[1], sizes[-1]
    per_row = {rows: found.wall / rows for rows, found in costs.items()}
    size = f"{most // 1_000_000} M"
    yield Figure(f"time per row at {size} rows / at 0.1 M", per_row[most] / per_row[small], 1.0)
    yield Figure(f"time per row at {size} rows / at 1 M", per_row[most] / per_row[million], 1.1)
    yield Figure(f"peak memory at {size} rows, engine limited to {LIMIT}, MB", costs[most].peak, MOST)


def ledger(data: Path, version: str) -> Cost:
    """Our command on a file; the files are conformant, so anything but exit code 0 is an error."""
    settings = DATA / "validation.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    options = ["--focus", version, "--applicability", "all", "--format", "json", "--config", str(settings)]
    return cost([str(LEDGER), "validate", str(data), *options], DATA / "ours.json")


def theirs(data: Path) -> Cost:
    program = official.command()
    assert program is not None
    with official.folder() as place:
        return cost(official.arguments(program, data), DATA / "official.txt", place)


def with_verdict(found: Cost) -> int:
    """How many rules our report calls passed or violated."""
    [report] = json.loads(found.output)["reports"]
    assert report["conformant"] and not report["warnings"], report["summary"]
    return sum(verdict["status"] in VERDICTS for verdict in report["verdicts"])


def _compared(version: str, data: Path, before: Cost) -> Iterator[Figure]:
    """Ours once more after the other, so that a machine that is busy for a while is busy for both."""
    found, after = theirs(data), ledger(data, version)
    rules = sum(status in VERDICTS for status in official.parsed(found.output).values())
    print(f"  {version} CSV, 1 M rows, official validator {_shown(found)}, {rules} rules with a verdict")
    print(f"  {version} CSV, 1 M rows, ledger validate    {_shown(after)}")
    wall, peak = (before.wall + after.wall) / 2, max(before.peak, after.peak)
    yield Figure(f"time of the official validator / ours, {version} CSV, 1 M rows", found.wall / wall, 8, True)
    yield Figure(f"peak memory of ours / the official one's, {version} CSV, 1 M rows", peak / found.peak, 0.25)


def _shown(found: Cost) -> str:
    return f"{found.wall:7.2f} s, {found.cpu:7.2f} s of processor, {found.peak:6.0f} MB"


if __name__ == "__main__":
    missed = []
    for figure in figures():
        print(figure, flush=True)
        missed += [] if figure.met else [figure]
    sys.exit(1 if missed else 0)
