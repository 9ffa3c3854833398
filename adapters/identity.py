"""Who the service is towards Azure: its managed identity where it has one, else the developer's own sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# Set by the platform wherever a managed identity can be asked for.
_PLATFORM = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")


def credential(env: Mapping[str, str]) -> TokenCredential:
    """`AZURE_CLIENT_ID` picks a user-assigned identity. No secret is read here, and none is asked for."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    client_id = env.get("AZURE_CLIENT_ID") or None
    if any(env.get(name) for name in _PLATFORM):
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id)
