"""A machine that is not at its id any more may have been moved: it keeps its identity, and runs and bills on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.identity import credential
from adapters.queue import MemoryQueue
from emulators.arm import Arm
from emulators.cloud import Cloud
from governance.actions.azure_clients import AzureClients
from governance.actions.azure_vm import AzureVirtualMachines
from governance.model import Message, State
from governance.record import Record
from governance.terminal import run_alert
from ledger.faults import Conflict, Missing, Transient, reject
from tests.governance.control import Control
from tests.governance.scene import BUDGETS, DOLLAR, NOW, SUBSCRIPTION, machine, payload

HERE = replace(machine("a"), identity="one")
THERE = replace(machine("a", group="rg-other"), identity="one")
DENIED = reject("list machines: 403 AuthorizationFailed", "Grant the role.", "azure-AuthorizationFailed")


def move(control: Control) -> None:
    del control.fleet.known[HERE.id]
    control.fleet.known[THERE.id] = THERE


@pytest.fixture
def control(record: Record) -> Control:
    return Control(record, HERE)


def assert_told(control: Control, order: Message) -> None:
    assert control.state(order) is State.FAILED
    assert THERE.id in str(control.events(order)[-1].body["reason"])
    assert THERE.id not in control.fleet.stops
    assert control.fleet.known[THERE.id].power == "running"


def test_invariant_12_moved_between_plan_and_look_is_not_gone(control: Control) -> None:
    order = control.first()
    move(control)
    assert control.order(order) == []
    assert_told(control, order)


def test_invariant_12_moved_between_look_and_call_is_not_gone(control: Control) -> None:
    order = control.first()
    control.fleet.known[THERE.id] = THERE
    control.fleet.faults["begin_stop"].append(Missing("404 ResourceNotFound"))
    assert control.order(order) == []
    assert_told(control, order)


def test_invariant_12_moved_between_call_and_reading_is_not_gone(control: Control) -> None:
    order = control.first()
    (look,) = control.order(order)
    move(control)
    assert control.look(look) == []
    assert_told(control, order)


def test_what_no_scope_of_the_budget_lists_is_gone(control: Control) -> None:
    order = control.first()
    del control.fleet.known[HERE.id]
    namesake = replace(THERE, identity="another")
    control.fleet.known[namesake.id] = namesake
    assert control.order(order) == []
    assert control.kinds(order) == ["planned", "gone"]
    assert "no longer exists in the budget's scopes" in control.events(order)[-1].body["reason"]


def test_a_scope_that_went_with_it_lists_nothing(control: Control) -> None:
    order = control.first()
    control.fleet.known.clear()
    control.fleet.faults["machines"].append(Missing("404 ResourceGroupNotFound"))
    control.order(order)
    assert control.kinds(order) == ["planned", "gone"]


def test_it_is_looked_for_in_every_scope_of_the_budget(record: Record) -> None:
    group = f"{SUBSCRIPTION}/resourcegroups"
    scoped = replace(DOLLAR, also=(f"{group}/rg-more", f"{group}/rg-other"))
    control = Control(record, HERE, budgets=(scoped,))
    order = control.first()
    control.budgets = (replace(scoped, scope=f"{group}/rg-dev"),)
    move(control)
    control.order(order)
    assert_told(control, order)


def test_where_the_budget_left_the_registry_its_account_is_searched(control: Control) -> None:
    order = control.first()
    control.budgets = ()
    move(control)
    control.order(order)
    assert_told(control, order)


@pytest.mark.parametrize("fault", [Transient("503", timedelta(seconds=40)), Conflict("busy")])
def test_a_search_that_fails_is_made_again_before_and_after_the_call(control: Control, fault: Exception) -> None:
    order = control.first()
    del control.fleet.known[HERE.id]
    control.fleet.faults["machines"].append(fault)
    (again,) = control.order(order)
    assert control.kinds(order) == ["planned", "deferred"]
    control.fleet.known[HERE.id] = HERE
    (look,) = control.order(again, NOW + again.delay)
    del control.fleet.known[HERE.id]
    control.fleet.faults["machines"].append(fault)
    (look,) = control.look(look, NOW + again.delay * 3)
    assert control.state(order) is State.ACCEPTED
    control.look(look, NOW + timedelta(minutes=30))
    assert control.kinds(order)[-1] == "gone"


def test_a_scope_that_may_not_be_listed_leaves_it_unproved(control: Control) -> None:
    order = control.first()
    del control.fleet.known[HERE.id]
    control.fleet.faults["machines"].append(DENIED)
    control.order(order)
    assert control.state(order) is State.FAILED
    assert "403" in str(control.events(order)[-1].body["reason"])


def test_without_an_identity_nothing_is_searched(record: Record) -> None:
    control = Control(record, machine("a"))
    order = control.first()
    control.fleet.known.clear()
    control.fleet.faults["machines"].append(DENIED)
    control.order(order)
    assert control.kinds(order) == ["planned", "gone"]


class Moving(AzureVirtualMachines):
    """The real control plane; once its machine was asked to stop, somebody moves it to another group."""

    cloud: Cloud

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:
        self.cloud.move(id, id.replace("rg-dev", "rg-other"))
        super().begin_stop(id, parts)


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    cloud = Cloud(NOW)
    cloud.add_subscription(SUBSCRIPTION.rpartition("/")[2], "dev")
    for name in ("a", "b"):
        cloud.add_machine(machine(name).id, tariff=Decimal("0.01"), tags=machine(name).tags)
    with Arm(cloud) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def test_azure_lists_a_moved_machine_with_the_identity_it_had(record: Record, arm: Arm) -> None:
    fleet = Moving(AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file)))
    fleet.cloud = arm.cloud
    played = run_alert(
        payload("common-actual"),
        budgets=BUDGETS,
        record=record,
        queue=MemoryQueue(lambda: arm.cloud.now),
        fleet=fleet,
        now=NOW,
        live=True,
        wait=arm.cloud.advance_to,
    )
    assert [id.rpartition("/")[2] for id in played.failed] == ["a", "b"]
    moved = [one.id for one in fleet.machines(SUBSCRIPTION)]
    assert len(moved) == 2 and all("rg-other" in id for id in moved)
    reasons = [str(event.body["reason"]) for event in played.events if event.kind == "failed"]
    assert all(any(id in reason for reason in reasons) for id in moved)
    assert {arm.cloud.power(id) for id in moved} == {"running"}


def test_azure_says_gone_of_what_was_erased(record: Record, arm: Arm) -> None:
    clients = AzureClients(credential(arm.environment()), base_url=arm.url, verify=str(arm.ca_file))
    fleet = AzureVirtualMachines(clients)
    control = Control(record, *fleet.machines(SUBSCRIPTION))
    orders = control.plan(control.receive())
    arm.cloud.erase(machine("a").id)
    control.fleet = fleet  # type: ignore[assignment]  # the real one from here on
    looks = [look for order in orders for look in control.order(order)]
    assert sorted(control.kinds(order)[-1] for order in orders) == ["accepted", "gone"] and len(looks) == 1
