"""Whether a budget is at or over its limit this month, as far as its alerts told, and what that comes to by now."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from governance import feeds, period, streams
from governance.alert import TEST_ALERT
from governance.estimate import Estimate, estimate
from governance.model import Alert, Budget
from governance.record import Record
from ledger.faults import Rejected

_TOLD = (streams.RECEIVED, streams.REVIVED, streams.NOTICE)


def told(record: Record, budget: Budget, now: datetime) -> Alert | None:
    """The alert on actual costs of this month that told the most spend; None when there is none."""
    found = _most(record, budget, period.month(now))
    return found[1] if found else None


def told_in(record: Record, budget: Budget, month: str) -> Decimal | None:
    """The most that alerts of that month told; None when there was none."""
    found = _most(record, budget, month)
    return found[1].spent if found else None


def projected(record: Record, budget: Budget, now: datetime) -> Estimate:
    """From that alert, and from how old the data of the budget's feed are, where one is named."""
    at, alert = _most(record, budget, period.month(now)) or (None, None)
    return estimate(alert, at, budget.amount, _feed(record, budget, now), now)


def _feed(record: Record, budget: Budget, now: datetime) -> feeds.Feed | None:
    with suppress(Rejected):
        return feeds.feeds(record, [budget.feed], budget.stale_after, now)[0] if budget.feed else None
    return None


def _most(record: Record, budget: Budget, month: str) -> tuple[datetime, Alert] | None:
    """With when it fired, or came; the youngest of those that told the same.

    A damaged stream is passed over; Record.verify names it.
    """
    found = []
    for stream in record.streams("alerts/"):
        with suppress(Rejected):
            told = [event for event in record.events(stream) if event.kind in _TOLD and "spent" in event.body]
            alerts = ((event.at, streams.alert_of(event.body)) for event in told)
            found += [(alert.fired_at or at, alert) for at, alert in alerts if _counts(alert, budget, month)]
    return max(found, key=lambda one: (one[1].spent, one[0]), default=None)


def reason(alert: Alert | None, budget: Budget) -> str:
    """Why the budget counts as over; empty when it does not. The limit is the registry's, as it is now."""
    if alert is None or alert.spent < budget.amount:
        return ""
    return f"budget {budget.name} is over: {alert.spent} of {budget.amount} {budget.currency} in {alert.period}"


def _counts(alert: Alert, budget: Budget, month: str) -> bool:
    if alert.notice_only == TEST_ALERT:
        return False
    mine = alert.budget_id.lower() == budget.id.lower() and alert.currency == budget.currency
    return mine and alert.kind == "actual" and alert.period == month
