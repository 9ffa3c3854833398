"""The one table from Azure SDK errors to what the caller must do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from ledger.faults import Conflict, Missing, Transient, reject

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
# A 409 that time does not heal: a lock, or a machine that cannot be deallocated. Other conflicts pass.
LASTING = frozenset({"ScopeLocked", "OperationNotAllowed", "NotSupported", "BadRequest"})
# A 404 with another code says nothing of the machine: who may not see a subscription any more is told so too.
GONE = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "NotFound"})
# For answers whose own code nobody reads.
_CODES = {403: "Forbidden", 404: "NotFound"}
FORBIDDEN = "azure-Forbidden"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns whatever the SDK raises inside into Transient, Conflict, Missing or Rejected; `what` names the call."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as error:
        # Without an answer the identity endpoint itself was not there: that passes.
        raise _answered(what, error, error.status_code, "AuthenticationFailed", _headers(error)) from error
    except HttpResponseError as error:
        code = (error.error.code if error.error else None) or "unknown"
        raise _answered(what, error, error.status_code, code, _headers(error)) from error
    except AzureError as error:
        raise Transient(f"{what}: {type(error).__name__}") from error


def answered(what: str, answer: Any) -> Exception:
    """The same table for an answer that was asked for without the SDK's own operations."""
    headers = {str(key).lower(): str(value) for key, value in answer.headers.items()}
    return _answered(what, None, answer.status_code, _CODES.get(answer.status_code, "unknown"), headers)


def _answered(
    what: str, error: Exception | None, status: int | None, code: str, headers: Mapping[str, str]
) -> Exception:
    """Only the call, the status and the code are told on: an SDK's text may quote headers or addresses."""
    text = f"{what}: {status or type(error).__name__} {code}"
    if status is None or status in TRANSIENT:
        return Transient(text, retry_after(headers, datetime.now(UTC)))
    if status == 404 and code in GONE:
        return Missing(text)
    if status == 412 or (status == 409 and code not in LASTING):
        return Conflict(text)
    return reject(text, _ADVICE.get(status, "Correct what the code names, then replay the alert."), f"azure-{code}")


_ADVICE = {
    401: "Check the identity the service runs as.",
    403: "Give the identity read, deallocate and instance-view rights on the scope, or lift the policy that denies it.",
    404: "Check the subscription, and that the identity still has its rights there; the machine may well be on.",
    409: "Remove the lock or take the machine out of the budget's opt-in.",
}


def _headers(error: object) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    return {str(key).lower(): str(value) for key, value in dict(getattr(response, "headers", None) or {}).items()}


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What the other side asked for: milliseconds, seconds or a date; None when it asked for nothing readable."""
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if headers.get(name, "").isdecimal():
            return timedelta(milliseconds=min(int(headers[name]), 86_400_000))
    asked = headers.get("retry-after", "")
    if asked.isdecimal():
        return timedelta(seconds=min(int(asked), 86_400))
    try:
        return max(parsedate_to_datetime(asked) - now, timedelta())
    except (TypeError, ValueError):
        return None
