"""Where each action plays in the contract: a cloud with machines on, an odd one, and what happens behind its back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters import aws_session, snowflake_session
from adapters.aws_session import Clients
from adapters.identity import credential
from emulators import faults
from emulators.arm import Arm
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from governance.actions.aws_ec2 import Ec2Instances
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.actions.azure_vmss import AzureScaleSets
from governance.actions.snowflake_warehouse import SnowflakeWarehouses
from governance.fleets import Action
from governance.model import Machine
from ledger.faults import Missing, Rejected
from tests.servers.snowflake import Account

SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"
TAGS = {"ledger-stop": "dev-monthly", "environment": "development"}
COUNT, INSTANCES = 5, 3


@dataclass(frozen=True, slots=True)
class Stage:
    """`scope` holds COUNT machines, all on and tagged. `settle` lets the cloud finish; `hide` hides one's state.

    `gone` is how an absent machine is told.
    """

    action: Action
    kind: str
    scope: str
    ids: tuple[str, ...]
    absent: str
    settle: Callable[[], object]
    begun: Callable[[], int]
    hide: Callable[[str], object] | None = None
    gone: type[Exception] = Missing


def _clients(arm: Arm) -> AzureClients:
    return AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))


@contextmanager
def _azure(patch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(Cloud(datetime(2026, 3, 1, tzinfo=UTC)), page_size=2) as arm:
        for name, value in arm.environment().items():
            patch.setenv(name, value)
        arm.cloud.add_subscription(SUBSCRIPTION, "dev")
        yield arm


@contextmanager
def virtual_machines(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with _azure(request.getfixturevalue("monkeypatch")) as arm:
        ids = tuple(resource_id(SUBSCRIPTION, "rg", MACHINE, f"vm-{number}") for number in range(COUNT))
        for id in ids:
            arm.cloud.add_machine(id, tariff=Decimal("0.1"), tags=TAGS)
        yield Stage(
            AzureVirtualMachines(_clients(arm)),
            "azure_vm",
            f"/subscriptions/{SUBSCRIPTION}",
            ids,
            resource_id(SUBSCRIPTION, "rg", MACHINE, "nobody"),
            lambda: arm.cloud.advance(timedelta(minutes=5)),
            lambda: len(arm.asked("/deallocate")),
            lambda id: arm.cloud.faults.add(faults.no_power_state(id.rpartition("/")[2])),
        )


def _hide_instances(cloud: Cloud, name: str) -> None:
    for number in range(INSTANCES):
        cloud.faults.add(faults.no_power_state(f"{name}_{number}"))


@contextmanager
def scale_sets(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with _azure(request.getfixturevalue("monkeypatch")) as arm:
        ids = tuple(resource_id(SUBSCRIPTION, "rg", SCALE_SET, f"set-{number}") for number in range(COUNT))
        for id in ids:
            arm.cloud.add_scale_set(id, tariff=Decimal("0.1"), instances=INSTANCES, tags=TAGS)
        yield Stage(
            AzureScaleSets(_clients(arm)),
            "azure_vmss",
            f"/subscriptions/{SUBSCRIPTION}",
            ids,
            resource_id(SUBSCRIPTION, "rg", SCALE_SET, "nobody"),
            lambda: arm.cloud.advance(timedelta(minutes=5)),
            lambda: len(arm.asked("/deallocate")),
            lambda id: _hide_instances(arm.cloud, id.rpartition("/")[2]),
        )


@contextmanager
def instances(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """An account of its own in the shared stand-in for AWS."""
    patch, moto = request.getfixturevalue("monkeypatch"), request.getfixturevalue("moto")
    for name, value in moto.env.items():
        patch.setenv(name, value)
    account, region = f"{secrets.randbelow(10**12):012d}", "eu-west-3"
    stops: list[str] = []
    clients = aws_account(moto.env, account, stops)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()]}]
    made = clients("ec2", region).run_instances(
        ImageId="ami-12c6146b", InstanceType="t3.micro", MinCount=COUNT, MaxCount=COUNT, TagSpecifications=tags
    )
    ids = tuple(f"arn:aws:ec2:{region}:{account}:instance/{one['InstanceId']}" for one in made["Instances"])
    yield Stage(
        Ec2Instances(clients, account, [region, "eu-north-1"], page_size=2),
        "aws_ec2",
        f"arn:aws:ec2::{account}",
        ids,
        f"arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0",
        lambda: None,
        lambda: len(stops),
    )


def aws_account(env: Mapping[str, str], account: str, stops: list[str]) -> Clients:
    """The product's own clients, whose requests moto takes for another account's; `stops` gets each call of a stop."""
    made = aws_session.clients(env, patience=aws_session.ONE_ATTEMPT)

    def client(service: str, region: str) -> Any:
        found = made(service, region)
        found.meta.events.register_last("before-sign.*.*", _moved(account), unique_id="account")
        found.meta.events.register("before-call.ec2.StopInstances", _noted(stops), unique_id="stops")
        return found

    return client


def _moved(account: str) -> Callable[..., None]:
    def move(request: Any, **_: object) -> None:
        request.headers["x-moto-account-id"] = account

    return move


def _noted(stops: list[str]) -> Callable[..., None]:
    return lambda params, **_: stops.append(str(params["body"]))


@contextmanager
def warehouses(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """An account of its own in the shared stand-in for Snowflake."""
    account: Account = request.getfixturevalue("snowflake")
    with closing(account.connect()) as session:
        comment = "; ".join(f"{key}={value}" for key, value in TAGS.items())
        for number in range(COUNT):
            session.cursor().execute(f"CREATE WAREHOUSE WH_{number} COMMENT = '{comment}'")
    yield Stage(
        Narrowed(SnowflakeWarehouses(signed_in(account), account.name)),
        "snowflake_warehouse",
        f"snowflake:{account.name}",
        tuple(f"snowflake:{account.name}/WH_{number}" for number in range(COUNT)),
        f"snowflake:{account.name}/NOBODY",
        lambda: None,
        lambda: sum("SUSPEND" in one for one in account.statements),
        gone=Rejected,
    )


def signed_in(account: Account) -> Callable[[], Any]:
    sign_in = snowflake_session.SignIn(account.name, user="LEDGER", role="LEDGER", auth="password")
    return lambda: snowflake_session.connect(sign_in, account.env)


class Narrowed(SnowflakeWarehouses):
    """Without the warehouse that every account of the stand-in has from the start."""

    def __init__(self, whole: SnowflakeWarehouses) -> None:
        self.__dict__ = whole.__dict__

    def machines(self, scope: str) -> list[Machine]:
        return [one for one in super().machines(scope) if one.name.startswith("WH_")]


STAGES = {
    "azure_vm": virtual_machines,
    "azure_vmss": scale_sets,
    "aws_ec2": instances,
    "snowflake_warehouse": warehouses,
}
