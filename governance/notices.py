"""Which events of the record lead to a notice, and to which channel: one notice per event and channel. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SEND_NOTICE = "send-notice"
KINDS = ("teams", "slack", "email", "webhook")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go ([notices.NAME]). Addresses and keys are names of environment variables, never the values.

    `events` are names of notice kinds and `budgets` names of budgets; empty means all of them.
    """

    name: str
    kind: str
    address: str
    events: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    key: str = ""
    user: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    approver: str = ""
    owner_tag: str = ""
    owner_domains: tuple[str, ...] = ()
