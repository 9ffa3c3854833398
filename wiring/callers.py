"""Who calls the webhook, where settings ask for a token beside the function key."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from wiring.parts import Env

if TYPE_CHECKING:
    from adapters.entra_token import TenantKeys
    from governance.caller import Denial, TrustedCaller


def denied(trusted: TrustedCaller, authorization: str, env: Env, now: datetime) -> Denial | None:
    """Why this caller is not let in; None where it is. Transient while the tenant's keys cannot be read."""
    from adapters import telemetry

    found = _denial(trusted, authorization, env, now)
    if found:
        telemetry.alarm("caller-denied", status=found.status, reason=found.reason)
    return found


def _denial(trusted: TrustedCaller, authorization: str, env: Env, now: datetime) -> Denial | None:
    from adapters.entra_token import claims
    from governance.caller import Denial, denial
    from ledger.faults import Rejected

    try:
        said = claims(authorization, _keys(trusted.authority, trusted.tenant, env.get("LEDGER_WEBHOOK_CA", "")), now)
    except Rejected as refusal:
        return Denial(401, refusal.faults[0].message)
    return denial(said, trusted, now)


@lru_cache(maxsize=4)
def _keys(authority: str, tenant: str, ca: str) -> TenantKeys:
    """Kept while the process lives: an alert does not wait for keys that the one before it has fetched."""
    from adapters.entra_token import TenantKeys

    return TenantKeys(authority, tenant, ca)
