"""Claims of a token whose signature is good already: whose are let in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.caller import ACTION_GROUPS, LEEWAY, TrustedCaller, denial

NOW = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)
AT = int(NOW.timestamp())
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
CLIENT = "bbbbbbbb-0000-4000-8000-000000000002"
TRUSTED = TrustedCaller(TENANT, (CLIENT, f"api://{CLIENT}"))
ALIKE: dict[str, Any] = {"roles": ["ActionGroupsSecureWebhook"], "nbf": AT - 300, "exp": AT + 3300}
SECOND = {
    **ALIKE,
    "ver": "2.0",
    "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
    "aud": CLIENT,
    "azp": ACTION_GROUPS,
}
FIRST = {
    **ALIKE,
    "ver": "1.0",
    "iss": f"https://sts.windows.net/{TENANT}/",
    "aud": f"api://{CLIENT}",
    "appid": ACTION_GROUPS.upper(),
}
LEEWAY_SECONDS = LEEWAY.seconds


@pytest.mark.parametrize("claims", [FIRST, SECOND], ids=["1.0", "2.0"])
def test_an_action_group_is_let_in(claims: dict[str, Any]) -> None:
    assert denial(claims, TRUSTED, NOW) is None


def test_a_national_cloud_has_an_issuer_of_its_own() -> None:
    claims = {**SECOND, "iss": f"https://login.microsoftonline.us/{TENANT}/v2.0"}
    assert denial(claims, replace(TRUSTED, authority="https://login.microsoftonline.us"), NOW) is None
    assert denial(claims, TRUSTED, NOW) is not None


OTHER = "cccccccc-0000-4000-8000-000000000003"
WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "no version": ({"ver": None}, 401),
    "another version": ({"ver": "3.0"}, 401),
    "version as a number": ({"ver": 2.0}, 401),
    "another tenant": ({"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"}, 401),
    "issuer of the other version": ({"iss": FIRST["iss"]}, 401),
    "another authority": ({"iss": f"https://login.example/{TENANT}/v2.0"}, 401),
    "no issuer": ({"iss": None}, 401),
    "another audience": ({"aud": OTHER}, 401),
    "part of an audience": ({"aud": CLIENT[:-1]}, 401),
    "audiences": ({"aud": [CLIENT]}, 401),
    "expired": ({"exp": AT - LEEWAY_SECONDS}, 401),
    "without end": ({"exp": None}, 401),
    "end as a text": ({"exp": str(AT + 60)}, 401),
    "end as true": ({"exp": True}, 401),
    "not yet": ({"nbf": AT + LEEWAY_SECONDS + 1}, 401),
    "without begin": ({"nbf": None}, 401),
    "no role": ({"roles": None}, 403),
    "another role": ({"roles": ["ActionGroupsSecureWebhook2"]}, 403),
    "role as a text": ({"roles": "x ActionGroupsSecureWebhook"}, 403),
    "role as a scope": ({"roles": None, "scp": "ActionGroupsSecureWebhook"}, 403),
    "another app": ({"azp": OTHER}, 403),
    "no app": ({"azp": None}, 403),
    "app of the other version": ({"azp": None, "appid": ACTION_GROUPS}, 403),
}


@pytest.mark.parametrize(("change", "status"), WRONG.values(), ids=WRONG)
def test_invariant_9_a_claim_that_is_wrong_is_enough(change: dict[str, Any], status: int) -> None:
    found = denial({**SECOND, **change}, TRUSTED, NOW)
    assert found is not None
    assert found.status == status
    assert found.reason.startswith(next(iter(change)))


@pytest.mark.parametrize("seconds", [-LEEWAY_SECONDS, 0, LEEWAY_SECONDS - 1])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert denial({**SECOND, "nbf": AT, "exp": AT}, TRUSTED, at) is None


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=5), leaves, max_size=2)


@given(name=st.sampled_from(sorted(SECOND)), value=anything)
def test_whatever_a_claim_is_nobody_else_comes_in(name: str, value: object) -> None:
    found = denial({**SECOND, name: value}, TRUSTED, NOW)
    if name in ("nbf", "exp"):
        assert found is None or found.status == 401
    elif found is None:
        assert value == SECOND[name]


def test_the_reason_is_short_and_printable() -> None:
    found = denial({**SECOND, "aud": "\n\x00é" * 500}, TRUSTED, NOW)
    assert found is not None
    assert found.reason.isascii() and found.reason.isprintable() and len(found.reason) < 200
