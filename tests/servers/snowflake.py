"""fakesnow, a stand-in for Snowflake: found, started on a free port, shared by all test workers of one run.

Each test opens an account of its own, whose views, warehouses and faults no other test sees. What the server does
beyond fakesnow itself is in tools/servers/fakesnow.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same

from tests.servers import sharing
from tests.servers.sharing import Unavailable

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venvs/fakesnow/bin/python"
STARTUP_SECONDS = 60
WAREHOUSE = "LEDGER_WH"
CHUNK_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is ORGANIZATION-ACCOUNT. Views are named SCHEMA.VIEW of the database SNOWFLAKE."""

    endpoint: str
    name: str
    locator: str
    region: str

    @property
    def env(self) -> dict[str, str]:
        """What leads the product here; a password, which it takes for loopback alone."""
        return {"LEDGER_SNOWFLAKE_URL": self.endpoint, "LEDGER_SNOWFLAKE_PASSWORD": "testing"}

    def load(self, view: str, rows: pa.Table | Path) -> None:
        """Rows behind those already there, by column name: a table, or a Parquet file."""
        if isinstance(rows, Path):
            self._control("load", view=view, parquet=str(rows))
            return
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            pq.write_table(rows, file.name)
            self._control("load", view=view, parquet=file.name)

    def load_all(self, views: Mapping[str, pa.Table | Path]) -> None:
        for view, rows in views.items():
            self.load(view, rows)

    def run(self, sql: str) -> list[list[str | None]]:
        """DuckDB's SQL, past the wire: DELETE, UPDATE, ALTER TABLE ... DROP COLUMN, DROP TABLE."""
        return self._control("run", sql=sql)  # type: ignore[no-any-return]  # the server's JSON

    def fail(self, *faults: Mapping[str, Any]) -> None:
        """These faults and no others; fields as of tools/servers/fakesnow/faults.py."""
        self._control("faults", faults=[dict(fault) for fault in faults])

    def warehouse(self, name: str = WAREHOUSE, **facts: int) -> None:
        """running: queries; lag: in how many listings a change of state is still on its way."""
        self._control("warehouse", warehouse=name, **facts)

    @property
    def statements(self) -> list[str]:
        return self._control("log")["statements"]  # type: ignore[no-any-return]  # the server's JSON

    @property
    def logins(self) -> list[dict[str, str]]:
        """user, authenticator, provider, role, warehouse, application, parameters."""
        return self._control("log")["logins"]  # type: ignore[no-any-return]  # the server's JSON

    def connect(self, **options: Any) -> Any:
        """A session of the product's own connector."""
        import snowflake.connector

        host, port = self.endpoint.removeprefix("http://").split(":")
        asked: dict[str, Any] = {
            "account": self.name, "user": "LEDGER", "password": "testing", "role": "LEDGER", "warehouse": WAREHOUSE,
            "host": host, "port": int(port), "protocol": "http", "session_parameters": {"TIMEZONE": "UTC"},
            "enable_server_session_keep_alive_auto_detection": False,
        }  # fmt: skip
        return snowflake.connector.connect(**asked | options)

    def close(self) -> None:
        self._control("close")

    def _control(self, action: str, **arguments: Any) -> Any:
        return _post(f"{self.endpoint}/control/{action}", {"name": self.name, **arguments})


@dataclass(frozen=True, slots=True)
class Snowflake:
    """A running server."""

    pid: int
    endpoint: str

    def open(
        self,
        name: str,
        *,
        locator: str = "XY12345",
        region: str = "AWS_US_EAST_1",
        keys: Mapping[str, str] | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Account:
        """A new account with all documented views, empty. `keys`: PEM by user; with any, a password is not enough."""
        arguments = {"locator": locator, "region": region, "keys": dict(keys or {}), "chunk_rows": chunk_rows}
        _post(f"{self.endpoint}/control/open", {"name": name, **arguments})
        return Account(self.endpoint, name.upper(), locator, region)


def _post(url: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise RuntimeError(error.read().decode()) from None


@contextmanager
def shared(folder: Path) -> Iterator[Snowflake]:
    """One server for every process that names the same folder; the last one to leave stops it."""
    with sharing.shared(folder, Snowflake, _start) as server:
        yield server


def installed() -> None:
    """Unavailable where the server is not installed."""
    if not PROGRAM.exists():
        raise Unavailable("fakesnow is not installed: run `make setup-dev`")


def command() -> Sequence[str]:
    return [str(PROGRAM), "-W", "ignore", "-m", "tools.servers.fakesnow.serve"]


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], Snowflake]:
    log = folder / "fakesnow.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command(), stdout=output, stderr=output, cwd=ROOT, start_new_session=True)
    return process, Snowflake(process.pid, _endpoint(log, process))


def _endpoint(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Listening on (http://127\.0\.0\.1:\d+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"fakesnow did not start:\n{log.read_text()}")
