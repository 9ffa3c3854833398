"""The Cost Details API over Cost Management's seam: reports are asked for, made for a while, and told by links.

with reporting(cloud) as (arm, reports):
    reports.give(scope, "ActualCost", "2026-01", b"Date,...")
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulators.arm import Arm
from emulators.blob_links import Blobs
from emulators.cloud import Cloud
from emulators.control_plane import Reply, failure
from emulators.cost_management import Answer, Asked
from emulators.faults import FaultPlan

BOM = b"\xef\xbb\xbf"
RESULTS = "costdetailsoperationresults"


@dataclass(slots=True)
class CostReports:
    """`given` holds the parts of each report by scope in lower case, metric and month, each with a header of its own.

    `looks` is how often a report is still being made; `headers` go with these answers. `says` are statuses told
    instead of a report's own, one a report: Failed, NoDataFound, or 204. `lifetime` is that of its links; `changes`
    are put into a manifest before it is told.
    """

    blobs: Blobs
    faults: FaultPlan = field(default_factory=FaultPlan)
    given: dict[tuple[str, str, str], list[bytes]] = field(default_factory=dict)
    looks: int = 1
    headers: Mapping[str, str] = field(default_factory=lambda: {"Retry-After": "0"})
    says: list[str] = field(default_factory=list)
    lifetime: timedelta = timedelta(hours=1)
    changes: dict[str, object] = field(default_factory=dict)
    questions: list[dict[str, object]] = field(default_factory=list)
    _open: dict[str, tuple[list[bytes] | None, int]] = field(default_factory=dict)

    @property
    def handlers(self) -> dict[str, Answer]:
        return {"generatecostdetailsreport": self._asked, RESULTS: self._looked}

    def give(self, scope: str, metric: str, month: str, *parts: bytes) -> None:
        """A byte order mark is put before each part, as the service does."""
        self.given[scope.lower(), metric, month] = [BOM + part for part in parts]

    def _asked(self, asked: Asked) -> Reply:
        if asked.method != "POST":
            return failure(405, "MethodNotAllowed")
        question = json.loads(asked.body)
        self.questions.append(question)
        month = _month(question)
        if not month:
            return failure(400, "BadRequest", "Provide one of timePeriod, billingPeriod or invoiceId, of one month.")
        name = secrets.token_hex(8)
        self._open[name] = self.given.get((asked.scope.lower(), question["metric"], month)), self.looks
        return Reply(202, None, {**self.headers, "Location": self._place(asked, name)})

    def _looked(self, asked: Asked) -> Reply:
        parts, left = self._open.get(asked.rest[-1] if asked.rest else "", (None, -1))
        if left < 0:
            return failure(404, "OperationNotFound")
        if left:
            self._open[asked.rest[-1]] = parts, left - 1
            return Reply(202, None, {**self.headers, "Location": self._place(asked, asked.rest[-1])})
        said = self.says.pop(0) if self.says else "Completed" if parts else "NoDataFound"
        if said == "204":
            return Reply(204)
        return Reply(200, _answer(said, self._manifest(asked, parts or []), datetime.now(UTC) + self.lifetime))

    def _manifest(self, asked: Asked, parts: list[bytes]) -> dict[str, object]:
        listed = [{"blobLink": self.blobs.put(part), "byteCount": len(part)} for part in parts]
        told = {
            "manifestVersion": "2024-04-01",
            "dataFormat": "Csv",
            "blobCount": len(parts),
            "byteCount": sum(map(len, parts)),
            "compressData": False,
            "requestContext": {"requestScope": asked.scope.lstrip("/"), "requestBody": self.questions[-1]},
            "blobs": listed,
        }
        return told | self.changes

    def _place(self, asked: Asked, name: str) -> str:
        provider = f"{asked.scope}/providers/Microsoft.CostManagement"
        return f"{asked.address}{provider}/costDetailsOperationResults/{name}?api-version={asked.query['api-version']}"


def _month(question: Mapping[str, object]) -> str:
    """YYYY-MM; empty where the question is none, or spans more than a month."""
    if (billed := question.get("billingPeriod")) and "timePeriod" not in question:
        return f"{str(billed)[:4]}-{str(billed)[4:]}"
    span = question.get("timePeriod")
    if not isinstance(span, dict) or span["start"][:7] != span["end"][:7]:
        return ""
    return str(span["start"][:7])


def _answer(status: str, manifest: dict[str, object], until: datetime) -> dict[str, object]:
    body: dict[str, object] = {"id": "operation", "name": "operation", "status": status}
    if status == "Failed":
        return body | {"error": {"code": "ReportFailed", "message": "The report could not be made."}}
    return (
        body | {"manifest": manifest, "validTill": f"{until:%Y-%m-%dT%H:%M:%S.%f}7Z"} if status == "Completed" else body
    )


@contextmanager
def reporting(cloud: Cloud) -> Iterator[tuple[Arm, CostReports]]:
    """Both hosts, running, with one file of certificates to trust them by: `LEDGER_ARM_CA` of the environment."""
    with Arm(cloud) as arm, Blobs() as blobs:
        with arm.ca_file.open("ab") as trusted:
            trusted.write(blobs.ca_file.read_bytes())
        reports = CostReports(blobs, cloud.faults)
        arm.cost.handlers.update(reports.handlers)
        yield arm, reports
