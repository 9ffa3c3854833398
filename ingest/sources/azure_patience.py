"""How long Azure wants to be left alone, and the waiting itself: a retry policy of azure-core, and of pollers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from ledger.faults import Transient

MOST = 1200  # seconds waited in all: the service has to be done within half an hour
TRIES = 6
LONGEST = 86_400
AGAIN = frozenset({408, 429, 500, 502, 503, 504})

# Retry-After, and one for each kind of quota: x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after and its like.
_NAME = re.compile(r"(x-ms-ratelimit-[a-z0-9.-]+-)?retry-after", re.IGNORECASE)
_MILLISECONDS = re.compile(r"(x-ms-)?retry-after-ms", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,12}")

Wait = Callable[[int], None]
"""Waits so many seconds."""


def longest(headers: Mapping[str, str], otherwise: int = 0) -> int:
    """Seconds, by whichever header asks for most; `otherwise` where none asks for anything readable."""
    asked = [_asked(name, headers[name].strip(), headers) for name in headers]
    return max([seconds for seconds in asked if seconds is not None], default=otherwise)


def _asked(name: str, value: str, headers: Mapping[str, str]) -> int | None:
    number = int(value) if _NUMBER.fullmatch(value) else None
    if _MILLISECONDS.fullmatch(name):
        found = None if number is None else -(-number // 1000)
    elif _NAME.fullmatch(name):
        found = _until(value, headers) if number is None else number
    else:
        found = None
    return None if found is None else min(found, LONGEST)


def _until(value: str, headers: Mapping[str, str]) -> int | None:
    """A date, against the other side's own clock."""
    sent = next((headers[name] for name in headers if name.lower() == "date"), "")
    try:
        return max(-(-(parsedate_to_datetime(value) - parsedate_to_datetime(sent)) // timedelta(seconds=1)), 0)
    except (TypeError, ValueError, OverflowError):
        return None


class Patience:
    """What one piece of work may wait in all; beyond it the work comes later. A retry policy of azure-core.

    A request that failed on its way or met a busy service is sent again, also a POST: a report that is asked for
    twice is made twice and changes nothing.
    """

    next: Any = None  # the rest of the pipeline, put here by azure-core

    def __init__(self, wait: Wait, most: int = MOST) -> None:
        self._wait, self._left = wait, most

    def pause(self, seconds: int) -> None:
        """Transient, without waiting at all, where it would be more than is left. No question comes for free."""
        if seconds > self._left:
            text = f"there is no time left to wait, and Azure asks for another {seconds} s"
            raise Transient(text, timedelta(seconds=seconds))
        self._left -= max(seconds, 1)
        self._wait(seconds)

    def send(self, request: Any) -> Any:
        for number in range(1, TRIES):
            headers: Mapping[str, str] = {}
            try:
                answer = self.next.send(request)
            except self._broken():
                pass
            else:
                if answer.http_response.status_code not in AGAIN:
                    return answer
                headers = answer.http_response.headers
                answer.http_response.close()
            self.pause(longest(headers, 2**number))
        return self.next.send(request)

    @staticmethod
    def _broken() -> tuple[type[Exception], ...]:
        from azure.core.exceptions import ServiceRequestError, ServiceResponseError

        return ServiceRequestError, ServiceResponseError
