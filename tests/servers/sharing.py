"""One server for every test worker of one run: the first to ask starts it, the last to leave stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import Any, Protocol, TypeVar

STATE = "server.json"


class Unavailable(Exception):
    """A server cannot run here; the text says what is missing."""


class Running(Protocol):
    """A frozen dataclass of JSON values."""

    @property
    def pid(self) -> int: ...


Server = TypeVar("Server", bound=Running)
Start = Callable[[Path], tuple["subprocess.Popen[bytes]", Server]]

_started: dict[int, subprocess.Popen[bytes]] = {}


@contextmanager
def shared(folder: Path, kind: type[Server], start: Start[Server]) -> Iterator[Server]:
    """One server for every process that names the same folder.

    The count of users is a shared file lock, so a worker that dies without a word is not counted for ever.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("w") as users:
        with _alone(folder):
            flock(users, LOCK_SH)
            server = _running(folder, kind) or _start(folder, start)
        try:
            yield server
        finally:
            with _alone(folder):
                _stop_if_last(folder, users.fileno(), server.pid)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _running(folder: Path, kind: type[Server]) -> Server | None:
    state = folder / STATE
    return kind(**json.loads(state.read_text())) if state.exists() else None


def _start(folder: Path, start: Start[Server]) -> Server:
    process, server = start(folder)
    _started[process.pid] = process
    described: Any = server
    (folder / STATE).write_text(json.dumps(asdict(described)))
    return server


def _stop_if_last(folder: Path, users: int, pid: int) -> None:
    try:
        flock(users, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return
    (folder / STATE).unlink()
    os.kill(pid, signal.SIGTERM)
    if process := _started.pop(pid, None):
        process.wait(20)
