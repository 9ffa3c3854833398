"""One-time links for a decision: signed with a key of the service, bound to one plan, one choice, one person, one end.

A link is a secret of whoever it is sent to. It is never recorded, only its digest; what makes it one-time is the
record, where a plan is decided once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256

from governance.approval import DECISIONS
from governance.canonical import canonical
from ledger.faults import Rejected, reject

SHORTEST_KEY = 32
LONGEST_TOKEN = 2000
PATH = "/api/plans/decide"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link may do; `to` is who it was made for and is recorded as who decided."""

    run: str
    plan: str
    choice: str
    to: str
    expires: str

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.expires)


def token(link: Link, key: str) -> str:
    """Rejected without a usable key."""
    payload = _text(canonical(asdict(link)))
    return f"{payload}.{_text(_mac(payload, key))}"


def read(given: str, key: str, now: datetime) -> Link:
    """What a token allows; Rejected, with rule `link` or `link-expired`, and without a hint which part was wrong."""
    payload, _, signature = given[:LONGEST_TOKEN].partition(".")
    if not hmac.compare_digest(_text(_mac(payload, key)).encode(), signature.encode("utf-8", "replace")):
        raise _refused()
    link = _parsed(payload)
    if now >= link.end:
        raise reject("this link's time is over", "Ask for a new one.", "link-expired")
    return link


def seal(given: str) -> str:
    """How a used link is named in the record."""
    return sha256(given.encode("utf-8", "replace")).hexdigest()


def made(run: str, plan: str, choice: str, to: str, expires: datetime) -> Link:
    if choice not in DECISIONS or not to.strip():
        raise reject("a link is for one choice and one person", "Say for whom it is.", "link")
    return Link(run, plan, choice, to.strip(), expires.astimezone(UTC).isoformat())


def _parsed(payload: str) -> Link:
    try:
        raw = json.loads(base64.urlsafe_b64decode(payload.encode() + b"=="))
        link = Link(**raw)
        sound = all(isinstance(one, str) for one in asdict(link).values()) and link.choice in DECISIONS
        if sound and link.end.tzinfo:
            return link
    except (ValueError, TypeError, binascii.Error):
        pass
    raise _refused()


def _mac(payload: str, key: str) -> bytes:
    if len(key) < SHORTEST_KEY:
        advice = f"Set LEDGER_APPROVAL_KEY to at least {SHORTEST_KEY} random characters."
        raise reject("there is no key for links", advice, "link-key")
    return hmac.new(key.encode(), b"plan-decision:" + payload.encode("utf-8", "replace"), sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refused() -> Rejected:
    return reject("this link is not one of ours", "Open it exactly as it was sent.", "link")
