"""A program run to its end: time on the clock and of the processor, peak memory and output.

Peak memory is what the kernel kept for the child (ru_maxrss). That also remembers whatever process started it, so a
small one starts it: `python -m bench.launch OUTPUT FOLDER PROGRAM ARGUMENT...` prints both kinds of seconds, kilobytes
and the exit code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and of the processor, megabytes at the peak, and what was printed."""

    wall: float
    cpu: float
    peak: float
    output: str


def cost(program: Sequence[str], output: Path, folder: Path = ROOT, codes: Sequence[int] = (0,)) -> Cost:
    """RuntimeError with the last lines printed when the exit code is none of `codes`."""
    command = [sys.executable, "-m", "bench.launch", str(output), str(folder), *program]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    wall, cpu, kilobytes, code = done.stdout.split()
    printed = output.read_text(encoding="utf-8", errors="replace")
    if int(code) not in codes:
        raise RuntimeError(f"{program[0]} ended with {code}: " + "\n".join(printed.splitlines()[-5:]))
    return Cost(float(wall), float(cpu), int(kilobytes) / 1024, printed)


def main(output: str, folder: str, *program: str) -> int:
    start = time.perf_counter()
    with Path(output).open("wb") as file:
        child = subprocess.Popen(program, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    wall, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    print(wall, cpu, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
