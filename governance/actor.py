"""Who stands behind a name that was typed: the principal that Azure gave this terminal a token for, or nobody. Pure.

A name given by --by is whatever was typed. The principal is whom Azure let in, and no more is proven by it than that:
who may write to the record may write anything into it.
"""

from __future__ import annotations

from collections.abc import Mapping

# Claims that name someone, by their name in a record: version 1.0 of a token says upn, 2.0 may say the other.
CLAIMS: Mapping[str, tuple[str, ...]] = {
    "upn": ("upn", "preferred_username", "unique_name"),
    "oid": ("oid",),
    "appid": ("appid", "azp"),
    "tenant": ("tid",),
}
LONGEST = 200
CLAIMED = "the claim of the terminal"


def principal(claims: Mapping[str, object]) -> dict[str, str]:
    """Whom a token is for; empty where it names no object of the directory."""
    found = {name: _first(claims, spelt) for name, spelt in CLAIMS.items()}
    return {name: value for name, value in found.items() if value} if found["oid"] else {}


def _first(claims: Mapping[str, object], names: tuple[str, ...]) -> str:
    told = (claims.get(name) for name in names)
    return next((one for one in told if isinstance(one, str) and one.isprintable() and 0 < len(one) <= LONGEST), "")


def actor(found: Mapping[str, str]) -> dict[str, object]:
    """As an event holds it, beside the name that was typed."""
    return {"verified": True, **found} if found else {"verified": False, "is": CLAIMED}


def beside(found: Mapping[str, object] | None) -> dict[str, object]:
    """What an event gets; nothing where nobody sits at a terminal."""
    return {"actor": dict(found)} if found else {}


def told(actor: object) -> str:
    """For a person; empty where nothing is recorded of it, as in older events and where a link decided."""
    if not isinstance(actor, Mapping) or not actor:
        return ""
    if actor.get("verified") is not True:
        return CLAIMED
    who = actor.get("upn") or f"application {actor.get('appid', 'unknown')}"
    return f"signed in to Azure as {who}, object {actor.get('oid')}"


def named(by: object, actor: object) -> str:
    """The name that was typed, and who that was."""
    return f"{by} ({note})" if (note := told(actor)) else str(by)
