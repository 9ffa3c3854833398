"""Every error of azure-core and azure-identity as one of ours: one table by Azure's code, one by kind of exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from json import JSONDecodeError
from typing import TYPE_CHECKING

from ingest.sources.azure_patience import longest
from ledger.faults import Missing, Transient, reject

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

RULE = "azure-access"
LATER, GONE, REFUSED = "later", "gone", "refused"
READER = "Cost Management Reader"

_ROLE = "Give the identity that is signed in the role {role} at this scope (docs/azure.md), then try again."
_SIGN_IN = "Sign in again (`az login`), or give the service a managed identity; no secret is needed."
_SCOPE = "Check `scope`: it is the resource id that the Azure portal shows under Cost Management, Properties."
_EXPORT = "Use an export to a storage account instead (docs/azure.md) and let `location` point at its container."
_CHARGES = "Let the enterprise administrator turn on `view charges` for account owners and departments."
_REQUEST = "Correct what Azure names: scope, month or dates."

# Azure's code in lower case (or the status, where it names none) -> what to do, what it means, advice.
CODES: dict[str, tuple[str, str, str]] = {
    "401": (REFUSED, "access is denied", _ROLE),
    "403": (REFUSED, "access is denied", _ROLE),
    "authorizationfailed": (REFUSED, "access is denied", _ROLE),
    "authorizationfailure": (REFUSED, "access is denied", _ROLE),
    "authorizationpermissionmismatch": (REFUSED, "access is denied", _ROLE),
    "rbacaccessdenied": (REFUSED, "access is denied", _ROLE),
    "unauthorized": (REFUSED, "access is denied", _ROLE),
    "forbidden": (REFUSED, "access is denied", _ROLE),
    "accessdenied": (REFUSED, "access is denied", _ROLE),
    "linkedauthorizationfailed": (REFUSED, "access is denied", _ROLE),
    "disallowedoperation": (REFUSED, "the scope does not show its charges", _CHARGES),
    "accountcostdisabled": (REFUSED, "the scope does not show its charges", _CHARGES),
    "departmentcostdisabled": (REFUSED, "the scope does not show its charges", _CHARGES),
    "indirectcostdisabled": (REFUSED, "the scope does not show its charges", _CHARGES),
    "authenticationfailed": (REFUSED, "Azure does not accept the identity's token", _SIGN_IN),
    "invalidauthenticationtoken": (REFUSED, "Azure does not accept the identity's token", _SIGN_IN),
    "invalidauthenticationtokenaudience": (REFUSED, "Azure does not accept the identity's token", _SIGN_IN),
    "invalidauthenticationtokentenant": (REFUSED, "the identity belongs to another directory", _SIGN_IN),
    "expiredauthenticationtoken": (REFUSED, "the sign-in is over", _SIGN_IN),
    "404": (GONE, "there is no such thing", _SCOPE),
    "notfound": (GONE, "there is no such thing", _SCOPE),
    "resourcenotfound": (GONE, "there is no such thing", _SCOPE),
    "subscriptionnotfound": (REFUSED, "there is no such subscription for this identity", _SCOPE),
    "billingaccountnotfound": (REFUSED, "there is no such billing account for this identity", _SCOPE),
    "invalidscope": (REFUSED, "the scope is not valid", _SCOPE),
    "413": (REFUSED, "there is too much data for one report", _EXPORT),
    "responsesizetoolarge": (REFUSED, "there is too much data for one report", _EXPORT),
    "429": (LATER, "Azure asks for fewer requests", ""),
    "toomanyrequests": (LATER, "Azure asks for fewer requests", ""),
    "requestthrottled": (LATER, "Azure asks for fewer requests", ""),
    "409": (LATER, "something else is under way", ""),
    "412": (LATER, "it was restated while it was being read", ""),
}

# What a text says, where the code alone does not tell; read before the table of codes.
TEXTS: tuple[tuple[re.Pattern[str], tuple[str, str, str]], ...] = (
    (
        re.compile(r"offer ?types?\b.*not supported|supports only enterprise agreement", re.IGNORECASE),
        (REFUSED, "Azure gives no such report for this kind of subscription, such as pay-as-you-go", _EXPORT),
    ),
)

# Exceptions without an answer of Azure behind them, by name; the first that the error is wins.
KINDS: dict[str, tuple[str, str, str]] = {
    "CredentialUnavailableError": (REFUSED, "there is no identity to sign in with", _SIGN_IN),
    "ClientAuthenticationError": (REFUSED, "the identity could not be signed in", _SIGN_IN),
    "TooManyRedirectsError": (REFUSED, "the answer points elsewhere without end", "Check LEDGER_ARM_URL."),
    "ServiceRequestError": (LATER, "the connection failed", ""),
    "ServiceResponseError": (LATER, "the connection was cut", ""),
    "DecodeError": (LATER, "the answer cannot be read", ""),
    "DeserializationError": (LATER, "the answer cannot be read", ""),
    "JSONDecodeError": (LATER, "the answer cannot be read", ""),
    "HttpResponseError": (LATER, "the answer cannot be read", ""),
}

_SECRET = re.compile(
    r"\?\S+|\b(?i:bearer\s+\S+|(?:sig|signature|sharedaccesskey|accountkey|client_secret|token|code)=[^&\s]+)"
    r"|\beyJ[^\s\"',;&]{8,}"
)


@contextmanager
def azure_faults(what: str, role: str = READER) -> Iterator[None]:
    """`what` is named in the fault, `role` in the advice where rights lack. Nothing of the SDK's error is kept."""
    from azure.core.exceptions import AzureError, DeserializationError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        raise _answered(error, what, role) from None
    except (AzureError, DeserializationError, JSONDecodeError) as error:
        raise _unanswered(error, what) from None
    except Transient as fault:
        raise Transient(f"{what}: {fault}", fault.retry_after) from None


def scrubbed(text: str) -> str:
    """One line without queries of addresses, signatures, keys and tokens."""
    return _SECRET.sub("***", " ".join(text.split()))[:300]


def code_of(error: HttpResponseError) -> str:
    return str(getattr(error.error, "code", None) or error.status_code or "")


def _answered(error: HttpResponseError, what: str, role: str) -> Exception:
    """By what is said, by Azure's code, then by the status: 5xx, 408 and 429 pass with time."""
    if not error.status_code or error.status_code < 300:
        return _unanswered(error, what)
    code, status = code_of(error), error.status_code
    said = scrubbed(str(getattr(error.error, "message", None) or ""))
    deed, meaning, advice = _meant(code, status, said)
    text = f"{what}: {meaning} ({scrubbed(code)}{f': {said}' if said else ''})"
    asked = longest(getattr(error.response, "headers", {}))
    return _fault(deed, text, advice.format(role=role), asked)


def _meant(code: str, status: int, said: str) -> tuple[str, str, str]:
    passes = (LATER, "the service is busy", "")
    unknown = passes if status >= 500 or status in (408, 429) else (REFUSED, "Azure refuses the request", _REQUEST)
    told = next((meant for pattern, meant in TEXTS if pattern.search(said)), None)
    return told or CODES.get(code.lower()) or CODES.get(str(status)) or unknown


def _unanswered(error: BaseException, what: str) -> Exception:
    names = [kind.__name__ for kind in type(error).__mro__]
    deed, meaning, advice = next((KINDS[name] for name in names if name in KINDS), (LATER, "the call failed", ""))
    return _fault(deed, f"{what}: {meaning} ({type(error).__name__})", advice, 0)


def _fault(deed: str, text: str, advice: str, asked: int) -> Exception:
    if deed == REFUSED:
        return reject(text, advice, RULE)
    return Missing(text) if deed == GONE else Transient(text, timedelta(seconds=asked) if asked else None)
