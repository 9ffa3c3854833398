"""What of a source's settings is Snowflake's. Pure."""

from __future__ import annotations

import re

from ingest.plan import SnowflakeAccess, Source
from settings.entry import Entry
from settings.values import one_of, text, word

PLACE = "snowflake:"
ALLOCATIONS = ("", "warehouse", "query-tag", "user")
CONTRACT_BILLING = ("", "draw-down", "purchase")
MARKETPLACES = ("", "aws", "azure", "gcp")
AUTHS = ("key-pair", "workload-identity", "password")
VIEWS = ("usage", "focus")
# ORGANIZATION-ACCOUNT, or an older locator with its region; no address and no path.
ACCOUNT = re.compile(r"(?i)(?!.*snowflakecomputing)[a-z0-9_]+(?:[-.][a-z0-9_-]+){0,3}")


def read_access(entry: Entry, provider: str, location: str) -> SnowflakeAccess:
    """Where Snowflake is asked, an account has to be named, and a user unless the identity stands for one."""
    auth = entry.take("auth", one_of(AUTHS), AUTHS[0])
    asked = provider == "snowflake" and _asks(location)
    take_account = entry.need if asked else entry.take
    take_user = entry.need if asked and auth != "workload-identity" else entry.take
    return SnowflakeAccess(
        account=take_account("account_identifier", _account, ""),
        user=take_user("user", word, ""),
        role=entry.take("role", text, "") if provider == "snowflake" else "",
        warehouse=entry.take("warehouse", text, ""),
        auth=auth,
        view=entry.take("view", one_of(VIEWS), VIEWS[0]),
    )


def refuse_snowflake_misfits(found: Source, entry: Entry) -> None:
    """Keys of Snowflake at another provider, and a place that is not quite one."""
    asked = _asks(found.location)
    if found.provider != "snowflake":
        if asked or found.contract_billing or found.marketplace or found.snowflake != SnowflakeAccess():
            entry.fault("is no source of Snowflake, but has its keys", "Take them out, or correct the provider.")
    elif asked:
        _refuse_unclear_place(found, entry)
    elif found.snowflake != SnowflakeAccess():
        advice = f'Write location = "{PLACE}" to ask Snowflake itself, or take out what says how to reach it.'
        entry.fault("is no place that is signed in to, but the source says as whom", advice, "location")


def _refuse_unclear_place(found: Source, entry: Entry) -> None:
    if found.location != PLACE:
        advice = f'Write location = "{PLACE}", and the account as account_identifier.'
        entry.fault("is not quite what asks Snowflake", advice, "location")
    if found.snowflake.view == "focus" and found.allocation:
        advice = 'Take it out, or let view be "usage".'
        entry.fault("is set, but rows of Snowflake's own FOCUS view are not split", advice, "allocation")
    if found.snowflake.view == "focus" and found.contract_billing == "purchase":
        advice = 'Take it out, or let view be "usage".'
        entry.fault("is set, but the FOCUS view comes without what was purchased", advice, "contract_billing")


def _asks(location: str) -> bool:
    return location.strip().lower().startswith(PLACE.rstrip(":"))


def _account(value: object) -> str:
    found = text(value)
    if not ACCOUNT.fullmatch(found):
        raise ValueError("is an account identifier such as EXAMPLE-MAIN, no address")
    return found
