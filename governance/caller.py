"""Who may call the webhook: what a token of Entra ID must say, once its signature is found good. Pure.

An action group with a secure webhook signs in as an application of Microsoft's, the same in every tenant. The tenant's
administrator gives it a role on an application registered for this service; only with both is a caller let in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

ROLE = "ActionGroupsSecureWebhook"  # the name that Microsoft's set-up script gives it
ACTION_GROUPS = "461e8683-5575-4561-ac7f-899cc907d62a"  # "AzNS AAD Webhook": the app that action groups sign in as
AUTHORITY = "https://login.microsoftonline.com"
LEEWAY = timedelta(minutes=1)

# The issuer, and the claim that names the calling app, by the version of the token.
VERSIONS = {"1.0": ("https://sts.windows.net/{tenant}/", "appid"), "2.0": ("{authority}/{tenant}/v2.0", "azp")}


@dataclass(frozen=True, slots=True)
class TrustedCaller:
    """`tenant` and `app` are GUIDs in lower case; a token is for one of `audiences`."""

    tenant: str
    audiences: tuple[str, ...]
    role: str = ROLE
    app: str = ACTION_GROUPS
    authority: str = AUTHORITY


@dataclass(frozen=True, slots=True)
class Denial:
    """401: no token to believe; 403: believed, but not let in. `reason` is for the log, not for the caller."""

    status: int
    reason: str


def denial(claims: Mapping[str, object], trusted: TrustedCaller, now: datetime) -> Denial | None:
    """Why a caller with these signed claims is not let in; None where it is."""
    version = claims.get("ver")
    if not isinstance(version, str) or version not in VERSIONS:
        return Denial(401, f"ver is {_shown(version)}")
    issuer, app = VERSIONS[version]
    issuer = issuer.format(tenant=trusted.tenant, authority=trusted.authority)
    begins, ends, at, leeway = _seconds(claims.get("nbf")), _seconds(claims.get("exp")), now.timestamp(), LEEWAY.seconds
    checks = (
        ("iss", claims.get("iss") == issuer, 401),
        ("aud", claims.get("aud") in trusted.audiences, 401),
        ("exp", ends is not None and at < ends + leeway, 401),
        ("nbf", begins is not None and begins - leeway <= at, 401),
        ("roles", _holds(claims.get("roles"), trusted.role), 403),
        (app, str(claims.get(app)).lower() == trusted.app, 403),
    )
    return next(
        (Denial(status, f"{name} is {_shown(claims.get(name))}") for name, good, status in checks if not good), None
    )


def _seconds(value: object) -> int | None:
    """Since 1970; a text or a fraction is nothing that Entra ID writes."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _holds(roles: object, wanted: str) -> bool:
    """A list alone: within a text another role's name may hold the wanted one."""
    return isinstance(roles, list) and wanted in roles


def _shown(value: object) -> str:
    return ascii(value)[:120]
