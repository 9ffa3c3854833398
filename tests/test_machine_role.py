"""The rights to stop machines are those behind the calls that are made: held against logs of stand-ins and the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

import wiring
from emulators import faults
from emulators.arm import Arm, Request
from emulators.cloud import MACHINE, SCALE_SET, Cloud, resource_id
from emulators.resources import FLEXIBLE
from governance.fleets import Fleets
from ledger.faults import Rejected
from tests.house import bicep
from tests.house.source import ROOT, product

ROLE = ROOT / "infra/modules/roles.bicep"
PAGE = (ROOT / "docs/stop-machines.md").read_text(encoding="utf-8")
SUBSCRIPTION = "44444444-4444-4444-8444-444444444444"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
# Nothing is called for these: who looks at the role's scope sees its name and its groups.
SEEN_ONLY = {"Microsoft.Resources/subscriptions/read", "Microsoft.Resources/subscriptions/resourceGroups/read"}
TYPES = {
    name.lower(): name
    for name in (
        "virtualMachines",
        "virtualMachineScaleSets",
        "locks",
        "permissions",
        "instanceView",
        "deallocate",
        "start",
    )
}


def operations(request: Request) -> Iterator[str]:
    """What Azure asks a right for; the state of machines is one of its own, wherever it is shown."""
    namespace, *rest = request.path.split("/providers/")[-1].split("/")
    last = TYPES.get(rest[-1].lower(), "")
    acts = request.method == "POST" or last == "instanceView"
    kinds = [TYPES[kind.lower()] for kind in (rest[:-1] if acts else rest)[::2]]
    kind = "/".join((namespace, *kinds))
    if request.method == "POST":
        yield f"{kind}/{last}/action"
        return
    yield f"{kind}/{last}/read" if last == "instanceView" else f"{kind}/read"
    if request.query.get("$expand") == "instanceView" or request.query.get("statusOnly"):
        yield f"{kind}/instanceView/read"


@pytest.fixture(scope="module")
def log() -> Iterator[list[Request]]:
    """Everything that can be asked of Azure's control plane, asked once."""
    cloud = Cloud(datetime(2026, 3, 1, tzinfo=UTC))
    vm, uniform = (resource_id(SUBSCRIPTION, "rg", kind, "a") for kind in (MACHINE, SCALE_SET))
    cloud.add_machine(vm, tariff=Decimal(1))
    cloud.add_scale_set(uniform, tariff=Decimal(1), instances=2)
    cloud.add_scale_set(f"{uniform}b", tariff=Decimal(1), instances=2, mode=FLEXIBLE)
    cloud.faults.add(faults.denied("listLocks", times=1))
    with pytest.MonkeyPatch.context() as patch, Arm(cloud) as arm:
        for name, value in arm.environment().items():
            patch.setenv(name, value)
        fleet = wiring.fleet(arm.environment())
        assert isinstance(fleet, Fleets)
        for scope in (SCOPE, f"{SCOPE}/resourcegroups/rg"):
            fleet.machines(scope)
        for id, parts in ((vm, ()), (uniform, ("0", "1"))):
            fleet.machine(id)
            assert fleet.missing_rights(id) == []
            fleet.begin_stop(id, parts)
            cloud.advance(timedelta(minutes=9))
            fleet.begin_start(id, parts)
        yield arm.requests


def test_the_role_has_a_right_for_every_call_and_none_beyond(log: list[Request]) -> None:
    needed = {operation for request in log for operation in operations(request)}
    assert set(bicep.listed(ROLE, "actions")) == needed | SEEN_ONLY


def test_invariant_18_24_nothing_that_is_asked_writes_erases_or_powers_off(log: list[Request]) -> None:
    assert {request.method for request in log} == {"GET", "POST"}
    posts = {request.path.rpartition("/")[2] for request in log if request.method == "POST"}
    assert posts == {"deallocate", "start"}


def test_a_call_that_no_right_is_there_for_would_be_seen() -> None:
    erased = Request("DELETE", f"{SCOPE}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/a", {}, 202, NOW)
    stopped = Request("POST", f"{erased.path}/powerOff", {}, 202, NOW)
    allowed = set(bicep.listed(ROLE, "actions"))
    assert not set(operations(stopped)) & allowed
    assert erased.method not in {"GET", "POST"}


NOW = datetime(2026, 3, 1, tzinfo=UTC)
CALLS = {
    "describe_instances": "ec2:DescribeInstances",
    "describe_spot_instance_requests": "ec2:DescribeSpotInstanceRequests",
    "stop_instances": "ec2:StopInstances",
    "start_instances": "ec2:StartInstances",
}


def ec2_calls() -> set[str]:
    """Calls of EC2's client that the product makes: by name, or as the name of a pager."""
    from botocore import xform_name
    from botocore.session import get_session

    known = {xform_name(name) for name in get_session().get_service_model("ec2").operation_names}
    module = next(one for one in product() if one.name == "governance.actions.aws_ec2")
    paged = set(re.findall(r'get_paginator\("(\w+)"\)', module.path.read_text(encoding="utf-8")))
    return ({name for name, _ in module.calls()} | paged) & known


def test_the_policy_on_the_page_permits_ec2_what_the_code_calls_and_no_more() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    statements = json.loads(block)["Statement"]
    permitted = [action for one in statements for action in one["Action"]]
    assert ec2_calls() == set(CALLS)
    assert sorted(permitted) == sorted(CALLS.values())
    changing = next(one for one in statements if "ec2:StopInstances" in one["Action"])
    assert changing["Resource"] == ["arn:aws:ec2:*:ACCOUNT_ID:instance/*"]
    assert any("ledger-stop" in key for key in changing["Condition"]["StringLike"])


def test_the_grants_on_the_page_are_those_that_suspending_needs() -> None:
    granted = re.findall(r"^    GRANT (.+?) ON (?:ALL )?(WAREHOUSES?|RESOURCE MONITOR)", PAGE, re.MULTILINE)
    assert {right for rights, _ in granted for right in rights.split(", ")} == {"MONITOR", "OPERATE", "MODIFY"}


def test_what_the_identity_may_not_do_is_told_and_not_tried_again() -> None:
    cloud = Cloud(NOW)
    vm = resource_id(SUBSCRIPTION, "rg", MACHINE, "a")
    cloud.add_machine(vm, tariff=Decimal(1))
    cloud.faults.add(faults.denied("deallocate"))
    with pytest.MonkeyPatch.context() as patch, Arm(cloud) as arm:
        for name, value in arm.environment().items():
            patch.setenv(name, value)
        with pytest.raises(Rejected, match="deallocate"):
            wiring.fleet(arm.environment()).begin_stop(vm)
        assert len(arm.asked("/deallocate")) == 1
