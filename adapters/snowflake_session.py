"""Who the service is towards Snowflake: a user with a key pair, or its managed identity."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ledger.faults import reject

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

RULE = "snowflake-sign-in"
TAG = "focus-governance-ledger"
STATEMENT_SECONDS = 900
# Days are days of UTC, and a query that nobody waits for any more ends.
SESSION: dict[str, Any] = {
    "TIMEZONE": "UTC",
    "QUERY_TAG": TAG,
    "ABORT_DETACHED_QUERY": True,
    "STATEMENT_TIMEOUT_IN_SECONDS": STATEMENT_SECONDS,
    "CLIENT_TELEMETRY_ENABLED": False,
}
# Short and bounded, no storm of tries: a queue brings its message back, and the timer comes again. Chunks that are
# fetched ahead are held in memory.
PATIENCE: dict[str, Any] = {
    "login_timeout": 60,
    "connect_timeout": 10,
    "request_timeout": 60,
    "retry_timeout": 120,
    "query_timeout": STATEMENT_SECONDS + 60,
    "retry_max_attempts": 3,
    "client_memory_limit": 128,
    "client_prefetch_threads": 2,
}
# Numbers as decimals: the connector's own choice is floating point. Nothing of a sign-in is kept on disk.
OPTIONS: dict[str, Any] = {
    "application": "FocusGovernanceLedger",
    "arrow_number_to_decimal": True,
    "client_store_temporary_credential": False,
    "enable_server_session_keep_alive_auto_detection": False,
    "paramstyle": "qmark",
}

_KEY = "Put the user's private key as PEM text into {name}, as a reference to a key vault (docs/snowflake.md)."
_URL = "Take LEDGER_SNOWFLAKE_URL out; it is for a stand-in on this machine."


@dataclass(frozen=True, slots=True)
class SignIn:
    """Which account, as whom. `source` picks keys of its own from the environment; no secret is here."""

    account: str
    user: str = ""
    role: str = ""
    warehouse: str = ""
    auth: str = "key-pair"
    source: str = ""


def connect(sign_in: SignIn, env: Mapping[str, str]) -> SnowflakeConnection:
    """A session of the connector. Its own errors go through; Rejected where a key or an address is of no use."""
    asked = {**options(sign_in, env), **PATIENCE, **OPTIONS}
    from snowflake.connector import connect

    _silenced()
    return connect(**asked, session_parameters=dict(SESSION))


def options(sign_in: SignIn, env: Mapping[str, str]) -> dict[str, Any]:
    """What the connector is told about who and where."""
    named = {"user": sign_in.user, "role": sign_in.role, "warehouse": sign_in.warehouse}
    place = _place(env)
    given = {"account": sign_in.account, **{name: value for name, value in named.items() if value}, **place}
    return {**given, **_proof(sign_in, env, _is_here(place.get("host", "")))}


def _place(env: Mapping[str, str]) -> dict[str, Any]:
    """Nothing for Snowflake itself; the connector makes the account's address."""
    if not (url := env.get("LEDGER_SNOWFLAKE_URL")):
        return {}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in ("http", "https") or (parts.scheme == "http" and not _is_here(host)):
        raise reject("LEDGER_SNOWFLAKE_URL is no https:// address, nor one of this machine", _URL, RULE)
    return {"host": host, "protocol": parts.scheme, "port": port or (443 if parts.scheme == "https" else 80)}


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _proof(sign_in: SignIn, env: Mapping[str, str], here: bool) -> dict[str, Any]:
    """The connector asks the platform for the identity's token itself, and shows it to hosts of Snowflake only."""
    if sign_in.auth == "workload-identity":
        return {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AZURE"}
    if sign_in.auth == "key-pair":
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": private_key(sign_in.source, env)}
    if not here:
        advice = 'Write auth = "key-pair" or "workload-identity".'
        raise reject("a password is taken for a stand-in on this machine only", advice, RULE)
    return {"password": env.get("LEDGER_SNOWFLAKE_PASSWORD", "")}


def private_key(source: str, env: Mapping[str, str]) -> bytes:
    """PKCS #8 as DER, in memory only. Nothing of the key, and no word of who could not read it, is in a fault."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    name, text = _of_source("LEDGER_SNOWFLAKE_PRIVATE_KEY", source, env)
    if not text or text.startswith("@Microsoft.KeyVault"):
        missing = "was not resolved by the platform" if text else "is missing"
        raise reject(f"{name} {missing}", _KEY.format(name=name), RULE)
    phrase = _of_source("LEDGER_SNOWFLAKE_PASSPHRASE", source, env)[1].encode() or None
    try:
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), phrase)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise reject(
            f"{name} cannot be read as a private key{_why(text, phrase)}", _KEY.format(name=name), RULE
        ) from None
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _of_source(common: str, source: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The source's own variable where it is set, else that of all of them: its name and its value."""
    own = common.replace("SNOWFLAKE_", f"SNOWFLAKE_{re.sub('[^A-Z0-9]', '_', source.upper())}_", 1)
    return (own, env[own].strip()) if source and env.get(own) else (common, env.get(common, "").strip())


def _why(text: str, phrase: bytes | None) -> str:
    if "ENCRYPTED" not in text:
        return ", but there is a passphrase" if phrase else ""
    return ": its passphrase is wrong" if phrase else ": it is encrypted, and no passphrase is set"


def _silenced() -> None:
    """What the connector would log may name hosts, users and queries; its errors say what a person needs."""
    for name in ("snowflake", "snowflake.connector", "snowflake.connector._core"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
