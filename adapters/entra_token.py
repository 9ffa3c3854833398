"""Tokens of Entra ID: a signature by one of the tenant's keys, RS256 alone. What the claims say is judged elsewhere.

A token is whatever a stranger sent: nothing in it chooses the algorithm, or where keys are fetched from.
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from ledger.faults import Rejected, Transient, reject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SECONDS = 3
MOST_BYTES = 1_000_000
LONGEST = 16_000
SMALLEST_KEY = 2048
# Keys are asked for again after FRESH; while nobody answers, those known go on for LASTING. An unknown key id asks at
# once, but not more often than PAUSE: ids of keys that nobody has cost a stranger nothing.
FRESH, LASTING, PAUSE = timedelta(hours=6), timedelta(hours=24), timedelta(minutes=1)
_BEARER = re.compile(r"(?i:bearer) +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)
_SIGNATURE_ALONE = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")} | {
    "verify_signature": True
}


class TenantKeys:
    """The public keys by which a tenant's tokens are signed, by id. Safe to ask from several threads."""

    def __init__(self, authority: str, tenant: str, ca: str = "") -> None:
        self._place = f"{authority}/"
        self._start = f"{authority}/{tenant}/v2.0/.well-known/openid-configuration"
        self._fetch = _over_https(ca)
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._known: datetime | None = None
        self._asked: datetime | None = None
        self._fault = ""
        self._lock = Lock()

    def key(self, id: str, now: datetime) -> RSAPublicKey | None:
        """None: the tenant has no such key. Transient: whether it has one cannot be known now."""
        with self._lock:
            if not _within(self._known, FRESH, now) or id not in self._keys:
                self._ask_again(now)
            usable = self._keys if _within(self._known, LASTING, now) else {}
            if id not in usable and self._fault:
                raise Transient(f"the keys of the tenant cannot be read: {self._fault}")
            return usable.get(id)

    def _ask_again(self, now: datetime) -> None:
        if _within(self._asked, PAUSE, now):
            return
        self._asked = now
        try:
            self._keys, self._known, self._fault = self._read(), now, ""
        except Exception as fault:
            # Deliberately broad: a network, TLS or format fault all mean that the keys are not known now.
            self._fault = type(fault).__name__

    def _read(self) -> dict[str, RSAPublicKey]:
        place = str(json.loads(self._fetch(self._start))["jwks_uri"])
        if not place.startswith(self._place):
            raise ValueError("the keys are said to be elsewhere")
        keys = dict(filter(None, map(_key, json.loads(self._fetch(place))["keys"])))
        if not keys:
            raise ValueError("there is no usable key")
        return keys


def claims(authorization: str, keys: TenantKeys, now: datetime) -> Mapping[str, object]:
    """Of the token in an Authorization header; Rejected when there is none or its signature is not the tenant's."""
    import jwt

    token = _BEARER.fullmatch(authorization[:LONGEST])
    if not token:
        raise _refused("there is no token")
    key = keys.key(_key_id(token[1]), now)
    if key is None:
        raise _refused("the key is not one of the tenant's")
    try:
        return jwt.decode(token[1], key, algorithms=["RS256"], options=_SIGNATURE_ALONE)  # type: ignore[arg-type]  # options is a TypedDict there
    except (jwt.PyJWTError, ValueError, RecursionError) as fault:
        raise _refused(f"the token does not hold: {type(fault).__name__}") from None


def _key_id(token: str) -> str:
    """Of a token that says RS256: an algorithm that is never taken asks for no key."""
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise _refused("the token cannot be read") from None
    id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(id, str):
        raise _refused("the token is not signed with RS256 and a named key")
    return id


def _key(entry: Any) -> tuple[str, RSAPublicKey] | None:
    """An entry of a key set; None for what is no key to check RS256 with."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import PyJWK, PyJWTError

    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = PyJWK(entry, "RS256").key
    except (PyJWTError, ValueError, TypeError):
        return None
    sound = isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_KEY and isinstance(entry.get("kid"), str)
    return (entry["kid"], key) if sound else None


def _within(since: datetime | None, span: timedelta, now: datetime) -> bool:
    """Of two calls at once the one that comes later may have begun earlier."""
    return since is not None and -span < now - since < span


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """None makes it a fault: keys come from the tenant's own address."""


def _over_https(ca: str) -> Callable[[str], bytes]:
    context = ssl.create_default_context(cafile=ca or None)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect)

    def fetch(url: str) -> bytes:
        with opener.open(
            urllib.request.Request(url, headers={"Accept": "application/json"}), timeout=SECONDS
        ) as answer:
            found: bytes = answer.read(MOST_BYTES)
        return found

    return fetch


def _refused(reason: str) -> Rejected:
    return reject(reason, "Send a token of the tenant for this service.", "token")
