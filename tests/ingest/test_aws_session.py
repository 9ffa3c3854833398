"""Who the service is towards AWS: a role by the identity's token, else what is signed in; no secret in any text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.aws_session import clients, home_region, scope_of
from ingest.sources.aws import AwsExports
from ledger.faults import Rejected, Transient
from tests.servers.moto import Moto
from tests.servers.s3_exports import write_export

ROLE = "arn:aws:iam::123456789012:role/ledger"
TOKEN = "eyJhbGciOiJub25lIn0.c2VjcmV0.x"


class Identity:
    """A credential as azure-identity gives it: a token, or its error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def get_token(self, *scopes: str, **_: object) -> Any:
        from azure.core.credentials import AccessToken

        self.asked += scopes
        if self.error:
            raise self.error
        return AccessToken(TOKEN, 0)


@pytest.fixture
def keyless(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An environment that leads to the stand-in and has no keys."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in moto.env.items():
        if "KEY" not in name and "TOKEN" not in name:
            monkeypatch.setenv(name, value)
    return moto


def source(bucket: str, identity: Identity) -> AwsExports:
    made = clients({}, ROLE, "api://ledger", identity)
    return AwsExports(made, f"s3://{bucket}/p", lambda: datetime.now(UTC))


def test_the_identitys_token_opens_the_role_and_the_role_reads(keyless: Moto, bucket: str) -> None:
    write_export(keyless.client("s3"), bucket, "p", "e", "2026-01", [b"PAR1"])
    identity = Identity()
    reader = source(bucket, identity)
    assert len(reader.offers()) == len(reader.offers()) == 1
    assert identity.asked == ["api://ledger/.default"]


def test_the_role_is_really_assumed_under_the_services_name(keyless: Moto) -> None:  # noqa: ARG001 - environment
    made = clients({}, ROLE, "api://ledger", Identity())
    assert made("sts", "").get_caller_identity()["Arn"].endswith(":assumed-role/ledger/focus-governance-ledger")
    assert made("s3", "") is made("s3", "")


def test_without_a_role_the_environment_signs(moto: Moto, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in moto.env.items():
        monkeypatch.setenv(name, value)
    write_export(moto.client("s3"), bucket, "p", "e", "2026-01", [b"PAR1"])
    reader = AwsExports(clients(moto.env), f"s3://{bucket}/p", lambda: datetime.now(UTC))
    assert len(reader.offers()) == 1


def test_without_anything_the_reason_is_told(keyless: Moto, bucket: str) -> None:  # noqa: ARG001 - environment
    with pytest.raises(Rejected, match="there are no credentials"):
        AwsExports(clients({}), f"s3://{bucket}/p", lambda: datetime.now(UTC)).offers()


def errors() -> list[tuple[Exception, type[Exception]]]:
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    said = f"no token, but {TOKEN}"
    return [(ClientAuthenticationError(said), Rejected), (ServiceRequestError(said), Transient)]


@pytest.mark.parametrize(("error", "kind"), errors(), ids=lambda value: getattr(value, "__name__", ""))
def test_an_identity_without_a_token_is_told_without_its_words(
    keyless: Moto,  # noqa: ARG001 - environment
    bucket: str,
    error: Exception,
    kind: type[Exception],
) -> None:
    with pytest.raises(kind, match=r"api://ledger/\.default") as raised:
        source(bucket, Identity(error)).offers()
    assert TOKEN not in str(raised.value)


def test_the_scope_is_the_audiences_default() -> None:
    assert scope_of("api://ledger") == scope_of("api://ledger/") == scope_of("api://ledger/.default")


def test_services_that_want_a_region_have_one_in_each_partition() -> None:
    assert home_region("") == home_region(ROLE) == "us-east-1"
    assert home_region("arn:aws-cn:iam::1:role/x") == "cn-north-1"
