"""How to reach the storage account that the environment names: clients for blobs and queues, options for delta-rs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ledger.faults import Conflict, Missing, Rejected, Transient, reject
from ledger.store import SECRET

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

SETTING = "AzureWebJobsStorage"
STORAGE_SCOPE = "https://storage.azure.com/.default"

# The emulator's account and key: constants its maker publishes, no secret.
DEVELOPMENT = {
    "accountname": "devstoreaccount1",
    "accountkey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "blobendpoint": "http://127.0.0.1:10000/devstoreaccount1",
    "queueendpoint": "http://127.0.0.1:10001/devstoreaccount1",
}

# Other conflicts (a container or queue that is still being deleted) pass with time.
CONFLICTS = frozenset({"BlobAlreadyExists", "ContainerAlreadyExists", "QueueAlreadyExists", "ConditionNotMet"})
TRANSIENT_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
DELTA_PATIENCE = {"max_retries": "2", "retry_timeout": "20s", "connect_timeout": "2s", "timeout": "60s"}


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """One account; exactly one of key, signature and credential is set. Printing it shows no secret."""

    name: str
    blob_endpoint: str
    queue_endpoint: str
    key: str = field(default="", repr=False)
    signature: str = field(default="", repr=False)
    credential: TokenCredential | None = field(default=None, repr=False)

    def blobs(self) -> BlobServiceClient:
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(self.blob_endpoint, credential=self._secret(), **_patience())

    def queues(self) -> QueueServiceClient:
        from azure.storage.queue import QueueServiceClient

        return QueueServiceClient(self.queue_endpoint, credential=self._secret(), **_patience())

    def delta_options(self) -> dict[str, str]:
        """For delta-rs. A token lasts about an hour, so ask again for each table that is opened."""
        options = {"account_name": self.name, "endpoint": self.blob_endpoint} | DELTA_PATIENCE | self._delta_secret()
        # The emulator flag would ignore `endpoint`, and plain http is refused unless asked for.
        return options | ({"allow_http": "true"} if self.blob_endpoint.startswith("http:") else {})

    def _secret(self) -> Any:
        """What every storage client takes as `credential`; its declared type differs from client to client."""
        named_key = {"account_name": self.name, "account_key": self.key} if self.key else None
        return named_key or self.signature or self.credential

    def _delta_secret(self) -> dict[str, str]:
        if self.key:
            return {"account_key": self.key}
        if self.signature:
            return {"sas_token": self.signature}
        assert self.credential is not None
        with azure_faults("storage credential"):
            return {"bearer_token": self.credential.get_token(STORAGE_SCOPE).token}


def account_from(env: Mapping[str, str]) -> StorageAccount:
    """The account of AzureWebJobsStorage: a connection string, or an account name with an identity.

    Rejected when neither is set or the connection string cannot be used.
    """
    if text := env.get(SETTING, ""):
        return _from_connection_string(text)
    if name := env.get(f"{SETTING}__accountName", ""):
        return _from_identity(name, env)
    advice = f"Set {SETTING} to a connection string, or {SETTING}__accountName for an identity."
    raise reject("no storage account is named", advice, "storage-settings")


def account_named(name: str, env: Mapping[str, str]) -> StorageAccount:
    """An account of the public cloud, with the service's identity; its own one as `account_from` reaches it."""
    from adapters.identity import credential

    own = account_from(env) if env.get(SETTING) or env.get(f"{SETTING}__accountName") else None
    if own and own.name == name:
        return own
    return StorageAccount(name, _endpoint("blob", name, {}), _endpoint("queue", name, {}), credential=credential(env))


def _from_connection_string(text: str) -> StorageAccount:
    pairs = (pair.partition("=") for pair in text.split(";") if pair.strip())
    given = {key.strip().lower(): value.strip() for key, _, value in pairs}
    parts = DEVELOPMENT | given if given.get("usedevelopmentstorage", "").lower() == "true" else given
    key, signature = parts.get("accountkey", ""), parts.get("sharedaccesssignature", "")
    name = parts.get("accountname", "") or _account_of(parts.get("blobendpoint", ""))
    if not name or not (key or signature):
        advice = "It needs AccountName, and AccountKey or SharedAccessSignature; or UseDevelopmentStorage=true."
        raise reject(f"{SETTING} is not a connection string that can be used", advice, "storage-settings")
    return StorageAccount(name, _endpoint("blob", name, parts), _endpoint("queue", name, parts), key, signature)


def _from_identity(name: str, env: Mapping[str, str]) -> StorageAccount:
    from adapters.identity import credential

    uris = {f"{kind}endpoint": env.get(f"{SETTING}__{kind}ServiceUri", "") for kind in ("blob", "queue")}
    endpoints = (_endpoint("blob", name, uris), _endpoint("queue", name, uris))
    own_identity = {"AZURE_CLIENT_ID": env.get(f"{SETTING}__clientId") or env.get("AZURE_CLIENT_ID", "")}
    return StorageAccount(name, *endpoints, credential=credential({**env, **own_identity}))


def _account_of(endpoint: str) -> str:
    """A connection string with a shared access signature may name the account in its endpoint only."""
    host = re.match(r"https?://([a-z0-9]+)\.blob\.", endpoint)
    return host[1] if host else ""


def _endpoint(kind: str, name: str, parts: Mapping[str, str]) -> str:
    protocol, suffix = parts.get("defaultendpointsprotocol", "https"), parts.get("endpointsuffix", "core.windows.net")
    given = parts.get(f"{kind}endpoint", "") or f"{protocol}://{name}.{kind}.{suffix}"
    return given.rstrip("/")


def _patience() -> dict[str, Any]:
    """Short and bounded: a queue brings its message back, and a webhook must answer within ten seconds."""
    backoff = {"retry_total": 2, "initial_backoff": 1, "increment_base": 1, "random_jitter_range": 1}
    return backoff | {"connection_timeout": 2, "read_timeout": 60}


@contextmanager
def azure_faults(what: str) -> Iterator[None]:
    """Every error of the Azure libraries leaves as one of ours."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise fault_of(error, what) from error


def fault_of(error: AzureError, what: str) -> Exception:
    """By the answer's code and status; no answer at all (connection, time-out) is worth another try."""
    text = f"{what}: {scrubbed(error)}"
    status, code = getattr(error, "status_code", None), str(getattr(error, "error_code", ""))
    if code in CONFLICTS:
        return Conflict(text)
    if status == 404:
        return Missing(text)
    if status in (401, 403) or _no_identity(error):
        return _refused(text, "Check the key or the role assignments of the storage account.")
    if status is None or status in TRANSIENT_STATUS:
        return Transient(text, _retry_after(error))
    return _refused(text, "The storage service refuses this request as it is.")


def _no_identity(error: AzureError) -> bool:
    from azure.core.exceptions import ClientAuthenticationError

    return isinstance(error, ClientAuthenticationError)


def scrubbed(error: BaseException) -> str:
    """The first line of an error's text without keys or signatures."""
    lines = str(error).splitlines() or [type(error).__name__]
    return SECRET.sub(r"\1=***", lines[0])


def _refused(text: str, advice: str) -> Rejected:
    return reject(text, advice, "storage-access")


def _retry_after(error: AzureError) -> timedelta | None:
    response = getattr(error, "response", None)
    seconds = str(response.headers.get("Retry-After", "")) if response is not None else ""
    return timedelta(seconds=int(seconds)) if seconds.isdigit() else None
