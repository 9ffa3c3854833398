"""What AWS itself says of an export: where it delivers, whether it is well, whether a delivery is under way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.aws_manifests import Place, place_of
from ingest.sources.aws_faults import aws_faults
from ingest.sources.s3 import Clients
from ledger.faults import Missing, Rejected, Transient, reject

REGION, CHINA = "us-east-1", "cn-northwest-1"  # the only regions that answer for exports
PAGES = 50
STUCK = timedelta(hours=24)  # an execution that began earlier is no longer waited for
EARLIEST = datetime.min.replace(tzinfo=UTC)
RULE = "aws-export"
ARN = re.compile(r"arn:(aws[a-z-]*):bcm-data-exports:[^:]*:\d{12}:export/(.+)")
UUID = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
CREATE = "Create the export anew in the AWS console."

# AWS's StatusReason -> what it means, and what a person has to do; without advice it passes by itself.
REASONS = {
    "INSUFFICIENT_PERMISSION": (
        "AWS may not write to the bucket",
        "Give the bucket back the policy under which the export was created.",
    ),
    "BILL_OWNER_CHANGED": (
        "the account's bill has another payer now",
        "Create an export in the payer's account; for the months before, give `location` without `export`.",
    ),
    "DEPRECATED": ("AWS no longer serves the table it exports", CREATE),
    "INTERNAL_FAILURE": ("AWS failed and will deliver again", ""),
}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to look and for which export (by name; empty: any); `new` when AWS has not delivered it yet."""

    place: Place
    export: str = ""
    region: str = ""
    owner: str = ""
    new: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An export as AWS describes it."""

    arn: str
    destination: Destination
    health: dict[str, Any]


def destination_of(clients: Clients, location: str, export: str, now: datetime) -> Destination:
    """From AWS where it answers, else as configured; AWS is asked only for an export that is named.

    Faults: Transient while a delivery is under way, Rejected when the export does not work or cannot be found.
    """
    if not location and not export:
        advice = 'Set location = "s3://bucket/prefix", or export = NAME of an export that AWS may be asked for.'
        raise reject("no place in S3 and no export is named", advice, "s3-location")
    configured = Destination(place_of(location), export_name(export)) if location else None
    if configured and not export:
        return configured
    try:
        client = clients("bcm-data-exports", service_region(export))
        told = [one for one in _told(client, export) if configured is None or _same(one.destination, configured)]
    except (Rejected, Transient, Missing) as fault:
        if configured:
            return configured
        raise _unasked(export, fault) from fault
    return _checked(client, told, export, now) if told or configured is None else configured


def export_name(export: str) -> str:
    """The name, also out of an ARN, whose last part is the name and a UUID."""
    match = ARN.fullmatch(export)
    return UUID.sub("", match[2]) if match else export


def service_region(export: str) -> str:
    match = ARN.fullmatch(export)
    return CHINA if match and match[1] == "aws-cn" else REGION


def _told(client: Any, export: str) -> list[Told]:
    arns = [export] if ARN.fullmatch(export) else [arn for arn, name in _listed(client) if name == export]
    return [_described(client, arn) for arn in arns]


def _listed(client: Any) -> Iterator[tuple[str, str]]:
    """ARN and name of every export of the account."""
    more: dict[str, str] = {}
    for _ in range(PAGES):
        with aws_faults("the list of exports"):
            page = client.list_exports(**more)
        yield from ((item["ExportArn"], item["ExportName"]) for item in page.get("Exports", []))
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _described(client: Any, arn: str) -> Told:
    with aws_faults(f"the export {arn}"):
        answer = client.get_export(ExportArn=arn)
    export = answer["Export"]
    target = export["DestinationConfigurations"]["S3Destination"]
    prefix = target["S3Prefix"]
    place = place_of(f"s3://{target['S3Bucket']}/{prefix}" if prefix else f"s3://{target['S3Bucket']}")
    there = Destination(place, export["Name"], target.get("S3Region", ""), target.get("S3BucketOwner", ""))
    return Told(arn, there, answer.get("ExportStatus", {}))


def _same(told: Destination, configured: Destination) -> bool:
    """An export of the same name that delivers elsewhere is another one, such as this account's own."""
    home = f"{told.place.prefix}{told.export}/"
    return told.place.bucket == configured.place.bucket and home.startswith(configured.place.prefix)


def _checked(client: Any, told: Sequence[Told], export: str, now: datetime) -> Destination:
    if len(told) != 1:
        found = ", ".join(one.arn for one in told) or "none"
        advice = "Give export the ARN of one; exports of another account need `location` instead."
        raise reject(f"AWS knows no single export {export!r}: {found}", advice, RULE)
    there = told[0].destination
    _well(f"the export {there.export}", str(told[0].health.get("StatusCode", "")), told[0].health, now)
    latest = _latest(client, told[0].arn)
    if latest is not None:
        _well(f"the last execution of {there.export}", str(latest.get("StatusCode", "")), latest, now)
    return Destination(there.place, there.export, there.region, there.owner, new=latest == {})


def _latest(client: Any, arn: str) -> dict[str, Any] | None:
    """Status of the execution begun last; empty where there is none yet, None where AWS does not tell."""
    try:
        found = [item["ExecutionStatus"] for item in _executions(client, arn)]
    except (Rejected, Transient, Missing):
        return None
    return max(found, key=lambda status: status.get("CreatedAt", EARLIEST), default={})


def _executions(client: Any, arn: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    for _ in range(PAGES):
        with aws_faults(f"the executions of {arn}"):
            page = client.list_executions(ExportArn=arn, **more)
        yield from page.get("Executions", [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _well(what: str, code: str, status: dict[str, Any], now: datetime) -> None:
    """Nothing where it succeeded; Transient while it runs, else by AWS's reason."""
    if code.endswith(("_IN_PROCESS", "_QUEUED")) and now - status.get("CreatedAt", now) < STUCK:
        raise Transient(f"{what} is under way ({code}): the delivery is read when it is complete")
    if not (code.endswith("_FAILURE") or code == "UNHEALTHY"):
        return
    reason = str(status.get("StatusReason", ""))
    meaning, advice = REASONS.get(reason, ("AWS gives no reason that is known", ""))
    text = f"{what} failed ({', '.join(word for word in (code, reason) if word)}): {meaning}"
    raise reject(text, advice, RULE) if advice else Transient(text)


def _unasked(export: str, fault: Exception) -> Exception:
    if isinstance(fault, Transient):
        return fault
    text = f"AWS could not be asked where the export {export!r} lies: {fault}"
    advice = 'Set location = "s3://bucket/prefix", or let the role ask for exports (docs/aws.md).'
    return reject(text, advice, RULE)
