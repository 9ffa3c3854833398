"""Azure's Cost Management: a client of its SDK with the service's own identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.identity import credential

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.costmanagement import CostManagementClient

PUBLIC = "https://management.azure.com"


def cost_management(
    env: Mapping[str, str], retry: Any = None, identity: TokenCredential | None = None
) -> CostManagementClient:
    """`retry` is a retry policy of azure-core, the library's own where there is none.

    LEDGER_ARM_URL points at another control plane and LEDGER_ARM_CA at the certificate that it is trusted by; the
    token stays one for the public cloud, and no redirect is followed with it.
    """
    from azure.mgmt.costmanagement import CostManagementClient

    return CostManagementClient(
        identity or credential(env),
        base_url=env.get("LEDGER_ARM_URL") or PUBLIC,
        credential_scopes=[f"{PUBLIC}/.default"],
        connection_verify=env.get("LEDGER_ARM_CA") or True,
        connection_timeout=10,
        read_timeout=120,
        permit_redirects=False,
        retry_policy=retry,
    )
