"""The control planes that machines are stopped through, built once for what the settings and the environment say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from governance.places import MachineAccount
from wiring.parts import Env

if TYPE_CHECKING:
    from governance.fleets import Action
    from governance.model import Fleet

# What may say who the service is and where the clouds are.
_SAYS_WHO = ("AWS_", "AZURE_", "IDENTITY_", "LEDGER_", "MANAGED_IDENTITY_", "MSI_")


def fleet(env: Env, machines: Sequence[MachineAccount] = ()) -> Fleet:
    """Azure's machines and scale sets, and those of the accounts, with the service's own identity.

    Kept while nothing of it changes: a token and a connection serve all messages. LEDGER_ARM_URL is another control
    plane of Azure.
    """
    said = {name: value for name, value in env.items() if name.startswith(_SAYS_WHO)}
    return _fleet(tuple(machines), tuple(sorted(said.items())))


@lru_cache(maxsize=2)
def _fleet(machines: tuple[MachineAccount, ...], said: tuple[tuple[str, str], ...]) -> Fleet:
    from governance.fleets import Fleets

    env = dict(said)
    others = [_aws(one, env) if one.provider == "aws" else _snowflake(one, env) for one in machines]
    return Fleets([*_azure(env), *others])


def _azure(env: Env) -> list[Action]:
    from adapters.identity import credential
    from governance.actions.azure_clients import PUBLIC_ARM, AzureClients
    from governance.actions.azure_vm import AzureVirtualMachines
    from governance.actions.azure_vmss import AzureScaleSets

    url, trust = env.get("LEDGER_ARM_URL") or PUBLIC_ARM, env.get("LEDGER_ARM_CA") or None
    clients = AzureClients(credential(env), base_url=url, verify=trust)
    return [AzureVirtualMachines(clients), AzureScaleSets(clients)]


def _aws(one: MachineAccount, env: Env) -> Action:
    from adapters.aws_session import ONE_ATTEMPT, clients
    from governance.actions.aws_ec2 import Ec2Instances

    return Ec2Instances(clients(env, one.role, one.audience, patience=ONE_ATTEMPT), one.account, one.regions)


def _snowflake(one: MachineAccount, env: Env) -> Action:
    """Without a warehouse: what is said needs none."""
    from adapters.snowflake_session import SignIn, connect
    from governance.actions.snowflake_warehouse import SnowflakeWarehouses

    sign_in = SignIn(one.account, user=one.user, role=one.role, auth=one.auth, source=one.name)
    return SnowflakeWarehouses(lambda: connect(sign_in, env), one.account, monitor=one.monitor)
