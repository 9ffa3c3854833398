"""The managed-identity endpoint of an app service, and the tokens it has issued: real in form, signed by nobody."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping

from emulators.control_plane import Reply, failure

API_VERSION = "2019-08-01"
AUDIENCE = "https://management.azure.com"
LIFETIME = 24 * 3600
PRINCIPAL = {
    "oid": "cccccccc-0000-4000-8000-000000000003",
    "appid": "dddddddd-0000-4000-8000-000000000004",
    "tid": "aaaaaaaa-0000-4000-8000-000000000001",
    "idtyp": "app",
}


class ManagedIdentity:
    """`header` is what a caller must show to be believed; tokens name `principal` and are good for one audience."""

    def __init__(self) -> None:
        self.principal: dict[str, object] = dict(PRINCIPAL)
        self.header = secrets.token_urlsafe(24)
        self._issued: dict[str, str] = {}

    def answer(self, path: str, query: Mapping[str, str], header: str) -> Reply:
        if path != "/msi/token":
            return Reply(404, {"statusCode": 404, "message": "no such path"})
        if not secrets.compare_digest(header.encode(), self.header.encode()):
            return Reply(401, {"statusCode": 401, "message": "X-IDENTITY-HEADER is missing or wrong"})
        if query.get("api-version") != API_VERSION or not query.get("resource"):
            return Reply(400, {"statusCode": 400, "message": f"api-version {API_VERSION} and resource are needed"})
        return Reply(200, self._issue(query["resource"]))

    def refusal(self, authorization: str) -> Reply | None:
        """Why the control plane does not take this header; None when it does."""
        scheme, _, token = authorization.partition(" ")
        audience = self._issued.get(token)
        if scheme != "Bearer" or audience is None:
            return _unauthorised("AuthenticationFailed", "The access token is missing or was not issued here.")
        if audience.rstrip("/") != AUDIENCE:
            return _unauthorised("InvalidAuthenticationTokenAudience", f"The access token is for {audience}.")
        return None

    def tokens(self) -> list[str]:
        """All that were issued."""
        return list(self._issued)

    def _issue(self, resource: str) -> dict[str, str]:
        # Real time: the client library compares it with its own clock and would refuse a token of another age.
        expires = str(int(time.time()) + LIFETIME)
        claims = {"aud": resource, "exp": int(expires), "ver": "1.0", **self.principal}
        token = ".".join((_part({"alg": "RS256", "typ": "JWT"}), _part(claims), secrets.token_urlsafe(32)))
        self._issued[token] = resource
        return {"access_token": token, "expires_on": expires, "resource": resource, "token_type": "Bearer"}


def _part(found: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")


def _unauthorised(code: str, message: str) -> Reply:
    return failure(401, code, message, {"WWW-Authenticate": 'Bearer authorization_uri="https://login.invalid/"'})
