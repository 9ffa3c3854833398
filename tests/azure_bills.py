"""Lines of Azure cost details as each agreement writes them: its own columns, spelling, dates and tags. Made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from tests.mapped import write_csv

Line = Mapping[str, str]
MACHINE = "/subscriptions/sub-1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"
CAPACITY = MACHINE.replace("virtualMachines/VM1", "capacityReservationGroups/G/capacityReservations/C")
# A customer agreement that is priced in dollars and billed in euros.
MCA: Line = {
    "invoiceId": "G000000001",
    "previousInvoiceId": "",
    "billingAccountId": "aaaa-1111:bbbb-2222_2019-05-31",
    "billingAccountName": "Example Group",
    "billingProfileId": "EXPL-PROF-BG7-PGB",
    "billingProfileName": "Example Europe",
    "invoiceSectionId": "EXPL-SECT-PJA-PGB",
    "invoiceSectionName": "Shop",
    "resellerName": "",
    "resellerMpnId": "",
    "costCenter": "",
    "billingPeriodEndDate": "01/31/2026",
    "billingPeriodStartDate": "01/01/2026",
    "servicePeriodEndDate": "01/05/2026",
    "servicePeriodStartDate": "01/05/2026",
    "date": "01/05/2026",
    "serviceFamily": "Compute",
    "productOrderId": "order-1",
    "productOrderName": "Azure plan",
    "consumedService": "Microsoft.Compute",
    "meterId": "m-1",
    "meterName": "B2s",
    "meterCategory": "Virtual Machines",
    "meterSubCategory": "BS Series",
    "meterRegion": "EU West",
    "ProductId": "DZH318Z0EXPL0001",
    "ProductName": "Virtual Machines BS Series - B2s - EU West",
    "SubscriptionId": "sub-1",
    "subscriptionName": "shop",
    "publisherType": "Azure",
    "publisherId": "",
    "publisherName": "Microsoft",
    "resourceGroupName": "RG",
    "ResourceId": MACHINE,
    "resourceLocation": "westeurope",
    "location": "EU West",
    "effectivePrice": "0.5",
    "quantity": "10",
    "unitOfMeasure": "1 Hour",
    "chargeType": "Usage",
    "billingCurrency": "EUR",
    "pricingCurrency": "USD",
    "costInBillingCurrency": "4.5",
    "costInPricingCurrency": "5",
    "costInUsd": "5",
    "paygCostInBillingCurrency": "5.4",
    "paygCostInUsd": "6",
    "exchangeRatePricingToBilling": "0.9",
    "exchangeRateDate": "01/01/2026",
    "isAzureCreditEligible": "True",
    "serviceInfo1": "",
    "serviceInfo2": "",
    "additionalInfo": "",
    "tags": '{"env":"dev"}',
    "PayGPrice": "0.6",
    "frequency": "UsageBased",
    "term": "",
    "reservationId": "",
    "reservationName": "",
    "pricingModel": "OnDemand",
    "unitPrice": "0.5",
    "costAllocationRuleName": "",
    "benefitId": "",
    "benefitName": "",
    "provider": "Azure",
}


def mca(path: Path, *lines: Line) -> Path:
    return write_csv(path, [{**MCA, **line} for line in lines or ({},)])


# What a partner is billed for a customer's subscription.
MPA: Line = {
    **{name: value for name, value in MCA.items() if not name.startswith("invoiceSection")},
    "partnerTenantId": "tenant-partner",
    "partnerName": "Example Partner",
    "resellerName": "Example Reseller",
    "resellerMpnId": "123456",
    "customerTenantId": "tenant-customer",
    "customerName": "Example Customer",
    "partnerEarnedCreditRate": "0.15",
    "partnerEarnedCreditApplied": "1",
}
_NOT_OF_CUSTOMERS = {"invoiceId", "previousInvoiceId", "billingAccountId", "billingProfileId", "billingProfileName"}
_NOT_OF_CUSTOMERS |= {"partnerTenantId", "partnerEarnedCreditRate", "partnerEarnedCreditApplied", "unitPrice"}
_NOT_OF_CUSTOMERS |= {"costInPricingCurrency", "paygCostInBillingCurrency", "paygCostInUsd", "benefitId", "benefitName"}
# The same seen by the customer, at the partner's prices.
CSP: Line = {name: value for name, value in MPA.items() if name not in _NOT_OF_CUSTOMERS}
# A subscription without a contract, in the names of its oldest export.
PAYG: Line = {
    "SubscriptionGuid": "sub-1",
    "ResourceGroup": "RG",
    "ResourceLocation": "EU West",
    "UsageDateTime": "2026-01-05",
    "MeterCategory": "Load Balancer",
    "MeterSubcategory": "Standard",
    "MeterId": "m-1",
    "MeterName": "Included LB Rules",
    "MeterRegion": "",
    "UsageQuantity": "3",
    "ResourceRate": "0.025",
    "PreTaxCost": "0.075",
    "ConsumedService": "Microsoft.Network",
    "ResourceType": "Microsoft.Network/loadBalancers",
    "InstanceId": "/subscriptions/sub-1/resourceGroups/RG/providers/Microsoft.Network/loadBalancers/LB1",
    "Tags": '"env": "dev"',
    "OfferId": "MS-AZR-0003P",
    "AdditionalInfo": "",
    "ServiceInfo1": "",
    "ServiceInfo2": "",
    "ServiceName": "Load Balancer",
    "ServiceTier": "Std Load Balancer",
    "Currency": "USD",
    "UnitOfMeasure": "100 Hours",
}


def mpa(path: Path, *lines: Line) -> Path:
    return write_csv(path, [{**MPA, **line} for line in lines or ({},)])


def csp(path: Path, *lines: Line) -> Path:
    return write_csv(path, [{**CSP, **line} for line in lines or ({},)])


def payg(path: Path, *lines: Line) -> Path:
    return write_csv(path, [{**PAYG, **line} for line in lines or ({},)])


MADE: Mapping[str, Callable[..., Path]] = {"mca": mca, "mpa": mpa, "csp": csp, "payg": payg}
RATE = Decimal(MCA["exchangeRatePricingToBilling"])
RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/o-1/reservations/R-1"
PLAN = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/o-2/savingsPlans/P-1"
_COMMITTED = {"pricingModel": "Reservation", "benefitId": RESERVATION, "benefitName": "RI_1", "term": "12"} | {
    "reservationId": "r-1"
}
_PLANNED = {"pricingModel": "SavingsPlan", "benefitId": PLAN, "benefitName": "SP_1", "term": "36"}
_MARKET = {"publisherType": "Marketplace", "publisherName": "Example Seller", "pricingModel": "", "serviceFamily": ""}
_MARKET |= {"meterCategory": "", "consumedService": "Microsoft.SaaS", "ProductName": "Example Product"}
_FEE = {"frequency": "OneTime", "unitOfMeasure": "1", "quantity": "1", "PayGPrice": "0", "tags": ""}
_AMENDS = {"previousInvoiceId": "G000000000"}


def cost(in_pricing_currency: str) -> Line:
    """What a line costs, in the three currencies of its columns, at list and as it is charged."""
    billed = f"{(Decimal(in_pricing_currency) * RATE).normalize():f}"
    billing = dict.fromkeys(("costInBillingCurrency", "paygCostInBillingCurrency"), billed)
    return billing | dict.fromkeys(("costInPricingCurrency", "costInUsd", "paygCostInUsd"), in_pricing_currency)


def priced(price: str, quantity: str, unit: str) -> Line:
    """So much of a unit at that price, which is the list price too."""
    amount = f"{(Decimal(price) * Decimal(quantity)).normalize():f}"
    prices = dict.fromkeys(("unitPrice", "PayGPrice", "effectivePrice"), price)
    return {**cost(amount), **prices, "quantity": quantity, "unitOfMeasure": unit}


_BOTH, _ACTUAL, _AMORTIZED = ("actual", "amortized"), ("actual",), ("amortized",)
# Every kind of charge: the reports it stands in, and what its line has.
KINDS: Mapping[str, tuple[Sequence[str], Line]] = {
    "Usage": (_BOTH, {"paygCostInBillingCurrency": "5.4"}),
    "Usage:Spot": (_BOTH, {"pricingModel": "Spot", "paygCostInBillingCurrency": "0"}),
    "Usage:10K": (_BOTH, priced("0.004", "0.001", "10K")),
    "Usage:Free": (_BOTH, priced("0", "7", "1 GB")),
    "Usage:Details": (
        _BOTH,
        {
            **priced("0.1", "24", "1 Hour"),
            "additionalInfo": '{"ServiceType":"Standard_D2s_v5","VCPUs":2,"VMCapacityReservationId":"'
            + CAPACITY
            + '"}',
        },
    ),
    "Usage:Covered": (_ACTUAL, {**_COMMITTED, **cost("0")}),
    "Usage:Reservation": (_AMORTIZED, {**_COMMITTED, **cost("3"), "effectivePrice": "0.3"}),
    "Usage:SavingsPlan": (_AMORTIZED, {**_PLANNED, **cost("4"), "effectivePrice": "0.4"}),
    "UnusedReservation": (_AMORTIZED, {**_COMMITTED, **cost("1")}),
    "UnusedSavingsPlan": (_AMORTIZED, {**_PLANNED, **cost("2")}),
    "Purchase:Reservation": (_ACTUAL, {**_FEE, **_COMMITTED, **cost("48"), "unitPrice": "48"}),
    "Purchase:SavingsPlan": (_ACTUAL, {**_FEE, **_PLANNED, **cost("60"), "unitPrice": "60", "frequency": "Recurring"}),
    "Refund:Reservation": (_ACTUAL, {**_FEE, **_COMMITTED, **_AMENDS, **cost("-12"), "unitPrice": "12"}),
    "Purchase:Marketplace": (_BOTH, {**_FEE, **_MARKET, **cost("20"), "unitPrice": "20"}),
    "Refund:Marketplace": (_BOTH, {**_FEE, **_MARKET, **_AMENDS, **cost("-20"), "unitPrice": "20"}),
    "RoundingAdjustment": (_BOTH, {**cost("-0.01"), "pricingModel": "", "quantity": "0", "frequency": "OneTime"}),
}


def every_kind(role: str) -> list[Line]:
    """The lines of one report, the kind of charge as the meter's name."""
    return [
        {"chargeType": kind.partition(":")[0], "meterName": kind, "meterId": f"m-{place}", **line}
        for place, (kind, (roles, line)) in enumerate(KINDS.items())
        if role in roles
    ]


# What pay-as-you-go tells of, for its charges have no kind.
FREE_AND_BLOCKS: list[Line] = [
    {},
    {"MeterName": "Free", "MeterId": "m-2", "ResourceRate": "0", "PreTaxCost": "0", "UnitOfMeasure": ""},
    {"MeterName": "Calls", "MeterId": "m-3", "UsageQuantity": "0.0004", "ResourceRate": "0.1", "PreTaxCost": "0.00004"}
    | {"UnitOfMeasure": "10K", "UsageDateTime": "2026-01-06"},
]


def files_of(agreement: str, folder: Path) -> list[tuple[Path, str]]:
    """The reports of a month with every kind of charge, each with its role; pay-as-you-go has one and no roles."""
    if agreement == "payg":
        return [(payg(folder / "usage.csv", *FREE_AND_BLOCKS), "")]
    known = set({"mca": MCA, "mpa": MPA, "csp": CSP}[agreement])
    made = []
    for role in ("actual", "amortized"):
        lines = [{name: value for name, value in line.items() if name in known} for line in every_kind(role)]
        made.append((MADE[agreement](folder / f"{role}.csv", *lines), role))
    return made
