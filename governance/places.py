"""Where machines are: which scopes a budget may have, what lies below one, and whose account an id is in. Pure.

/subscriptions/ID[/resourcegroups/NAME]     Azure
arn:aws:ec2:[REGION]:ACCOUNT                AWS, one region or all that are set up
snowflake:ORGANIZATION-ACCOUNT              Snowflake
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):ec2:(?P<region>[a-z0-9-]*):(?P<account>\d{12})(:(?P<rest>.+))?")
_SCOPES = (
    re.compile(r"/subscriptions/[^/\s]+(/resourcegroups/[^/\s]+)?", re.IGNORECASE),
    re.compile(r"arn:aws[a-z-]*:ec2:[a-z0-9-]*:\d{12}"),
    re.compile(r"snowflake:[a-z0-9_]+-[a-z0-9_]+", re.IGNORECASE),
)
_PLACE = re.compile(
    r"/subscriptions(/[^/\s]+)+|arn:aws[a-z-]*:ec2:[a-z0-9-]*:\d{12}:instance/i-[0-9a-f]+"
    r"|snowflake:[a-z0-9_]+-[a-z0-9_]+/[^/\s]+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MachineAccount:
    """An account of AWS or Snowflake whose machines may be stopped, and as whom. No secret is here."""

    name: str
    provider: str
    account: str
    regions: tuple[str, ...] = ()
    role: str = ""
    audience: str = ""
    user: str = ""
    auth: str = ""
    monitor: str = ""


def is_scope(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in _SCOPES)


def is_place(text: str) -> bool:
    """A scope or a machine's id: anything below which a machine can lie."""
    return is_scope(text) or _PLACE.fullmatch(text) is not None


def below(id: str, place: str) -> bool:
    """Whether the id is the place or lies in it, without case; the place of an account holds all its regions."""
    inside, outside = _ARN.fullmatch(id.lower()), _ARN.fullmatch(place.lower())
    if inside and outside and not outside["rest"]:
        same = inside["partition"] == outside["partition"] and inside["account"] == outside["account"]
        return same and outside["region"] in ("", inside["region"])
    folded = place.lower().rstrip("/")
    return bool(folded) and (id.lower() == folded or id.lower().startswith(f"{folded}/"))


def account_named(text: str) -> str:
    """The account that people mean, whether they write it bare or as an id: the settings' way, without case."""
    return (account_of(text.strip()) or text.strip()).casefold()


def account_of(id: str) -> str:
    """The subscription of an ARM id, the account of an ARN or of Snowflake; empty for any other id."""
    parts = id.split("/")
    if len(parts) > 2 and parts[1].lower() == "subscriptions":
        return parts[2]
    if found := _ARN.fullmatch(id):
        return found["account"]
    return parts[0].partition(":")[2] if parts[0].lower().startswith("snowflake:") else ""
