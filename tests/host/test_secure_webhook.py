"""The secure webhook: function key and token, through the worker library, with keys fetched over HTTPS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulators import entra
from emulators.scenario import Setup
from governance.caller import ACTION_GROUPS
from tests.host.conftest import ALERTS, Service, Start
from tests.host.functions_host import Outcome
from tests.host.scene import alert_body, ledger_toml

SETUP = Setup()
OTHER = "cccccccc-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def tenant() -> Iterator[entra.Tenant]:
    with entra.Tenant() as running:
        yield running


@pytest.fixture
def service(start: Start, tenant: entra.Tenant) -> Iterator[Service]:
    with start(ledger_toml(SETUP), **tenant.environment()) as running:
        yield running


@contextmanager
def broken(tenant: entra.Tenant) -> Iterator[None]:
    tenant.fault = 500
    try:
        yield
    finally:
        tenant.fault = 0


def post(service: Service, token: str, *, path: str = ALERTS, body: bytes | None = None) -> Outcome:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return service.front.request(path, body or alert_body(SETUP), headers=headers)


def nothing_happened(service: Service) -> bool:
    return service.record.streams() == [] and service.pump.waiting("plan-stop") == 0


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_key_and_token_together_are_let_in(service: Service, tenant: entra.Tenant, version: str) -> None:
    answer = post(service, tenant.token(version))
    assert (answer.status, service.pump.waiting("plan-stop")) == (202, 1)
    assert [event["event"] for event in answer.events()] == ["alert-taken-dry", "alert-answered"]
    who = service.events("alerts/")[0].body["who"]
    assert who == {"entry": "webhook", "by": f"app {ACTION_GROUPS}"}


def test_a_token_does_not_stand_for_the_key(service: Service, tenant: entra.Tenant) -> None:
    assert post(service, tenant.token(), path="/api/alerts/budget").status == 401
    assert nothing_happened(service)


def test_invariant_9_who_is_not_let_in_changes_nothing_and_learns_nothing(
    service: Service, tenant: entra.Tenant
) -> None:
    spare = entra.new_key()
    tokens = {
        "no token": ("", 401),
        "another key": (entra.signed(tenant.claims(), spare, tenant.signing), 401),
        "unknown key": (entra.signed(tenant.claims(), spare, "unknown"), 401),
        "another tenant": (tenant.token(iss=f"{tenant.url}/{OTHER}/v2.0"), 401),
        "another audience": (tenant.token(aud=OTHER), 401),
        "expired": (tenant.token(exp=1), 401),
        "not yet": (tenant.token(nbf=2**40), 401),
        "no role": (tenant.token(roles=None), 403),
        "another app": (tenant.token(azp=OTHER), 403),
    }
    for name, (token, status) in tokens.items():
        answer = post(service, token)
        assert (answer.status, answer.json()) == (status, {"error": "the caller is not let in"}), name
        events = answer.events()
        assert [event["event"] for event in events] == ["caller-denied", "alert-answered"], name
        assert events[0]["reason"], name
        assert not token or token not in json.dumps(events)
    assert nothing_happened(service)


def test_a_refused_caller_does_not_even_have_its_body_judged(service: Service) -> None:
    assert post(service, "", body=b"not JSON").status == 401
    assert nothing_happened(service)


def test_keys_that_cannot_be_had_are_503_and_the_redelivery_is_taken_once(start: Start, tenant: entra.Tenant) -> None:
    body, settings = alert_body(SETUP), tenant.environment()
    with start(ledger_toml(SETUP), **settings) as service, broken(tenant):
        assert [post(service, tenant.token(), body=body).status for _ in range(2)] == [503, 503]
        assert nothing_happened(service)
    with start(ledger_toml(SETUP), **settings) as service:
        answers = [post(service, tenant.token(), body=body) for _ in range(2)]
        assert [answer.status for answer in answers] == [202, 202]
        assert service.pump.waiting("plan-stop") == 1


HALF: dict[str, dict[str, str]] = {"tenant": {"LEDGER_WEBHOOK_TENANT": entra.ID}, "role": {"LEDGER_WEBHOOK_ROLE": "x"}}


@pytest.mark.parametrize("settings", HALF.values(), ids=HALF)
def test_half_of_the_settings_let_nobody_in_and_are_told(
    start: Start, tenant: entra.Tenant, settings: dict[str, Any]
) -> None:
    with start(ledger_toml(SETUP), **settings) as service:
        answer = post(service, tenant.token())
        assert (answer.status, nothing_happened(service)) == (503, True)
        assert "audience is missing" in answer.events()[0]["text"]
        assert "audience" not in answer.body.decode()
        assert not service.host.timer("sweep").succeeded
