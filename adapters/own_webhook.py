"""The service's own webhook, called from outside as an action group calls it: its address, with the key in it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ledger.faults import reject

SECONDS = 30
MOST_BYTES = 4096
_ADDRESS = re.compile(r"https://[^\s@/?#]+/\S*|http://(127\.0\.0\.1|localhost)(:\d+)?/\S*")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key in the address is shown to nobody else: a redirection is the answer itself."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post(address: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status and what the answer says is wrong; 0 and the kind of fault where nobody answers.

    Rejected for what is no address. It holds a key, so that it is in no text.
    """
    if not _ADDRESS.fullmatch(address):
        advice = "Set LEDGER_DRILL_URL to the webhook's https address with its key."
        raise reject("the address that drills are sent to is none", advice, "drill-url")
    request = urllib.request.Request(
        address, data=body, headers={**headers, "Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            return answer.status, _reason(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _reason(error.read(MOST_BYTES))
    except (OSError, ValueError) as fault:
        return 0, type(getattr(fault, "reason", None) or fault).__name__


def _reason(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    told = document if isinstance(document, dict) else {}
    return ascii(str(told.get("refused") or told.get("error") or ""))[1:-1][:200]
