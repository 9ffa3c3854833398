"""Azure's Query API: what each day cost by meter category, told apart from cost details and exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from ingest import cost_query_rows as rows
from ingest.sources.azure_faults import azure_faults
from ledger.faults import reject
from ledger.independent import DayCost

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.mgmt.costmanagement import CostManagementClient

HTTPS = 443
MOST_PAGES = 1000


class CostQuery:
    """`address` is that of the client's service; `requests` counts what was asked so far.

    Faults: Transient (busy), Missing, Rejected (denied, unreadable).
    """

    def __init__(self, client: CostManagementClient, scope: str, address: str) -> None:
        self._client, self._scope, self._address = client, scope, address
        self.requests = 0

    def daily(self, kind: str, days: tuple[date, date], today: date) -> Iterator[DayCost]:
        """Costs of the days from the first on and before the second, page by page; `kind` is ActualCost or the like."""
        question = rows.question(kind, days)
        tokens = {""}
        token = ""
        for _ in range(MOST_PAGES):
            page = rows.page(self._asked(question, token, days), days, today)
            yield from page.costs
            token = next_token(page.link, self._address)
            if not token:
                return
            if token in tokens:
                break
            tokens.add(token)
        raise reject(f"the Query API's pages of {days[0]:%Y-%m} have no end", "Try again, then report it.", rows.RULE)

    def _asked(self, question: dict[str, Any], token: str, days: tuple[date, date]) -> bytes:
        """The answer's own bytes: the SDK's model of it has floats in place of the amounts."""
        self.requests += 1
        params = {"$skiptoken": quote(token, safe="")} if token else {}  # the SDK puts it into the address as it is
        with azure_faults(f"Query API, {self._scope}, {days[0]:%Y-%m}"):
            body: bytes = self._client.query.usage(self._scope, question, params=params, cls=_body)  # type: ignore[call-overload]  # the body as it is sent
        return body


def _body(answer: PipelineResponse[Any, Any], _model: object, _headers: object) -> bytes:
    content: bytes = answer.http_response.body()
    return content if answer.http_response.status_code == 200 else b""


def next_token(link: object, address: str) -> str:
    """What the link to the next page asks for; Rejected when it leads to another place than the service's own.

    The identity's token would go wherever it leads: only this much of it is ever used.
    """
    if link is None or link == "":
        return ""
    try:
        parts, home = urlsplit(str(link)), urlsplit(address)
    except ValueError:
        raise rows.strange("its link to the next page is no address") from None
    if parts.username is not None or _place(parts) != _place(home):
        raise rows.strange(f"its next page is said to lie at {parts.hostname or 'no host'}, which is not asked")
    query = {name.lower(): values for name, values in parse_qs(parts.query).items()}
    tokens = query.get("$skiptoken", [])
    if len(tokens) != 1 or not tokens[0]:
        raise rows.strange("its link to the next page names no page")
    return tokens[0]


def _place(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port, which some links write and others leave out."""
    try:
        return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or HTTPS
    except ValueError:
        raise rows.strange("its link to the next page is no address") from None
