"""Warehouses of Snowflake behind the Fleet protocol: list, look, suspend, resume.

Only SHOW and ALTER WAREHOUSE are said: neither needs a warehouse that runs, so that looking never starts one. What
people say about a warehouse is in its comment, as `key=value; key=value`: Snowflake tells object tags up to two hours
late, and only through a warehouse that runs.

Running queries are let finish. A warehouse that resumes by itself is started by its next query: where a resource
monitor is configured, one whose quota is used up, the warehouse is put under it first and stays suspended. Its part is
the monitor that it is under: the one that it goes back to, or the one that keeps it off, which then is told to be off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any
from urllib.parse import unquote

from governance.actions.snowflake_faults import already_there, translated
from governance.model import Machine
from ledger.faults import Conflict, reject

KIND = "snowflake_warehouse"
OFF = ("deallocated", "deallocating")
POWER: Mapping[str, str] = {
    "STARTED": "running",
    "RESUMING": "starting",
    "SUSPENDING": "deallocating",
    "SUSPENDED": "deallocated",
}
_SCOPE = re.compile(r"snowflake:(?P<account>[\w-]+)", re.IGNORECASE)
_ID = re.compile(rf"{_SCOPE.pattern}/(?P<name>(?:[A-Z0-9_$]|%[0-9A-F]{{2}})+)", re.IGNORECASE)
NO_MONITOR = ("", "null")
# People write either; were one of them not read, a comment that says production would say nothing.
_MARK = re.compile("[=:]")

Told = Mapping[str, str]


class SnowflakeWarehouses:
    """The warehouses of one account that the role may see. `connect` opens a session of the connector."""

    def __init__(self, connect: Callable[[], Any], account: str, *, monitor: str = "") -> None:
        self._connect, self._account, self._monitor = connect, account.upper(), monitor

    def lists(self, scope: str) -> bool:
        found = _SCOPE.fullmatch(scope)
        return found is not None and found["account"].upper() == self._account

    def owns(self, id: str) -> bool:
        found = _ID.fullmatch(id)
        return found is not None and found["account"].upper() == self._account

    def machines(self, scope: str) -> list[Machine]:
        if not self.lists(scope):
            raise reject(f"{scope!r} is not account {self._account}", "Correct the budget's scope.", "snowflake-id")
        with translated(f"list warehouses of {self._account}"), closing(self._connect()) as session:
            found = _show(session)
        return [self._shown(one) for one in found]

    def machine(self, id: str) -> Machine:
        """Rejected, not Missing, where it is not listed: it may as well be a right that was taken away."""
        name = self._name(id)
        with translated(f"read warehouse {name}"), closing(self._connect()) as session:
            return self._shown(_one(session, name))

    def lock(self, id: str) -> str:  # noqa: ARG002  # a cloud without locks
        return ""

    def missing_rights(self, id: str) -> Sequence[str]:
        """As granted to the session's role itself: what it has through another role is not seen here."""
        name = self._name(id)
        with translated(f"show grants on warehouse {name}"), closing(self._connect()) as session:
            role = str(session.role or "").strip('"')
            rows = _say(session, f"SHOW GRANTS ON WAREHOUSE {_quoted(name)}")
        held = {str(row["privilege"]).upper() for row in rows if row["grantee_name"] == role}
        wanted = ("OPERATE", "MODIFY") if self._monitor else ("OPERATE",)
        return [] if "OWNERSHIP" in held else [f"{one} on {name} to {role}" for one in wanted if one not in held]

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # read again at the call
        name, before = self._name(id), None
        try:
            with translated(f"suspend warehouse {name}"), closing(self._connect()) as session:
                before = _one(session, name).get("resource_monitor") or ""
                self._watch(session, name, self._monitor)
                self._turn(session, name, "SUSPEND")
        except Exception as fault:
            # Deliberately broad: whatever it was, the monitor goes back, or it is told that it does not.
            if before is not None and not self._gave_back(name, before):
                fault.args = (f"{fault}; it may still stand under {self._monitor}",)
            raise

    def _gave_back(self, name: str, monitor: str) -> bool:
        """In a session of its own: the first may be what failed."""
        with suppress(Exception), closing(self._connect()) as session:
            self._watch(session, name, monitor)
            return True
        return False

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:
        """`parts` is the monitor that it had before, if it had one."""
        name = self._name(id)
        with translated(f"resume warehouse {name}"), closing(self._connect()) as session:
            self._watch(session, name, parts[0] if parts else "")
            self._turn(session, name, "RESUME")

    def _watch(self, session: Any, name: str, monitor: str) -> None:
        """Put it under that monitor, or under none; where none is configured they are none of our business."""
        if self._monitor:
            other = "NULL" if monitor.lower() in NO_MONITOR else _quoted(monitor)
            _say(session, f"ALTER WAREHOUSE {_quoted(name)} SET RESOURCE_MONITOR = {other}")

    def _turn(self, session: Any, name: str, verb: str) -> None:
        """Snowflake refuses what is so already; then the state decides what that means."""
        with already_there() as refused:
            _say(session, f"ALTER WAREHOUSE {_quoted(name)} {verb}")
        if refused and (_power(_one(session, name)) in OFF) != (verb == "SUSPEND"):
            raise Conflict(f"warehouse {name} is between two states")

    def _name(self, id: str) -> str:
        found = _ID.fullmatch(id)
        if found is None or not self.owns(id):
            raise reject(f"{id!r} is no warehouse of {self._account}", "Correct the settings.", "snowflake-id")
        return unquote(found["name"].upper())

    def _shown(self, found: Told) -> Machine:
        name, monitor = found["name"], found.get("resource_monitor") or ""
        word = POWER["SUSPENDED"] if monitor == self._monitor else "resource monitor"
        kept = {} if monitor.lower() in NO_MONITOR else {monitor: word}
        return Machine(
            f"snowflake:{self._account}/{escaped(name)}",
            name,
            "",
            self._account,
            tags_in(found.get("comment") or ""),
            _power(found),
            kind=KIND,
            size=found.get("size") or "",
            units=max(1, _whole(found.get("started_clusters"))),
            parts=kept if self._monitor else {},
            identity=found.get("created_on") or "",
        )


def tags_in(comment: str) -> dict[str, str]:
    """`key=value`, with a colon too, and bare words between semicolons, commas and line ends.

    A key told twice keeps both its values.
    """
    tags: dict[str, str] = {}
    for piece in re.split(r"[;,\n]", comment):
        key, _, value = (part.strip() for part in _MARK.sub("=", piece, count=1).partition("="))
        if key:
            known = next((name for name in tags if name.lower() == key.lower()), key)
            tags[known] = f"{tags[known]} and {value}" if known in tags and tags[known] != value else value
    return tags


def escaped(name: str) -> str:
    """Ids compare without case, quoted names of Snowflake do not: small letters are written as their bytes."""
    return "".join(
        char if re.fullmatch(r"[A-Z0-9_$]", char) else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in name
    )


def _show(session: Any) -> list[Told]:
    rows = _say(session, "SHOW WAREHOUSES")
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def _one(session: Any, name: str) -> Told:
    found = next((one for one in _show(session) if one["name"] == name), None)
    if found is None:
        advice = "Grant MONITOR and OPERATE on it to the role again, or take it out of the alert's plan."
        raise reject(f"warehouse {name} is not there, or not granted to the role", advice, "snowflake-warehouse")
    return found


def _say(session: Any, statement: str) -> list[Mapping[str, Any]]:
    with closing(session.cursor()) as cursor:
        cursor.execute(statement)
        names = [column[0].lower() for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _power(found: Told) -> str:
    return POWER.get(found.get("state", "").upper(), "unknown")


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
