"""What the Functions host does for one worker: start it, index and load the app, encode triggers, decode answers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from tests.host.protocol import protos

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120
HANDED_ON = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR")


class IndexingFailed(Exception):
    """The worker library could not index the app; the text is its own traceback."""


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function with its bindings as the host sees them."""

    id: str
    name: str
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def trigger(self) -> Mapping[str, Any]:
        return next(binding for binding in self.bindings if str(binding["type"]).lower().endswith("trigger"))


@dataclass(frozen=True, slots=True)
class Log:
    category: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended; `status`, `headers` and `body` are set for HTTP functions only."""

    succeeded: bool
    error: str = ""
    status: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    outputs: Mapping[str, object] | None = None
    logs: tuple[Log, ...] = ()

    def events(self) -> list[dict[str, Any]]:
        """The JSON objects among the logs."""
        return [json.loads(log.text) for log in self.logs if log.text.startswith("{")]

    def json(self) -> Any:
        return json.loads(self.body)


class Worker:
    """The worker process and its pipe; safe to use from several threads."""

    def __init__(self, app: Path, env: Mapping[str, str], stderr: IO[bytes]) -> None:
        inherited = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        self._stderr = stderr
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.host.worker", str(app)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**inherited, **env, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )
        self._waiting: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()
        self._logs: dict[str, list[Log]] = defaultdict(list)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, **content: Any) -> Any:
        """One request, one answer; fails with what the worker printed when it dies."""
        message = protos.StreamingMessage(request_id=uuid.uuid4().hex, **content)
        answer: Future[Any] = Future()
        assert self._process.stdin is not None
        with self._lock:
            self._waiting[message.request_id] = answer
            self._process.stdin.write(base64.b64encode(message.SerializeToString()) + b"\n")
            self._process.stdin.flush()
        return answer.result(PATIENCE)

    def logs(self, invocation_id: str) -> tuple[Log, ...]:
        return tuple(self._logs[invocation_id])

    def printed(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(protos.StreamingMessage.FromString(base64.b64decode(line)))
        for answer in self._waiting.values():  # nobody will answer these any more
            answer.set_exception(RuntimeError(f"the worker ended:\n{self.printed()}"))

    def _take(self, message: Any) -> None:
        kind = message.WhichOneof("content")
        if kind == "rpc_log":
            log = message.rpc_log
            self._logs[log.invocation_id].append(Log(log.category, log.level, log.message))
        else:
            self._waiting.pop(message.request_id).set_result(getattr(message, kind))


class FunctionsHost:
    """An app that is indexed and loaded; its functions by name. Build it with `hosted`."""

    def __init__(self, worker: Worker, app: Path) -> None:
        self._worker = worker
        self.app = app
        self.functions = {function.name: function for function in self._index()}

    def http(
        self,
        name: str,
        body: bytes,
        *,
        url: str = "http://localhost/",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Outcome:
        lowered = {key.lower(): value for key, value in (headers or {}).items()}
        query = dict(parse_qsl(urlsplit(url).query))
        content = {"body": protos.TypedData(bytes=body)} if body else {}
        request = protos.RpcHttp(method=method, url=url, headers=lowered, query=query, **content)
        return self._invoke(name, protos.TypedData(http=request), {})

    def queue(self, name: str, text: str, *, attempt: int = 1, id: str = "") -> Outcome:
        """A queue message, decoded; `attempt` is its dequeue count."""
        now = datetime.now(UTC).isoformat()
        metadata = {
            "Id": protos.TypedData(string=id or uuid.uuid4().hex),
            "DequeueCount": protos.TypedData(json=str(attempt)),
            "PopReceipt": protos.TypedData(string="receipt"),
            "QueueTrigger": protos.TypedData(string=text),
        }
        metadata |= {key: protos.TypedData(json=json.dumps(now)) for key in ("InsertionTime", "NextVisibleTime")}
        return self._invoke(name, protos.TypedData(string=text), metadata)

    def timer(self, name: str, *, past_due: bool = False) -> Outcome:
        status = dict.fromkeys(("Last", "Next", "LastUpdated"), "2026-01-01T00:00:00+00:00")
        data = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        return self._invoke(name, protos.TypedData(json=json.dumps(data)), {})

    def printed(self) -> str:
        """What the app printed, which no function should."""
        return self._worker.printed()

    def logs(self) -> tuple[Log, ...]:
        """What was logged outside any invocation."""
        return self._worker.logs("")

    def _index(self) -> Iterator[Function]:
        init = protos.WorkerInitRequest(host_version="4.0", function_app_directory=str(self.app))
        _require(self._worker.ask(worker_init_request=init).result)
        ask = protos.FunctionsMetadataRequest(function_app_directory=str(self.app))
        metadata = self._worker.ask(functions_metadata_request=ask)
        _require(metadata.result)
        for found in metadata.function_metadata_results:
            load = protos.FunctionLoadRequest(function_id=found.function_id, metadata=found)
            _require(self._worker.ask(function_load_request=load).result)
            yield Function(found.function_id, found.name, tuple(json.loads(raw) for raw in found.raw_bindings))

    def _invoke(self, name: str, data: Any, metadata: Mapping[str, Any]) -> Outcome:
        function = self.functions[name]
        trigger = protos.ParameterBinding(name=function.trigger["name"], data=data)
        request = protos.InvocationRequest(
            invocation_id=uuid.uuid4().hex,
            function_id=function.id,
            input_data=[trigger],
            trigger_metadata=metadata,
        )
        answer = self._worker.ask(invocation_request=request)
        return _outcome(answer, self._worker.logs(request.invocation_id))


@contextmanager
def hosted(app: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[FunctionsHost]:
    """A worker process of its own with the app indexed in it; IndexingFailed when it cannot be."""
    with TemporaryFile() as printed:
        worker = Worker(app, env or {}, printed)
        try:
            yield FunctionsHost(worker, app)
        finally:
            worker.close()


def _require(result: Any) -> None:
    if result.status != protos.StatusResult.Success:
        raise IndexingFailed(f"{result.exception.message}\n{result.exception.stack_trace}")


def _outcome(answer: Any, logs: tuple[Log, ...]) -> Outcome:
    if answer.result.status != protos.StatusResult.Success:
        fault = answer.result.exception
        return Outcome(False, f"{fault.message}\n{fault.stack_trace}", logs=logs)
    outputs = {output.name: _plain(output.data) for output in answer.output_data}
    if not answer.HasField("return_value") or answer.return_value.WhichOneof("data") != "http":
        return Outcome(True, outputs=outputs, logs=logs)
    http = answer.return_value.http
    return Outcome(True, "", int(http.status_code), dict(http.headers), http.body.bytes, outputs, logs)


def _plain(data: Any) -> object:
    kind = data.WhichOneof("data")
    return json.loads(data.json) if kind == "json" else getattr(data, kind) if kind else None
