"""What holds for the whole suite: real bills beside the repository, their count, and no silent skips in CI."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

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
    """In CI a test that skips is a test that failed, unless it only lacks the real bills."""
    if os.environ.get("CI") == "true" and _silent(session.config) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ran = [report for kind in ("passed", "failed") for report in _reports(config, kind) if _is_real(report)]
    skipped = [report for report in _reports(config, "skipped") if _is_real(report)]
    terminalreporter.write_line(f"real-data tests: {len(ran)} ran, {len(skipped)} skipped")
    if os.environ.get("CI") == "true":
        for report in _silent(config):
            terminalreporter.write_line(f"skipped in CI, which counts as a failure: {report.nodeid}", red=True)


def _silent(config: pytest.Config) -> list[pytest.TestReport]:
    return [report for report in _reports(config, "skipped") if not _is_real(report)]


def _reports(config: pytest.Config, kind: str) -> list[pytest.TestReport]:
    """Only the process that prints has the reports; test workers answer with none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return [] if reporter is None or hasattr(config, "workerinput") else list(reporter.stats.get(kind, []))


def _is_real(report: pytest.TestReport) -> bool:
    return "real_data" in report.keywords
