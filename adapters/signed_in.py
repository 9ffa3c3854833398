"""Whom Azure takes this terminal for: the claims of a token that it gets for its own calls, and keeps to itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from adapters.identity import credential

SCOPE = "https://management.azure.com/.default"
LONGEST = 16_000


def claims(env: Mapping[str, str]) -> Mapping[str, object]:
    """Unverified by us: it came from Azure's own sign-in over a connection of our own. Empty where none can be had."""
    from azure.core.exceptions import AzureError

    try:
        token = credential(env).get_token(SCOPE).token
    except AzureError:  # not signed in, or Azure is out of reach: then nobody vouches for the name
        return {}
    return payload(token)


def payload(token: str) -> Mapping[str, object]:
    """The middle part of a token; empty for anything that is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
