"""[notices.NAME]: a channel. What is or holds a secret is named by its environment variable, never written here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from governance.model import Budget
from governance.notices import MEDIA, Channel
from governance.templates import kinds
from ledger.faults import Fault
from settings.entry import Entry, settings_fault
from settings.guard import some
from settings.values import one_of, text, word

ADDRESSES = {"teams": "url", "slack": "url", "webhook": "url", "email": "server"}
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def read_channel(name: str, entry: Entry) -> Channel:
    medium = entry.need("kind", one_of(MEDIA), "teams")
    owner_domains: tuple[str, ...] = ()
    key = user = password = sender = owner_tag = ""
    to: tuple[str, ...] = ()
    if medium == "webhook":
        key = entry.need("signing_key", variable, "")
    if medium == "email":
        sender = entry.need("from", mail, "")
        to = entry.take("to", some(mail), ())
        user, password = entry.take("user", variable, ""), entry.take("password", variable, "")
        owner_tag = entry.take("owner_tag", word, "")
        owner_domains = entry.take("owner_domains", some(domain), ())
        _whole(entry, to, owner_tag, owner_domains)
        if bool(user) is not bool(password):
            entry.fault("has only one of user and password", "Name both variables, or neither.")
    found = Channel(
        name,
        medium,
        entry.need(ADDRESSES[medium], variable, ""),
        entry.take("events", some(word), ()),
        entry.take("budgets", some(word), ()),
        key,
        user,
        password,
        sender,
        to,
        entry.take("approver", word, ""),
        owner_tag,
        owner_domains,
    )
    entry.close()
    return found


def _whole(entry: Entry, to: Sequence[str], owner_tag: str, owner_domains: Sequence[str]) -> None:
    if bool(owner_tag) is not bool(owner_domains):
        entry.fault(
            "has only one of owner_tag and owner_domains",
            "Give both: anybody can write any address into a tag.",
        )
    if not to and not owner_tag:
        entry.fault("writes to nobody", "Give to, or owner_tag with owner_domains.")


def misnamed_in_channels(channels: Sequence[Channel], budgets: Sequence[Budget]) -> list[Fault]:
    """A channel that names what is not there would stay silent without a word."""
    known = {
        "budget": {one.name for one in budgets},
        "kind of notice": {one.name for one in kinds()} if channels else (),
    }
    return [
        settings_fault(f"there is no {what} {name}", f"notices.{channel.name}", f"Correct the name of the {what}.")
        for channel in channels
        for what, names in (("budget", channel.budgets), ("kind of notice", channel.events))
        for name in names
        if name not in known[what]
    ]


def variable(value: object) -> str:
    """Whoever pastes an address here by mistake is stopped before it is committed."""
    if not _VARIABLE.fullmatch(text(value)):
        raise ValueError('is the name of an environment variable such as "TEAMS_URL", never the value itself')
    return text(value)


def mail(value: object) -> str:
    if not _MAIL.fullmatch(text(value)):
        raise ValueError('is an address such as "ops@example.com", or a list of them where several may be')
    return text(value)


def domain(value: object) -> str:
    if not _DOMAIN.fullmatch(text(value)):
        raise ValueError('is a list of domains such as "example.com", in lower case')
    return text(value)
