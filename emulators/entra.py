"""A tenant of Entra ID as its relying parties see it: OpenID configuration, key set, and the tokens action groups send.

with Tenant() as tenant:
    os.environ.update(tenant.environment())
    headers = {"Authorization": f"Bearer {tenant.token()}"}
"""

from __future__ import annotations

import json
import ssl
import tempfile
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from emulators.certificate import write_pair

ID = "aaaaaaaa-0000-4000-8000-000000000001"
CLIENT = "bbbbbbbb-0000-4000-8000-000000000002"
ACTION_GROUPS = "461e8683-5575-4561-ac7f-899cc907d62a"
LIFETIME = 3600


class Tenant:
    """Running while the `with` block is. `asked` are the paths that were fetched; `fault` is answered instead of any.

    `published` may differ from what signs: rotate it as a tenant does.
    """

    def __init__(self) -> None:
        self.published: dict[str, RSAPrivateKey] = {"key-1": new_key()}
        self.signing = "key-1"
        self.asked: list[str] = []
        self.fault = 0
        self.url = ""
        self.ca_file = Path()
        self._stack = ExitStack()

    def __enter__(self) -> Tenant:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-entra-")))
        self.ca_file, key = write_pair(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key)
        server = _Server(self, context)
        self.url = f"https://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """What makes the webhook ask for tokens of this tenant."""
        return {
            "LEDGER_WEBHOOK_TENANT": ID,
            "LEDGER_WEBHOOK_AUDIENCE": f"{CLIENT} api://{CLIENT}",
            "LEDGER_WEBHOOK_AUTHORITY": self.url,
            "LEDGER_WEBHOOK_CA": str(self.ca_file),
        }

    def rotate(self, id: str) -> None:
        """From now on the key of this id alone is published, and signs."""
        self.published = {id: new_key()}
        self.signing = id

    def claims(self, version: str = "2.0", **changes: object) -> dict[str, Any]:
        """Those of an action group's token; a change to None takes a claim out."""
        now = int(time.time())
        first = version == "1.0"
        found = {
            "ver": version,
            "iss": f"https://sts.windows.net/{ID}/" if first else f"{self.url}/{ID}/v2.0",
            "aud": f"api://{CLIENT}" if first else CLIENT,
            "appid" if first else "azp": ACTION_GROUPS,
            "roles": ["ActionGroupsSecureWebhook"],
            "tid": ID,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
        } | changes
        return {name: value for name, value in found.items() if value is not None}

    def token(self, version: str = "2.0", **changes: object) -> str:
        return signed(self.claims(version, **changes), self.published[self.signing], self.signing)

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.fault:
            return self.fault, {}
        if path == f"/{ID}/v2.0/.well-known/openid-configuration":
            return 200, {"issuer": f"{self.url}/{ID}/v2.0", "jwks_uri": f"{self.url}/{ID}/discovery/v2.0/keys"}
        if path == f"/{ID}/discovery/v2.0/keys":
            return 200, {"keys": [public(id, key) for id, key in self.published.items()]}
        return 404, {}


def new_key(bits: int = 2048) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=bits)


def public(id: str, key: RSAPrivateKey) -> dict[str, Any]:
    """An entry of the key set."""
    entry: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return {"kty": entry["kty"], "n": entry["n"], "e": entry["e"], "use": "sig", "kid": id}


def signed(claims: dict[str, Any], key: RSAPrivateKey, id: str) -> str:
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": id})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, tenant: Tenant, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tenant = tenant
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: a client that does not trust the certificate hangs up."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        status, document = self.server.tenant.answer(self.path)
        body = json.dumps(document).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", document["location"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what was asked is in `asked`."""
