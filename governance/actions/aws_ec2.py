"""Instances of AWS EC2 behind the Fleet protocol: list, look, stop, start.

AWS's `stopped` is Azure's `deallocated`: the hardware is given back and compute is not billed any more. So states are
told in Azure's words, and a stop is never a hibernation and never forced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from governance.actions.aws_faults import translated
from governance.model import Machine
from ledger.faults import Missing, reject

KIND = "aws_ec2"
GROUP_TAG = "aws:autoscaling:groupName"
# What is being terminated or is gone bills no compute and cannot be stopped: it is not listed.
POWER: Mapping[str, str] = {
    "pending": "starting",
    "running": "running",
    "stopping": "deallocating",
    "stopped": "deallocated",
}
MAY, MAY_NOT = "DryRunOperation", "UnauthorizedOperation"
DRY_RUNS = (MAY, MAY_NOT)
_SCOPE = re.compile(r"arn:(?P<partition>aws[a-z-]*):ec2:(?P<region>[a-z0-9-]*):(?P<account>\d{12})")
_ID = re.compile(rf"{_SCOPE.pattern}:instance/(?P<name>i-[0-9a-f]+)")

# What the names of its regions begin with; the rest are in the partition of most.
PARTITIONS: Mapping[str, str] = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}

Clients = Callable[[str, str], Any]
Told = Mapping[str, Any]


class Ec2Instances:
    """The instances of one account in the named regions. `clients` sign in as the account's role, without retries."""

    def __init__(self, clients: Clients, account: str, regions: Sequence[str], *, page_size: int = 1000) -> None:
        self._clients, self._account, self._regions = clients, account, tuple(regions)
        self._page_size = page_size

    def lists(self, scope: str) -> bool:
        """`arn:aws:ec2::ACCOUNT` for all regions, `arn:aws:ec2:REGION:ACCOUNT` for one."""
        found = _SCOPE.fullmatch(scope)
        if found is None or found["account"] != self._account or found["region"] not in ("", *self._regions):
            return False
        regions = [found["region"]] if found["region"] else self._regions
        return all(partition_of(region) == found["partition"] for region in regions)

    def owns(self, id: str) -> bool:
        found = _ID.fullmatch(id)
        if found is None or found["account"] != self._account or found["region"] not in self._regions:
            return False
        return partition_of(found["region"]) == found["partition"]

    def machines(self, scope: str) -> list[Machine]:
        """Every instance of the account's regions, or of one of them, all pages, with its state."""
        if not self.lists(scope):
            raise reject(f"{scope!r} is no scope of account {self._account}", "Correct the budget's scope.", "arn")
        parts = _parts(_SCOPE, scope)
        regions = [parts["region"]] if parts["region"] else self._regions
        return [machine for region in regions for machine in self._of_region(parts["partition"], region)]

    def machine(self, id: str) -> Machine:
        """Tags and state as they are now. Missing once it is being terminated."""
        parts = self._own(id)
        client = self._client(parts["region"])
        with translated(f"read {parts['name']}"):
            answer = client.describe_instances(InstanceIds=[parts["name"]])
            found = [one for one in self._instances([answer]) if _power(one)]
            lasting = _persistent(client, found)
        if not found:
            raise Missing(f"read {parts['name']}: terminated")
        return self._shown(parts["partition"], parts["region"], found[0], lasting)

    def lock(self, id: str) -> str:  # noqa: ARG002  # a cloud without locks
        return ""

    def missing_rights(self, id: str) -> Sequence[str]:
        """By dry runs of EC2's own: it says whether it would, and does nothing."""
        parts = self._own(id)
        client = self._client(parts["region"])
        calls = {"ec2:StopInstances": client.stop_instances, "ec2:StartInstances": client.start_instances}
        return [right for right, call in calls.items() if not _may(call, parts["name"])]

    def begin_stop(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # it has no parts
        place = self._own(id)
        with translated(f"stop {place['name']}"):
            self._client(place["region"]).stop_instances(InstanceIds=[place["name"]])

    def begin_start(self, id: str, parts: Sequence[str] = ()) -> None:  # noqa: ARG002  # it has no parts
        place = self._own(id)
        with translated(f"start {place['name']}"):
            self._client(place["region"]).start_instances(InstanceIds=[place["name"]])

    def _own(self, id: str) -> Mapping[str, str]:
        if not self.owns(id):
            raise reject(f"{id!r} is no instance of account {self._account}", "Correct the settings.", "arn")
        return _parts(_ID, id)

    def _of_region(self, partition: str, region: str) -> list[Machine]:
        client = self._client(region)
        with translated(f"list instances of {region}"):
            pages = client.get_paginator("describe_instances").paginate(
                Filters=[{"Name": "instance-state-name", "Values": list(POWER)}],
                PaginationConfig={"PageSize": self._page_size},
            )
            found = self._instances(pages)
            lasting = _persistent(client, found)
        return [self._shown(partition, region, one, lasting) for one in found]

    def _instances(self, pages: Any) -> list[Told]:
        """Rejected when they are another account's: under ids of this one, nothing said of theirs would hold."""
        batches = [batch for page in pages for batch in page["Reservations"]]
        if any(batch.get("OwnerId") != self._account for batch in batches):
            advice = "Correct account or role of [machines.NAME], or the credentials of the environment."
            raise reject(f"the credentials are of another account than {self._account}", advice, "aws-account")
        return [one for batch in batches for one in batch["Instances"]]

    def _client(self, region: str) -> Any:
        return self._clients("ec2", region)

    def _shown(self, partition: str, region: str, found: Told, lasting: frozenset[str]) -> Machine:
        number, tags = str(found["InstanceId"]), _tags(found)
        return Machine(
            f"arn:{partition}:ec2:{region}:{self._account}:instance/{number}",
            tags.get("Name") or number,
            "",
            region,
            tags,
            _power(found),
            kind=KIND,
            size=str(found.get("InstanceType", "")),
            system=str(found.get("PlatformDetails") or found.get("Platform") or "Linux/UNIX"),
            purchase="spot" if _is_spot(found) else "on-demand",
            unstoppable=_objection(found, tags, lasting),
            launched=_launched(found),
        )


def _may(call: Callable[..., Any], number: str) -> bool:
    with translated(f"ask for the rights on {number}", expected=DRY_RUNS) as codes:
        call(InstanceIds=[number], DryRun=True)
    return codes == [MAY]


def partition_of(region: str) -> str:
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def _objection(found: Told, tags: Mapping[str, str], lasting: frozenset[str]) -> str:
    """Why EC2 would not stop it, or why a stop would not last; '' when neither."""
    if group := tags.get(GROUP_TAG):
        return f"auto scaling group {group} would replace it: change the group's size instead"
    if found.get("RootDeviceType") == "instance-store":
        return "its root device is an instance store: it cannot be stopped"
    if _is_spot(found) and found["InstanceId"] not in lasting:
        return "a spot instance of a one-time request: it cannot be stopped"
    if found.get("InstanceLifecycle") == "capacity-block":
        return "a capacity block is paid for in advance: a stop saves nothing"
    return ""


def _persistent(client: Any, found: Sequence[Told]) -> frozenset[str]:
    """Those of the spot instances that a persistent request keeps; nothing is asked where there are none."""
    spot = [str(one["InstanceId"]) for one in found if _is_spot(one)]
    lasting: set[str] = set()
    for start in range(0, len(spot), 200):  # of a filter's values at most so many
        pages = client.get_paginator("describe_spot_instance_requests").paginate(
            Filters=[{"Name": "instance-id", "Values": spot[start : start + 200]}]
        )
        requests = (one for page in pages for one in page["SpotInstanceRequests"])
        lasting |= {str(one["InstanceId"]) for one in requests if one.get("Type") == "persistent"}
    return frozenset(lasting)


def _power(found: Told) -> str:
    """'' for what is being terminated; 'unknown' for a state that this table does not know."""
    name = str(found.get("State", {}).get("Name", ""))
    return "" if name in ("terminated", "shutting-down") else POWER.get(name, "unknown")


def _launched(found: Told) -> datetime | None:
    """Of the last start: a reboot does not change it."""
    at = found.get("LaunchTime")
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None


def _is_spot(found: Told) -> bool:
    return bool(found.get("InstanceLifecycle") == "spot")


def _tags(found: Told) -> dict[str, str]:
    return {str(one["Key"]): str(one.get("Value", "")) for one in found.get("Tags", [])}


def _parts(pattern: re.Pattern[str], id: str) -> Mapping[str, str]:
    found = pattern.fullmatch(id)
    assert found is not None  # lists and owns have looked
    return found.groupdict()
