"""The official FOCUS validator in its own environment: where it is, how it is run offline, what it said.

`python3 tools/bootstrap.py --server focus_validator` sets it up; it needs Python 3.12 and brings the model of 1.2 only.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import run

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".venvs/focus_validator"
SET_UP = "the official validator is not installed: python3 tools/bootstrap.py --server focus_validator"
# ❌ Name-C-004-C: FAIL  (violations=40, msg=...)
VERDICT = re.compile(r"^\S+ (?P<rule>[A-Za-z]+-[A-Z]-\d{3}-[A-Z]): (?P<status>PASS|FAIL|SKIPPED)\b")


def command() -> Path | None:
    """The validator's program, or None where it is not installed."""
    program = HOME / "bin/focus-validator"
    return program if program.is_file() and package() else None


def package() -> Path | None:
    return next(HOME.glob("lib/python*/site-packages/focus_validator"), None)


def model() -> Path | None:
    """The file of the 1.2 model."""
    found = package()
    return next(found.glob("rules/model-1.2.*.json"), None) if found else None


def arguments(program: Path, data: Path) -> list[str]:
    return [
        *(str(program), "--data-file", str(data.resolve()), "--validate-version", "1.2", "--block-download"),
        *("--applicability-criteria", "ALL", "--output-type", "console", "--show-violations"),
    ]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder to run it in: it looks for its currency list below the current folder, and leaves a log there."""
    found = package()
    if found is None:
        raise FileNotFoundError(SET_UP)
    with tempfile.TemporaryDirectory(prefix="official-") as name:
        (Path(name) / found.name).symlink_to(found)
        yield Path(name)


def verdicts(data: Path) -> Mapping[str, str]:
    """Rule id to 'passed', 'violated' or 'skipped' of model 1.2 on a file; its exit code is 0 whatever it found."""
    program = command()
    if program is None:
        raise FileNotFoundError(SET_UP)
    with folder() as place:
        done = run(arguments(program, data), cwd=place, env=_env(), capture_output=True, text=True, check=True)
    return parsed(done.stdout)


def parsed(output: str) -> Mapping[str, str]:
    """Verdicts out of the console output. ValueError if they are not as many as its own total."""
    words = {"PASS": "passed", "FAIL": "violated", "SKIPPED": "skipped"}
    found = {match["rule"]: words[match["status"]] for line in output.splitlines() if (match := VERDICT.match(line))}
    total = re.search(r"^Total: (\d+) \|", output, re.MULTILINE)
    if total is None or int(total[1]) != len(found):
        raise ValueError(f"{len(found)} verdicts read, but the output's total is {total and total[1]}")
    return found


def _env() -> dict[str, str]:
    """Without the settings of this process's own Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
