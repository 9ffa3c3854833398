"""Azure's Cost Details reports as deliveries: made when they are asked for, actual and amortized, month by month."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ingest.azure_scopes import Scope
from ingest.cost_reports import AGAIN, RULE, Blob, Report, question, reason_of, refuse_scope, report_of, roles_of
from ingest.offers import Offer, RemoteFile
from ingest.sources.azure_faults import azure_faults, scrubbed
from ingest.sources.azure_links import Links
from ingest.sources.azure_patience import Patience, longest
from ledger.delivery import Period
from ledger.faults import Missing, Transient, reject

if TYPE_CHECKING:
    from azure.mgmt.costmanagement import CostManagementClient

EVERY = 15  # seconds between two looks at a report, where Azure names none
PLACE = "cost-details:"


class CostDetails:
    """A DeliverySource of one month of one scope. Links stay in here; what a person sees is the scope and the month.

    A report that is asked for again, because its links have gone bad, has to hold the same bytes in the same parts.
    All of an offer is asked for as of the day on which the first is: actual and amortized cost have to cover the same
    days, and a month that ends while a report is made is not asked for in another way than the report before.
    """

    def __init__(
        self,
        client: CostManagementClient,
        scope: Scope,
        period: Period,
        now: Callable[[], datetime],
        patience: Patience,
        links: Links,
        basis: str = "amortized",
    ) -> None:
        self._client, self._scope, self._period, self._now = client, scope, period, now
        self._patience, self._links, self._roles = patience, links, roles_of(basis)
        self._today = now().date()
        self._reports: dict[str, Report] = {}
        self._digests: dict[str, str] = {}
        self._renewed: set[str] = set()

    def offers(self) -> list[Offer]:
        """One, whose reports are made by the time this returns. Faults: Transient, Rejected."""
        refuse_scope(self._scope)
        self._today = self._now().date()
        self._reports = {role: self._made(role) for role in self._roles}
        files = [self._file(role, place) for role in self._roles for place in range(self._parts(role))]
        label = f"{PLACE} {self._scope.path} {self._period}"
        return [Offer("Cost Details", self._period, label, "", (), tuple(files), self._now())]

    def download(self, file: RemoteFile, target: Path) -> None:
        """Its bytes; of a report that had to be made again only where they are what was read before."""
        role, place = file.role, int(file.version)
        if self._reports[role].good(self._now()):
            with suppress(Missing):
                return self._fetch(role, place, target)
        try:
            self._renew(role, target)
            self._fetch(role, place, target)
        except Missing as gone:
            raise Transient(f"{gone}, also after the report was made again") from None
        return None

    def _fetch(self, role: str, place: int, target: Path) -> None:
        label = self._label(role, place)
        self._links.fetch(self._blob(role, place), label, target)
        found = _digest(target)
        if self._digests.setdefault(label, found) != found:
            target.unlink()
            raise Transient(f"{label}: the report changed while it was being read")

    def _renew(self, role: str, target: Path) -> None:
        """A new report, once; the parts that were read already are held against it, each for itself."""
        before = [blob.size for blob in self._reports[role].blobs]
        if role in self._renewed:
            raise Transient(f"{self._named(role)}: its links are no longer good, and it was made again once already")
        self._renewed.add(role)
        self._reports[role] = self._made(role)
        if [blob.size for blob in self._reports[role].blobs] != before:
            raise Transient(f"{self._named(role)}: the report changed while it was being read")
        beside = target.with_name(f"{target.name}.again")
        for place in range(len(before)):
            if self._label(role, place) in self._digests:
                self._fetch(role, place, beside)
                beside.unlink()

    def _made(self, role: str) -> Report:
        """Asked for, and waited for as long as patience lasts."""
        what = self._named(role)
        try:
            answer = self._asked(question(self._scope, role, self._period, self._today), what)
        except Missing as gone:
            raise reject(str(gone), "Check `scope` of the source.", RULE) from None
        return report_of(answer, what, self._today >= self._period.end.date(), scrubbed(reason_of(answer)))

    def _asked(self, body: dict[str, Any], what: str) -> Mapping[str, Any] | None:
        from azure.mgmt.costmanagement.models import GenerateCostDetailsReportRequestDefinition as Definition

        with azure_faults(what):
            poller = self._client.generate_cost_details_report.begin_create_operation(
                self._scope.path.removeprefix("/"),
                Definition(body),
                polling=_polling(self._patience, what),
                cls=lambda answer, *_: answer.http_response.json(),
            )
            answer: Any = poller.result()
        return answer if isinstance(answer, dict) else None

    def _file(self, role: str, place: int) -> RemoteFile:
        return RemoteFile(self._label(role, place), self._blob(role, place).size, str(place), role)

    def _blob(self, role: str, place: int) -> Blob:
        return self._reports[role].blobs[place]

    def _parts(self, role: str) -> int:
        return len(self._reports[role].blobs)

    def _named(self, role: str) -> str:
        return f"Cost Details of {self._scope.path}, {self._period}, {role} cost"

    def _label(self, role: str, place: int) -> str:
        return f"{PLACE} {self._scope.path} {self._period} {role} part {place + 1}"


def _polling(patience: Patience, what: str) -> Any:
    """The SDK's own way to ask whether a report is made, with our patience before each question."""
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    class Patiently(ARMPolling):
        def update_status(self) -> None:
            patience.pause(longest(self._pipeline_response.http_response.headers, EVERY))
            super().update_status()

        def _delay(self) -> None:
            """The pause before each question is the only one."""

        def request_status(self, status_link: str) -> Any:
            """The identity's token goes to no other place than the one that was asked first, nor for the result."""
            if _host(self._initial_response.http_request.url) != _host(status_link):
                raise reject(f"{what}: the report is said to lie at another place", AGAIN, RULE)
            return super().request_status(status_link)

    return Patiently()


def _host(url: str) -> tuple[str, str, int] | None:
    """Scheme, name and port; None where the text is no such address."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower(), parts.hostname or "", parts.port or 443
    except ValueError:
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
