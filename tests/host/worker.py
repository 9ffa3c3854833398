"""Stands where the platform's gRPC proxy stands: feeds protocol messages to the production worker library.

Runs in a process of its own, `python -m tests.host.worker APP_FOLDER`. Each line on stdin and stdout is one
StreamingMessage in base64; what the functions print goes to stderr, what they log comes back as RpcLog.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

from tests.host.protocol import protos

ANSWERS = {
    "worker_init_request": "worker_init_response",
    "functions_metadata_request": "function_metadata_response",
    "function_load_request": "function_load_response",
    "invocation_request": "invocation_response",
}
LEVELS = {"DEBUG": 1, "INFO": 2, "WARNING": 3, "ERROR": 4, "CRITICAL": 5}


class Wire:
    """Writes messages to the real stdout, one line each, from any thread."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, **content: Any) -> None:
        line = base64.b64encode(protos.StreamingMessage(**content).SerializeToString()).decode()
        with self._lock:
            print(line, file=self._out, flush=True)


class LogToHost(logging.Handler):
    """A log record becomes an RpcLog with the invocation it belongs to."""

    def __init__(self, wire: Wire, invocation_id: Any) -> None:
        super().__init__()
        self._wire, self._invocation_id = wire, invocation_id

    def emit(self, record: logging.LogRecord) -> None:
        self._wire.send(
            rpc_log=protos.RpcLog(
                invocation_id=self._invocation_id.get() or "",
                category=record.name,
                level=LEVELS.get(record.levelname, 0),
                message=self.format(record),
            )
        )


def _claim_stdout() -> TextIO:
    """Keep the real stdout for the protocol and let prints go to stderr."""
    wire = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return wire


def _take_place_of(app: Path) -> None:
    """The app's folder comes first on the path, and nothing else of this repository is importable by accident."""
    own = str(Path(__file__).resolve().parents[2])
    sys.path[:] = [str(app), *(entry for entry in sys.path if entry not in ("", own, str(app)))]
    os.chdir(app)


async def _answer(library: Any, wire: Wire, message: Any) -> None:
    kind = message.WhichOneof("content")
    request = SimpleNamespace(request=message, properties={"host": "127.0.0.1", "protos": protos})
    answer = await getattr(library, kind)(request)
    wire.send(request_id=message.request_id, **{ANSWERS[kind]: answer})


async def _serve(library: Any, wire: Wire) -> None:
    """Each request is a task of its own, so invocations overlap as they do in production."""
    tasks = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        message = protos.StreamingMessage.FromString(base64.b64decode(line))
        task = asyncio.create_task(_answer(library, wire, message))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


def main() -> None:
    wire = Wire(_claim_stdout())
    _take_place_of(Path(sys.argv[1]).resolve())
    import azure_functions_runtime as library  # type: ignore[import-untyped]  # the library ships no types

    logging.getLogger().addHandler(LogToHost(wire, library.invocation_id_cv))
    logging.getLogger().setLevel(logging.INFO)
    library.start_threadpool_executor()
    asyncio.run(_serve(library, wire))
    library.stop_threadpool_executor()


if __name__ == "__main__":
    main()
