"""Which storage account the environment names, and what of it may be seen."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

import pytest

from adapters.storage_account import STORAGE_SCOPE, StorageAccount, account_from, scrubbed
from ledger.faults import Rejected

FULL = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5PT0=;EndpointSuffix=core.windows.net"


class Token:
    """A credential as azure-identity gives it, with a fixed token."""

    def get_token(self, *scopes: str, **_: object) -> object:
        from azure.core.credentials import AccessToken

        assert scopes == (STORAGE_SCOPE,)
        return AccessToken("the-token", 0)


def test_a_connection_string_gives_name_key_and_public_endpoints() -> None:
    account = account_from({"AzureWebJobsStorage": FULL})
    assert (account.name, account.key) == ("acc", "a2V5PT0=")
    assert account.blob_endpoint == "https://acc.blob.core.windows.net"
    assert account.queue_endpoint == "https://acc.queue.core.windows.net"


def test_explicit_endpoints_win() -> None:
    account = account_from({"AzureWebJobsStorage": f"{FULL};BlobEndpoint=http://127.0.0.1:1/acc/"})
    assert account.blob_endpoint == "http://127.0.0.1:1/acc"


def test_development_storage_is_the_emulator_on_its_usual_ports() -> None:
    account = account_from({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    assert (account.name, account.blob_endpoint) == ("devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1")


def test_a_shared_access_signature_needs_no_account_name() -> None:
    text = "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=2024&sig=abc%3D"
    account = account_from({"AzureWebJobsStorage": text})
    assert (account.name, account.signature) == ("acc", "sv=2024&sig=abc%3D")
    assert account.delta_options()["sas_token"] == "sv=2024&sig=abc%3D"


UNUSABLE = [
    "",
    "nonsense",
    "AccountName=acc",
    "AccountKey=a2V5",
    "UseDevelopmentStorage=false",
    "AccountName;AccountKey",
]


@pytest.mark.parametrize("text", UNUSABLE)
def test_what_names_no_account_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        account_from({"AzureWebJobsStorage": text})
    assert "a2V5" not in str(refused.value)


def test_plain_http_is_allowed_for_delta_only_where_the_endpoint_is_http() -> None:
    local = account_from({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}).delta_options()
    assert (local["allow_http"], local["endpoint"]) == ("true", "http://127.0.0.1:10000/devstoreaccount1")
    assert "allow_http" not in account_from({"AzureWebJobsStorage": FULL}).delta_options()


def test_an_identity_reaches_delta_as_a_token() -> None:
    account = StorageAccount("acc", "https://b", "https://q", credential=Token())  # type: ignore[arg-type]  # get_token only
    options = account.delta_options()
    assert options["bearer_token"] == "the-token"
    assert "account_key" not in options


def test_a_managed_identity_is_asked_with_the_storage_accounts_own_client_id(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, list[str]]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlparse(self.path).query))
            token = {"access_token": "of-the-identity", "expires_on": int(time.time()) + 3600, "token_type": "Bearer"}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(token).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # azure-identity reads the platform's endpoint from the process environment only.
        platform = {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{server.server_port}/", "IDENTITY_HEADER": "x"}
        for name, value in platform.items():
            monkeypatch.setenv(name, value)
        named = {"AzureWebJobsStorage__accountName": "acc", "AzureWebJobsStorage__clientId": "client"}
        account = account_from({**platform, **named, "AZURE_CLIENT_ID": "another"})
        assert account.delta_options()["bearer_token"] == "of-the-identity"
        server.shutdown()
    assert asked[0]["client_id"] == ["client"]
    assert asked[0]["resource"] == ["https://storage.azure.com"]
    assert account.blob_endpoint == "https://acc.blob.core.windows.net"


def test_printing_an_account_or_an_error_shows_no_secret() -> None:
    account = account_from({"AzureWebJobsStorage": FULL})
    assert "a2V5" not in f"{account!r} {account}"
    error = ValueError("GET https://acc/c?sv=1&sig=abc%3D&se=2 failed; AccountKey=a2V5PT0=;\nmore")
    assert scrubbed(error) == "GET https://acc/c?sv=1&sig=***&se=2 failed; AccountKey=***;"
