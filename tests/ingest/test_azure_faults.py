"""Errors of Azure's libraries become our faults, and what Azure asks for is waited: through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from adapters.cost_management import cost_management
from ingest.sources.azure_faults import azure_faults
from ingest.sources.azure_patience import Patience, longest
from ledger.faults import Missing, Rejected, Transient

SCOPE = "/subscriptions/11111111-1111-1111-1111-111111111111"
URL = f"https://arm.example.com{SCOPE}/providers/Microsoft.CostManagement/query"
SECRET = "abc%2Bsecret%3D"


class SignedIn:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("token", 9_999_999_999)


class SignedOut:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        raise self.error


@pytest.fixture
def arm() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def ask(waited: list[int], identity: Any = None, most: int = 1200) -> object:
    env = {"LEDGER_ARM_URL": "https://arm.example.com"}
    client = cost_management(env, Patience(waited.append, most), identity or SignedIn())
    with azure_faults("Cost Management, 2026-01"):
        return client.query.usage(SCOPE, {"type": "ActualCost"})  # type: ignore[call-overload]  # a body without more


def refused(code: str, message: str = "no") -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "fault", "words"),
    [
        (401, refused("AuthenticationFailed"), Rejected, "token"),
        (403, refused("AuthorizationFailed"), Rejected, "Cost Management Reader"),
        (403, refused("RBACAccessDenied"), Rejected, "access is denied"),
        (403, None, Rejected, "Cost Management Reader"),
        (404, refused("SubscriptionNotFound"), Rejected, "no such subscription"),
        (404, None, Missing, "no such thing"),
        (400, refused("BadRequest", "Dates are odd"), Rejected, r"BadRequest: Dates are odd"),
        (413, refused("413"), Rejected, "export"),
        (422, refused("422", "offer type: WebDirect for this is not supported."), Rejected, "pay-as-you-go.*export"),
        (302, None, Rejected, "refuses"),
    ],
)
def test_an_answer_becomes_a_fault_that_says_what_to_do(
    arm: responses.RequestsMock, status: int, body: object, fault: type[Exception], words: str
) -> None:
    arm.post(URL, json=body, status=status) if body else arm.post(URL, status=status, body=b"")
    with pytest.raises(fault, match=rf"(?s)2026-01.*{words}") as caught:
        ask([])
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_service_is_asked_again_and_then_left_for_later(arm: responses.RequestsMock, status: int) -> None:
    waited: list[int] = []
    arm.post(URL, json=refused("Busy"), status=status)
    with pytest.raises(Transient, match="2026-01"):
        ask(waited)
    assert waited == [2, 4, 8, 16, 32]


def test_a_cut_connection_is_tried_again(arm: responses.RequestsMock) -> None:
    waited: list[int] = []
    arm.post(URL, body=requests.exceptions.ConnectionError(f"{URL}?sig={SECRET}"))
    arm.post(URL, json={"properties": {"rows": [], "columns": []}})
    assert ask(waited)
    assert waited == [2]


def test_connections_that_never_come_about_are_for_later_and_not_quoted(
    arm: responses.RequestsMock,
) -> None:
    arm.post(URL, body=requests.exceptions.ConnectionError(f"{URL}?sig={SECRET}"))
    with pytest.raises(Transient) as caught:
        ask([])
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_the_longest_of_the_headers_is_waited(arm: responses.RequestsMock) -> None:
    waited: list[int] = []
    names = ("qpu", "entity", "tenant", "client", "clienttype")
    headers = {f"x-ms-ratelimit-microsoft.costmanagement-{name}-retry-after": str(n) for n, name in enumerate(names)}
    headers["x-ms-ratelimit-microsoft.costmanagement-entity-retry-after"] = "41"
    arm.post(URL, json=refused("429"), status=429, headers={**headers, "Retry-After": "3"})
    arm.post(URL, json={"properties": {"rows": [], "columns": []}})
    ask(waited)
    assert waited == [41]


def test_more_patience_than_there_is_comes_later_without_waiting(arm: responses.RequestsMock) -> None:
    waited: list[int] = []
    arm.post(URL, json=refused("429"), status=429, headers={"Retry-After": "40"})
    with pytest.raises(Transient, match="40 s") as caught:
        ask(waited, most=100)
    assert (waited, caught.value.retry_after) == ([40, 40], timedelta(seconds=40))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "12", "Retry-After-Ms": "12001"}, 13),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0),
        ({"Retry-After": "soon", "x-ms-ratelimit-remaining": "77"}, 0),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "²"}, 0),
        ({"Retry-After": "9" * 5000}, 0),
        ({"x-ms-ratelimit-microsoft.consumption-retry-after": "9"}, 9),
        ({"Retry-After": "999999999999"}, 86_400),
    ],
)
def test_headers_are_read_or_ignored(headers: dict[str, str], seconds: int) -> None:
    assert longest(headers) == seconds


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CredentialUnavailableError("no sign-in in C:/Users/me"), "no identity"),
        (ClientAuthenticationError("client_secret=topsecret"), "could not be signed in"),
    ],
)
def test_without_an_identity_nothing_is_asked(arm: responses.RequestsMock, error: Exception, words: str) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        ask([], SignedOut(error))
    assert "secret" not in str(caught.value).replace("no secret is needed", "") and "Users" not in str(caught.value)
    assert len(arm.calls) == 0


@pytest.mark.parametrize(
    "said",
    [
        f"see https://x.blob.core.windows.net/c/b?sv=2024&sig={SECRET}",
        f"sig={SECRET}",
        "Bearer abc%2Bsecret%3D",
        f"AccountKey={SECRET};EndpointSuffix=x",
        f"eyJhbGciOi.{SECRET}"[:22] + "abc%2Bsecret",
    ],
)
def test_what_azure_says_is_told_without_its_secrets(arm: responses.RequestsMock, said: str) -> None:
    arm.post(URL, json=refused("BadRequest", said), status=400)
    with pytest.raises(Rejected) as caught:
        ask([])
    assert "abc%2Bsecret" not in str(caught.value)


def test_an_answer_that_is_no_json_is_for_later(arm: responses.RequestsMock) -> None:
    arm.post(URL, body=b"<html>", content_type="application/json")
    with pytest.raises(Transient, match="cannot be read"):
        ask([])
