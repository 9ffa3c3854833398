"""One alert of Azure, one plan, machines of three clouds: real SDKs over the wire, stand-ins behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

import pytest

from adapters.queue import MemoryQueue
from governance.fleets import Fleets
from governance.model import Fleet, Machine
from governance.record import Record
from governance.rules import Ceilings, Safeguards
from governance.terminal import Played, run_alert
from ledger.faults import reject
from tests.contracts.stages import COUNT, STAGES, Stage
from tests.governance.scene import DOLLAR, NOW, payload
from tests.governance.test_endurance import Clock
from tests.servers.fixtures import moto as moto
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server

HOME = "azure_vm"


@pytest.fixture
def stages(request: pytest.FixtureRequest) -> Iterator[dict[str, Stage]]:
    with ExitStack() as stack:
        yield {kind: stack.enter_context(STAGES[kind](request)) for kind in (HOME, "aws_ec2", "snowflake_warehouse")}


def play(record: Record, stages: dict[str, Stage], fleet: Fleet) -> Played:
    home, *others = stages.values()
    clock = Clock()
    budget = replace(
        DOLLAR,
        scope=home.scope,
        opt_in_value="dev-monthly",
        also=tuple(one.scope.lower() for one in others),
        safeguards=Safeguards(ceilings=Ceilings()),
    )

    def wait(until: datetime) -> datetime:
        for stage in stages.values():
            stage.settle()
        return clock.wait(until)

    return run_alert(
        payload("common-actual", Scope=f"{home.scope}/"),
        budgets=[budget],
        record=record,
        queue=MemoryQueue(lambda: clock.now),
        fleet=fleet,
        now=NOW,
        live=True,
        wait=wait,
    )


def test_every_cloud_s_machines_are_off_and_read_back(record: Record, stages: dict[str, Stage]) -> None:
    fleet = Fleets([stage.action for stage in stages.values()])
    played = play(record, stages, fleet)
    assert played.failed == ()
    assert Counter(event.kind for event in played.events)["verified"] == 3 * COUNT
    for stage in stages.values():
        assert {one.power for one in stage.action.machines(stage.scope)} == {"deallocated"}
        assert stage.begun() == COUNT


class Locked(Fleets):
    """Whoever lists AWS is refused."""

    def machines(self, scope: str) -> list[Machine]:
        if scope.startswith("arn:"):
            raise reject("list instances: UnauthorizedOperation", "Give the role its rights.", "aws-access")
        return super().machines(scope)


def test_a_cloud_that_refuses_holds_up_no_other_and_the_run_is_not_green(
    record: Record, stages: dict[str, Stage]
) -> None:
    fleet = Locked([stage.action for stage in stages.values()])
    played = play(record, stages, fleet)
    assert played.failed == (stages["aws_ec2"].scope,)
    assert Counter(event.kind for event in played.events)["verified"] == 2 * COUNT
    assert any("UNSEEN arn:aws:ec2" in line and "UnauthorizedOperation" in line for line in played.lines)
    assert {one.power for one in stages["aws_ec2"].action.machines(stages["aws_ec2"].scope)} == {"running"}
