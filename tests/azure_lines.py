"""Lines of Azure cost details with one reservation and one savings plan, in both metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bills import azure

Line = Mapping[str, str]

ORDER = "/providers/Microsoft.Capacity/reservationOrders/O-1"
RESERVATION = f"{ORDER}/reservations/R-1"
PLAN_ORDER = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/O-2"
PLAN = f"{PLAN_ORDER}/savingsPlans/P-1"

MORE = ("ProductOrderName", "ReservationId", "PayGPrice", "Term", "benefitName")  # columns beside those of every bill


def line(cost: str, **changes: str) -> Line:
    return {"CostInBillingCurrency": cost, **changes}


def reserved(cost: str, charge: str = "Usage", benefit: str = RESERVATION, **changes: str) -> Line:
    told = {"ChargeType": charge, "PricingModel": "Reservation", "benefitId": benefit}
    return line(cost, **{**told, "benefitName": "web", "Term": "12", **changes})


def planned(cost: str, charge: str = "Usage", benefit: str = PLAN, **changes: str) -> Line:
    told = {"ChargeType": charge, "PricingModel": "SavingsPlan", "benefitId": benefit}
    return line(cost, **{**told, "benefitName": "all", "Term": "P3Y", **changes})


def bought(cost: str, benefit: str = RESERVATION, **changes: str) -> Line:
    return reserved(cost, "Purchase", benefit, **{"Frequency": "OneTime", "Quantity": "2", **changes})


def subscribed(cost: str, benefit: str = PLAN, **changes: str) -> Line:
    return planned(cost, "Purchase", benefit, **{"Frequency": "Recurring", "Quantity": "1", **changes})


def pair(folder: Path, actual: Sequence[Line], amortized: Sequence[Line]) -> list[Path]:
    """Both files of one month."""
    return [file(folder / "actual.csv", *actual), file(folder / "amortized.csv", *amortized)]


def file(path: Path, *lines: Line) -> Path:
    """A file whose columns are those of any of its lines."""
    return azure(path, *({**dict.fromkeys(MORE, ""), **one} for one in lines))
