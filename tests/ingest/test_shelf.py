"""The shelf of local copies: bounded between uses, and whatever was let go comes back when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.shelf import Shelf


class Files:
    """Ten bytes per file, written anew each time one is brought."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.shelf, self.brought = folder, Shelf(limit), list[str]()

    def add(self, name: str) -> str:
        path = self.folder / name
        self._bring(path)
        self.shelf.put(path, lambda: self._bring(path))
        return str(path)

    def _bring(self, path: Path) -> None:
        self.brought.append(path.name)
        path.write_bytes(b"0123456789")

    def here(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


def test_what_does_not_fit_goes_and_the_newest_stays(tmp_path: Path) -> None:
    files = Files(tmp_path, limit=25)
    for name in "abc":
        files.add(name)
    assert files.here() == {"b", "c"}


def test_what_was_let_go_is_brought_again(tmp_path: Path) -> None:
    files = Files(tmp_path, limit=10)
    first, _ = files.add("a"), files.add("b")
    with files.shelf.at_hand([first]):
        assert Path(first).read_bytes() == b"0123456789"
    assert files.brought == ["a", "b", "a"]


def test_files_of_one_use_stay_together_whatever_the_limit(tmp_path: Path) -> None:
    files = Files(tmp_path, limit=10)
    names = [files.add(name) for name in "abc"]
    with files.shelf.at_hand(names):
        assert files.here() == {"a", "b", "c"}
    assert files.here() == {"c"}


def test_a_file_that_was_never_put_here_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_bytes(b"mine")
    files = Files(tmp_path, limit=0)
    with files.shelf.at_hand([str(own), files.add("a")]):
        pass
    files.shelf.clear()
    assert files.here() == {"own"}


@given(uses=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=2), max_size=20), limit=st.integers(0, 60))
def test_a_file_in_use_is_always_there_and_the_limit_holds_between_uses(
    uses: Sequence[Sequence[int]], limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = Files(tmp_path_factory.mktemp("shelf"), limit)
    names = [files.add(str(number)) for number in range(6)]
    for use in uses:
        with files.shelf.at_hand([names[number] for number in use]):
            assert {str(number) for number in use} <= files.here()
        assert 10 * len(files.here()) <= max(limit, 10)
