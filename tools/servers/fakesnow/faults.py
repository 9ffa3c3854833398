"""What is to go wrong, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Messages of Snowflake by code, with the SQL state; {statement} is the statement's first line.
KNOWN = {
    "000606": ("57P03", "No active warehouse selected in the current session.  Select an active warehouse with the"
               " 'use warehouse' command."),
    "000630": ("57014", "Statement reached its statement or warehouse timeout of 60 second(s) and was canceled."),
    "001003": ("42000", "SQL compilation error:\nsyntax error line 1 at position 0 unexpected '{statement}'."),
    "002003": ("42S02", "SQL compilation error:\nObject '{statement}' does not exist or not authorized."),
    "003001": ("42501", "SQL access control error:\nInsufficient privileges to operate on '{statement}'."),
    "090073": ("22000", "Warehouse 'LEDGER_WH' cannot be resumed because resource monitor 'LIMIT' has exceeded its"
               " quota."),
    "390100": ("08001", "Incorrect username or password was specified."),
    "390112": ("08001", "Session token has expired. The session must be renewed."),
    "390114": ("08001", "Authentication token has expired.  The user must authenticate again."),
    "390144": ("08001", "JWT token is invalid."),
    "390189": ("08001", "Role 'LEDGER' specified in the connect string does not exist or not authorized."),
}  # fmt: skip


@dataclass(slots=True)
class Fault:
    """For statements that `pattern` is found in; a login is asked as LOGIN. `times` None: until it is taken away.

    kind error answers `code`; slow waits `seconds` first; cut closes the connection instead of an answer; chunks cuts
    the fetch after `after` further parts of the answer; status answers `code` as HTTP status.
    """

    pattern: str
    kind: str = "error"
    code: str = "002003"
    message: str = ""
    seconds: float = 0
    after: int = 0
    times: int | None = None

    def meets(self, statement: str) -> bool:
        return self.times != 0 and re.search(self.pattern, statement, re.IGNORECASE | re.DOTALL) is not None

    def count(self) -> None:
        if self.times is not None:
            self.times -= 1

    @property
    def state(self) -> str:
        return KNOWN.get(self.code, ("HY000", ""))[0]

    def told(self, statement: str) -> str:
        first = (statement.strip().splitlines() or [""])[0]
        return self.message or KNOWN.get(self.code, ("", "Something went wrong."))[1].format(statement=first[:200])


def due(faults: Iterable[Fault], statement: str, *kinds: str) -> Fault | None:
    """The first fault of these kinds for the statement, counted as used."""
    found = next((fault for fault in faults if fault.kind in kinds and fault.meets(statement)), None)
    if found is not None:
        found.count()
    return found
