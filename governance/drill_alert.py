"""The alert that a drill sends to the service's own webhook: signed with a key that only the service has. Pure.

It is what the budget's own alert would be at the highest threshold that stops anything, so that the real reader judges
it against the real registry. The signature covers the body and the instant, and is good for minutes.
"""

from __future__ import annotations

import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from governance.model import Budget
from governance.payload import COMMON, KINDS
from governance.policy import policies_of
from governance.rules import STOP, Policy
from governance.streams import DRILL
from ledger.faults import reject

HEADER = "x-ledger-drill"
VALID = timedelta(minutes=5)
SHORTEST_KEY = 32
_SIGNATURE = re.compile(r"t=(?P<at>\d{1,12}),v1=(?P<mac>[0-9a-f]{64})")


def signature(body: bytes, key: str, now: datetime) -> str:
    """What goes into HEADER. Rejected without a usable key."""
    at = int(now.timestamp())
    return f"t={at},v1={_mac(body, at, key)}"


def is_signed(body: bytes, given: str, key: str, now: datetime) -> bool:
    """Rejected without a usable key: then nobody can have signed anything."""
    found = _SIGNATURE.fullmatch(given)
    at = int(found["at"]) if found else 0
    good = hmac.compare_digest(_mac(body, at, key), found["mac"] if found else "")
    return good and abs(now.timestamp() - at) <= VALID.total_seconds()


def run_of(body: bytes) -> str:
    """A drill's run: no real alert's, so that neither uses up the other's one effect."""
    return sha256(body).hexdigest() + DRILL


def stops(budget: Budget) -> Policy | None:
    """The rule of the highest threshold that stops something; None where none does."""
    return max((one for one in policies_of(budget) if one.action == STOP), key=lambda one: one.threshold, default=None)


def body(budget: Budget, rule: Policy, now: datetime) -> bytes:
    """The common alert schema, with an alert id that says what it is."""
    kind = next(name for name, word in KINDS.items() if word == rule.alerts[0])
    limit, at = _shown(budget.amount), now.astimezone(UTC)
    threshold = rule.threshold * budget.amount
    essentials = {
        "monitoringService": "CostAlerts",
        "firedDateTime": at.isoformat(),
        "description": f"A drill for budget {budget.name}: nothing was spent and nothing is stopped.",
        "alertId": f"{budget.scope}/providers/Microsoft.CostManagement/alerts/drill-{at:%Y%m%dT%H%M%S%f}",
    }
    data = {
        "Scope": budget.scope,
        "ThresholdType": kind,
        "BudgetType": "Cost",
        "BudgetThreshold": limit,
        "NotificationThresholdAmount": _shown(threshold),
        "BudgetName": budget.name,
        "BudgetId": budget.id,
        "BudgetStartDate": f"{at:%Y-%m-01}",
        "Unit": budget.currency,
        "SpentAmount": _shown(max(threshold, budget.amount)),
    }
    context = {"AlertCategory": "budgets", "AlertData": data}
    return json.dumps({"schemaId": COMMON, "data": {"essentials": essentials, "alertContext": context}}).encode()


def _shown(amount: Decimal) -> str:
    """Never exactly three decimals: those may be read as thousands, and are refused."""
    text = format(amount.normalize(), "f")
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _mac(body: bytes, at: int, key: str) -> str:
    if len(key) < SHORTEST_KEY:
        advice = f"Set LEDGER_DRILL_KEY to at least {SHORTEST_KEY} random characters."
        raise reject("there is no key for drills", advice, "drill-key")
    return hmac.new(key.encode(), f"drill:{at}:".encode() + body, sha256).hexdigest()
