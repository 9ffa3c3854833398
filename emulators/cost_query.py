"""The Query API over charges that are told to it: sums per day and group, page by page, digits as they are.

arm.cost.handlers["query"] = QueryApi([Charge(SCOPE, date(2026, 1, 5), "Storage", "Microsoft.Storage", Decimal("1"))])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from emulators.control_plane import Reply, failure
from emulators.cost_management import Asked


@dataclass(frozen=True, slots=True)
class Charge:
    """`amortized` is the same as `actual` where it is not told."""

    scope: str
    day: date
    category: str
    service: str
    actual: Decimal
    amortized: Decimal | None = None
    currency: str = "USD"

    def cost(self, kind: str) -> Decimal:
        return self.actual if kind == "ActualCost" or self.amortized is None else self.amortized

    def dimension(self, name: str) -> str:
        return {"MeterCategory": self.category, "ConsumedService": self.service}[name]


@dataclass(slots=True)
class QueryApi:
    """`elsewhere` is where the next page is said to lie, in place of this service."""

    charges: list[Charge] = field(default_factory=list)
    page_size: int = 5000
    elsewhere: str = ""

    def __call__(self, asked: Asked) -> Reply:
        if asked.method != "POST" or asked.rest:
            return failure(405, "MethodNotAllowed")
        try:
            wanted = json.loads(asked.body)
            names = [one["name"] for one in wanted["dataset"]["grouping"]]
            rows = self._rows(asked.scope, wanted, names)
        except (KeyError, TypeError, ValueError) as fault:
            return failure(400, "BadRequest", f"Invalid query definition: {fault}")
        return Reply(200, self._page(asked, names, rows))

    def _rows(self, scope: str, wanted: Mapping[str, Any], names: Sequence[str]) -> list[list[object]]:
        if wanted["type"] not in ("ActualCost", "AmortizedCost") or wanted["dataset"]["granularity"] != "Daily":
            raise ValueError(f"type {wanted['type']!r}")
        first, last = (datetime.fromisoformat(wanted["timePeriod"][end]).date() for end in ("from", "to"))
        sums: dict[tuple[object, ...], Decimal] = {}
        for one in self.charges:
            if one.scope.lower() == scope.lower() and first <= one.day <= last:
                key = (int(one.day.strftime("%Y%m%d")), *map(one.dimension, names), one.currency)
                sums[key] = sums.get(key, Decimal(0)) + one.cost(wanted["type"])
        return [[amount, *key] for key, amount in sorted(sums.items(), key=str)]

    def _page(self, asked: Asked, names: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
        """As text: an amount that went through a float would lose digits."""
        start = int(asked.query.get("$skiptoken", "0"))
        end = start + self.page_size
        path = f"{asked.scope}/providers/Microsoft.CostManagement/query"
        more = f"{self.elsewhere or asked.address}{path}?api-version=2021-10-01&$skiptoken={end}"
        kinds = {"Cost": "Number", "UsageDate": "Number", **dict.fromkeys([*names, "Currency"], "String")}
        columns = json.dumps([{"name": name, "type": kind} for name, kind in kinds.items()])
        shown = ",".join(_row(row) for row in rows[start:end])
        link = json.dumps(more if end < len(rows) else None)
        return f'{{"properties":{{"nextLink":{link},"columns":{columns},"rows":[{shown}]}}}}'.encode()


def _row(cells: Sequence[object]) -> str:
    return f"[{','.join(f'{one:f}' if isinstance(one, Decimal) else json.dumps(one) for one in cells)}]"
