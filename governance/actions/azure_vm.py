"""Azure virtual machines behind the Fleet protocol: list, look, deallocate. Nothing here can end or erase a machine.

Retries of the SDK are off: it would sleep inside the call, and the queue already is the retry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from governance.actions.azure_faults import translated
from governance.model import Machine
from ledger.faults import Conflict, Missing, Rejected, Transient, reject

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.compute.models import VirtualMachine, VirtualMachineInstanceView

PUBLIC_ARM = "https://management.azure.com"
_SCOPE = re.compile(r"/subscriptions/(?P<subscription>[^/]+)(/resourcegroups/(?P<group>[^/]+))?/?", re.IGNORECASE)
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"/providers/microsoft\.compute/virtualmachines/(?P<name>[^/]+)",
    re.IGNORECASE,
)


class AzureVirtualMachines:
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

    def machines(self, scope: str) -> list[Machine]:
        """Every machine of a subscription or resource group, all pages, with its power state."""
        parts = _parts(_SCOPE, scope)
        client = self._client(parts["subscription"])
        with translated(f"list machines of {scope}"):
            if parts["group"]:
                return self._of_group(client, parts["group"])
            return self._of_subscription(client)

    def machine(self, id: str) -> Machine:
        """Tags and power state as they are now, in one request."""
        parts = _parts(_ID, id)
        with translated(f"read {parts['name']}"):
            found = self._client(parts["subscription"]).virtual_machines.get(
                parts["group"], parts["name"], expand="instanceView"
            )
        return _machine(found, power_of(found.instance_view))

    def begin_stop(self, id: str) -> None:
        """Deallocate: a machine that is only powered off keeps its compute charges. Returning means accepted."""
        parts = _parts(_ID, id)
        with translated(f"deallocate {parts['name']}"):
            self._client(parts["subscription"]).virtual_machines.begin_deallocate(
                parts["group"], parts["name"], polling=False
            )

    def _of_subscription(self, client: ComputeManagementClient) -> list[Machine]:
        """Two listings: with `status_only` the service gives the power states and promises nothing else."""
        listed = list(client.virtual_machines.list_all())
        power = {_id(one).lower(): power_of(one.instance_view) for one in _statuses(client)}
        return [_machine(one, power.get(_id(one).lower(), "unknown")) for one in listed]

    def _of_group(self, client: ComputeManagementClient, group: str) -> list[Machine]:
        """A listing of a group has no power states, and the rights may end at the group: one look per machine."""
        found = []
        for one in client.virtual_machines.list(group):
            with suppress(Missing):  # erased since it was listed
                found.append(_machine(one, self._power(client, group, str(one.name))))
        return found

    def _power(self, client: ComputeManagementClient, group: str, name: str) -> str:
        """'unknown' when it cannot be read: one machine must not hide the others."""
        try:
            with translated(f"read power of {name}"):
                return power_of(client.virtual_machines.instance_view(group, name))
        except (Transient, Conflict, Rejected):
            return "unknown"

    def _client(self, subscription: str) -> ComputeManagementClient:
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


def _statuses(client: ComputeManagementClient) -> Iterable[VirtualMachine]:
    return client.virtual_machines.list_all(status_only="true")


def power_of(view: VirtualMachineInstanceView | None) -> str:
    """The word after 'PowerState/'; 'unknown' when the service gives none, which it may."""
    for status in (view.statuses or []) if view else []:
        kind, _, word = (status.code or "").partition("/")
        if kind == "PowerState" and word:
            return word.lower()
    return "unknown"


def _machine(found: VirtualMachine, power: str) -> Machine:
    tags = {str(key): str(value or "") for key, value in (found.tags or {}).items()}
    group = _parts(_ID, _id(found))["group"]
    return Machine(_id(found), str(found.name), group, str(found.location), tags, power)


def _id(found: VirtualMachine) -> str:
    return str(found.id)


def _parts(pattern: re.Pattern[str], id: str) -> dict[str, str]:
    match = pattern.fullmatch(id)
    if match is None:
        raise reject(f"{id!r} is no ARM id of the expected kind", "Correct the scope in ledger.toml.", "arm-id")
    return {name: value or "" for name, value in match.groupdict().items()}
