"""A reader that leaves early, as `head` does, ends a command quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run_unread(words: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command with a pipe as standard output that nobody reads any more."""
    (folder / "ledger.toml").write_text("", encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words],
            cwd=folder,
            env={**os.environ, "LEDGER_STORE": str(folder / "store"), **env},
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("words", ["summary --json", "summary"])
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at-the-end", "at-once"])
def test_a_reader_that_left_ends_the_command_quietly(tmp_path: Path, words: str, unbuffered: str) -> None:
    ended = run_unread(words.split(), tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_refusal_is_still_told_where_errors_go(tmp_path: Path) -> None:
    ended = run_unread(["alert", "missing.json", "--json"], tmp_path)
    assert ended.returncode == 141
    assert [line.split(":")[0] for line in ended.stderr.splitlines()] == ["error"]


def test_help_that_nobody_reads_ends_quietly(tmp_path: Path) -> None:
    assert run_unread(["summary", "--help"], tmp_path).stderr == ""
