"""What holds for the whole suite: tests that may skip are counted, and no others skip silently in CI.

May skip: a test that asks for real bills, which lie beside the repository, and one marked `optional`, which needs a
program that only some machines can have.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

MAY_SKIP = {"real-data": "real_data", "optional": "optional"}
REAL_BILLS = Path(__file__).resolve().parents[2] / "shared" / "samples"

# A slow moment of a busy machine is no failure of a law.
settings.register_profile("ledger", deadline=None)
settings.load_profile("ledger")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real bills, which is not part of the repository; a test that asks for it is counted."""
    if not REAL_BILLS.is_dir():
        pytest.skip("real bills are not here: ../shared/samples is no folder")
    return REAL_BILLS


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that skips is a test that failed, unless it is one of those that may."""
    if os.environ.get("CI") == "true" and _silent(session.config) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, marker in MAY_SKIP.items():
        ran = [one for kind in ("passed", "failed") for one in _reports(config, kind) if marker in one.keywords]
        skipped = [one for one in _reports(config, "skipped") if marker in one.keywords]
        terminalreporter.write_line(f"{name} tests: {len(ran)} ran, {len(skipped)} skipped")
    if os.environ.get("CI") == "true":
        for report in _silent(config):
            terminalreporter.write_line(f"skipped in CI, which counts as a failure: {report.nodeid}", red=True)


def _silent(config: pytest.Config) -> list[pytest.TestReport]:
    may = MAY_SKIP.values()
    return [one for one in _reports(config, "skipped") if not any(marker in one.keywords for marker in may)]


def _reports(config: pytest.Config, kind: str) -> list[pytest.TestReport]:
    """Only the process that prints has the reports; test workers answer with none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None or hasattr(config, "workerinput") else list(reporter.stats.get(kind, []))
