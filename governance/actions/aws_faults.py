"""The one table from errors of EC2 to what the caller must do. Only the call and AWS's code are told on."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from ledger.faults import Conflict, Missing, Rejected, Transient, reject

# AWS names no time. Its buckets refill by calls a second, so that a short wait of all is enough.
PAUSE = timedelta(seconds=5)
THROTTLED = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException", "SlowDown"}
)
LATER = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"})
CAPACITY = frozenset({"InsufficientInstanceCapacity", "InsufficientHostCapacity"})
BETWEEN_STATES = frozenset({"IncorrectInstanceState", "IncorrectState"})
GONE = frozenset({"InvalidInstanceID.NotFound"})

_RIGHTS = "Give the role what docs/stop-machines.md names, and see that no policy of the organisation denies it."
_ADVICE: Mapping[str, str] = {
    "UnauthorizedOperation": _RIGHTS,
    "AccessDenied": _RIGHTS,
    "AuthFailure": "Check the role and its trust policy (docs/aws.md).",
    "ExpiredToken": "Sign in again, or renew the credentials of the environment.",
    "OperationNotPermitted": "Switch its stop protection off, or take the instance out of the budget's opt-in.",
    "UnsupportedOperation": "Take the instance out of the budget's opt-in.",
}


@contextmanager
def translated(what: str, expected: Container[str] = ()) -> Iterator[list[str]]:
    """Turns whatever botocore raises inside into Transient, Conflict, Missing or Rejected; `what` names the call.

    A code that is `expected` as the answer is no fault: it is added to what the block gets.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    codes: list[str] = []
    try:
        yield codes
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code") or "unknown")
        if code in expected:
            codes.append(code)
            return
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise _answered(what, code, status) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        advice = "Name a role in [aws.NAME], or sign in."
        raise reject(f"{what}: no credentials of AWS", advice, "aws-credentials") from error
    except BotoCoreError as error:
        raise Transient(f"{what}: {type(error).__name__}") from error


def _answered(what: str, code: str, status: int) -> Transient | Conflict | Missing | Rejected:
    text = f"{what}: {code}"
    if code in THROTTLED or status == 429:
        return Transient(text, PAUSE)
    if code in LATER or code in CAPACITY or status >= 500:
        return Transient(text)
    if code in GONE:
        return Missing(text)
    if code in BETWEEN_STATES:
        return Conflict(text)
    return reject(text, _ADVICE.get(code, "Correct what the code names, then replay the alert."), f"aws-{code}")
