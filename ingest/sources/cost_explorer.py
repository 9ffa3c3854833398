"""Cost Explorer of AWS: what each day cost, by up to two dimensions. Every request costs USD 0.01."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from ingest.daily_totals import Cell, cells
from ingest.sources.aws_faults import aws_faults
from ingest.sources.s3 import Clients

MOST_PAGES = 1000


class CostExplorer:
    """`requests` counts what was asked so far. Faults: Transient (busy, no data yet), Rejected (denied, unreadable)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.requests = 0

    def daily(self, days: tuple[date, date], metrics: Sequence[str], dimensions: Sequence[str]) -> Iterator[Cell]:
        """Cells of the days from the first on and before the second, page by page."""
        question: dict[str, Any] = {
            "TimePeriod": {"Start": days[0].isoformat(), "End": days[1].isoformat()},
            "Granularity": "DAILY",
            "Metrics": list(metrics),
            "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in dimensions],
        }
        for page in self._pages(question):
            yield from cells(page, metrics, len(dimensions))

    def _pages(self, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token = ""
        for _ in range(MOST_PAGES):
            self.requests += 1
            with aws_faults(f"Cost Explorer, {question['TimePeriod']['Start']} on"):
                client = self._clients("ce", "")
                page = client.get_cost_and_usage(**question, **({"NextPageToken": token} if token else {}))
            yield page
            token = page.get("NextPageToken") or ""
            if not token:
                return
