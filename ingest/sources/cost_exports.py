"""Exports of Azure's Cost Management: listed, created, run once. Nothing here can change or delete one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingest.azure_export_list import Found, exports_of
from ingest.azure_export_requests import Request
from ingest.azure_scopes import Scope
from ingest.sources.azure_faults import azure_faults
from ledger.faults import Conflict, Missing

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
        """Without an ETag, as for a new export only; Conflict where somebody made one of that name meanwhile."""
        if self._exists(request.name):
            raise Conflict(f"there is an export {request.name} now: it is left alone; look again")
        with azure_faults(f"new export {request.name} of {self._scope.path}", CONTRIBUTOR):
            self._client.exports.create_or_update(self._scope.path, request.name, dict(request.body))  # type: ignore[call-overload]  # the body as it is sent

    def _exists(self, name: str) -> bool:
        try:
            with azure_faults(f"export {name} of {self._scope.path}"):
                self._client.exports.get(self._scope.path, name)
        except Missing:
            return False
        return True

    def run(self, request: Request) -> None:
        """Once more, for the days of its backfill."""
        with azure_faults(f"run of export {request.name} of {self._scope.path}", CONTRIBUTOR):
            self._client.exports.execute(self._scope.path, request.name, {"timePeriod": request.days})  # type: ignore[call-overload]  # the body as it is sent


def _document(answer: PipelineResponse[Any, Any], _model: object, _headers: object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answer.http_response.json()
    return found
