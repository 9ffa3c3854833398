"""The bootstrap finds a Python that runs, does nothing twice, and says what to do when it fails."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tools import bootstrap

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_it_is_written_for_old_pythons() -> None:
    assert ast.parse((ROOT / "tools/bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_a_shim_that_refuses_to_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "shims", f"python{HERE}", "echo 'no such version' >&2; exit 127")
    program(tmp_path / "real", f"python{HERE}", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "real")]))
    assert bootstrap.interpreter([HERE]) == (str(tmp_path / "real" / f"python{HERE}"), HERE)


def test_a_versions_folder_is_searched_when_the_path_has_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    home = tmp_path / "versions" / f"{HERE}.99" / "bin"
    home.mkdir(parents=True)
    program(home, f"python{HERE}", f'exec "{sys.executable}" "$@"')
    assert bootstrap.interpreter([HERE]).path == str(home / f"python{HERE}")


def test_a_wrong_version_under_the_right_name_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "python9.9", f'exec "{sys.executable}" "$@"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(bootstrap.Failed, match=r"no Python 9\.9"):
        bootstrap.interpreter(["9.9"])


def test_the_order_asked_for_is_the_order_tried() -> None:
    assert bootstrap.interpreter(["9.9", HERE]).version == HERE


def test_a_stamp_holds_until_what_it_was_built_from_changes(tmp_path: Path) -> None:
    bootstrap.Stamp(tmp_path, ["a==1"]).write()
    assert bootstrap.Stamp(tmp_path, ["a==1"]).matches()
    assert not bootstrap.Stamp(tmp_path, ["a==2"]).matches()


def test_a_failed_step_shows_its_last_lines_and_what_to_do(tmp_path: Path) -> None:
    program(tmp_path, "broken", "seq 1 100; echo 'no matching distribution' >&2; exit 1")
    with pytest.raises(bootstrap.Failed) as failure:
        bootstrap._run([str(tmp_path / "broken")], "packages", tmp_path)
    assert "no matching distribution" in str(failure.value)
    assert "What to do" in str(failure.value)
    assert "\n50\n" not in str(failure.value)


def test_an_unknown_stand_in_is_named_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["--server", "nonsense"]) == 1
    assert "checkov, fakesnow, focus_converter, focus_validator, moto" in capsys.readouterr().err
