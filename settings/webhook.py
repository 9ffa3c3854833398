"""[webhook]: whose tokens the webhook asks for beside its key; the environment comes first, key by key. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from governance.caller import ACTION_GROUPS, AUTHORITY, ROLE, TrustedCaller
from settings.entry import Entry
from settings.values import text, texts, word

VARIABLES = {
    "tenant": "LEDGER_WEBHOOK_TENANT",
    "audience": "LEDGER_WEBHOOK_AUDIENCE",
    "role": "LEDGER_WEBHOOK_ROLE",
    "caller": "LEDGER_WEBHOOK_CALLER",
    "authority": "LEDGER_WEBHOOK_AUTHORITY",
}
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def from_environment(document: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """The settings file with what the environment says in its [webhook]; a blank variable says nothing."""
    said = {key: env[name] for key, name in VARIABLES.items() if env.get(name, "").strip()}
    table = document.get("webhook", {})
    return {**document, "webhook": {**table, **said}} if said and isinstance(table, dict) else dict(document)


def read_caller(entry: Entry) -> TrustedCaller | None:
    """None where nothing is said. Half of it is a fault: the webhook would be less guarded than somebody believes."""
    said = any(entry.has(key) for key in VARIABLES)
    take = entry.need if said else entry.take
    found = TrustedCaller(
        tenant=take("tenant", guid, ""),
        audiences=take("audience", audiences, ()),
        role=entry.take("role", word, ROLE),
        app=entry.take("caller", guid, ACTION_GROUPS),
        authority=entry.take("authority", authority, AUTHORITY),
    )
    entry.close()
    return found if said else None


def guid(value: object) -> str:
    if not _GUID.fullmatch(found := text(value).strip().lower()):
        raise ValueError('is a GUID such as "11111111-1111-1111-1111-111111111111"')
    return found


def audiences(value: object) -> tuple[str, ...]:
    """A list, or one text with spaces or commas between them."""
    found = tuple(re.split(r"[\s,]+", value.strip())) if isinstance(value, str) else texts(value)
    if not found or not all(one.strip() for one in found):
        raise ValueError("names at least one audience")
    return found


def authority(value: object) -> str:
    if not re.fullmatch(r"https://[^/?#@\s]+", found := text(value).strip().rstrip("/")):
        raise ValueError('is an address such as "https://login.microsoftonline.com", without a path')
    return found
