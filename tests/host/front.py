"""The host's HTTP front: routes, methods and function keys, then the function."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from tests.host.functions_host import Function, FunctionsHost, Outcome

PREFIX = "/api/"


class Front:
    """Answers requests as the platform would; `keys` are the function keys it accepts."""

    def __init__(self, host: FunctionsHost, keys: frozenset[str]) -> None:
        self._host, self._keys = host, keys

    def request(
        self, path: str, body: bytes = b"", *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Outcome:
        function = self._function(path, method)
        if function is None:
            return Outcome(True, status=404)
        if not self._allowed(function, path, headers or {}):
            return Outcome(True, status=401)
        outcome = self._host.http(function.name, body, url=f"http://localhost{path}", headers=headers, method=method)
        # A function that raises is an empty 500 to the caller.
        return outcome if outcome.succeeded else Outcome(False, outcome.error, 500, logs=outcome.logs)

    def _function(self, path: str, method: str) -> Function | None:
        route = urlsplit(path).path.removeprefix(PREFIX)
        for function in self._host.functions.values():
            trigger = function.trigger
            if trigger["type"] == "httpTrigger" and trigger.get("route", function.name) == route:
                return function if method in [str(name).upper() for name in trigger["methods"]] else None
        return None

    def _allowed(self, function: Function, path: str, headers: Mapping[str, str]) -> bool:
        level = str(function.trigger["authLevel"]).upper()
        given = {*parse_qs(urlsplit(path).query).get("code", []), headers.get("x-functions-key", "")}
        return level == "ANONYMOUS" or bool(self._keys & given)
