"""What AWS says of an export, answered by botocore's Stubber: the real API has no stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.aws_manifests import Place
from ingest.sources.aws_exports import Destination, destination_of, export_name
from ledger.faults import Rejected, Transient

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
ARN = "arn:aws:bcm-data-exports:us-east-1:123456789012:export/cur-0a1b2c3d-1111-2222-3333-444455556666"
HERE = "s3://bucket/p"


class Api:
    """A stubbed client, and where it was asked for."""

    def __init__(self) -> None:
        import boto3
        from botocore.stub import Stubber

        self.client: Any = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x").client(
            "bcm-data-exports", region_name="us-east-1"
        )
        self.stub: Any = Stubber(self.client)
        self.stub.activate()
        self.asked: list[tuple[str, str]] = []

    def __call__(self, service: str, region: str) -> Any:
        self.asked.append((service, region))
        return self.client

    def lists(self, *names: str, more: str = "", token: str = "") -> None:
        listed = [{"ExportArn": ARN, "ExportName": name, "ExportStatus": {"StatusCode": "HEALTHY"}} for name in names]
        answer = {"Exports": listed} | ({"NextToken": more} if more else {})
        self.stub.add_response("list_exports", answer, {"NextToken": token} if token else {})

    def describes(self, bucket: str = "bucket", prefix: str = "p", status: str = "HEALTHY", reason: str = "") -> None:
        output = {
            "OutputType": "CUSTOM",
            "Format": "PARQUET",
            "Compression": "PARQUET",
            "Overwrite": "OVERWRITE_REPORT",
        }
        target = {"S3Bucket": bucket, "S3Prefix": prefix, "S3Region": "eu-west-1", "S3BucketOwner": "210987654321"}
        export = {
            "Name": "cur",
            "DataQuery": {"QueryStatement": "SELECT 1"},
            "DestinationConfigurations": {"S3Destination": target | {"S3OutputConfigurations": output}},
            "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
        }
        health = {"StatusCode": status} | ({"StatusReason": reason} if reason else {})
        self.stub.add_response("get_export", {"Export": export, "ExportStatus": health}, {"ExportArn": ARN})

    def executed(self, *statuses: tuple[str, int], reason: str = "", more: str = "", token: str = "") -> None:
        """Executions by status and age in hours."""
        found = [
            {
                "ExecutionId": f"{hours}",
                "ExecutionStatus": {"StatusCode": code, "CreatedAt": NOW - timedelta(hours=hours)}
                | ({"StatusReason": reason} if reason else {}),
            }
            for code, hours in statuses
        ]
        answer = {"Executions": found} | ({"NextToken": more} if more else {})
        self.stub.add_response("list_executions", answer, {"ExportArn": ARN} | ({"NextToken": token} if token else {}))

    def refuses(self, call: str, code: str, status: int = 400) -> None:
        self.stub.add_client_error(call, code, "not authorized", status)


@pytest.fixture
def api() -> Api:
    return Api()


def test_an_export_without_a_name_is_looked_for_as_configured_and_aws_is_not_asked(api: Api) -> None:
    assert destination_of(api, HERE, "", NOW) == Destination(Place("bucket", "p/"))
    assert api.asked == []


def test_a_named_export_is_found_over_pages_with_its_bucket_region_and_owner(api: Api) -> None:
    api.lists("other", more="1")
    api.lists("cur", token="1")
    api.describes()
    api.executed(("QUERY_FAILURE", 30), more="2")
    api.executed(("DELIVERY_SUCCESS", 3), token="2")
    found = destination_of(api, "", "cur", NOW)
    assert found == Destination(Place("bucket", "p/"), "cur", "eu-west-1", "210987654321")
    assert api.asked == [("bcm-data-exports", "us-east-1")]
    api.stub.assert_no_pending_responses()


def test_an_arn_is_asked_for_at_once_and_in_china_there(api: Api) -> None:
    api.describes()
    api.executed(("DELIVERY_SUCCESS", 3))
    assert destination_of(api, HERE, ARN, NOW).export == "cur"
    api.refuses("get_export", "AccessDeniedException")
    destination_of(api, HERE, ARN.replace("arn:aws:", "arn:aws-cn:").replace("us-east-1", "cn-northwest-1"), NOW)
    assert api.asked[-1] == ("bcm-data-exports", "cn-northwest-1")


def test_the_name_is_read_out_of_an_arn() -> None:
    assert export_name(ARN) == "cur"
    assert export_name("my-cur") == "my-cur"


@pytest.mark.parametrize("code", ["INITIATION_IN_PROCESS", "QUERY_QUEUED", "QUERY_IN_PROCESS", "DELIVERY_IN_PROCESS"])
def test_a_delivery_under_way_is_waited_for_but_not_for_ever(api: Api, code: str) -> None:
    for hours in (1, 25):
        api.lists("cur")
        api.describes()
        api.executed((code, hours), ("DELIVERY_SUCCESS", hours + 24))
    with pytest.raises(Transient, match=code):
        destination_of(api, HERE, "cur", NOW)
    assert destination_of(api, HERE, "cur", NOW).export == "cur"


@pytest.mark.parametrize("code", ["QUERY_FAILURE", "DELIVERY_FAILURE"])
@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("INSUFFICIENT_PERMISSION", Rejected),
        ("BILL_OWNER_CHANGED", Rejected),
        ("DEPRECATED", Rejected),
        ("INTERNAL_FAILURE", Transient),
        ("", Transient),
    ],
)
def test_a_failed_delivery_is_told_with_its_reason(api: Api, code: str, reason: str, kind: type[Exception]) -> None:
    api.lists("cur")
    api.describes()
    api.executed((code, 1), ("DELIVERY_SUCCESS", 25), reason=reason)
    with pytest.raises(kind, match=f"{code}.*{reason}"):
        destination_of(api, HERE, "cur", NOW)


def test_an_unhealthy_export_is_told_with_its_reason(api: Api) -> None:
    api.lists("cur")
    api.describes(status="UNHEALTHY", reason="BILL_OWNER_CHANGED")
    with pytest.raises(Rejected, match="another payer") as refused:
        destination_of(api, HERE, "cur", NOW)
    assert "UNHEALTHY" in str(refused.value)


def test_an_export_that_never_ran_is_new(api: Api) -> None:
    api.lists("cur")
    api.describes()
    api.executed()
    assert destination_of(api, "", "cur", NOW).new


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 400), ("InternalServerException", 500)])
def test_where_aws_does_not_answer_the_configured_place_stands(api: Api, code: str, status: int) -> None:
    api.refuses("list_exports", code, status)
    assert destination_of(api, HERE, "cur", NOW) == Destination(Place("bucket", "p/"), "cur")


def test_without_a_place_a_refusal_says_what_to_do(api: Api) -> None:
    api.refuses("list_exports", "AccessDeniedException")
    with pytest.raises(Rejected, match=r'location = "s3://bucket/prefix"'):
        destination_of(api, "", "cur", NOW)


def test_without_a_place_throttling_is_worth_another_try(api: Api) -> None:
    api.refuses("list_exports", "ThrottlingException")
    with pytest.raises(Transient, match="fewer requests"):
        destination_of(api, "", "cur", NOW)


def test_where_executions_are_not_told_the_place_still_is(api: Api) -> None:
    api.lists("cur")
    api.describes()
    api.refuses("list_executions", "AccessDeniedException")
    assert destination_of(api, "", "cur", NOW) == Destination(Place("bucket", "p/"), "cur", "eu-west-1", "210987654321")


@pytest.mark.parametrize(("bucket", "prefix"), [("elsewhere", "p"), ("bucket", "q")])
def test_an_export_of_that_name_which_delivers_elsewhere_is_another_one(api: Api, bucket: str, prefix: str) -> None:
    api.lists("cur")
    api.describes(bucket, prefix, status="UNHEALTHY", reason="DEPRECATED")
    assert destination_of(api, HERE, "cur", NOW) == Destination(Place("bucket", "p/"), "cur")


def test_an_export_that_is_not_there_is_refused(api: Api) -> None:
    api.lists("other")
    with pytest.raises(Rejected, match="no single export 'cur'"):
        destination_of(api, "", "cur", NOW)


def test_neither_place_nor_export_is_refused(api: Api) -> None:
    with pytest.raises(Rejected, match="location"):
        destination_of(api, "", "", NOW)
