"""Accounts of the stand-in: each is a Snowflake of its own, with views, warehouses, keys and faults."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

from fakesnow.instance import FakeSnow  # type: ignore[import-not-found]  # lives in .venvs/fakesnow

from tools.servers.fakesnow.faults import Fault
from tools.servers.fakesnow.warehouses import Warehouses

VIEWS = Path(__file__).with_name("views.csv")
DATABASE = "SNOWFLAKE"
CHUNK_ROWS = 50_000
# Snowflake's own default; who forgets to ask for UTC gets days that begin eight hours late, as there.
TIME_ZONE = "America/Los_Angeles"


@dataclass(slots=True)
class Account:
    """`name` is ORGANIZATION-ACCOUNT, as clients spell it. Without keys any login is believed."""

    name: str
    locator: str
    region: str
    keys: dict[str, str]
    chunk_rows: int
    instance: Any = field(default_factory=FakeSnow)
    warehouses: Warehouses = field(default_factory=Warehouses)
    faults: list[Fault] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    logins: list[dict[str, str]] = field(default_factory=list)
    results: dict[str, list[Any]] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)

    @property
    def facts(self) -> dict[str, str]:
        """What context functions answer; SQL names in lower case."""
        organization, _, account = self.name.partition("-")
        return {
            "current_account": self.locator,
            "current_account_name": account,
            "current_organization_name": organization,
            "current_region": self.region,
        }

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """DuckDB's own SQL, past the wire; answers are texts."""
        with self.lock, self.instance.duck_conn.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            return [tuple(map(_text, row)) for row in cursor.execute(sql).fetchall()]

    def load(self, view: str, parquet: str) -> None:
        """Rows put behind those of `SCHEMA.VIEW`, by column name; what the file lacks is null."""
        self.run(f"INSERT INTO {DATABASE}.{view} BY NAME SELECT * FROM read_parquet('{parquet}')")

    def close(self) -> None:
        self.results.clear()
        self.instance.duck_conn.close()


def opened(name: str, locator: str, region: str, keys: dict[str, str], chunk_rows: int = CHUNK_ROWS) -> Account:
    """An account with every documented view, all of them empty."""
    account = Account(name.upper(), locator, region, keys, chunk_rows)
    account.instance.duck_conn.execute("SET memory_limit = '2GB'")
    for schema in ("ORGANIZATION_USAGE", "ACCOUNT_USAGE", "BILLING"):
        account.instance.connect(DATABASE, schema).close()
    for schema, view, columns in _views():
        account.run(f"CREATE TABLE {DATABASE}.{schema}.{view} ({columns})")
    return account


def _views() -> Iterator[tuple[str, str, str]]:
    with VIEWS.open(encoding="utf-8", newline="") as file:
        for (schema, view), rows in groupby(csv.DictReader(file), key=lambda row: (row["schema"], row["view"])):
            yield schema, view, ", ".join(f'"{row["column"]}" {row["type"]}' for row in rows)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
