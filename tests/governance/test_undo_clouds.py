"""The undo of each kind of machine: real SDKs over the wire, stand-ins behind them, the flows in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from adapters.identity import credential
from adapters.queue import MemoryQueue
from emulators.arm import Arm
from emulators.cloud import SCALE_SET, Cloud, resource_id
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vmss import AzureScaleSets
from governance.fleets import Fleets
from governance.record import Record
from governance.rules import Ceilings, Safeguards, Stages
from governance.terminal import run_alert
from governance.undo_terminal import run_undo
from tests.contracts.stages import COUNT, STAGES, Stage
from tests.governance.scene import DOLLAR, NOW, SUBSCRIPTION, TAGS, payload
from tests.governance.test_endurance import Clock
from tests.governance.undoing import LIVE
from tests.servers.fixtures import moto as moto
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server

KINDS = ("azure_vm", "aws_ec2", "snowflake_warehouse")
SAFE = Safeguards(ceilings=Ceilings(), undo=Stages(batch=2, pause=timedelta(minutes=1)))


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


@pytest.fixture
def stages(request: pytest.FixtureRequest) -> Iterator[dict[str, Stage]]:
    with ExitStack() as stack:
        yield {kind: stack.enter_context(STAGES[kind](request)) for kind in KINDS}


def test_the_machines_of_three_clouds_run_again_and_are_read_back(record: Record, stages: dict[str, Stage]) -> None:
    home, *others = stages.values()
    places = tuple(one.scope.lower() for one in others)
    clock, budget = Clock(), replace(DOLLAR, scope=home.scope, opt_in_value="dev-monthly", safeguards=SAFE, also=places)

    def wait(until: datetime) -> datetime:
        for stage in stages.values():
            stage.settle()
        return clock.wait(until)

    queue, fleet = MemoryQueue(lambda: clock.now), Fleets([stage.action for stage in stages.values()])
    body = payload("common-actual", Scope=f"{home.scope}/")
    played = run_alert(body, budgets=[budget], record=record, queue=queue, fleet=fleet, now=NOW, live=True, wait=wait)
    assert played.failed == ()
    undone = run_undo(
        played.run,
        LIVE,
        budgets=[budget],
        record=record,
        queue=queue,
        fleet=fleet,
        now=clock.now,
        live=True,
        wait=wait,
    )
    assert undone.failed == (), undone.lines
    assert Counter(event.kind for event in undone.events)["verified"] == len(stages) * COUNT
    for stage in stages.values():
        assert {one.power for one in stage.action.machines(stage.scope)} == {"running"}, stage.kind
    assert all(record.verify(stream) == [] for stream in record.streams())


def test_of_a_scale_set_only_the_instances_start_that_were_on(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, budget = Cloud(NOW), replace(DOLLAR, safeguards=SAFE)
    id = resource_id(SUBSCRIPTION.rpartition("/")[2], "rg-dev", SCALE_SET, "pool")
    cloud.add_scale_set(id, tariff=Decimal("0.1"), instances=3, tags=TAGS)
    cloud.begin(f"{id}/virtualMachines/1", "deallocate")
    cloud.advance(timedelta(minutes=10))
    with Arm(cloud) as arm:
        for name, value in arm.environment().items():
            monkeypatch.setenv(name, value)
        fleet = AzureScaleSets(AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file)))
        queue = MemoryQueue(lambda: cloud.now)
        played = run_alert(
            payload("common-actual"),
            budgets=[budget],
            record=record,
            queue=queue,
            fleet=fleet,
            now=cloud.now,
            live=True,
            wait=cloud.advance_to,
        )
        undone = run_undo(
            played.run,
            LIVE,
            budgets=[budget],
            record=record,
            queue=queue,
            fleet=fleet,
            now=cloud.now,
            live=True,
            wait=cloud.advance_to,
        )
    assert undone.failed == (), undone.lines
    powers = [cloud.power(f"{id}/virtualMachines/{number}") for number in range(3)]
    assert powers == ["running", "deallocated", "running"]
