"""Local copies of files that lie elsewhere, within a limit of bytes: the disk of an instance is small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 512 * 1024 * 1024


@dataclass(slots=True)
class Shelf:
    """What is put here may be let go and is then brought again by its own `bring`; other files are left alone.

    `limit` is held between uses: what is in use at one time always stays. `peak` is the most that was ever here.
    """

    limit: int = LIMIT
    peak: int = 0
    _bring: dict[str, Callable[[], object]] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def put(self, path: Path, bring: Callable[[], object]) -> None:
        """A file that is here now, and how to have it again."""
        self._bring[str(path)] = bring
        self._seen(str(path))
        self._trim(keep={str(path)})

    @contextmanager
    def at_hand(self, paths: Sequence[str]) -> Iterator[None]:
        """The files are there while the block runs."""
        known = [path for path in dict.fromkeys(paths) if path in self._bring]
        for path in known:
            if not Path(path).exists():
                self._bring[path]()
            self._seen(path)
            self._trim(keep=set(known))
        yield
        self._trim(keep=set(known[-1:]))

    def clear(self) -> None:
        """Let everything go, for good."""
        for path in list(self._bring):
            self._let_go(path)
        self._bring.clear()

    def _seen(self, path: str) -> None:
        """The newest use comes last."""
        self._sizes.pop(path, None)
        self._sizes[path] = Path(path).stat().st_size
        self.peak = max(self.peak, sum(self._sizes.values()))

    def _trim(self, keep: set[str]) -> None:
        for path in [path for path in self._sizes if path not in keep]:
            if sum(self._sizes.values()) > self.limit:
                self._let_go(path)

    def _let_go(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self._sizes.pop(path, None)
