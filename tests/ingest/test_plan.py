"""Which months a source without manifests is asked for again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.plan import months_to_ask
from ledger.delivery import Period


@pytest.mark.parametrize(
    ("now", "days", "since", "expected"),
    [
        ("2026-02-10", 15, None, ["2026-01", "2026-02"]),
        ("2026-02-15", 15, None, ["2026-01", "2026-02"]),
        ("2026-02-16", 15, None, ["2026-02"]),
        ("2026-02-16", 0, None, ["2026-02"]),
        ("2026-01-05", 40, None, ["2025-11", "2025-12", "2026-01"]),
        ("2026-02-10", 15, "2026-02", ["2026-02"]),
        ("2026-02-10", 15, "2026-03", []),
        ("2026-02-02", 15, None, ["2026-01"]),
        ("2026-02-03", 15, None, ["2026-01", "2026-02"]),
    ],
)
def test_a_month_is_asked_for_until_so_many_days_after_its_end(
    now: str, days: int, since: str | None, expected: list[str]
) -> None:
    first = Period.parse(since) if since else None
    asked = months_to_ask(datetime.fromisoformat(now).replace(tzinfo=UTC), days, first)
    assert [str(period) for period in asked] == expected


def test_the_month_before_the_first_is_december() -> None:
    assert [str(Period.parse(month).before()) for month in ("2026-01", "2026-12")] == ["2025-12", "2026-11"]
