"""moto, a stand-in for AWS: found, started on a free port, shared by all test workers of one run."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import sharing
from tests.servers.sharing import Unavailable

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venvs/moto/bin/moto_server"
STARTUP_SECONDS = 60
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Moto:
    """A running server; it takes any key."""

    pid: int
    endpoint: str

    @property
    def env(self) -> dict[str, str]:
        """What leads every client of boto3 here, and never to AWS or to a profile of this machine."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    def client(self, service: str) -> Any:
        """A client of boto3 that needs nothing of the environment."""
        import boto3

        keys: Any = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.Session(region_name=REGION, **keys).client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]  # the service is a variable


@contextmanager
def shared(folder: Path) -> Iterator[Moto]:
    """One server for every process that names the same folder; the last one to leave stops it."""
    with sharing.shared(folder, Moto, _start) as server:
        yield server


def installed() -> None:
    """Unavailable where the server is not installed."""
    if not PROGRAM.exists():
        raise Unavailable("moto is not installed: run `make setup-dev`")


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], Moto]:
    command = [str(PROGRAM), "-H", "127.0.0.1", "-p", "0"]
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
    return process, Moto(process.pid, _endpoint(folder / "moto.log", process))


def _endpoint(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"moto did not start:\n{log.read_text()}")
