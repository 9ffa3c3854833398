from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.actions.azure_faults import retry_after

NOW = datetime(2026, 11, 12, 16, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": "Thu, 12 Nov 2026 16:06:30 GMT"}, 90),
        ({"retry-after": "Thu, 12 Nov 2026 16:00:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": "9" * 30}, 86_400),
    ],
)
def test_every_spelling_of_come_back_later(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("asked", ["", "soon", "-5", "1.5", "\u0661"])
def test_what_asks_for_nothing_readable(asked: str) -> None:
    assert retry_after({"retry-after": asked}, NOW) in (None, timedelta(seconds=1))


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}, NOW) is None
