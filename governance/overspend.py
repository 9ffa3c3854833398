"""Whether a budget is at or over its limit this month, as far as its alerts have told: nothing else knows by then."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from governance import streams
from governance.alert import TEST_ALERT
from governance.model import Alert, Budget
from governance.record import Record
from ledger.faults import Rejected


def told(record: Record, budget: Budget, now: datetime) -> Alert | None:
    """The alert on actual costs of this month that told the most spend; None when there is none.

    A damaged stream is passed over; Record.verify names it.
    """
    found = []
    for stream in record.streams("alerts/"):
        with suppress(Rejected):
            told = [event for event in record.events(stream) if event.kind in (streams.RECEIVED, streams.NOTICE)]
            found += [alert for event in told if _counts(alert := streams.alert_of(event.body), budget, now)]
    return max(found, key=lambda alert: alert.spent, default=None)


def reason(alert: Alert | None, budget: Budget) -> str:
    """Why the budget counts as over; empty when it does not. The limit is the registry's, as it is now."""
    if alert is None or alert.spent < budget.amount:
        return ""
    return f"budget {budget.name} is over: {alert.spent} of {budget.amount} {budget.currency} in {alert.period}"


def _counts(alert: Alert, budget: Budget, now: datetime) -> bool:
    if alert.notice_only == TEST_ALERT:
        return False
    mine = alert.budget_id.lower() == budget.id.lower() and alert.currency == budget.currency
    return mine and alert.kind == "actual" and alert.period == f"{now.astimezone(UTC):%Y-%m}"
