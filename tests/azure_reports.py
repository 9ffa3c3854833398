"""Cost Details reports of a closed month, made up: an enrollment with a reservation, and a customer agreement.

Of months that stay closed while the tests run, yet are young enough that the service still asks for them: on `NOW`,
which is past, `OPEN` was the open month. What the month is when a command reads its own clock is none of these.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import timedelta

from ledger.delivery import Period
from tests.azure_bills import MCA
from tests.bills import AZURE
from tests.clock import closed_month

OPEN = closed_month()
NOW = OPEN.start + timedelta(days=19, hours=12)
MONTH = OPEN.before()
ENROLLMENT = "/providers/Microsoft.Billing/billingAccounts/70000042"
PROFILE = "/providers/Microsoft.Billing/billingAccounts/a:b_2019-05-31/billingProfiles/P-1"
MAIN = f'[sources.main]\nprovider = "azure"\nlocation = "cost-details:"\nscope = "{ENROLLMENT}"\n'
DAY = f"{MONTH.month:02d}/05/{MONTH.year}"
FIRST = f"{MONTH.month:02d}/01/{MONTH.year}"
RESERVED = {
    "PricingModel": "Reservation",
    "benefitId": "/providers/microsoft.capacity/reservationOrders/o-1/reservations/r-1",
}
Line = Mapping[str, str]


def ea(month: Period = MONTH, **changes: str) -> Line:
    first = f"{month.month:02d}/01/{month.year}"
    return {**AZURE, "Date": first, "BillingPeriodStartDate": first, **changes}


def customer(**changes: str) -> Line:
    spans = {name: DAY for name in MCA if name.endswith("Date") and MCA[name]}
    return {**MCA, **spans, "date": DAY, "billingPeriodStartDate": FIRST, "exchangeRateDate": FIRST, **changes}


def table(*lines: Line) -> bytes:
    made = io.StringIO()
    writer = csv.DictWriter(made, list(lines[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return made.getvalue().encode()


def actual(month: Period = MONTH) -> tuple[Line, ...]:
    """A purchase of 10 beside usage of 5."""
    bought = ea(month, ChargeType="Purchase", CostInBillingCurrency="10", Quantity="1", Frequency="OneTime")
    return ea(month), {**bought, **RESERVED}


def amortized(month: Period = MONTH) -> tuple[Line, ...]:
    """The same purchase, as what is used of it."""
    used = ea(month, CostInBillingCurrency="4"), ea(month, CostInBillingCurrency="6", Quantity="3")
    return ea(month), *({**line, **RESERVED} for line in used)


ACTUAL, AMORTIZED = actual(), amortized()
