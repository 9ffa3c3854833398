"""What an account of Snowflake is asked for one month: a table of views, and the query of each. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ingest.mappings import text
from ledger.delivery import Period
from ledger.faults import Transient

DATABASE = "SNOWFLAKE"
OWN = "ACCOUNT_USAGE"
WHO = ("ACCOUNT_LOCATOR", "REGION")
# The account that is signed in to: its locator, and its region with the group that it may stand in.
ACCOUNT_SQL = "SELECT CURRENT_ACCOUNT(), CURRENT_REGION()"
WORD = re.compile(r"\w+")

# Kind of a column -> what is asked for it. Numbers are exact wherever a view has them as floating point: a sum of
# those would differ from one run to the next. The day of an instant is that of the session's zone, which is UTC.
KINDS = {
    "text": "{0}",
    "boolean": "{0}::BOOLEAN",
    "date": "{0}::DATE",
    "number": "{0}::NUMBER(38, 12)",
    "whole": "{0}::NUMBER(38, 0)",
    "sum": "SUM({0}::NUMBER(38, 12))",
    "instant": "{0}",
    "day": "{0}::DATE",
    "object": "{0}::VARCHAR",
}

# Which views a source needs, by its `view` and its `allocation`.
BILLS = {"usage": ("bill", "always"), "focus": ("focus",)}
SPLITS = {"": (), "warehouse": ("split",), "query-tag": ("split", "queries"), "user": ("split", "queries")}


@dataclass(frozen=True, slots=True)
class Account:
    """Who ACCOUNT_USAGE is about."""

    locator: str
    region: str


@dataclass(frozen=True, slots=True)
class View:
    """One view. `columns` are names and kinds, `needed` those it is of no use without; `others` is the kind of columns
    that are not listed, which are left alone where it is empty.
    """

    name: str
    use: str
    schemas: tuple[str, ...]
    latency: int
    day: str
    columns: Mapping[str, str]
    needed: frozenset[str]
    only: str = ""
    others: str = ""

    @property
    def is_bill(self) -> bool:
        return self.use in ("bill", "focus")

    def lacks(self, schema: str, columns: Collection[str]) -> list[str]:
        """What is missing in this schema; ACCOUNT_USAGE need not say whose it is."""
        known = {*columns, *(WHO if schema == OWN else ())}
        return sorted(self.needed - known)


@cache
def views() -> tuple[View, ...]:
    return tuple(_view(entry) for entry in tomllib.loads(text("snowflake.views.toml"))["view"])


def wanted(view: str, allocation: str) -> list[View]:
    """The bill first; then what goes beside it."""
    uses = (*BILLS[view], *(SPLITS[allocation] if view == "usage" else ()))
    return sorted((one for one in views() if one.use in uses), key=lambda one: not one.is_bill)


def described(view: View, schema: str) -> str:
    """What names a view's columns and reads no row of it."""
    return f"SELECT * FROM {DATABASE}.{schema}.{view.name}"


def query(view: View, schema: str, columns: Sequence[str], period: Period, account: Account | None) -> str:
    """Rows of one month, in an order of their own, so that the same rows are the same file."""
    kinds = {**view.columns, **({name: view.others for name in columns if name not in view.columns and view.others})}
    own = {} if account is None else {"ACCOUNT_LOCATOR": account.locator, "REGION": account.region}
    asked = {name: _expression(name, kinds[name]) for name in kinds if name in columns and name not in own}
    asked = {name: f"'{own[name]}'" if name in own else asked[name] for name in kinds if name in asked or name in own}
    lines = ",\n  ".join(f"{value} AS {_quoted(name)}" for name, value in asked.items())
    places = [str(place) for place, name in enumerate(asked, 1) if kinds[name] != "sum"]
    grouped = f"\nGROUP BY {', '.join(places)}" if "sum" in kinds.values() else ""
    where = f"\nWHERE {' AND '.join(rules)}" if (rules := _rules(view, period)) else ""
    order = ", ".join(str(place) for place in range(1, len(asked) + 1))
    return f"SELECT\n  {lines}\nFROM {DATABASE}.{schema}.{view.name}{where}{grouped}\nORDER BY {order}"


def account_of(row: Sequence[object] | None) -> Account:
    """The answer to ACCOUNT_SQL. Transient where it names none."""
    locator, region = (str(one or "") for one in row or ("", ""))
    region = region.rpartition(".")[2]
    if not (WORD.fullmatch(locator) and WORD.fullmatch(region)):
        raise Transient("Snowflake does not say which account is signed in to")
    return Account(locator, region)


def latency_of(view: str) -> int:
    """Hours until a day of the bill is complete."""
    return next(one.latency for one in wanted(view, "") if one.is_bill)


def _view(entry: Mapping[str, object]) -> View:
    named = dict(entry)
    listed = _texts(named.pop("columns"))
    kinds = {name: kind.rstrip("?") for name, kind in listed.items()}
    needed = frozenset(name for name, kind in listed.items() if not kind.endswith("?"))
    schemas = named.pop("schemas")
    places = tuple(str(one) for one in schemas) if isinstance(schemas, list) else ()
    return View(schemas=places, columns=kinds, needed=needed, **{"day": "", **named})  # type: ignore[arg-type]  # the rest are View's own names and types


def _texts(table: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def _rules(view: View, period: Period) -> list[str]:
    """A day without an hour begins in the session's zone, which is UTC, also beside instants."""
    only = [view.only] if view.only else []
    limits = [f"{_quoted(view.day)} {sign} '{one}-01'::DATE" for sign, one in ((">=", period), ("<", period.next()))]
    return [*(limits if view.day else ()), *only]


def _expression(name: str, kind: str) -> str:
    return KINDS[kind].format(_quoted(name))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
