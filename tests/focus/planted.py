"""Faults to plant in conformant rows, written by hand from the specification's text: one a row.

A fault is the kind of row it goes into, the columns it changes, the rule that has to report it, and the other MUST
rules that have to report it too: they say the same of the value, or what it says of the row follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping

Fault = tuple[str, Mapping[str, str | None], str, str]

NOT_NULL: tuple[Fault, ...] = (
    ("usage", {"BilledCost": None}, "BilledCost-C-003-M", ""),
    ("usage", {"EffectiveCost": None}, "EffectiveCost-C-003-M", ""),
    ("usage", {"ListCost": None}, "ListCost-C-003-M", ""),
    ("usage", {"ContractedCost": None}, "ContractedCost-C-003-M", ""),
    ("usage", {"PricingCurrencyEffectiveCost": None}, "PricingCurrencyEffectiveCost-C-003-M", ""),
    ("usage", {"BillingAccountId": None}, "BillingAccountId-C-001-M", "BillingAccountType-C-004-C"),
    ("usage", {"BillingAccountName": None}, "BillingAccountName-C-003-C", ""),
    ("usage", {"BillingAccountType": None}, "BillingAccountType-C-005-C", ""),
    ("usage", {"BillingCurrency": None}, "BillingCurrency-C-004-M", ""),
    ("usage", {"PricingCurrency": None}, "PricingCurrency-C-004-M", ""),
    ("usage", {"BillingPeriodStart": None}, "BillingPeriodStart-C-003-M", ""),
    ("usage", {"BillingPeriodEnd": None}, "BillingPeriodEnd-C-003-M", ""),
    ("usage", {"ChargePeriodStart": None}, "ChargePeriodStart-C-003-M", ""),
    ("usage", {"ChargePeriodEnd": None}, "ChargePeriodEnd-C-003-M", ""),
    ("subscription", {"ChargeCategory": None}, "ChargeCategory-C-002-M", ""),
    ("usage", {"ChargeFrequency": None}, "ChargeFrequency-C-002-M", ""),
    ("usage", {"ServiceName": None}, "ServiceName-C-003-M", ""),
    ("usage", {"ServiceCategory": None}, "ServiceCategory-C-002-M", "ServiceName-C-005-C"),
    ("usage", {"ServiceSubcategory": None}, "ServiceSubcategory-C-002-M", ""),
    ("usage", {"InvoiceIssuerName": None}, "InvoiceIssuerName-C-003-M", ""),
    ("usage", {"ProviderName": None}, "ProviderName-C-003-M", ""),
    ("usage", {"PublisherName": None}, "PublisherName-C-003-M", ""),
    ("usage", {"ServiceProviderName": None}, "ServiceProviderName-C-003-M", ""),
    ("usage", {"ChargeDescription": None}, "ChargeDescription-C-003-O", ""),
)
VALUES: tuple[Fault, ...] = (
    ("subscription", {"ChargeCategory": "purchase"}, "ChargeCategory-C-003-M", ""),
    ("usage", {"ChargeFrequency": "usage-based"}, "ChargeFrequency-C-003-M", ""),
    ("usage", {"ChargeFrequency": "Monthly"}, "ChargeFrequency-C-003-M", ""),
    ("usage", {"ChargeClass": "correction"}, "ChargeClass-C-005-C", ""),
    ("usage", {"PricingCategory": "standard"}, "PricingCategory-C-007-M", ""),
    ("usage", {"PricingCategory": "On Demand"}, "PricingCategory-C-007-M", ""),
    ("usage", {"ServiceCategory": "integration"}, "ServiceCategory-C-003-M", "ServiceSubcategory-C-004-M"),
    ("usage", {"ServiceCategory": "Compute"}, "ServiceSubcategory-C-004-M", ""),
    ("usage", {"ServiceSubcategory": "Virtual Machines"}, "ServiceSubcategory-C-004-M", ""),
    ("usage", {"ServiceSubcategory": "messaging"}, "ServiceSubcategory-C-003-M", ""),
    ("used", {"CommitmentDiscountCategory": "usage"}, "CommitmentDiscountCategory-C-005-M", ""),
    ("used", {"CommitmentDiscountStatus": "used"}, "CommitmentDiscountStatus-C-005-M", "EffectiveCost-C-013-C"),
    ("capacity used", {"CapacityReservationStatus": "USED"}, "CapacityReservationStatus-C-006-M", ""),
    ("usage", {"BillingCurrency": "usd"}, "BillingCurrency-C-003-M", "BillingCurrency-C-006-M CurrencyFormat-A-001-C"),
    ("usage", {"BillingCurrency": "ZZZ"}, "BillingCurrency-C-006-M", "BillingCurrency-C-003-M CurrencyFormat-A-001-C"),
    ("usage", {"PricingCurrency": "usd"}, "PricingCurrency-C-003-M", "CurrencyFormat-A-001-C"),
    ("usage", {"PricingUnit": "furlong"}, "PricingUnit-C-003-O", ""),
    ("usage", {"ConsumedUnit": "furlong"}, "ConsumedUnit-C-003-O", ""),
    ("used", {"CommitmentDiscountUnit": "furlong"}, "CommitmentDiscountUnit-C-003-M", ""),
    ("usage", {"RegionName": "N/A"}, "NullHandling-A-002-M", ""),
    ("usage", {"ServiceName": "  "}, "ServiceName-C-002-M", ""),
)
PERIODS: tuple[Fault, ...] = (
    ("usage", {"ChargePeriodEnd": "2025-09-20T05:00:00Z"}, "OWN-ChargePeriod-001", ""),
    ("usage", {"ChargePeriodEnd": "2025-09-19T05:00:00Z"}, "OWN-ChargePeriod-001", ""),
    ("usage", {"BillingPeriodEnd": "2025-08-01T00:00:00Z"}, "OWN-BillingPeriod-001", ""),
    ("usage", {"BillingPeriodStart": "2025-09-01"}, "BillingPeriodStart-C-002-M", "DateTimeFormat-A-003-M"),
    ("usage", {"BillingPeriodEnd": "2025-10-01 00:00:00"}, "BillingPeriodEnd-C-002-M", "DateTimeFormat-A-003-M"),
    (
        "usage",
        {"ChargePeriodStart": "20/09/2025"},
        "ChargePeriodStart-C-001-M",
        "ChargePeriodStart-C-002-M DateTimeFormat-A-003-M",
    ),
    ("usage", {"ChargePeriodEnd": "2025-09-31T06:00:00Z"}, "ChargePeriodEnd-C-001-M", "DateTimeFormat-A-003-M"),
)
# Two rules of each numeric column, and the attribute, say that the text is no number.
NO_NUMBER: tuple[Fault, ...] = tuple(
    ("usage", {column: text}, f"{column}-C-00{first + 1}-M", f"{column}-C-00{first}-M NumericFormat-A-002-M{more}")
    for column, text, first, more in (
        ("BilledCost", "1,5", 1, " BilledCost-C-004-M"),
        ("EffectiveCost", "$2", 1, " EffectiveCost-C-004-M"),
        ("ListCost", "2.9 USD", 1, " ListCost-C-004-M"),
        ("ContractedCost", "1.2.3", 1, " ContractedCost-C-004-M"),
        ("ListUnitPrice", "free", 1, ""),
        ("ContractedUnitPrice", "0,6", 2, ""),
        ("PricingQuantity", "4.560 GB", 1, " PricingQuantity-C-012-C"),
        ("ConsumedQuantity", "4 560", 1, " ConsumedQuantity-C-008-C"),
    )
)
PRICES: tuple[Fault, ...] = (
    ("usage", {"ListCost": "2.91061600000"}, "ListCost-C-011-C", "PricingQuantity-C-013-C"),
    (
        "usage",
        {"ContractedCost": "2.82359752000"},
        "ContractedCost-C-011-C",
        "ContractedUnitPrice-C-013-C PricingQuantity-C-013-C",
    ),
    ("usage", {"ListUnitPrice": "-0.63610000", "ListCost": "-2.90061600000"}, "ListUnitPrice-C-008-M", ""),
    (
        "usage",
        {"ContractedUnitPrice": "-0.61701700", "ContractedCost": "-2.81359752"},
        "ContractedUnitPrice-C-009-M",
        "",
    ),
    ("usage", {"PricingCurrencyListUnitPrice": "-1"}, "PricingCurrencyListUnitPrice-C-008-M", ""),
    ("usage", {"PricingCurrencyContractedUnitPrice": "-1"}, "PricingCurrencyContractedUnitPrice-C-008-C", ""),
    ("usage", {"ListUnitPrice": None}, "ListUnitPrice-C-005-C", "ListUnitPrice-C-013-C"),
    ("usage", {"ContractedUnitPrice": None}, "ContractedUnitPrice-C-006-C", "ContractedUnitPrice-C-015-C"),
    (
        "usage",
        {"PricingCurrencyListUnitPrice": None},
        "PricingCurrencyListUnitPrice-C-005-C",
        "PricingCurrencyListUnitPrice-C-012-C",
    ),
    (
        "usage",
        {"PricingCurrencyContractedUnitPrice": None},
        "PricingCurrencyContractedUnitPrice-C-005-C",
        "PricingCurrencyContractedUnitPrice-C-012-C",
    ),
    ("correction", {"ListUnitPrice": None}, "ListUnitPrice-C-013-C", ""),
    ("usage", {"PricingCategory": None}, "PricingCategory-C-004-C", ""),
    ("usage", {"PricingQuantity": None}, "PricingQuantity-C-005-C", "PricingUnit-C-005-C"),
    ("usage", {"PricingUnit": None}, "PricingUnit-C-006-C", ""),
    ("usage", {"SkuId": None}, "SkuId-C-005-C", "SkuMeter-C-004-C SkuPriceId-C-008-M SkuPriceId-C-009-M"),
    (
        "usage",
        {"SkuPriceId": None},
        "SkuPriceId-C-005-C",
        "SkuPriceDetails-C-004-C ListUnitPrice-C-012-C ContractedUnitPrice-C-014-C PricingQuantity-C-011-C "
        "ConsumedQuantity-C-009-C PricingCurrencyListUnitPrice-C-011-C PricingCurrencyContractedUnitPrice-C-011-C "
        "PricingCategory-C-012-C",
    ),
    ("adjustment", {"ListUnitPrice": "1"}, "ListUnitPrice-C-012-C", ""),
    ("adjustment", {"ContractedUnitPrice": "1"}, "ContractedUnitPrice-C-014-C", ""),
    ("adjustment", {"SkuPriceDetails": '{"CoreCount":1}'}, "SkuPriceDetails-C-004-C", ""),
    ("adjustment", {"SkuMeter": "Meter 1"}, "SkuMeter-C-004-C", ""),
    ("adjustment", {"PricingCategory": "Standard"}, "PricingCategory-C-012-C", ""),
    ("tax", {"ListUnitPrice": "1"}, "ListUnitPrice-C-004-C", "ListUnitPrice-C-012-C OWN-Tax-001"),
    ("tax", {"ContractedUnitPrice": "1"}, "ContractedUnitPrice-C-005-C", "ContractedUnitPrice-C-014-C OWN-Tax-001"),
    (
        "tax",
        {"PricingQuantity": "1", "PricingUnit": "Hours"},
        "PricingQuantity-C-004-C",
        "PricingQuantity-C-011-C OWN-Tax-001",
    ),
    ("tax", {"PricingCategory": "Other"}, "PricingCategory-C-003-C", "PricingCategory-C-012-C"),
    ("tax", {"SkuId": "SKU-1"}, "SkuId-C-004-C", ""),
    (
        "tax",
        {"PricingCurrencyListUnitPrice": "1"},
        "PricingCurrencyListUnitPrice-C-004-C",
        "PricingCurrencyListUnitPrice-C-011-C",
    ),
    (
        "tax",
        {"PricingCurrencyContractedUnitPrice": "1"},
        "PricingCurrencyContractedUnitPrice-C-004-C",
        "PricingCurrencyContractedUnitPrice-C-011-C",
    ),
    ("credit", {"EffectiveCost": "-1"}, "EffectiveCost-C-010-M", ""),
    ("credit", {"ContractedCost": "-1"}, "ContractedCost-C-008-M", ""),
    ("credit", {"ListCost": "-1"}, "ListCost-C-008-M", ""),
    ("usage", {"ConsumedQuantity": None}, "ConsumedQuantity-C-006-C", "ConsumedUnit-C-005-C"),
    ("usage", {"ConsumedUnit": None}, "ConsumedUnit-C-006-C", ""),
    ("subscription", {"ConsumedQuantity": "1", "ConsumedUnit": "Hours"}, "ConsumedQuantity-C-004-C", ""),
    ("subscription", {"ChargeFrequency": "Usage-Based"}, "ChargeFrequency-C-004-C", ""),
)
COMMITMENTS: tuple[Fault, ...] = (
    ("unused", {"ConsumedQuantity": "1", "ConsumedUnit": "Hours"}, "ConsumedQuantity-C-004-C", ""),
    ("unused", {"ResourceId": "vm-1"}, "DiscountHandling-A-019-C", ""),
    ("bought", {"ResourceId": "vm-1"}, "DiscountHandling-A-012-C", ""),
    ("bought", {"EffectiveCost": "5"}, "EffectiveCost-C-005-C", ""),
    ("bought", {"ChargeFrequency": "Usage-Based"}, "ChargeFrequency-C-004-C", ""),
    ("used", {"CommitmentDiscountStatus": None}, "CommitmentDiscountStatus-C-004-C", "EffectiveCost-C-013-C"),
    ("used", {"CommitmentDiscountCategory": None}, "CommitmentDiscountCategory-C-004-C", ""),
    ("used", {"CommitmentDiscountType": None}, "CommitmentDiscountType-C-005-C", ""),
    ("used", {"CommitmentDiscountUnit": None}, "CommitmentDiscountUnit-C-006-C", ""),
    (
        "used",
        {"CommitmentDiscountQuantity": None},
        "CommitmentDiscountQuantity-C-005-C",
        "CommitmentDiscountUnit-C-005-C",
    ),
    ("usage", {"CommitmentDiscountName": "Plan"}, "CommitmentDiscountName-C-004-C", ""),
    ("usage", {"CommitmentDiscountType": "Reservation"}, "CommitmentDiscountType-C-004-C", ""),
    ("usage", {"CommitmentDiscountCategory": "Spend"}, "CommitmentDiscountCategory-C-003-C", ""),
    ("usage", {"CommitmentDiscountStatus": "Used"}, "CommitmentDiscountStatus-C-003-C", ""),
    ("usage", {"CommitmentDiscountUnit": "Hours"}, "CommitmentDiscountUnit-C-005-C", ""),
    (
        "usage",
        {"CommitmentDiscountQuantity": "1", "CommitmentDiscountUnit": "Hours"},
        "CommitmentDiscountQuantity-C-007-C",
        "",
    ),
    (
        "capacity unused",
        {"CapacityReservationId": None},
        "CapacityReservationId-C-005-C",
        "CapacityReservationStatus-C-003-C",
    ),
    ("capacity used", {"CapacityReservationStatus": None}, "CapacityReservationStatus-C-004-C", ""),
    ("usage", {"CapacityReservationStatus": "Used"}, "CapacityReservationStatus-C-003-C", ""),
)
NAMES: tuple[Fault, ...] = (
    ("usage", {"RegionId": None}, "RegionName-C-004-C", ""),
    ("usage", {"RegionName": None}, "RegionName-C-005-C", ""),
    ("usage", {"SubAccountName": None}, "SubAccountName-C-005-C", ""),
    ("usage", {"SubAccountType": None}, "SubAccountType-C-005-C", ""),
    ("usage", {"SubAccountId": None}, "SubAccountName-C-004-C", "SubAccountType-C-004-C"),
    ("usage", {"ResourceId": None}, "ResourceName-C-004-C", "ResourceType-C-004-C"),
    ("usage", {"ResourceType": None}, "ResourceType-C-005-C", ""),
    (
        "split",
        {"AllocatedMethodId": None},
        "AllocatedMethodId-C-005-C",
        "AllocatedMethodDetails-C-005-C AllocatedResourceId-C-004-C AllocatedTags-C-003-C",
    ),
    ("split", {"AllocatedResourceId": None}, "AllocatedResourceName-C-004-C", ""),
    ("split", {"AllocatedResourceName": None}, "AllocatedResourceName-C-005-C", ""),
    ("split", {"AllocatedMethodDetails": None}, "AllocatedMethodDetails-C-006-C", ""),
)


def _method(element: str) -> dict[str, str | None]:
    return {"AllocatedMethodDetails": '{"Elements":[' + element + "]}"}


def _applied(**changed: str) -> dict[str, str | None]:
    """One element; a value is JSON text, and an empty one takes the key away."""
    whole = {"ContractId": '"c"', "ContractCommitmentId": '"cc"', "ContractCommitmentAppliedCost": "null"}
    whole |= {"ContractCommitmentAppliedQuantity": "0.385", "ContractCommitmentAppliedUnit": '"Hours"', **changed}
    pairs = ",".join(f'"{key}":{value}' for key, value in whole.items() if value)
    return {"ContractApplied": '{"Elements":[{' + pairs + "}]}"}


METHOD, APPLIED = "AllocatedMethodDetailsObject-O-0", "ContractAppliedObject-O-0"
JSON: tuple[Fault, ...] = (
    ("usage", {"Tags": "team=a"}, "Tags-C-001-M", "KeyValueFormat-A-001-M"),
    ("usage", {"Tags": '["a"]'}, "KeyValueFormat-A-001-M", "Tags-C-001-M"),
    ("usage", {"Tags": '{"a":{"b":1}}'}, "KeyValueFormat-A-003-M", "Tags-C-001-M KeyValueFormat-A-004-M"),
    ("usage", {"Tags": '{"a":["b"]}'}, "KeyValueFormat-A-004-M", "Tags-C-001-M KeyValueFormat-A-003-M"),
    ("usage", {"Tags": '{"a":"1","a":"2"}'}, "KeyValueFormat-A-002-M", "Tags-C-001-M"),
    ("usage", {"SkuPriceDetails": "CoreCount 4"}, "SkuPriceDetails-C-001-M", "KeyValueFormat-A-001-M"),
    ("usage", {"SkuPriceDetails": '{"Stranger":1}'}, "SkuPriceDetails-C-017-C", ""),
    ("usage", {"SkuPriceDetails": '{"corecount":1}'}, "SkuPriceDetails-C-020-M", "SkuPriceDetails-C-017-C"),
    ("usage", {"SkuPriceDetails": '{"CoreCount":"4"}'}, "SkuPriceDetails-C-021-M", ""),
    ("usage", {"SkuPriceDetails": '{"OperatingSystem":5}'}, "SkuPriceDetails-C-021-M", ""),
    (
        "usage",
        {"SkuPriceDetails": '{"CoreCount":1,"CoreCount":2}'},
        "KeyValueFormat-A-002-M",
        "SkuPriceDetails-C-001-M",
    ),
    ("split", {"AllocatedTags": "namespace"}, "AllocatedTags-C-001-M", "KeyValueFormat-A-001-M"),
    ("split", {"AllocatedTags": '{"a":"1"}', "Tags": '{"a":"2"}'}, "AllocatedTags-C-006-M", ""),
    (
        "split",
        {"AllocatedMethodDetails": "half"},
        "AllocatedMethodDetails-C-003-M",
        "JsonObjectFormat-A-004-M JsonObjectFormat-A-001-M " + METHOD + "01-M",
    ),
    ("split", {"AllocatedMethodDetails": '{"Elements":{}}'}, METHOD + "01-M", ""),
    ("split", _method("5"), METHOD + "02-M", METHOD + "03-M " + METHOD + "12-M"),
    ("split", _method('{"AllocatedRatio":1,"x_a":{}}'), METHOD + "03-M", ""),
    ("split", _method('{"AllocatedRatio":1,"Stranger":1}'), METHOD + "09-C", ""),
    ("split", _method('{"AllocatedRatio":1,"allocatedratio":1}'), METHOD + "05-M", METHOD + "09-C"),
    ("split", _method('{"UsageUnit":"Hours"}'), METHOD + "12-M", ""),
    ("split", _method('{"AllocatedRatio":"half"}'), METHOD + "13-M", ""),
    ("split", _method('{"AllocatedRatio":1,"UsageQuantity":1}'), METHOD + "16-C", ""),
    ("split", _method('{"AllocatedRatio":1,"UsageUnit":"Hours","UsageQuantity":"few"}'), METHOD + "21-M", ""),
    ("split", _method('{"AllocatedRatio":1},{"AllocatedRatio":1}'), "JsonObjectFormat-A-007-M", ""),
    (
        "contract",
        {"ContractApplied": "contract"},
        "ContractApplied-C-001-M",
        "JsonObjectFormat-A-004-M JsonObjectFormat-A-001-M " + APPLIED + "01-M",
    ),
    ("contract", {"ContractApplied": '{"Elements":5}'}, APPLIED + "01-M", ""),
    ("contract", _applied(ContractId=""), APPLIED + "19-C", APPLIED + "07-M " + APPLIED + "24-C " + APPLIED + "38-M"),
    ("contract", _applied(ContractId="null"), APPLIED + "24-C", APPLIED + "38-M"),
    ("contract", _applied(ContractId="5"), APPLIED + "20-M", ""),
    ("contract", _applied(ContractCommitmentId="null"), APPLIED + "34-C", ""),
    ("contract", _applied(ContractCommitmentId=""), APPLIED + "29-C", APPLIED + "07-M " + APPLIED + "34-C"),
    ("contract", _applied(ContractCommitmentAppliedUnit="null"), APPLIED + "66-C", ""),
    ("contract", _applied(ContractCommitmentAppliedUnit='"furlong"'), APPLIED + "63-O", ""),
    (
        "contract",
        _applied(ContractCommitmentAppliedQuantity="null", ContractCommitmentAppliedUnit="null"),
        APPLIED + "46-C",
        APPLIED + "55-C",
    ),
    ("contract", _applied(Stranger="1"), APPLIED + "10-M", APPLIED + "17-C"),
    ("contract", _applied(contractid='"c"'), APPLIED + "14-M", APPLIED + "10-M " + APPLIED + "17-C"),
    ("contract", _applied(x_deep="[1]"), APPLIED + "12-M", APPLIED + "04-M"),
    (
        "contract",
        _applied(ContractCommitmentAppliedQuantity='"some"'),
        APPLIED + "53-M",
        APPLIED + "52-M " + APPLIED + "57-M",
    ),
)
FAULTS: tuple[Fault, ...] = (*NOT_NULL, *VALUES, *PERIODS, *NO_NUMBER, *PRICES, *COMMITMENTS, *NAMES, *JSON)

# What the second of two otherwise equal rows has instead.
GROUPS: tuple[Fault, ...] = (
    ("usage", {"BillingAccountName": "Another"}, "BillingAccountId-C-004-M", ""),
    ("usage", {"SkuId": "SKU-x"}, "SkuPriceId-C-008-M", "SkuPriceId-C-009-M"),
    ("usage", {"SkuPriceDetails": '{"CoreCount":77}'}, "SkuPriceId-C-009-M", ""),
    ("usage", {"SkuMeter": "Another"}, "SkuMeter-C-006-O", ""),
    ("usage", {"ServiceCategory": "Compute", "ServiceSubcategory": "Virtual Machines"}, "ServiceName-C-005-C", ""),
    ("usage", {"ServiceSubcategory": "Other (Integration)"}, "ServiceName-C-008-C", ""),
    ("usage", {"ServiceName": "Another"}, "OWN-Sku-002", ""),
    ("usage", {"RegionName": "Another"}, "OWN-Region-001", ""),
    ("usage", {"ListUnitPrice": "0.6362", "ListCost": "2.901072"}, "OWN-Sku-001", ""),
    ("used", {"CommitmentDiscountUnit": "GB"}, "CommitmentDiscountUnit-C-008-M", ""),
    ("split", {}, "AllocatedResourceId-C-008-O", ""),
)
# A column's name in a conformant table to its other name, None where it goes missing, the rule and other MUST rules.
HEADERS: tuple[tuple[str, str | None, str, str], ...] = (
    ("BilledCost", None, "CostAndUsage-D-006-M", ""),
    ("ChargeCategory", None, "CostAndUsage-D-008-M", ""),
    ("ServiceName", None, "CostAndUsage-D-041-M", ""),
    ("SkuPriceId", None, "CostAndUsage-D-058-C", ""),
    ("Tags", None, "CostAndUsage-D-064-C", ""),
    ("ServiceProviderName", None, "CostAndUsage-D-076-M", ""),
    ("InvoiceId", None, "CostAndUsage-D-033-O", ""),
    ("InvoiceId", "invoiceId", "ColumnHandling-A-001-M", "ColumnHandling-A-010-M"),
    ("InvoiceId", "Team", "ColumnHandling-A-010-M", ""),
    ("InvoiceId", "x_Invoice", "ColumnHandling-A-012-O", ""),
)
