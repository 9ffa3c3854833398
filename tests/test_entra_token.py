"""Tokens signed with keys of the test's own, checked with keys fetched over HTTPS from a tenant that is a stand-in."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.entra_token import FRESH, LASTING, PAUSE, TenantKeys, claims
from emulators import entra
from ledger.faults import Rejected, Transient

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
SPARE = entra.new_key()


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Iterator[entra.Tenant]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with entra.Tenant() as running:
        yield running


@pytest.fixture
def keys(tenant: entra.Tenant) -> TenantKeys:
    return TenantKeys(tenant.url, entra.ID, str(tenant.ca_file))


def segment(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], body: dict[str, Any], key: bytes) -> str:
    """A token whose header says what no library would sign."""
    text = f"{segment(header)}.{segment(body)}"
    return f"{text}.{segment(hmac.new(key, text.encode(), sha256).digest())}"


def read(token: str, keys: TenantKeys, now: datetime = NOW) -> Any:
    return claims(f"Bearer {token}", keys, now)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_signed_token_is_read(tenant: entra.Tenant, keys: TenantKeys, version: str) -> None:
    sent = tenant.claims(version)
    assert read(entra.signed(sent, tenant.published["key-1"], "key-1"), keys) == sent


def test_keys_are_fetched_once(tenant: entra.Tenant, keys: TenantKeys) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: read(tenant.token(), keys, NOW - timedelta(seconds=number)), range(20)))
    assert len(tenant.asked) == 2


def test_a_token_of_another_key_under_a_known_name_is_refused(tenant: entra.Tenant, keys: TenantKeys) -> None:
    with pytest.raises(Rejected, match="InvalidSignature"):
        read(entra.signed(tenant.claims(), SPARE, "key-1"), keys)


def test_a_token_that_was_changed_is_refused(tenant: entra.Tenant, keys: TenantKeys) -> None:
    header, _, signature = tenant.token().split(".")
    with pytest.raises(Rejected, match="InvalidSignature"):
        read(f"{header}.{segment(tenant.claims(roles=['other']))}.{signature}", keys)


@pytest.mark.parametrize("alg", ["none", "None", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_alg_none_is_refused(tenant: entra.Tenant, keys: TenantKeys, alg: str, signature: str) -> None:
    token = f"{segment({'alg': alg, 'kid': 'key-1'})}.{segment(tenant.claims())}.{signature}"
    with pytest.raises(Rejected):
        read(token, keys)
    assert tenant.asked == []


@pytest.mark.parametrize("alg", ["HS256", "RS256"])
def test_the_public_key_is_no_shared_secret(tenant: entra.Tenant, keys: TenantKeys, alg: str) -> None:
    public = tenant.published["key-1"].public_key()
    for encoding, form in ((Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.PEM, PublicFormat.PKCS1)):
        token = by_hand({"alg": alg, "kid": "key-1"}, tenant.claims(), public.public_bytes(encoding, form))
        with pytest.raises(Rejected):
            read(token, keys)


def test_a_key_within_the_token_is_not_used(tenant: entra.Tenant, keys: TenantKeys) -> None:
    import jwt

    header = {"kid": "mine", "jwk": entra.public("mine", SPARE), "jku": "https://127.0.0.1:1/keys"}
    with pytest.raises(Rejected, match="not one of the tenant's"):
        read(jwt.encode(tenant.claims(), SPARE, algorithm="RS256", headers=header), keys)


NO_TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer a.b",
    "Basic a.b.c",
    "Bearer a.b.c, Bearer a.b.c",
    "Bearer é.é.é",
    "a.b.c",
]


@pytest.mark.parametrize("header", [*NO_TOKENS, "Bearer a.b.c", "Bearer " + "a" * 99_999 + ".b.c"])
def test_what_is_no_token_is_refused_without_asking_anybody(
    tenant: entra.Tenant, keys: TenantKeys, header: str
) -> None:
    with pytest.raises(Rejected):
        claims(header, keys, NOW)
    assert tenant.asked == []


words = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["RS256", "key-1"]) | st.just(["b64"])
headers = st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "b64"]), words)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(header=headers, body=st.binary(max_size=60), signature=st.binary(max_size=60))
def test_any_token_is_refused_and_nothing_else_happens(
    keys: TenantKeys, header: dict[str, Any], body: bytes, signature: bytes
) -> None:
    with pytest.raises(Rejected):
        read(f"{segment(header)}.{segment(body) or 'e30'}.{segment(signature) or 'AA'}", keys)


def test_an_unknown_key_is_looked_for_once_a_minute(tenant: entra.Tenant, keys: TenantKeys) -> None:
    stranger = entra.signed(tenant.claims(), SPARE, "unknown")
    for seconds in (0, 1, 59):
        with pytest.raises(Rejected, match="not one of the tenant's"):
            read(stranger, keys, NOW + timedelta(seconds=seconds))
    assert len(tenant.asked) == 2
    with pytest.raises(Rejected):
        read(stranger, keys, NOW + PAUSE)
    assert len(tenant.asked) == 4


def test_rotated_keys_are_found_at_once_and_the_old_one_is_gone(tenant: entra.Tenant, keys: TenantKeys) -> None:
    old = tenant.token()
    read(old, keys)
    tenant.rotate("key-2")
    assert read(tenant.token(), keys, NOW + PAUSE)["tid"] == entra.ID
    with pytest.raises(Rejected, match="not one of the tenant's"):
        read(old, keys, NOW + PAUSE)


def test_a_key_that_was_taken_back_is_no_longer_used_after_a_while(tenant: entra.Tenant, keys: TenantKeys) -> None:
    old = tenant.token()
    read(old, keys)
    tenant.rotate("key-2")
    read(old, keys, NOW + FRESH - timedelta(seconds=1))
    with pytest.raises(Rejected, match="not one of the tenant's"):
        read(old, keys, NOW + FRESH)


def test_while_the_keys_cannot_be_had_it_is_not_the_callers_fault(tenant: entra.Tenant, keys: TenantKeys) -> None:
    tenant.fault = 500
    for seconds in (0, 1):
        with pytest.raises(Transient, match="HTTPError"):
            read(tenant.token(), keys, NOW + timedelta(seconds=seconds))
    assert len(tenant.asked) == 1
    tenant.fault = 0
    assert read(tenant.token(), keys, NOW + PAUSE)


def test_known_keys_go_on_for_a_day_while_nobody_answers(tenant: entra.Tenant, keys: TenantKeys) -> None:
    token = tenant.token()
    read(token, keys)
    tenant.fault = 503
    assert read(token, keys, NOW + LASTING - timedelta(seconds=1))
    with pytest.raises(Transient):
        read(entra.signed(tenant.claims(), SPARE, "unknown"), keys, NOW + LASTING - timedelta(seconds=1))
    with pytest.raises(Transient):
        read(token, keys, NOW + LASTING)


def test_nobody_there_is_a_fault_that_passes(tenant: entra.Tenant) -> None:
    gone = TenantKeys("https://127.0.0.1:1", entra.ID, str(tenant.ca_file))
    with pytest.raises(Transient, match="URLError"):
        read(tenant.token(), gone)


def test_a_certificate_that_is_not_trusted_is_no_tenant(tenant: entra.Tenant) -> None:
    with pytest.raises(Transient):
        read(tenant.token(), TenantKeys(tenant.url, entra.ID))
    assert tenant.asked == []


Answer = tuple[int, dict[str, Any]]
# `localhost` is the same server under another name, which its certificate has too.
ELSEWHERE: dict[str, Callable[[str, Answer], Answer]] = {
    "keys of another place": lambda _, whole: _elsewhere(whole),
    "keys of a file": lambda *_: (200, {"jwks_uri": "file:///etc/passwd"}),
    "no place": lambda *_: (200, {}),
    "no key": lambda _, whole: (200, {**whole[1], "keys": []}),
    "a list": lambda _, whole: (200, {**whole[1], "keys": "none"}),
    "sent elsewhere": lambda path, whole: (302, {"location": f"/x{path}"}) if not path.startswith("/x") else whole,
}


def _elsewhere(whole: Answer) -> Answer:
    status, document = whole
    return status, {**document, "jwks_uri": document.get("jwks_uri", "").replace("127.0.0.1", "localhost")}


@pytest.mark.parametrize("odd", ELSEWHERE.values(), ids=ELSEWHERE)
def test_keys_come_from_the_tenants_own_address(
    tenant: entra.Tenant, keys: TenantKeys, odd: Callable[[str, Answer], Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tenant.answer
    monkeypatch.setattr(tenant, "answer", lambda path: odd(path, whole(path.removeprefix("/x"))))
    with pytest.raises(Transient):
        read(tenant.token(), keys)


def test_keys_that_are_no_good_are_left_out(
    tenant: entra.Tenant, keys: TenantKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad: list[Any] = [
        "text",
        {},
        {"kty": "oct", "k": "AAAA", "kid": "oct"},
        {"kty": "RSA", "kid": "half", "n": "AQAB"},
        {**entra.public("encryption", SPARE), "use": "enc"},
        {**entra.public("other", SPARE), "alg": "RS512"},
        {**entra.public("number", SPARE), "kid": 7},
        entra.public("small", entra.new_key(1024)),
    ]
    whole = tenant.answer
    odd = lambda path: (200, {"keys": bad + whole(path)[1]["keys"]}) if path.endswith("/keys") else whole(path)  # noqa: E731  # said once
    monkeypatch.setattr(tenant, "answer", odd)
    assert read(tenant.token(), keys)
    for id in ("half", "encryption", "other", "small"):
        with pytest.raises(Rejected, match="not one of the tenant's"):
            read(entra.signed(tenant.claims(), SPARE, id), keys)
