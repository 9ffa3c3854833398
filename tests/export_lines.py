"""The rows of small FOCUS exports: what AWS, Azure and Snowflake bill in each of their kinds of charge. Made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Line = Mapping[str, str]

MONTH: Line = {
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2026-02-01T00:00:00Z",
    "BillingPeriodStart": "2026-01-01T00:00:00Z",
    "ChargePeriodEnd": "2026-01-06T00:00:00Z",
    "ChargePeriodStart": "2026-01-05T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeFrequency": "Usage-Based",
    "PricingCategory": "Standard",
}
AMOUNTS = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")


def costs(billed: str, effective: str = "", contracted: str = "", listed: str = "") -> Line:
    """The four costs; those left out are as billed."""
    return dict(zip(AMOUNTS, (billed, effective or billed, contracted or billed, listed or billed), strict=True))


def priced(quantity: str, contracted: str, listed: str, unit: str = "Hours") -> Line:
    """A quantity that is both priced and used, and its unit prices."""
    return {
        "PricingQuantity": quantity,
        "ConsumedQuantity": quantity,
        "PricingUnit": unit,
        "ConsumedUnit": unit,
        "ContractedUnitPrice": contracted,
        "ListUnitPrice": listed,
    }


AWS: Line = {
    **MONTH,
    "BillingAccountId": "111122223333",
    "BillingAccountName": "Example payer",
    "SubAccountId": "444455556666",
    "SubAccountName": "shop",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "ProviderName": "AWS",
    "PublisherName": "Amazon Web Services, Inc.",
    "RegionId": "us-east-1",
    "RegionName": "US East (N. Virginia)",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "ServiceSubcategory": "Virtual Machines",
    "ChargeDescription": "$0.10 per hour of m5.large",
    "SkuId": "AAAABBBBCCCCDDDD",
    "SkuPriceId": "AAAABBBBCCCCDDDD.JRTCKXETXF.6YS6EN2CT7",
    "SkuMeter": "BoxUsage:m5.large",
    "SkuPriceDetails": '{"InstanceType":"m5.large","CoreCount":"2","Tenancy":"Shared"}',
    "ResourceId": "arn:aws:ec2:us-east-1:444455556666:instance/i-0123456789abcdef0",
    "Tags": '{"environment":"prod","quote":"say \\"hi\\""}',
    "BillingAccountType": "Payer account",
    "SubAccountType": "Member account",
    "PricingCurrency": "USD",
    "x_ServiceCode": "AmazonEC2",
    "x_UsageType": "BoxUsage:m5.large",
    "x_Operation": "RunInstances",
}
NO_SKU: Line = dict.fromkeys(("SkuId", "SkuPriceId", "SkuMeter", "SkuPriceDetails"), "")
NO_PRICE: Line = {**NO_SKU, **priced("", "", "", ""), "PricingCategory": ""}
PLAN: Line = {
    "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountId": "arn:aws:savingsplans::111122223333:savingsplan/example",
    "CommitmentDiscountName": "Example plan",
    "CommitmentDiscountType": "Compute Savings Plan",
    "CommitmentDiscountStatus": "Used",
    "PricingCategory": "Committed",
}
PLANNED: Line = {**PLAN, "SkuId": "EEEEFFFFGGGGHHHH", "SkuPriceId": "EEEEFFFFGGGGHHHH.1.2", "SkuPriceDetails": ""}
AWS_LINES: Sequence[Line] = (
    {**costs("0.9", listed="1"), **priced("10", "0.09", "0.1"), "x_Discounts": '{"EDP":"0.1"}'},
    {**PLANNED, **costs("0", "0.55", "0.8", "1"), **priced("10", "0.08", "0.1")},
    {
        **PLANNED,
        **NO_SKU,
        **costs("1.1", "0"),
        **priced("11", "0.1", "0.1"),
        "ConsumedQuantity": "",
        "ConsumedUnit": "",
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "CommitmentDiscountStatus": "",
        "ChargeDescription": "Example plan, hourly fee",
        "ServiceName": "Savings Plans for AWS Compute usage",
        "ServiceSubcategory": "Other (Compute)",
        "x_ServiceCode": "ComputeSavingsPlans",
        "x_UsageType": "ComputeSP:1yrNoUpfront",
        "x_Operation": "",
        "ResourceId": "",
        "Tags": "{}",
    },
    {
        **NO_PRICE,
        **costs("0.21"),
        "ChargeCategory": "Tax",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": "VAT",
        "ResourceId": "",
        "RegionId": "",
        "RegionName": "",
        "Tags": "",
    },
    {
        **NO_PRICE,
        **costs("-0.5"),
        "ChargeCategory": "Credit",
        "ChargeFrequency": "One-Time",
        "ChargeDescription": "Promotion",
        "ResourceId": "",
        "Tags": "",
    },
    {
        **costs("0.000000613", contracted="0", listed="0"),
        **priced("0.00613", "0", "0", "GB"),
        "SkuId": "IIIIJJJJKKKKLLLL",
        "SkuPriceId": "",
        "SkuMeter": "",
        "SkuPriceDetails": "",
        "ServiceName": "AWS Data Transfer",
        "ServiceCategory": "Networking",
        "ServiceSubcategory": "Other (Networking)",
        "x_ServiceCode": "AWSDataTransfer",
        "x_UsageType": "DataTransfer-Out-Bytes",
        "ChargeDescription": "",
        "ResourceId": "",
        "Tags": "",
    },
    {
        **costs("25"),
        **priced("1", "25", "25", "Units"),
        **NO_SKU,
        "PublisherName": "Example Software GmbH",
        "InvoiceIssuerName": "AWS",
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "ConsumedQuantity": "",
        "ConsumedUnit": "",
        "ServiceName": "Example Monitor",
        "ServiceCategory": "Observation",
        "ServiceSubcategory": "",
        "x_ServiceCode": "exampleproductcode",
        "x_UsageType": "Subscription",
        "x_Operation": "",
        "RegionId": "",
        "RegionName": "",
        "ResourceId": "",
        "Tags": "",
    },
)

AZURE: Line = {
    **MONTH,
    "BillingAccountId": "/providers/Microsoft.Billing/billingAccounts/70000042",
    "BillingAccountName": "Example enrolment",
    "BillingAccountType": "Billing Account",
    "SubAccountId": "/subscriptions/11111111-1111-1111-1111-111111111111",
    "SubAccountName": "shop",
    "SubAccountType": "Subscription",
    "InvoiceIssuerName": "Microsoft",
    "ProviderName": "Microsoft",
    "PublisherName": "Microsoft",
    "RegionId": "westeurope",
    "RegionName": "West Europe",
    "ServiceCategory": "Compute",
    "ServiceName": "Virtual Machines",
    "ServiceSubcategory": "Virtual Machines",
    "ChargeDescription": "B2s",
    "SkuId": "DZH318Z0BQF7",
    "SkuPriceId": "DZH318Z0BQF7_0015",
    "SkuMeter": "B2s",
    "ResourceId": "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/shop/providers/"
    "microsoft.compute/virtualmachines/vm1",
    "ResourceName": "vm1",
    "ResourceType": "Virtual machine",
    "Tags": '{"environment":"prod"}',
    "PricingCurrency": "USD",
    "x_PricingCurrency": "USD",
    "x_BilledCostInUsd": "1.5",
    "x_SkuMeterCategory": "Virtual Machines",
    "x_SkuMeterId": "00000000-0000-0000-0000-000000000001",
    "x_SkuMeterName": "B2s",
    "x_SkuIsCreditEligible": "true",
    "x_ServicePeriodStart": "2026-01-05T00:00:00Z",
}
RESERVED: Line = {
    "CommitmentDiscountCategory": "Usage",
    "CommitmentDiscountId": "/providers/Microsoft.Capacity/reservationOrders/O-1/reservations/R-1",
    "CommitmentDiscountName": "VM_RI",
    "CommitmentDiscountType": "Reservation",
    "PricingCategory": "Committed",
}
AZURE_LINES: Sequence[Line] = (
    {**costs("1.5", listed="2"), **priced("15", "0.1", "0.133333333333333333"), "ListUnitPrice": "", "ListCost": "0"},
    {
        **RESERVED,
        **costs("0", "0.4", "0", "0"),
        **priced("10", "0", "0"),
        "CommitmentDiscountStatus": "Used",
        "SkuPriceId": "DZH318Z0BQF7_0016",
    },
    {
        **RESERVED,
        **NO_SKU,
        **costs("0", "0.1", "0", "0"),
        **priced("2.5", "0", "0"),
        "ConsumedQuantity": "0",
        "CommitmentDiscountStatus": "Unused",
        "ChargeDescription": "",
        "PublisherName": "",
        "x_SkuMeterId": "",
        "x_SkuMeterName": "",
        "x_SkuPartNumber": "AAH-1",
        "ResourceId": "",
        "ResourceName": "",
        "ResourceType": "",
    },
    {
        **NO_PRICE,
        **costs("-0.000000000000000004"),
        "ChargeCategory": "Adjustment",
        "ChargeFrequency": "One-Time",
        "ServiceCategory": "Other",
        "ServiceSubcategory": "",
        "ServiceName": "",
        "ChargeDescription": "Rounding Adjustment",
        "x_SkuMeterCategory": "",
        "ResourceId": "",
        "ResourceName": "",
        "ResourceType": "",
        "RegionId": "",
        "RegionName": "",
        "SubAccountId": "",
        "SubAccountName": "",
        "SubAccountType": "",
        "Tags": "",
    },
)

SNOWFLAKE: Line = {
    **MONTH,
    "BillingAccountId": "EXAMPLE",
    "BillingAccountName": "Example",
    "SubAccountId": "XY12345",
    "SubAccountName": "PRODUCTION",
    "SubAccountType": "Account",
    "ServiceCategory": "Databases",
    "ServiceName": "Snowflake Warehouse",
    "ChargeDescription": "WAREHOUSE_METERING",
    "RegionId": "aws_us_east_1",
    "RegionName": "US East (N. Virginia)",
    "HostProviderName": "Aws",
    "InvoiceIssuerName": "Snowflake",
    "x_UpdatedAt": "2026-01-07T00:00:00Z",
    "x_OrganizationName": "EXAMPLE",
    "x_ServiceLevel": "ENTERPRISE",
    "ContractApplied": '{"Elements":[{"ContractID":"9","ContractCommitmentID":"9-1","ContractCommitmentAppliedCost":6,'
    '"x_BalanceSource":"CAPACITY"}]}',
}
SNOWFLAKE_LINES: Sequence[Line] = (
    {**costs("6.00"), **priced("2.000", "3.00", "3.00", "Credits")},
    {**costs("0.00"), **priced("0.000", "3.00", "3.00", "Credits"), "ContractApplied": "", "HostProviderName": "Azure"},
    {
        **costs("56.82", "56.82", "56.816", "56.816"),
        **priced("28.408", "2.00", "2.00", "Credits"),
        "ServiceName": "Snowflake Cloud Services",
        "ContractApplied": "",
    },
)

LINES: Mapping[str, tuple[Line, Sequence[Line]]] = {
    "aws": (AWS, AWS_LINES),
    "azure": (AZURE, AZURE_LINES),
    "snowflake": (SNOWFLAKE, SNOWFLAKE_LINES),
}
