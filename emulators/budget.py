"""A monthly budget over the emulated cloud: spend as reported late, thresholds crossed once, the webhook's JSON."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from emulators.cloud import Cloud, Resource

CENT = Decimal("0.01")
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


@dataclass(frozen=True, slots=True)
class MonthlyBudget:
    """`latency` is the age of the newest spend an evaluation can see; `thresholds` are shares of the amount."""

    name: str
    scope: str
    amount: Decimal
    thresholds: tuple[Decimal, ...]
    tag: tuple[str, str] | None = None
    currency: str = "USD"
    latency: timedelta = timedelta()

    @property
    def id(self) -> str:
        return f"{self.scope}/providers/Microsoft.Consumption/budgets/{self.name}"

    def covers(self, resource: Resource) -> bool:
        """In scope and, with a tag filter, carrying that very tag; tag names have no case, tag values do."""
        inside = resource.id.lower().startswith(f"{self.scope.lower()}/")
        tags = {key.lower(): value for key, value in resource.tags.items()}
        return inside and (self.tag is None or tags.get(self.tag[0].lower()) == self.tag[1])


@dataclass(slots=True)
class BudgetWatch:
    """Evaluates a budget whenever it is asked to; remembers which thresholds of which month have been told."""

    budget: MonthlyBudget
    told: set[tuple[str, Decimal]] = field(default_factory=set)

    def reported(self, cloud: Cloud) -> Decimal:
        """This month's spend as far as the cost data has come."""
        month = cloud.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return cloud.cost(self.budget.covers, since=month, until=cloud.now - self.budget.latency)

    def evaluate(self, cloud: Cloud) -> list[bytes]:
        """One webhook body for each threshold that has now been reached for the first time this month."""
        month, spent = cloud.now.strftime("%Y-%m"), self.reported(cloud)
        bodies = []
        for share in sorted(self.budget.thresholds):
            if spent >= share * self.budget.amount and (month, share) not in self.told:
                self.told.add((month, share))
                bodies.append(json.dumps(payload(self.budget, share, spent, cloud.now)).encode())
        return bodies


def payload(budget: MonthlyBudget, share: Decimal, spent: Decimal, fired: datetime) -> dict[str, object]:
    """The common alert schema of an actual-cost alert; amounts are display strings, as the service sends them."""
    threshold, limit = (shown(amount, budget.currency) for amount in (share * budget.amount, budget.amount))
    now = shown(spent, budget.currency)
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "monitoringService": "CostAlerts",
                "firedDateTime": fired.strftime("%Y-%m-%dT%H:%M:%S.") + f"{fired.microsecond // 1000:03d}Z",
                "description": f"Your spend for budget {budget.name} is now {now} exceeding your specified "
                f"threshold {threshold}.",
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0",
                "alertId": f"{budget.scope}/providers/Microsoft.CostManagement/alerts/{_number(budget, share, fired)}",
                "configurationItems": ["budgets"],
                **dict.fromkeys(
                    ("alertRule", "severity", "signalType", "monitorCondition", "alertTargetIDs", "originAlertId")
                ),
            },
            "alertContext": {"AlertCategory": "budgets", "AlertData": _data(budget, limit, threshold, now, fired)},
        },
    }


def _data(budget: MonthlyBudget, limit: str, threshold: str, spent: str, fired: datetime) -> dict[str, str]:
    return {
        "Scope": f"{budget.scope}/",
        "ThresholdType": "Actual",
        "BudgetType": "Cost",
        "BudgetThreshold": limit,
        "NotificationThresholdAmount": threshold,
        "BudgetName": budget.name,
        "BudgetId": budget.id,
        "BudgetStartDate": fired.strftime("%Y-%m-01"),
        "BudgetCreator": "finops@contoso.example",
        "Unit": budget.currency,
        "SpentAmount": spent,
    }


def _number(budget: MonthlyBudget, share: Decimal, fired: datetime) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{budget.id}|{fired:%Y-%m}|{share.normalize():f}")


def shown(amount: Decimal, currency: str) -> str:
    """An amount as the service prints it; only currencies whose print is known."""
    return f"{SYMBOLS[currency]}{amount.quantize(CENT, ROUND_HALF_EVEN):,}"
