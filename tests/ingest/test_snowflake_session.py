"""Who the service is towards Snowflake: key pairs and the managed identity, and secrets that are told to nobody."""

from __future__ import annotations

import base64
import json
import logging
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.snowflake_session import SignIn, connect, options, private_key
from ledger.faults import Rejected
from tests.bills import Ledger
from tests.servers.snowflake import Account, Snowflake
from tests.snowflake_account import COMPUTE, USAGE, insert, settings

PHRASE = "correct-horse-battery"
KEY = "LEDGER_SNOWFLAKE_PRIVATE_KEY"
ACCESS = SignIn("EXAMPLE-MAIN", "LEDGER", source="main")


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def pem(key: RSAPrivateKey, phrase: str = "") -> str:
    how = BestAvailableEncryption(phrase.encode()) if phrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def der(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def account(snowflake_server: Snowflake, key: RSAPrivateKey, unique_name: str) -> Iterator[Account]:
    """One that believes this key of the user LEDGER, and no password."""
    opened = snowflake_server.open(f"ORG{unique_name[5:]}-MAIN", keys={"LEDGER": public(key)})
    insert(opened, USAGE, COMPUTE)
    yield opened
    opened.close()


def signs_in(account: Account, env: Mapping[str, str]) -> bool:
    sign_in = SignIn(account.name, "LEDGER", "LEDGER", "LEDGER_WH", source="main")
    with connect(sign_in, {"LEDGER_SNOWFLAKE_URL": account.endpoint, **env}) as session, session.cursor() as cursor:
        return list(cursor.execute("SELECT 1").fetchall()) == [(1,)]


def test_a_key_pair_signs_in(account: Account, key: RSAPrivateKey) -> None:
    assert signs_in(account, {KEY: pem(key)})
    assert account.logins[0]["authenticator"] == "SNOWFLAKE_JWT"


def test_an_encrypted_key_is_opened_with_its_passphrase(account: Account, key: RSAPrivateKey) -> None:
    assert signs_in(account, {KEY: pem(key, PHRASE), "LEDGER_SNOWFLAKE_PASSPHRASE": PHRASE})


def test_a_source_may_have_keys_of_its_own(key: RSAPrivateKey) -> None:
    own = {"LEDGER_SNOWFLAKE_MAIN_EU_PRIVATE_KEY": pem(key), KEY: "another"}
    assert private_key("main-eu", own) == der(key)


def test_a_key_on_one_line_is_a_key(key: RSAPrivateKey) -> None:
    assert private_key("", {KEY: pem(key).replace("\n", "\\n")}) == der(key)


@pytest.mark.parametrize(
    ("phrase", "env", "told"),
    [
        ("", {KEY: ""}, f"{KEY} is missing"),
        ("", {KEY: "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/k)"}, "was not resolved"),
        ("", {KEY: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "cannot be read as a private key"),
        ("", {"LEDGER_SNOWFLAKE_PASSPHRASE": PHRASE}, "but there is a passphrase"),
        (PHRASE, {}, "it is encrypted, and no passphrase is set"),
        (PHRASE, {"LEDGER_SNOWFLAKE_PASSPHRASE": "wrong"}, "its passphrase is wrong"),
    ],
)
def test_a_key_that_is_of_no_use_is_told_without_a_word_of_it(
    phrase: str, env: Mapping[str, str], told: str, key: RSAPrivateKey
) -> None:
    text = pem(key, phrase)
    with pytest.raises(Rejected) as refusal:
        options(ACCESS, {KEY: text, **env})
    assert told in str(refusal.value)
    trace = "".join(traceback.format_exception(refusal.value))
    assert not [line for line in (*text.splitlines()[1:-1], PHRASE) if line in trace]


@pytest.mark.parametrize(
    ("url", "auth", "told"),
    [
        ("http://snowflake.example.com", "key-pair", "no https:// address"),
        ("ftp://127.0.0.1", "key-pair", "no https:// address"),
        ("http://[", "key-pair", "no https:// address"),
        ("https://snowflake.example.com", "password", "a password is taken for a stand-in on this machine only"),
        ("", "password", "a password is taken for a stand-in on this machine only"),
        ("http://127.0.0.1.example.com", "password", "no https:// address"),
    ],
)
def test_nothing_secret_goes_to_another_machine_in_the_clear(url: str, auth: str, told: str) -> None:
    env = {"LEDGER_SNOWFLAKE_URL": url, "LEDGER_SNOWFLAKE_PASSWORD": PHRASE}
    with pytest.raises(Rejected) as refusal:
        options(SignIn("EXAMPLE-MAIN", "LEDGER", auth=auth), env)
    assert told in str(refusal.value) and PHRASE not in str(refusal.value)


def test_numbers_are_asked_for_as_decimals_and_nothing_is_kept(account: Account, key: RSAPrivateKey) -> None:
    sign_in = SignIn(account.name, "LEDGER")
    with connect(sign_in, {"LEDGER_SNOWFLAKE_URL": account.endpoint, KEY: pem(key)}) as session:
        assert session.arrow_number_to_decimal is True
        assert session.config.client_store_temporary_credential is False
        assert (session.config.login_timeout, session.config.retry_max_attempts) == (60, 3)


@pytest.mark.parametrize("right", [True, False])
def test_keys_are_told_to_nobody_at_any_level_of_logging(
    right: bool,
    account: Account,
    key: RSAPrivateKey,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    used = key if right else generate_private_key(65537, 2048)
    monkeypatch.setenv("LEDGER_SNOWFLAKE_URL", account.endpoint)
    monkeypatch.setenv(KEY, pem(used, PHRASE))
    monkeypatch.setenv("LEDGER_SNOWFLAKE_PASSPHRASE", PHRASE)
    settings(ledger.config, account, auth="key-pair")
    caplog.set_level(logging.DEBUG)
    taken = ledger.ingest("snowflake", "--period", "2026-01")
    assert (taken.code, bool(taken.document.get("runs"))) == ((0, True) if right else (2, False))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    told = f"{caplog.text}{json.dumps(taken.document)}{taken.errors}".encode() + kept
    plain = base64.b64encode(der(used))
    pieces = [plain[at : at + 40] for at in range(0, len(plain) - 40, 40)]
    lines = [line.encode() for text in (pem(used), pem(used, PHRASE)) for line in text.splitlines()[1:-1]]
    assert not [piece for piece in (*pieces, *lines, PHRASE.encode(), der(used)) if piece in told]
    assert not [one for one in caplog.records if one.name.startswith("snowflake")]


@contextmanager
def platform() -> Iterator[tuple[str, list[str]]]:
    """Where an app asks for its identity's token, and what it was asked."""
    asked: list[str] = []
    claims = {"iss": "https://sts.windows.net/tenant/", "sub": "object-id", "aud": "snowflake"}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "RS256"}, claims)]
    token = b".".join([*parts, b"c2lnbmF0dXJl"]).decode()

    class Platform(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"access_token": token, "expires_on": "9999999999", "token_type": "Bearer"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Platform) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/msi/token", asked
        server.shutdown()


def test_the_managed_identity_signs_in_without_a_secret(snowflake: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "127.0.0.1")
    with platform() as (endpoint, asked):
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        monkeypatch.setenv("MANAGED_IDENTITY_CLIENT_ID", "client-1")
        sign_in = SignIn(snowflake.name, role="LEDGER", auth="workload-identity")
        with connect(sign_in, {"LEDGER_SNOWFLAKE_URL": snowflake.endpoint}):
            [login] = snowflake.logins
    assert (login["authenticator"], login["provider"]) == ("WORKLOAD_IDENTITY", "AZURE")
    assert len(asked) == 1 and "client_id=client-1" in asked[0]


def test_the_identity_is_shown_to_snowflake_alone(
    snowflake: Account, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_SNOWFLAKE_URL", snowflake.endpoint)
    settings(ledger.config, snowflake, auth="workload-identity")
    with platform() as (endpoint, asked):
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        fault = ledger.ingest("snowflake", "--period", "2026-01").fault
    assert "the managed identity could not be shown to Snowflake" in fault["message"]
    assert asked == [] and snowflake.logins == []
