"""Lines of Azure cost details as each agreement writes them: its own columns, spelling, dates and tags. Made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.mapped import write_csv

Line = Mapping[str, str]
MACHINE = "/subscriptions/sub-1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"
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
