"""Which budgets the service stops machines for, as its own sweep saw it: a terminal reads the record, not the settings
of the service. A redeployment that takes the switch back is news, not silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from governance.model import Budget, Event
from governance.record import Record

STREAM = "switches/live"
LIVE, DRY = "switched-live", "switched-dry"
TAKEN_DRY = "taken-dry"


def dry_stream(run: str) -> str:
    """Of an alert that its budget would act on, and that only the service's own switch keeps dry."""
    return f"taken-dry/{run}"


def noted(record: Record, budgets: Iterable[Budget], now: datetime, *, live: bool) -> Event | None:
    """Written down where it differs from what stood there; a service that never was live has nothing to tell."""
    names = sorted(one.name for one in budgets if live and one.live)
    before = armed(record.last(STREAM))
    gone, come = sorted({*before} - {*names}), sorted({*names} - {*before})
    if not gone and not come:
        return None
    told = {"gone": ", ".join(gone), "come": ", ".join(come), "still": ", ".join(names) or "none"}
    return record.append_retrying(STREAM, DRY if gone else LIVE, {"budgets": names, **told}, now)


def armed(last: Event | None) -> list[str]:
    """Names of the budgets that were live."""
    names = last.body["budgets"] if last else []
    return list(map(str, names)) if isinstance(names, list) else []


def lines(last: Event | None, budgets: Sequence[Budget]) -> list[str]:
    """For a person who has settings too: what of them is live is held against what the service was seen to do."""
    since, names = f" since {last.at:%Y-%m-%d %H:%M}Z" if last else "", armed(last)
    service = f"LIVE for {', '.join(names)}{since}" if names else f"dry run{since or ', never seen live'}"
    dry = [one.name for one in budgets if one.live and one.name not in names]
    return [
        f"service: {service}, by its last sweep",
        *(f"{name}: live = true in these settings, but the service takes its alerts as a DRY RUN" for name in dry),
    ]


def document(last: Event | None) -> dict[str, object]:
    """JSON-ready."""
    return {"live": armed(last), "since": last.at.isoformat() if last else None}
