"""The suite's own rules, tried on a small suite: tests that may skip are counted, and CI does not let others skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT, modules, relative

COUNTED = "def test_real(real_data):\n    assert real_data.is_dir()\n"
SKIPPED = "import pytest\n\n\ndef test_other():\n    pytest.skip('no server')\n"
OPTIONAL = SKIPPED.replace("def", "@pytest.mark.optional\ndef")
PASSED = "def test_plain():\n    pass\n"


def run(folder: Path, tests: str, *, ci: str, with_bills: bool = False) -> tuple[int, str]:
    """A suite with this one's conftest.py in a folder of its own, beside which real bills lie or not."""
    suite = folder / "project" / "tests"
    suite.mkdir(parents=True)
    if with_bills:
        (folder / "shared" / "samples").mkdir(parents=True)
    shutil.copy(ROOT / "tests/conftest.py", suite / "conftest.py")
    (suite / "test_it.py").write_text(tests)
    (suite.parent / "pytest.ini").write_text("[pytest]\nmarkers =\n  real_data\n  optional\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=suite.parent, env={**env, "CI": ci}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("with_bills", "counts"), [(True, "1 ran, 0 skipped"), (False, "0 ran, 1 skipped")])
def test_real_data_tests_are_counted_and_may_skip(tmp_path: Path, with_bills: bool, counts: str) -> None:
    code, output = run(tmp_path, COUNTED + PASSED, ci="true", with_bills=with_bills)
    assert f"real-data tests: {counts}" in output
    assert code == 0


def test_a_test_marked_optional_may_skip_in_ci_and_is_counted(tmp_path: Path) -> None:
    code, output = run(tmp_path, OPTIONAL + PASSED, ci="true")
    assert "optional tests: 0 ran, 1 skipped" in output
    assert code == 0


def test_in_ci_any_other_skip_fails_the_run(tmp_path: Path) -> None:
    code, output = run(tmp_path, SKIPPED + PASSED, ci="true")
    assert code == 1
    assert "counts as a failure: tests/test_it.py::test_other" in output


def test_elsewhere_a_skip_is_only_a_skip(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPPED + PASSED, ci="")[0] == 0


def test_no_test_remembers_the_time_at_which_it_was_imported() -> None:
    """By the time it is compared with a clock the day may be another, or the month."""
    clocks = {"now", "utcnow", "today", "world_now", "one_day", "months_due"}
    found = [
        f"{relative(module.path)}:{line} {name}"
        for module in modules()
        if module.room in ("tests", "emulators")
        for name, line in module.calls_at_import()
        if name in clocks
    ]
    assert found == [], "give it a fixed instant, or ask tests/clock.py"
