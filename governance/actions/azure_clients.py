"""Azure's control plane for the actions: clients by subscription, ARM ids taken apart, locks, permissions.

Retries of the SDK are off: it would sleep inside the call, and the queue already is the retry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from governance.actions.azure_faults import FORBIDDEN, answered, translated
from ledger.faults import Rejected, reject

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient

PUBLIC_ARM = "https://management.azure.com"
LOCKS_VERSION = "2016-09-01"
PERMISSIONS_VERSION = "2022-04-01"
SCOPE = re.compile(r"/subscriptions/(?P<subscription>[^/]+)(/resourcegroups/(?P<group>[^/]+))?/?", re.IGNORECASE)


class AzureClients:
    """`verify` is the path of a PEM file to trust instead of the public roots; it never switches trust off.

    `token_scopes` default to the public cloud's, whatever `base_url` is: a token is for an audience, not an address.
    """

    def __init__(
        self,
        credential: TokenCredential,
        *,
        base_url: str = PUBLIC_ARM,
        verify: str | None = None,
        token_scopes: Sequence[str] = (f"{PUBLIC_ARM}/.default",),
    ) -> None:
        self._credential = credential
        self._base_url = base_url
        self._verify: str | bool = verify or True
        self._token_scopes = list(token_scopes)
        self._clients: dict[str, ComputeManagementClient] = {}
        self._lock = Lock()

    def of(self, subscription: str) -> ComputeManagementClient:
        from azure.mgmt.compute import ComputeManagementClient

        with self._lock:
            if subscription not in self._clients:
                self._clients[subscription] = ComputeManagementClient(
                    self._credential,
                    subscription,
                    base_url=self._base_url,
                    credential_scopes=self._token_scopes,
                    connection_verify=self._verify,
                    connection_timeout=10,
                    read_timeout=30,
                    retry_total=0,
                )
            return self._clients[subscription]

    def locks(self, subscription: str, group: str) -> list[ManagementLock]:
        """Those that hold for machines of the scope, inherited ones too as far as the identity may read them.

        None where it may read none: a call that a lock forbids is refused by Azure itself.
        """
        scopes = [f"/subscriptions/{subscription}"]
        if group:
            scopes.append(f"{scopes[0]}/resourceGroups/{group}")
        for scope in scopes:
            try:
                return list(_locks(self.of(subscription), self._base_url, scope))
            except Rejected as fault:
                if fault.faults[0].rule != FORBIDDEN:
                    raise
        return []

    def missing_rights(self, id: str, subscription: str, kind: str) -> list[str]:
        """Of deallocating and starting, what no role of the identity permits on that machine."""
        what = f"read permissions on {id.rpartition('/')[2]}"
        address = f"{id}/providers/Microsoft.Authorization/permissions?api-version={PERMISSIONS_VERSION}"
        granted = list(_pages(self.of(subscription), self._base_url, address, what))
        wanted = (f"{kind}/{verb}/action" for verb in ("deallocate", "start"))
        return [one for one in wanted if not permits(granted, one)]


@dataclass(frozen=True, slots=True)
class ManagementLock:
    """`scope` is in lower case; `level` is CanNotDelete or ReadOnly."""

    name: str
    scope: str
    level: str

    def covers(self, id: str) -> bool:
        return f"{id.lower()}/".startswith(f"{self.scope}/")


def permits(granted: Iterable[Mapping[str, Any]], operation: str) -> bool:
    """Each role permits by itself: its actions without its notActions, with `*` for any text."""
    return any(
        _matches(one.get("actions"), operation) and not _matches(one.get("notActions"), operation) for one in granted
    )


def _matches(patterns: Any, operation: str) -> bool:
    """Operations compare without case."""
    texts = (re.escape(str(one)).replace(r"\*", ".*") for one in patterns or ())
    return any(re.fullmatch(text, operation, re.IGNORECASE) for text in texts)


def lock_on(id: str, locks: Iterable[ManagementLock]) -> str:
    """The reason a lock gives; CanNotDelete too: who locks a machine wants it left alone."""
    found = next((lock for lock in locks if lock.covers(id)), None)
    return f"lock {found.name} ({found.level}) holds on {found.scope}" if found else ""


def id_pattern(type_name: str) -> re.Pattern[str]:
    return re.compile(
        r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
        rf"/providers/microsoft\.compute/{type_name}/(?P<name>[^/]+)",
        re.IGNORECASE,
    )


def parts_of(pattern: re.Pattern[str], id: str) -> dict[str, str]:
    match = pattern.fullmatch(id)
    if match is None:
        raise reject(f"{id!r} is no ARM id of the expected kind", "Correct the scope in ledger.toml.", "arm-id")
    return {name: value or "" for name, value in match.groupdict().items()}


def _locks(client: ComputeManagementClient, base_url: str, scope: str) -> Iterator[ManagementLock]:
    address = f"{scope}/providers/Microsoft.Authorization/locks?api-version={LOCKS_VERSION}"
    for one in _pages(client, base_url, address, f"read locks of {scope}"):
        held, _, name = str(one["id"]).rpartition("/providers/Microsoft.Authorization/locks/")
        yield ManagementLock(name, held.lower(), str(one["properties"]["level"]))


def same_host(address: str, base_url: str) -> bool:
    """Scheme, host and port as a whole: a host whose name only begins so is another one. A path alone stays here."""
    try:
        found, own = urlsplit(address), urlsplit(base_url)
    except ValueError:
        return False
    return (found.scheme, found.netloc.lower()) in (("", ""), (own.scheme, own.netloc.lower()))


def _pages(client: ComputeManagementClient, base_url: str, address: str, what: str) -> Iterator[Mapping[str, Any]]:
    """Through the compute client's own pipeline: one identity, one trust, no further library for one call."""
    from azure.core.rest import HttpRequest

    while address:
        with translated(what):
            answer = client.send_request(HttpRequest("GET", address))
        if answer.status_code != 200:
            raise answered(what, answer)
        page = answer.json()
        yield from page.get("value", [])
        address = str(page.get("nextLink") or "")
        if address and not same_host(address, base_url):  # a token is shown to the control plane alone
            raise reject(f"{what}: a page elsewhere", "Ask who answers in Azure's place.", "azure-next-link")
