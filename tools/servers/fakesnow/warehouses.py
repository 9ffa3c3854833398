"""Warehouses and resource monitors, which fakesnow lacks: their statements, answered in Snowflake's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

NAME = r'(?P<name>"(?:[^"]|"")+"|[\w$.]+)'
ALTER = re.compile(rf"ALTER\s+WAREHOUSE\s+(?P<exists>IF\s+EXISTS\s+)?{NAME}\s+(?P<rest>.+)", re.I | re.S)
CREATE = re.compile(
    rf"CREATE\s+(OR\s+REPLACE\s+)?(?P<kind>WAREHOUSE|RESOURCE\s+MONITOR)\s+(IF\s+NOT\s+EXISTS\s+)?{NAME}\s*(?P<rest>.*)",
    re.I | re.S,
)
MONITOR = re.compile(rf"ALTER\s+RESOURCE\s+MONITOR\s+(?P<exists>IF\s+EXISTS\s+)?{NAME}\s+(?P<rest>.+)", re.I | re.S)
SHOW = re.compile(r"SHOW\s+(?P<kind>WAREHOUSES|RESOURCE\s+MONITORS)(\s+LIKE\s+'(?P<like>[^']*)')?\s*", re.I)
USE = re.compile(rf"USE\s+WAREHOUSE\s+{NAME}", re.I)
PROPERTY = re.compile(r"""(\w+)\s*=\s*('[^']*'|"[^"]*"|[\w.$-]+)""")
COLUMNS = (
    "name", "state", "type", "size", "min_cluster_count", "max_cluster_count", "started_clusters", "running",
    "queued", "is_default", "is_current", "auto_suspend", "auto_resume", "available", "provisioning",
    "quiescing", "other", "created_on", "resumed_on", "updated_on", "owner", "comment",
    "enable_query_acceleration", "query_acceleration_max_scale_factor", "resource_monitor", "actives",
    "pendings", "failed", "suspended", "uuid", "scaling_policy", "budget", "owner_role_type",
    "resource_constraint",
)  # fmt: skip
MONITOR_COLUMNS = (
    "name", "credit_quota", "used_credits", "remaining_credits", "level", "frequency", "start_time",
    "end_time", "notify_at", "suspend_at", "suspend_immediately_at", "created_on", "owner", "comment",
    "notify_users",
)  # fmt: skip
DONE = "Statement executed successfully."


class Refused(Exception):
    """A statement that Snowflake answers with an error."""

    def __init__(self, code: str, state: str, message: str) -> None:
        super().__init__(message)
        self.code, self.state, self.message = code, state, message


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of texts under named columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]


@dataclass(slots=True)
class Warehouse:
    """`pending`: in how many more listings it is still SUSPENDING or RESUMING; `lag` is that number at the start."""

    name: str
    state: str = "STARTED"
    properties: dict[str, str] = field(default_factory=dict)
    running: int = 0
    lag: int = 0
    pending: int = 0
    target: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(sep=" "))

    def turn(self, target: str) -> None:
        """SUSPENDED or STARTED; where that takes a while, first the state on the way."""
        if self.state in (target, {"SUSPENDED": "SUSPENDING", "STARTED": "RESUMING"}[target]):
            verb = "suspended" if target == "SUSPENDED" else "resumed"
            raise Refused("090064", "22000", f"Invalid state. Warehouse '{self.name}' cannot be {verb}.")
        self.target, self.pending = target, self.lag
        self.state = {"SUSPENDED": "SUSPENDING", "STARTED": "RESUMING"}[target] if self.lag else target

    def listed(self, current: str) -> Sequence[str | None]:
        if self.target and self.pending == 0:
            self.state, self.target = self.target, ""
        self.pending = max(0, self.pending - 1)
        started = self.state == "STARTED"
        facts = {
            "type": "STANDARD", "size": "X-Small", "min_cluster_count": "1", "max_cluster_count": "1",
            "auto_suspend": "600", "auto_resume": "true", "comment": "", "resource_monitor": "null",
            "enable_query_acceleration": "false", "query_acceleration_max_scale_factor": "8",
            "scaling_policy": "STANDARD", "owner": "SYSADMIN", "owner_role_type": "ROLE", "created_on": self.created,
        } | self.properties | {
            "name": self.name, "state": self.state, "running": str(self.running), "queued": "0",
            "started_clusters": "1" if started else "0", "is_default": "N",
            "is_current": "Y" if self.name == current else "N",
            "actives": "1" if started else "0", "suspended": "0" if started else "1", "pendings": "0", "failed": "0",
        }  # fmt: skip
        return [facts.get(name) for name in COLUMNS]


@dataclass(slots=True)
class Warehouses:
    """Those of one account. LEDGER_WH is there from the start."""

    known: dict[str, Warehouse] = field(default_factory=lambda: {"LEDGER_WH": Warehouse("LEDGER_WH")})
    monitors: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(self, statement: str, session: dict[str, str]) -> Answer | None:
        """None: the statement is none about warehouses."""
        text = statement.strip().rstrip(";").strip()
        for pattern, act in ((ALTER, self._alter), (CREATE, self._create), (MONITOR, self._alter_monitor)):
            if match := pattern.fullmatch(text):
                act(match)
                return Answer(["status"], [[DONE]])
        if match := USE.fullmatch(text):
            session["warehouse"] = self._warehouse(match).name
            return Answer(["status"], [[DONE]])
        return self._listed(match, session["warehouse"]) if (match := SHOW.fullmatch(text)) else None

    def serve(self, warehouse: str) -> None:
        """A query needs a warehouse: one that is suspended starts by itself, unless that was turned off."""
        found = self.known.get(warehouse.upper())
        asleep = found is not None and found.state != "STARTED"
        if found is None or (asleep and found.properties.get("auto_resume", "true").lower() == "false"):
            raise Refused("000606", "57P03", "No active warehouse selected in the current session.  Select an active"
                          " warehouse with the 'use warehouse' command.")  # fmt: skip
        found.state, found.target = "STARTED", ""

    def _alter(self, match: re.Match[str]) -> None:
        if match["exists"] and _plain(match["name"]) not in self.known:
            return
        warehouse, rest = self._warehouse(match), " ".join(match["rest"].split())
        match rest.upper():
            case "SUSPEND":
                warehouse.turn("SUSPENDED")
            case "RESUME":
                warehouse.turn("STARTED")
            case "RESUME IF SUSPENDED":
                if warehouse.state != "STARTED":
                    warehouse.turn("STARTED")
            case "ABORT ALL QUERIES":
                warehouse.running = 0
            case other if other.startswith("SET "):
                warehouse.properties |= _properties(rest)
            case _:
                raise Refused("001003", "42000", f"SQL compilation error:\nsyntax error near '{rest}'.")

    def _alter_monitor(self, match: re.Match[str]) -> None:
        name = _plain(match["name"])
        if name not in self.monitors and not match["exists"]:
            raise _missing(name)
        self.monitors.setdefault(name, {}).update(_properties(match["rest"]))

    def _create(self, match: re.Match[str]) -> None:
        name, properties = _plain(match["name"]), _properties(match["rest"])
        if match["kind"].upper() == "WAREHOUSE":
            suspended = properties.pop("initially_suspended", "false").lower() == "true"
            self.known[name] = Warehouse(name, "SUSPENDED" if suspended else "STARTED", properties)
        else:
            self.monitors[name] = properties

    def _listed(self, match: re.Match[str], current: str) -> Answer:
        like = (match["like"] or "%").upper().replace("%", "*").replace("_", "?")
        if match["kind"].upper() == "WAREHOUSES":
            found = [one for name, one in sorted(self.known.items()) if fnmatchcase(name.upper(), like)]
            return Answer(COLUMNS, [one.listed(current.upper()) for one in found])
        kept = [(name, facts) for name, facts in sorted(self.monitors.items()) if fnmatchcase(name.upper(), like)]
        return Answer(MONITOR_COLUMNS, [[name, *map(facts.get, MONITOR_COLUMNS[1:])] for name, facts in kept])

    def _warehouse(self, match: re.Match[str]) -> Warehouse:
        name = _plain(match["name"])
        if name not in self.known:
            raise _missing(name)
        return self.known[name]


def _missing(name: str) -> Refused:
    return Refused("002043", "02000", f"SQL compilation error:\nObject does not exist, or operation cannot be performed"
                   f" on '{name}'.")  # fmt: skip


def _plain(name: str) -> str:
    """An identifier: in upper case unless it is quoted."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.upper()


def _properties(text: str) -> dict[str, str]:
    named = ((name.lower(), value.strip("'\"")) for name, value in PROPERTY.findall(text))
    return {{"warehouse_size": "size", "warehouse_type": "type"}.get(name, name): value for name, value in named}
