"""What is particular to EC2: states, throttling and instances that cannot be stopped, on botocore's own stubber."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.stub import Stubber

from governance.actions.aws_ec2 import Ec2Instances
from governance.actions.aws_faults import PAUSE
from governance.fleets import Fleets
from ledger.faults import Conflict, Missing, Rejected, Transient
from tests.governance.scene import NOW

ACCOUNT, REGION = "123456789012", "eu-west-1"
SCOPE = f"arn:aws:ec2::{ACCOUNT}"
ID = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0a"


@pytest.fixture
def client() -> Any:
    import boto3

    keys: Any = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client("ec2", region_name=REGION, **keys)


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def fleet(client: Any, stubber: Stubber) -> Fleets:  # noqa: ARG001  # no call may leave the stub
    return Fleets([Ec2Instances(lambda _service, _region: client, ACCOUNT, [REGION])])


def instance(number: str = "i-0a", state: str = "running", **more: Any) -> dict[str, Any]:
    tags = [{"Key": "ledger-stop", "Value": "dev"}, *more.pop("Tags", [])]
    return {"InstanceId": number, "InstanceType": "t3.micro", "State": {"Name": state}, "Tags": tags, **more}


def told(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Reservations": [{"OwnerId": ACCOUNT, "Instances": [one]} for one in instances], **more}


STATES = {
    "pending": "starting",
    "running": "running",
    "stopping": "deallocating",
    "stopped": "deallocated",
    "dreaming": "unknown",
}


@pytest.mark.parametrize(("state", "power"), STATES.items())
def test_invariant_12_states_on_the_way_are_told_in_azures_words(
    fleet: Fleets, stubber: Stubber, state: str, power: str
) -> None:
    stubber.add_response("describe_instances", told(instance(state=state)), {"InstanceIds": ["i-0a"]})
    assert fleet.machine(ID).power == power


LAUNCHES = {
    "told": (datetime(2026, 11, 12, 17, 5, tzinfo=timezone(timedelta(hours=1))), NOW),
    "not told": (None, None),
    "of no zone": (datetime(2026, 11, 12, 17, 5), None),
}


@pytest.mark.parametrize(("at", "launched"), LAUNCHES.values(), ids=LAUNCHES)
def test_the_last_start_is_read_where_it_is_told(
    client: Any, fleet: Fleets, stubber: Stubber, at: datetime | None, launched: datetime | None
) -> None:
    def parsed(parsed: dict[str, Any], **_: object) -> None:
        parsed["Reservations"][0]["Instances"][0].update({"LaunchTime": at} if at else {})

    client.meta.events.register("after-call.ec2.DescribeInstances", parsed)
    stubber.add_response("describe_instances", told(instance()))
    assert fleet.machine(ID).launched == launched


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_what_is_being_terminated_is_missing(fleet: Fleets, stubber: Stubber, state: str) -> None:
    stubber.add_response("describe_instances", told(instance(state=state)))
    with pytest.raises(Missing):
        fleet.machine(ID)


def test_every_page_and_region_is_asked_for(client: Any, stubber: Stubber) -> None:
    fleet = Ec2Instances(lambda _service, _region: client, ACCOUNT, ["eu-west-1", "eu-west-2"])
    stubber.add_response("describe_instances", told(instance("i-01"), NextToken="more"))
    stubber.add_response("describe_instances", told(instance("i-02")))
    stubber.add_response("describe_instances", told(instance("i-03")))
    assert [(one.id.rpartition("/")[2], one.location) for one in fleet.machines(SCOPE)] == [
        ("i-01", "eu-west-1"),
        ("i-02", "eu-west-1"),
        ("i-03", "eu-west-2"),
    ]


@pytest.mark.parametrize(
    ("partition", "regions", "known"),
    [
        ("aws", ["eu-west-1"], True),
        ("aws-cn", ["eu-west-1"], False),
        ("aws", ["cn-north-1"], False),
        ("aws-cn", ["cn-north-1"], True),
        ("aws-us-gov", ["us-gov-west-1"], True),
        ("aws", ["eu-west-1", "us-gov-west-1"], False),
    ],
)
def test_one_instance_has_one_id(client: Any, partition: str, regions: list[str], known: bool) -> None:
    """Under another partition's name it would pass by what is said of its own id."""
    fleet = Ec2Instances(lambda _service, _region: client, ACCOUNT, regions)
    assert fleet.lists(f"arn:{partition}:ec2::{ACCOUNT}") is known
    assert fleet.owns(f"arn:{partition}:ec2:{regions[0]}:{ACCOUNT}:instance/i-0a") is (known or len(regions) > 1)


def test_credentials_of_another_account_stop_nothing(fleet: Fleets, stubber: Stubber) -> None:
    """Its instances would bear the ids of the account that is set up, and pass by what is said of their own."""
    answer = told(instance())
    answer["Reservations"][0]["OwnerId"] = "210987654321"
    stubber.add_response("describe_instances", answer)
    stubber.add_response("describe_instances", answer)
    for look in (lambda: fleet.machines(SCOPE), lambda: fleet.machine(ID)):
        with pytest.raises(Rejected, match="another account"):
            look()


HARD: dict[str, tuple[dict[str, Any], str]] = {
    "auto scaling": ({"Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}]}, "auto scaling group web"),
    "instance store": ({"RootDeviceType": "instance-store"}, "instance store"),
    "capacity block": ({"InstanceLifecycle": "capacity-block"}, "paid for in advance"),
    "ordinary": ({"RootDeviceType": "ebs"}, ""),
}


@pytest.mark.parametrize(("more", "reason"), HARD.values(), ids=HARD)
def test_invariant_15_what_cannot_be_stopped_is_named(
    fleet: Fleets, stubber: Stubber, more: dict[str, Any], reason: str
) -> None:
    stubber.add_response("describe_instances", told(instance(**more)))
    (found,) = fleet.machines(SCOPE)
    assert reason in found.unstoppable
    assert bool(found.unstoppable) == bool(reason)


def test_invariant_15_a_spot_instance_is_stoppable_only_if_its_request_persists(
    fleet: Fleets, stubber: Stubber
) -> None:
    spot = {"InstanceLifecycle": "spot"}
    stubber.add_response("describe_instances", told(instance("i-01", **spot), instance("i-02", **spot), instance()))
    requests = [{"InstanceId": "i-01", "Type": "one-time"}, {"InstanceId": "i-02", "Type": "persistent"}]
    asked = {"Filters": [{"Name": "instance-id", "Values": ["i-01", "i-02"]}]}
    stubber.add_response("describe_spot_instance_requests", {"SpotInstanceRequests": requests}, asked)
    found = {one.id.rpartition("/")[2]: one for one in fleet.machines(SCOPE)}
    assert {name: bool(one.unstoppable) for name, one in found.items()} == {"i-01": True, "i-02": False, "i-0a": False}
    assert [found[name].purchase for name in ("i-01", "i-0a")] == ["spot", "on-demand"]


def test_invariant_11_a_stop_is_neither_forced_nor_a_hibernation(fleet: Fleets, stubber: Stubber) -> None:
    stubber.add_response("stop_instances", {"StoppingInstances": []}, {"InstanceIds": ["i-0a"]})
    fleet.begin_stop(ID)


TABLE: dict[str, tuple[str, int, type[Exception]]] = {
    "throttled": ("RequestLimitExceeded", 503, Transient),
    "busy": ("Unavailable", 503, Transient),
    "broken": ("InternalError", 500, Transient),
    "no capacity": ("InsufficientInstanceCapacity", 500, Transient),
    "gone": ("InvalidInstanceID.NotFound", 400, Missing),
    "between states": ("IncorrectInstanceState", 400, Conflict),
    "denied": ("UnauthorizedOperation", 403, Rejected),
    "protected": ("OperationNotPermitted", 400, Rejected),
    "not stoppable": ("UnsupportedOperation", 400, Rejected),
    "anything": ("SomethingNew", 400, Rejected),
}


@pytest.mark.parametrize(("code", "status", "expected"), TABLE.values(), ids=TABLE)
def test_one_table_from_aws_errors_to_ours(
    fleet: Fleets, stubber: Stubber, code: str, status: int, expected: type[Exception]
) -> None:
    calls: dict[str, tuple[Callable[[str], object], str]] = {
        "describe_instances": (fleet.machine, ID),
        "stop_instances": (fleet.begin_stop, ID),
        "start_instances": (fleet.begin_start, ID),
    }
    for name, (call, argument) in calls.items():
        stubber.add_client_error(name, code, "arn:aws:iam::123456789012:role/secret-name", status)
        with pytest.raises(expected) as caught:
            call(argument)
        assert "secret-name" not in str(caught.value)


def test_a_throttled_call_holds_back_the_whole_account_for_a_moment(fleet: Fleets, stubber: Stubber) -> None:
    stubber.add_client_error("stop_instances", "RequestLimitExceeded", "", 503)
    with pytest.raises(Transient) as caught:
        fleet.begin_stop(ID)
    assert caught.value.retry_after == PAUSE


@pytest.mark.parametrize(
    "other",
    [
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0a",
        f"arn:aws:ec2:{REGION}:999999999999:instance/i-0a",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1",
    ],
)
def test_another_account_or_region_is_not_its_own(fleet: Fleets, other: str) -> None:
    with pytest.raises(Rejected):
        fleet.begin_stop(other)


def test_without_credentials_nothing_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters import aws_session

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fleet = Ec2Instances(aws_session.clients({}, patience=aws_session.ONE_ATTEMPT), ACCOUNT, [REGION])
    with pytest.raises(Rejected, match="credentials"):
        fleet.begin_stop(ID)


def test_an_address_where_nobody_answers_passes_after_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters import aws_session

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    attempts: list[object] = []
    made = aws_session.clients({}, patience=aws_session.ONE_ATTEMPT)

    def client(service: str, region: str) -> Any:
        found = made(service, region)
        found.meta.events.register("before-send.ec2.*", lambda request, **_: attempts.append(request))
        return found

    with pytest.raises(Transient):
        Ec2Instances(client, ACCOUNT, [REGION]).begin_stop(ID)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        (["DryRunOperation", "DryRunOperation"], []),
        (["UnauthorizedOperation", "DryRunOperation"], ["ec2:StopInstances"]),
        (["DryRunOperation", "UnauthorizedOperation"], ["ec2:StartInstances"]),
    ],
)
def test_invariant_23_rights_are_asked_for_by_dry_runs_alone(
    fleet: Fleets, stubber: Stubber, answers: list[str], missing: list[str]
) -> None:
    for call, code in zip(("stop_instances", "start_instances"), answers, strict=True):
        stubber.add_client_error(
            call, code, http_status_code=412, expected_params={"InstanceIds": ["i-0a"], "DryRun": True}
        )
    assert fleet.missing_rights(ID) == missing


def test_what_else_ec2_answers_to_a_dry_run_is_a_fault(fleet: Fleets, stubber: Stubber) -> None:
    stubber.add_client_error("stop_instances", "RequestLimitExceeded", http_status_code=503)
    with pytest.raises(Transient):
        fleet.missing_rights(ID)
