"""What several places answer, each asked in a thread of its own: one that hangs does not hold up the others."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from ledger.faults import Transient

T = TypeVar("T")
AT_ONCE = 4
Answer = tuple[str, T | Exception]


def answers(tasks: Mapping[str, Callable[[], T]], seconds: float) -> Iterator[Answer[T]]:
    """What each task returned or raised, as they end; Transient for one that took longer, which is left to itself."""
    done: SimpleQueue[Answer[T]] = SimpleQueue()
    waiting, until = deque(tasks.items()), dict[str, float]()
    while waiting or until:
        while waiting and len(until) < AT_ONCE:
            name, task = waiting.popleft()
            until[name] = time.monotonic() + seconds
            Thread(target=_ask, args=(name, task, done), name=f"ask {name}", daemon=True).start()
        with suppress(Empty):
            name, answer = done.get(timeout=max(min(until.values()) - time.monotonic(), 0))
            if until.pop(name, None) is not None:
                yield name, answer
        for name in [name for name, end in until.items() if end <= time.monotonic()]:
            del until[name]
            yield name, Transient(f"there was no answer within {seconds:.0f} s")


def _ask(name: str, task: Callable[[], T], done: SimpleQueue[Answer[T]]) -> None:
    try:
        done.put((name, task()))
    except Exception as fault:
        done.put((name, fault))
