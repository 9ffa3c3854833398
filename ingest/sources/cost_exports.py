"""Exports of Azure's Cost Management: listed, created, run once. Nothing here can change or delete one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingest.azure_export_list import Found, exports_of, found_of, is_same
from ingest.azure_export_requests import Request
from ingest.azure_scopes import Scope
from ingest.sources.azure_faults import azure_faults
from ledger.faults import Conflict, Missing, Rejected, Transient

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.mgmt.costmanagement import CostManagementClient

CONTRIBUTOR = "Cost Management Contributor, and Contributor of the storage account,"


class CostExports:
    """Faults: Transient, Missing, Rejected (denied, not offered)."""

    def __init__(self, client: CostManagementClient, scope: Scope) -> None:
        self._client, self._scope = client, scope

    def found(self) -> list[Found]:
        with azure_faults(f"exports of {self._scope.path}"):
            answer: Any = self._client.exports.list(self._scope.path, expand="runHistory", cls=_document)
        return exports_of(answer)

    def create(self, request: Request) -> None:
        """Without an ETag, as for a new export only; Conflict where somebody made one of that name meanwhile.

        Where the answer is lost it is read back: the same request sent again is refused once the export is there.
        """
        if self._known(request.name) is not None:
            raise Conflict(f"there is an export {request.name} now: it is left alone; look again")
        try:
            self._put(request)
        except Transient as fault:
            if not self._made(request, fault):
                raise

    def _put(self, request: Request) -> None:
        with azure_faults(f"new export {request.name} of {self._scope.path}", CONTRIBUTOR):
            self._client.exports.create_or_update(self._scope.path, request.name, dict(request.body))  # type: ignore[call-overload]  # the body as it is sent

    def _made(self, request: Request, fault: Transient) -> bool:
        """Whether the export is there as it was asked for, after a fault that does not say."""
        try:
            known = self._known(request.name)
        except (Transient, Rejected):
            text = f"{fault}; whether it was created is not known: look again without --apply"
            raise Transient(text, fault.retry_after) from None
        return known is not None and is_same(found_of(known), found_of(request.body))

    def _known(self, name: str) -> Mapping[str, Any] | None:
        """The export of that name; None where there is none."""
        try:
            with azure_faults(f"export {name} of {self._scope.path}"):
                answer: Any = self._client.exports.get(self._scope.path, name, cls=_document)
        except Missing:
            return None
        return answer if isinstance(answer, dict) else {}

    def run(self, request: Request) -> None:
        """Once more, for the days of its backfill."""
        with azure_faults(f"run of export {request.name} of {self._scope.path}", CONTRIBUTOR):
            self._client.exports.execute(self._scope.path, request.name, {"timePeriod": request.days})  # type: ignore[call-overload]  # the body as it is sent


def _document(answer: PipelineResponse[Any, Any], _model: object, _headers: object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answer.http_response.json()
    return found
