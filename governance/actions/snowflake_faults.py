"""The one table from errors of Snowflake's connector to what the caller must do. Its texts are not told on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.faults import Transient, reject

# Sign-ins and sessions that are over, queries that were cancelled, trouble of Snowflake's own: these pass.
LATER = frozenset({604, 625, 630, 300002, 300005, 390111, 390112, 390113, 390114, 390115, 390318})
INVALID_STATE = 90064
# The connector numbers its own kinds of failure below this: no answer of Snowflake's.
OURS = 100

_ADVICE = {
    2003: "Grant MONITOR and OPERATE on the warehouse to the role.",
    2043: "Grant MONITOR and OPERATE on the warehouse to the role.",
    3001: "Grant MONITOR and OPERATE on the warehouse to the role; a resource monitor needs MODIFY as well.",
    390144: "Give the user the public key that belongs to this private key.",
}
_SIGN_IN = "Check the account, the user and its key in [machines.NAME] (docs/snowflake.md)."


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns whatever the connector raises inside into Transient or Rejected; `what` names the call."""
    from snowflake.connector.errors import DatabaseError, Error, OperationalError

    try:
        yield
    except Error as error:
        code = error.errno if isinstance(error.errno, int) else -1
        text = f"{what}: {type(error).__name__} {code}"
        if code in LATER or (isinstance(error, OperationalError) and code < OURS):
            raise Transient(text) from None
        advice = _ADVICE.get(code, _SIGN_IN if isinstance(error, DatabaseError) else "Report the code.")
        raise reject(text, advice, f"snowflake-{code}") from None


@contextmanager
def already_there() -> Iterator[list[bool]]:
    """Notes that Snowflake refused a state that the warehouse may have reached already; other faults go through."""
    from snowflake.connector.errors import Error

    refused: list[bool] = []
    try:
        yield refused
    except Error as error:
        if error.errno != INVALID_STATE:
            raise
        refused.append(True)
