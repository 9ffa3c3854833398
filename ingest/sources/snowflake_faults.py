"""Errors of Snowflake's connector as one of ours: one table by Snowflake's code, one by what a text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.faults import Missing, Transient, reject

if TYPE_CHECKING:
    from snowflake.connector.errors import Error

RULE = "snowflake-access"
LATER, GONE, REFUSED = "later", "gone", "refused"

_ACCOUNT = "Check `account_identifier`: ORGANIZATION-ACCOUNT, as Snowsight shows it under View account details."
_KEY = "Give the user the public key that belongs to this private key (RSA_PUBLIC_KEY), and check `user`."
_USER = "Check `user`, and that the user is not disabled (docs/snowflake.md)."
_ROLE = "Grant the role to the user, and the views to the role, as docs/snowflake.md lists them; or correct `role`."
_WAREHOUSE = (
    "Name a `warehouse` in ledger.toml, GRANT USAGE ON WAREHOUSE to the role, and let it resume by itself: "
    "AUTO_RESUME = TRUE (docs/snowflake.md)."
)
_QUOTA = "Raise the quota of the resource monitor, or name another `warehouse`; the next run repairs the month."
_NETWORK = "Let the network policy of the account or the user admit the service's outbound addresses."
_IDENTITY = (
    "Set the user's WORKLOAD_IDENTITY to the issuer and the object id of the managed identity (docs/snowflake.md)."
)
_ASK = "Ask the administrator of the account."
_OURS = "This should not happen: report it with the code and the name of the view."

# Snowflake's code -> what to do, what it means, advice.
CODES: dict[int, tuple[str, str, str]] = {
    2003: (GONE, "it is not there, or not granted to the role", _ROLE),
    2043: (GONE, "it is not there, or not granted to the role", _ROLE),
    3001: (GONE, "the role has no right to it", _ROLE),
    904: (GONE, "a column is not there", _ROLE),
    1003: (REFUSED, "Snowflake does not understand the query", _OURS),
    606: (REFUSED, "no warehouse is there to run the query", _WAREHOUSE),
    607: (REFUSED, "the warehouse is suspended and the role may not resume it", _WAREHOUSE),
    90073: (REFUSED, "the warehouse may not be resumed: a resource monitor has used up its quota", _QUOTA),
    90064: (REFUSED, "the warehouse may not be resumed: a resource monitor has used up its quota", _QUOTA),
    604: (LATER, "the query was cancelled", ""),
    625: (LATER, "the warehouse was suspended while the query ran", ""),
    630: (LATER, "the query took longer than the session or the warehouse lets it", ""),
    639: (LATER, "the warehouse's queue is full", ""),
    300002: (LATER, "Snowflake had an error of its own", ""),
    300005: (LATER, "Snowflake had an error of its own", ""),
    390100: (REFUSED, "the user or the password is wrong", _USER),
    390101: (REFUSED, "the user is locked or disabled", _USER),
    390102: (REFUSED, "the user is locked for a time, after wrong attempts", _USER),
    390106: (REFUSED, "the password has expired", _USER),
    390111: (LATER, "the session is gone", ""),
    390112: (LATER, "the session has expired", ""),
    390113: (LATER, "the session is gone", ""),
    390114: (LATER, "the sign-in has expired", ""),
    390115: (LATER, "the session is gone", ""),
    390144: (REFUSED, "the key is wrong or has expired", _KEY),
    390186: (REFUSED, "the role is not granted to the user", _ROLE),
    390189: (REFUSED, "the role is not there, or not granted to the user", _ROLE),
    390190: (REFUSED, "the sign-in by identity is not set up", _IDENTITY),
    390201: (REFUSED, "the warehouse is not there, or not granted to the role", _WAREHOUSE),
    390318: (LATER, "the token has expired", ""),
    390422: (REFUSED, "a network policy does not let this address in", _NETWORK),
    390432: (REFUSED, "a network policy is required, and there is none", _NETWORK),
    390913: (REFUSED, "the account is suspended", _ASK),
}

# What a text says where the code does not tell; read before the table of codes.
TEXTS: tuple[tuple[re.Pattern[str], tuple[str, str, str]], ...] = (
    (
        re.compile(r"resource monitor .*quota|exceeded its quota", re.IGNORECASE),
        (REFUSED, "the warehouse may not be resumed: a resource monitor has used up its quota", _QUOTA),
    ),
    (
        re.compile(r"warehouse .*(suspended|cannot be resumed)", re.IGNORECASE),
        (LATER, "the warehouse was suspended while the query ran", ""),
    ),
    (
        re.compile(r"workload identity|attestation|managed identity|\bIMDS\b", re.IGNORECASE),
        (REFUSED, "the managed identity could not be shown to Snowflake", _IDENTITY),
    ),
    (re.compile(r"\bJWT\b", re.IGNORECASE), (REFUSED, "the key is wrong or has expired", _KEY)),
    (re.compile(r"error status: (403|404)\b"), (REFUSED, "there is no such account for this address", _ACCOUNT)),
    (re.compile(r"refresh session", re.IGNORECASE), (LATER, "the session is gone", "")),
)

LOST = (LATER, "Snowflake cannot be reached, or the connection was lost", "")
SIGN_IN = (REFUSED, "Snowflake does not let the user in", _USER)
SETTINGS = (REFUSED, "the connector does not take these settings", "Correct what it names in ledger.toml.")
QUERY = (REFUSED, "Snowflake refuses the query", _ROLE)
OURS = 100  # the connector numbers its own kinds of failure below this
_SECRET = re.compile(
    r"-----BEGIN.*|\beyJ[^\s\"',;&]{8,}|\?\S+|\b(?i:token|password|passphrase|private_key)\s*[=:]\s*\S+|[\w+/=-]{60,}"
)


@contextmanager
def snowflake_faults(what: str) -> Iterator[None]:
    """`what` is named in the fault: Missing where a view or a column is not there, else Rejected or Transient.

    Nothing of the connector's error is kept but one line without keys and tokens.
    """
    from pyarrow import ArrowException  # type: ignore[import-untyped]  # ships no types
    from snowflake.connector.errors import Error

    try:
        yield
    except Error as error:
        raise _fault(error, what) from None
    except ArrowException as error:
        raise Transient(f"{what}: the answer cannot be read ({type(error).__name__})") from None


def scrubbed(text: str) -> str:
    """One line without keys, tokens, and queries of addresses."""
    return _SECRET.sub("***", " ".join(text.split()))[:300]


def meaning_of(error: Error) -> tuple[str, str, str]:
    """By what is said, by Snowflake's code, then by the kind of error: what is not known to pass is refused."""
    said, code = error.raw_msg or "", error.errno if isinstance(error.errno, int) else -1
    told = next((meant for pattern, meant in TEXTS if pattern.search(said)), None)
    return told or CODES.get(code) or _unknown(error, code)


def _unknown(error: Error, code: int) -> tuple[str, str, str]:
    names = {kind.__name__ for kind in type(error).__mro__}
    if code == 250001 or names & {"OperationalError", "InternalError", "InterfaceError"}:
        return LOST
    if code < OURS or 251000 <= code < 252000:
        return SETTINGS
    return SIGN_IN if 390000 <= code < 400000 else QUERY


def _fault(error: Error, what: str) -> Exception:
    deed, meaning, advice = meaning_of(error)
    code = f"{error.errno:06d}" if isinstance(error.errno, int) and error.errno >= OURS else type(error).__name__
    said = scrubbed(error.raw_msg or "")
    text = f"{what}: {meaning} ({code}{f': {said}' if said else ''})"
    if deed == REFUSED:
        return reject(text, advice, RULE)
    return Missing(text) if deed == GONE else Transient(text)
