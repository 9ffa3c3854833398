"""Who the service is towards AWS: a role by the managed identity's token where one is named, else what is signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from adapters.identity import credential
from ledger.faults import Transient, reject

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from botocore.credentials import DeferredRefreshableCredentials

SESSION_NAME = "focus-governance-ledger"
HOME, CHINA = "us-east-1", "cn-north-1"  # for services that want a region where none is set
# Short and bounded: a queue brings its message back, and the timer comes again.
PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "tcp_keepalive": True,
    "max_pool_connections": 16,
    "retries": {"mode": "standard", "max_attempts": 3},
}
# For calls of orders: a queue counts the attempts and knows how long a call may be under way.
ONE_ATTEMPT: dict[str, Any] = {
    **PATIENCE,
    "connect_timeout": 10,
    "read_timeout": 30,
    "retries": {"mode": "standard", "total_max_attempts": 1},
}

Clients = Callable[[str, str], Any]

_ADVICE = "Give the app a managed identity, and let `audience` name an application of its directory (docs/aws.md)."


def clients(
    env: Mapping[str, str],
    role: str = "",
    audience: str = "",
    identity: TokenCredential | None = None,
    patience: Mapping[str, Any] = PATIENCE,
) -> Clients:
    """(service, region) -> a client of boto3, made once; an empty region means the environment's.

    With `role` (an ARN) AWS is shown a token of the identity issued for `audience`; no other credentials are looked
    for then. Without it boto3 looks where it always does: environment, profile, container. No secret is kept.
    """
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""

    @cache
    def session() -> Any:
        from boto3 import Session

        return Session(botocore_session=_session(role, audience, identity or credential(env)) if role else None)

    @cache
    def client(service: str, at: str) -> Any:
        from botocore.config import Config

        named = at or region or session().region_name or home_region(role)
        return session().client(service, region_name=named, config=Config(**patience))

    return client


def home_region(role: str) -> str:
    return CHINA if role.startswith("arn:aws-cn:") else HOME


def scope_of(audience: str) -> str:
    """What Entra ID is asked for, so that the token is issued for `audience`."""
    return audience if audience.endswith("/.default") else f"{audience.rstrip('/')}/.default"


def _session(role: str, audience: str, identity: TokenCredential) -> Any:
    """A session of botocore that knows one source of credentials: the role, renewed before it ends."""
    from botocore.credentials import CredentialResolver
    from botocore.session import get_session

    session: Any = get_session()
    provider: Any = _Role(session, role, lambda: _token(identity, scope_of(audience)))
    session.register_component("credential_provider", CredentialResolver(providers=[provider]))
    return session


class _Role:
    """A credential provider of botocore: AssumeRoleWithWebIdentity with a token that is asked for anew each time."""

    METHOD = "assume-role-with-web-identity"
    CANONICAL_NAME = "LedgerManagedIdentity"

    def __init__(self, session: Any, role: str, token: Callable[[], str]) -> None:
        self._session, self._role, self._token = session, role, token

    def load(self) -> DeferredRefreshableCredentials:
        from botocore.credentials import DeferredRefreshableCredentials

        return DeferredRefreshableCredentials(refresh_using=self._assumed, method=self.METHOD)

    def _assumed(self) -> dict[str, str]:
        """Keys of one hour, in botocore's terms. The request is not signed: the token is all that AWS wants."""
        from botocore import UNSIGNED
        from botocore.config import Config

        region = self._session.get_config_variable("region") or home_region(self._role)
        unsigned = Config(**PATIENCE, signature_version=UNSIGNED)
        client = self._session.create_client("sts", region_name=region, config=unsigned)
        answer = client.assume_role_with_web_identity(
            RoleArn=self._role, RoleSessionName=SESSION_NAME, WebIdentityToken=self._token()
        )
        keys = answer["Credentials"]
        names = {"access_key": "AccessKeyId", "secret_key": "SecretAccessKey", "token": "SessionToken"}
        return {ours: keys[theirs] for ours, theirs in names.items()} | {"expiry_time": keys["Expiration"].isoformat()}


def _token(identity: TokenCredential, scope: str) -> str:
    """Its text goes to AWS and nowhere else: a fault tells the library's kind of error, never its words."""
    from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError

    try:
        return identity.get_token(scope).token
    except (ServiceRequestError, ServiceResponseError) as error:
        raise Transient(f"the identity could not be asked for a token for {scope} ({type(error).__name__})") from error
    except AzureError as error:
        text = f"the identity has no token for {scope} ({type(error).__name__})"
        raise reject(text, _ADVICE, "aws-identity") from error
