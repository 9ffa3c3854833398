"""A ledger per test, and servers for the tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asked_reports import Asking, asked
from tests.bills import Ledger
from tests.servers.fixtures import azurite as azurite
from tests.servers.fixtures import bucket as bucket
from tests.servers.fixtures import moto as moto
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.fixtures import unique_name as unique_name


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Empty settings, so that the repository's own do not take part."""
    path = tmp_path / "ledger.toml"
    path.write_text("", encoding="utf-8")
    return path


@pytest.fixture
def ledger(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> Ledger:
    return Ledger(str(tmp_path / "store"), config, capsys)


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    folder = tmp_path / "fetched"
    folder.mkdir()
    with asked(folder) as made:
        for name, value in made.arm.environment().items():
            monkeypatch.setenv(name, value)
        yield made
