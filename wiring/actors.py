"""Who acts from this terminal, for the record, beside the name that was typed."""

from __future__ import annotations

from settings import Settings
from wiring.parts import Env

_PLATFORM = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")


def actor(found: Settings, env: Env, *, acts: bool = False) -> dict[str, object]:
    """The principal that Azure signs this terminal in as, where it is asked at all; else the claim of the terminal.

    It is asked where the record lies in Azure and is reached without a key, where the platform has an identity, and
    where the command `acts` on machines: there a sign-in is needed anyway. Elsewhere each command would wait for one.
    """
    from governance.actor import actor as recorded
    from governance.actor import principal

    if not (acts or _by_identity(found, env) or any(env.get(name) for name in _PLATFORM)):
        return recorded({})
    from adapters.signed_in import claims

    return recorded(principal(claims(env)))


def _by_identity(found: Settings, env: Env) -> bool:
    from adapters.names import BLOBS

    keyless = env.get("AzureWebJobsStorage__accountName") and not env.get("AzureWebJobsStorage")
    return bool(keyless) and found.store_url.startswith(BLOBS)
