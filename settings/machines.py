"""Accounts of AWS and Snowflake whose machines may be stopped, as the settings file names them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from governance.places import MachineAccount
from ledger.faults import Fault
from settings.entry import Entry, settings_fault
from settings.snowflake import AUTHS
from settings.values import one_of, text, texts, word

AWS, SNOWFLAKE = "aws", "snowflake"
_AWS_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_SNOWFLAKE_ACCOUNT = re.compile(r"(?i)[a-z0-9_]+-[a-z0-9_]+")


def read_account(name: str, entry: Entry) -> MachineAccount:
    provider = entry.need("provider", one_of((AWS, SNOWFLAKE)), AWS)
    found = _aws(name, entry) if provider == AWS else _snowflake(name, entry)
    entry.close()
    return found


def named_twice(accounts: Sequence[MachineAccount]) -> list[Fault]:
    """Two roles for one account: which of them acts would be chance."""
    seen: dict[tuple[str, str], list[str]] = {}
    for one in accounts:
        seen.setdefault((one.provider, one.account.upper()), []).append(one.name)
    return [
        settings_fault(f"account {account} is named by {' and '.join(names)}", "machines", "Leave it with one of them.")
        for (_, account), names in seen.items()
        if len(names) > 1
    ]


def _aws(name: str, entry: Entry) -> MachineAccount:
    role, audience = entry.take("role", text, ""), entry.take("audience", text, "")
    if role and not audience:
        entry.fault("is missing, but there is a role", "Say what the identity's token is for: audience.", "audience")
    account = entry.need("account", _like(_AWS_ACCOUNT, "is an account of AWS: twelve digits"), "-")
    return MachineAccount(name, AWS, account, entry.need("regions", _regions, ()), role, audience)


def _snowflake(name: str, entry: Entry) -> MachineAccount:
    auth = entry.take("auth", one_of(AUTHS), AUTHS[0])
    take_user = entry.take if auth == "workload-identity" else entry.need
    return MachineAccount(
        name,
        SNOWFLAKE,
        entry.need("account", _like(_SNOWFLAKE_ACCOUNT, "is an account such as EXAMPLE-MAIN"), "-"),
        role=entry.take("role", text, ""),
        user=take_user("user", word, ""),
        auth=auth,
        monitor=entry.take("resource_monitor", text, ""),
    )


def _regions(value: object) -> tuple[str, ...]:
    """None named selects none, and an account without regions has nothing to stop."""
    found = texts(value)
    if not found or not all(_REGION.fullmatch(one) for one in found) or len(set(found)) < len(found):
        raise ValueError('is a list of regions such as ["eu-west-1"], each once')
    return found


def _like(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not pattern.fullmatch(text(value)):
            raise ValueError(wanted)
        return text(value)

    return check
