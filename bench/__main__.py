"""Speed and memory of the ledger as ratios within one run, each with its target: `make bench`.

Bills are generated once into bench/data; figures go to bench/results. Exit code 1 when a target is missed. What needs
another program (the official FOCUS validator, focus-converter, moto) or 20 M rows is skipped with its reason unless
that is installed and BENCH_BIG is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

from bench import bucket, cold_start, converter, cost_details, snowflake, validation
from bench.figure import Figure
from bench.gen import cur2

HERE = Path(__file__).parent
ROOT = HERE.parent
MILLION = 1_000_000
SMALL = 20_480, "350MB"  # row group and memory limit of the smallest instance
IMPORTS = 7
TIMER = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def figures() -> Iterator[Figure]:
    """The cheap and the memory figures first: nothing has filled the machine's caches for them."""
    yield trigger_import()
    yield from cold_start.figures()
    bills = cur2.write(HERE / "data", 5 * MILLION)
    five = peak_memory("peak memory at 5 M rows, row groups of 20,480, MB", bills, *SMALL, 450)
    yield five
    yield peak_memory("peak memory at 5 M rows, row groups of 122,880, MB", bills, 122_880, "1GB", 1_100)
    yield from growth(five.value)
    yield from speed(bills[0])
    yield from cost_details.figures()
    yield from snowflake.figures()
    yield from bucket.figures(bills)
    yield from converter.figures()
    yield from validation.figures()


def trigger_import() -> Figure:
    """Median of interleaved fresh processes."""
    pairs = [(_seconds("azure.functions"), _seconds("function_app")) for _ in range(IMPORTS)]
    bare, trigger = (median(column) for column in zip(*pairs, strict=True))
    return Figure("import of the trigger module / azure.functions alone", trigger / bare, 1.2)


def peak_memory(name: str, bills: list[Path], row_group: int, memory_limit: str, target: float) -> Figure:
    output = _run("-m", "bench.peak", str(row_group), memory_limit, *map(str, bills))
    return Figure(name, float(output), target)


def growth(at_five: float, *, big: bool = bool(os.environ.get("BENCH_BIG"))) -> Iterator[Figure]:
    """Memory of the whole way to Delta over four times the rows. What 20 M rows need beyond 5 M is not kept on disk."""
    if not big:
        print("  skipped: 20 M rows, measured when BENCH_BIG is set")
        return
    bills = cur2.write(HERE / "data", 20 * MILLION)
    try:
        twenty = peak_memory("peak memory at 20 M rows, row groups of 20,480, MB", bills, *SMALL, 450)
    finally:
        for bill in bills[5:]:
            bill.unlink()
    yield twenty
    yield Figure("peak memory at 20 M rows / at 5 M", twenty.value / at_five, 1.15)


def speed(bill: Path) -> Iterator[Figure]:
    from bench import mapping

    with mapping.opened(bill) as opened:
        costs = mapping.costs(opened)
        for name, cost in costs.items():
            print(f"  1 M rows, {name:<7} {cost.wall:6.2f} s on the clock, {cost.cpu:6.2f} s of processor")
        plain, mapped, commit = costs["copy"], costs["map"], costs["commit"]
        yield Figure("mapping rate / rate of a plain copy of the needed columns", plain.wall / mapped.wall, 0.75, True)
        yield Figure("the same per processor second", plain.cpu / mapped.cpu, 0.75, True)
        yield Figure("time to a committed partition / mapping to plain files", commit.wall / mapped.wall, 1.25)
        yield Figure("the same in processor seconds", commit.cpu / mapped.cpu, 1.25)
        gated = costs["gated"]
        yield Figure("the same with the gate on", gated.wall / mapped.wall, 2.75)
        yield Figure("the same with the gate on, in processor seconds", gated.cpu / mapped.cpu, 2.75)
        unequal, amounts = mapping.unequal_money(opened)
    yield Figure(f"money values unequal to the decimal text, of {amounts:,}", unequal, 0)


def main() -> int:
    """All figures, printed as they come; the last run is kept as JSON."""
    found = []
    for figure in figures():
        print(figure, flush=True)
        found.append(figure)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results/latest.json").write_text(json.dumps([asdict(figure) for figure in found], indent=2) + "\n")
    return 0 if all(figure.met for figure in found) else 1


def _seconds(module: str) -> float:
    return float(_run("-c", TIMER.format(module)))


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
