"""`ledger ingest snowflake` as a command of its own process, signed in by key pair, over generated views."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.gen.snowflake_views import Month, tables
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.fixtures import unique_name as unique_name
from tests.servers.snowflake import ROOT, Account, Snowflake
from tests.snowflake_account import USAGE, settings

MONTH = Month(800)
PASSPHRASE = "correct horse"


@dataclass(frozen=True)
class Keys:
    """PEM texts; the private one is encrypted."""

    private: str
    public: str


@pytest.fixture(scope="module")
def keys() -> Keys:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption as Encryption
    from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

    pair = rsa.generate_private_key(65537, 2048)
    private = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, Encryption(PASSPHRASE.encode()))
    return Keys(
        private.decode(), pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


@pytest.fixture
def account(snowflake_server: Snowflake, unique_name: str, keys: Keys) -> Iterator[Account]:
    account = snowflake_server.open(f"ORG{unique_name[-12:]}-PRODUCTION", keys={"LEDGER": keys.public})
    account.load_all(tables(MONTH))
    yield account
    account.close()


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(account: Account, keys: Keys, tmp_path: Path) -> Run:
    config = settings(tmp_path / "ledger.toml", account, 'allocation = "warehouse"', auth="key-pair")
    signing = {"LEDGER_SNOWFLAKE_PRIVATE_KEY": keys.private, "LEDGER_SNOWFLAKE_PASSPHRASE": PASSPHRASE}
    env = {**os.environ, "LEDGER_SNOWFLAKE_URL": account.endpoint, **signing}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        place = ["--store", str(tmp_path / "store"), "--config", str(config)]
        program = [sys.executable, "-m", "cli", *words, *place]
        return subprocess.run(program, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)

    return command


def asked(run: Run, *more: str) -> dict[str, Any]:
    done = run("ingest", "snowflake", "--period", "2026-01", "--json", *more)
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["runs"]
    return dict(found)


def test_the_command_prints_what_was_conserved_and_shows_no_key(run: Run, keys: Keys, tmp_path: Path) -> None:
    done = run("ingest", "snowflake", "--period", "2026-01")
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert "2,901.15" in shown or "2901.15" in shown
    assert "PRIVATE KEY" not in shown and PASSPHRASE not in shown and keys.private[60:90] not in shown
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSPHRASE.encode() not in kept and keys.private[60:90].encode() not in kept


def test_money_is_conserved_split_and_no_rule_is_broken(run: Run, account: Account) -> None:
    found = asked(run)
    ((told,),) = account.run(f"SELECT sum(USAGE_IN_CURRENCY) FROM SNOWFLAKE.{USAGE}")
    [balance] = found["balances"]
    assert (found["outcome"], balance["currency"]) == ("committed", "USD")
    assert Decimal(balance["raw"]) == Decimal(balance["mapped"]) == Decimal(told or "nothing")
    assert found["conformance"]["broken"] == []
    assert asked(run)["outcome"] == "unchanged"


def test_a_key_that_is_not_known_is_refused_and_named(run: Run, account: Account) -> None:
    account.fail({"pattern": "^LOGIN$", "code": "390144"})
    done = run("ingest", "snowflake", "--period", "2026-01")
    assert done.returncode != 0
    assert "key" in done.stdout + done.stderr
