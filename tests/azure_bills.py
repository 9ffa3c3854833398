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
