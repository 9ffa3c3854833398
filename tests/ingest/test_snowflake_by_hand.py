"""What an account is asked for and what it unloads by hand become the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import cli
from bench.gen.snowflake_views import Month, tables, write
from tests.bills import Ledger
from tests.servers.snowflake import Account
from tests.snowflake_account import settings

MONTH = Month(rows=400, turn=15)


def rows(ledger: Ledger, folder: Path) -> list[tuple[object, ...]]:
    """Every FOCUS row, without what says where it came from."""
    own = ["--store", ledger.store, "--config", str(ledger.config)]
    assert cli.main(["export", str(folder), "--no-custom", "--json", *own]) == 0
    with duckdb.connect() as connection:
        return connection.execute(f"FROM read_parquet('{folder}/**/*.parquet') ORDER BY ALL").fetchall()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_unloaded_files_and_the_account_itself_become_the_same_rows(
    form: str, snowflake: Account, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in snowflake.env.items():
        monkeypatch.setenv(name, value)
    settings(ledger.config, snowflake)
    snowflake.load_all(tables(MONTH))
    assert ledger.ingest("snowflake", "--period", "2026-01").outcomes == ["committed"]
    write(tmp_path / "unloaded", MONTH, form=form, hourly=True)
    by_hand = Ledger(str(tmp_path / "hand"), ledger.config, ledger.capsys)
    assert by_hand.ingest(tmp_path / "unloaded", "--source", "main").outcomes == ["committed"]
    asked = rows(ledger, tmp_path / "asked")
    assert asked == rows(by_hand, tmp_path / "by_hand") and len(asked) > 400
