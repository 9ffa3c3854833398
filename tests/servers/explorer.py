"""Cost Explorer on loopback, and who is signed in: answers by the days that are asked for. For one test alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

ACCOUNT = "111122223333"
METRICS = ("NetUnblendedCost", "NetAmortizedCost")
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@dataclass
class Explorer:
    """`days` has what each day's services cost, `asked` the questions so far; a `fault` is answered instead."""

    days: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    estimated: set[str] = field(default_factory=set)
    asked: list[dict[str, Any]] = field(default_factory=list)
    fault: str = ""
    page: int = 1000
    strays: str = ""  # the day that the first result says to be of
    env: Mapping[str, str] = field(default_factory=dict)

    def tells(self, day: str, service: str, kind: str, billed: str, amortised: str = "", unit: str = "USD") -> None:
        amounts = zip(METRICS, (billed, amortised or billed), strict=True)
        metrics = {name: {"Amount": amount, "Unit": unit} for name, amount in amounts}
        self.days.setdefault(day, []).append({"Keys": [service, kind], "Metrics": metrics})

    def answer(self, question: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(dict(question))
        if self.fault:
            return 400, {"__type": self.fault, "message": "as the test wants"}
        first, end = question["TimePeriod"]["Start"], question["TimePeriod"]["End"]
        days = sorted(day for day in self.days if first <= day < end)
        start = int(question.get("NextPageToken", "0"))
        shown = days[start : start + self.page]
        more = {"NextPageToken": str(start + self.page)} if start + self.page < len(days) else {}
        results = self._results(shown)
        if self.strays:
            results[0]["TimePeriod"]["Start"] = self.strays
        return 200, {"ResultsByTime": results, **more}

    def _results(self, days: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {"TimePeriod": {"Start": day, "End": day}, "Total": {}, "Groups": self.days[day]}
            | {"Estimated": day in self.estimated}
            for day in days
        ]


@contextmanager
def running() -> Iterator[Explorer]:
    known = Explorer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            identity = b"Action=GetCallerIdentity" in sent
            status, body = (200, _IDENTITY) if identity else _json(known.answer(json.loads(sent)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the test's standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        known.env = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        yield known
        server.shutdown()


def _json(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], json.dumps(answer[1])
