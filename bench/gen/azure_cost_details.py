"""A big Enterprise Agreement bill of Azure: the actual-cost report and the amortized one, with as many lines each.

Every value is a function of the line's number. Of 1,000 lines of a day 60 are covered by a reservation and 40 by a
savings plan. The actual report tells those at 0, and the fee of the day for both commitments; the amortized one tells
their share of the fee, and what is left of it as unused. So both reports add up to the same money, to the last digit.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from bench.gen.azure import COLUMNS
from bench.gen.columns import pick, when

MARK = "\ufeff"  # cost reports of Azure begin with a byte order mark
RESOURCES, METERS, SUBSCRIPTIONS, RESERVATIONS, PLANS = 60_000, 3_000, 43, 60, 12
RESERVATION_FEE, PLAN_FEE = 150, 100  # a day's, of 1,000 lines; more than the covered ones can cost

# Slots of 1,000 lines: 0 to 59 reserved, 60 to 99 by a savings plan, 997 from the marketplace, 998 and 999 the fees.
LINE = f"""
    SELECT *, tenmillionths * thousandths AS units
    FROM (
        SELECT
            *,
            CASE
                WHEN slot < 100 THEN 'used'
                WHEN slot = 997 THEN 'marketplace'
                WHEN slot > 997 THEN 'commitment'
                ELSE 'usage'
            END AS kind,
            CASE WHEN slot < 60 OR slot = 998 THEN 'Reservation' WHEN slot < 100 OR slot = 999 THEN 'SavingsPlan'
                WHEN slot % 97 = 0 THEN 'Spot' ELSE 'OnDemand' END AS model,
            resource % {METERS} AS meter,
            resource % {SUBSCRIPTIONS} AS subscription,
            CASE WHEN slot < 100 THEN 0 ELSE CAST(hash(resource % {METERS} + 3) % 8 AS BIGINT) END AS service,
            CAST(hash(resource + 7) % 6 AS BIGINT) AS region,
            1 + CAST(hash(resource % {METERS} + 11) % CAST(pow(10, 3 + (resource % {METERS}) % 4) AS BIGINT) AS BIGINT)
                AS tenmillionths,
            CAST(1 + hash(i + 5) % 24000 AS BIGINT) AS thousandths
        FROM (
            SELECT i, i % 1000 AS slot, i // 1000 AS block, CAST(hash(i) % {RESOURCES} AS BIGINT) AS resource
            FROM range({{rows}}) AS numbers(i)
        )
    )
"""
# What the covered lines of 1,000 leave of the two fees.
LEFT = f"""
    SELECT block, model, CASE model WHEN 'Reservation' THEN {RESERVATION_FEE} ELSE {PLAN_FEE} END * 10000000000::BIGINT
        - CAST(sum(units) AS BIGINT) AS unused
    FROM line WHERE kind = 'used' GROUP BY block, model
"""


def _money(units: str) -> str:
    """Ten fraction digits, without the zeros at their end."""
    exact = f"CAST({units} AS DECIMAL(18, 0)) * CAST('0.0000000001' AS DECIMAL(11, 10))"
    return f"rtrim(rtrim(CAST({exact} AS VARCHAR), '0'), '.')"


CATEGORIES = (
    *("Virtual Machines", "Storage", "SQL Database", "Bandwidth"),
    *("Virtual Network", "Azure Monitor", "Key Vault", "Azure Kubernetes Service"),
)
UNITS = ("1 Hour", "1 GB/Month", "1 Hour", "1 GB", "10 Hours", "1 GB", "10K", "1 Hour")
KINDS = (
    *("Microsoft.Compute/virtualMachines", "Microsoft.Storage/storageAccounts", "Microsoft.Sql/servers"),
    *("Microsoft.Network/publicIPAddresses", "Microsoft.Network/virtualNetworks", "Microsoft.Insights/components"),
    *("Microsoft.KeyVault/vaults", "Microsoft.ContainerService/managedClusters"),
)
LOCATIONS = ("EastUS", "WestEurope", "NorthEurope", "WestUS2", "SoutheastAsia", "UKSouth")
SIZES = ("Standard_D2s_v5", "Standard_D4s_v5", "Standard_E8s_v5", "Standard_B2ms")
ENVIRONMENTS = ("Production", "Development", "Test", "Production")

CATEGORY, LOCATION, KIND = pick(CATEGORIES, "service"), pick(LOCATIONS, "region"), pick(KINDS, "service")
SIZE = pick(SIZES, "meter % 4")
GROUP = "'rg-' || (resource % 45) || '-' || (resource % 400)"
SUBSCRIPTION = "'5ab00000-0000-4000-8000-' || lpad(CAST(subscription AS VARCHAR), 12, '0')"
NAME = "'res-' || resource"
ID = f"'/subscriptions/' || {SUBSCRIPTION} || '/resourceGroups/' || {GROUP} || '/providers/' || {KIND} || '/' || {NAME}"
RESERVED = "model = 'Reservation'"
ORDER = f"'0de40000-0000-4000-8000-' || lpad(CAST(block % {RESERVATIONS} AS VARCHAR), 12, '0')"
PLAN = f"'51a00000-0000-4000-8000-' || lpad(CAST(block % {PLANS} AS VARCHAR), 12, '0')"
BENEFIT = when(
    RESERVED,
    f"'/providers/Microsoft.Capacity/reservationOrders/' || {ORDER} || '/reservations/' || {ORDER}",
    f"'/providers/Microsoft.BillingBenefits/savingsPlanOrders/' || {PLAN} || '/savingsPlans/' || {PLAN}",
)
COVERED = "kind IN ('used', 'commitment')"
USED = "kind IN ('usage', 'used')"
PRICE = _money("tenmillionths * 1000")
DAY = "strftime(DATE '2026-01-01' + CAST(block % 31 AS INTEGER), '%m/%d/%Y')"
TAGS = (
    f'\'"environment": "\' || {pick(ENVIRONMENTS, "resource % 4")} || \'","team": "team-\' || (resource % 45)'
    ' || \'","cost-center": "cc-\' || (resource % 210) || \'"\''
)
MORE = (
    f'\'{{"UsageType":"ComputeHR","ImageType":"Canonical","ServiceType":"\' || {SIZE} || \'","VMName":null,'
    '"VCPUs":\' || (2 ** (meter % 5)) || \',"ReservationOrderId":null}\''
)
NAME_OF_COMMITMENT = when(RESERVED, f"'reservation-' || (block % {RESERVATIONS})", f"'plan-' || (block % {PLANS})")

FILLED = {
    "InvoiceSectionName": "'Engineering ' || (subscription % 5)",
    "AccountName": "'Example Engineering'",
    "AccountOwnerId": "'owner@example.com'",
    "SubscriptionId": when("kind <> 'commitment'", SUBSCRIPTION),
    "SubscriptionName": when("kind <> 'commitment'", "'example-subscription-' || subscription"),
    "ResourceGroup": when(USED, GROUP),
    "ResourceLocation": when(USED, LOCATION),
    "ResourceLocationNormalized": when(USED, f"lower({LOCATION})"),
    "Date": DAY,
    "ProductName": when(
        USED,
        f"{CATEGORY} || ' Series ' || (meter % 90) || ' - Meter ' || meter || ' - ' || {LOCATION}",
        "'Example fee'",
    ),
    "MeterCategory": when("kind = 'marketplace'", "'SaaS'", CATEGORY),
    "MeterSubCategory": when("kind <> 'marketplace'", f"{CATEGORY} || ' Series ' || (meter % 90)"),
    "MeterId": "'3e7e0000-0000-4000-8000-' || lpad(CAST(meter AS VARCHAR), 12, '0')",
    "MeterName": "'Meter ' || meter",
    "MeterRegion": when(USED, f"'Region ' || {LOCATION}"),
    "UnitOfMeasure": when(USED, pick(UNITS, "service"), "'1 Hour'"),
    "CostCenter": "'ENG-' || (subscription % 9)",
    "ConsumedService": when(USED, f"split_part({KIND}, '/', 1)"),
    "ResourceId": when(USED, ID),
    "Tags": when(f"{USED} AND resource % 4 <> 0", TAGS),
    "OfferId": "'MS-AZR-0017P'",
    "AdditionalInfo": when(f"{USED} AND service IN (0, 7)", MORE),
    "ResourceName": when(USED, NAME),
    "ReservationId": when(f"{COVERED} AND {RESERVED}", ORDER),
    "ReservationName": when(f"{COVERED} AND {RESERVED}", NAME_OF_COMMITMENT),
    "ProductOrderId": when(COVERED, when(RESERVED, ORDER, PLAN)),
    "ProductOrderName": when(COVERED, when(RESERVED, "'Example reservation, 1 Year'", "'Example plan, 3 Years'")),
    "Term": when(COVERED, when(RESERVED, "'12'", "'36'")),
    "PublisherType": when("kind = 'marketplace'", "'Marketplace'", "'Azure'"),
    "PublisherName": when("kind = 'marketplace'", "'Example Vendor ' || (resource % 20)", "'Microsoft'"),
    "Frequency": when(USED, "'UsageBased'", "'Recurring'"),
    "PricingModel": "model",
    "AvailabilityZone": when(f"{USED} AND service = 0", "CAST(1 + resource % 3 AS VARCHAR)"),
    "BillingAccountId": "'70000042'",
    "BillingAccountName": "'Example Company'",
    "BillingCurrencyCode": "'USD'",
    "BillingPeriodStartDate": "'01/01/2026'",
    "BillingPeriodEndDate": "'01/31/2026'",
    "BillingProfileId": "'70000042'",
    "BillingProfileName": "'Example Company'",
    "InvoiceSectionId": "CAST(70001 + subscription % 5 AS VARCHAR)",
    "IsAzureCreditEligible": when("kind = 'marketplace'", "'False'", "'True'"),
    "PartNumber": "'EXA-' || lpad(CAST(meter AS VARCHAR), 5, '0')",
    "ServiceFamily": when("service IN (0, 7)", "'Compute'", "'Storage'"),
    "benefitId": when(COVERED, BENEFIT),
    "benefitName": when(COVERED, NAME_OF_COMMITMENT),
    "AccountId": "'70002'",
}
FEE = f"CASE model WHEN 'Reservation' THEN '{RESERVATION_FEE}' ELSE '{PLAN_FEE}' END"
QUANTITY, COST, UNUSED = _money("thousandths * 10000000"), _money("units"), _money("unused")
ITEM = "kind = 'commitment'"
METRICS = {
    "actual": {
        "ChargeType": when("kind IN ('marketplace', 'commitment')", "'Purchase'", "'Usage'"),
        "Quantity": when(ITEM, "'1'", QUANTITY),
        "UnitPrice": when(ITEM, FEE, PRICE),
        "PayGPrice": when(ITEM, FEE, PRICE),
        "EffectivePrice": when(ITEM, FEE, when("kind = 'used'", "'0'", PRICE)),
        "CostInBillingCurrency": when(ITEM, FEE, when("kind = 'used'", "'0'", COST)),
    },
    "amortized": {
        "ChargeType": "CASE kind WHEN 'marketplace' THEN 'Purchase' WHEN 'commitment' THEN 'Unused' || model"
        " ELSE 'Usage' END",
        "Frequency": when("kind = 'marketplace'", "'Recurring'", "'UsageBased'"),
        "Quantity": when(ITEM, "'1'", QUANTITY),
        "UnitPrice": when(ITEM, UNUSED, PRICE),
        "PayGPrice": when(ITEM, UNUSED, PRICE),
        "EffectivePrice": when(ITEM, UNUSED, PRICE),
        "CostInBillingCurrency": when(ITEM, UNUSED, COST),
    },
}


def select(metric: str, rows: int) -> str:
    """The report's lines, in the order of their numbers."""
    filled = FILLED | METRICS[metric]
    columns = ", ".join(
        f"nullif({filled[name]}, '') AS \"{name}\"" if name in filled else f'NULL AS "{name}"' for name in COLUMNS
    )
    line = f"WITH line AS NOT MATERIALIZED ({LINE.format(rows=rows)}), spent AS ({LEFT})"
    return f"{line} SELECT {columns} FROM line LEFT JOIN spent USING (block, model)"


def write(folder: Path, rows: int = 1_000_000) -> list[Path]:
    """The pair, in the provider's dialect; files already there are kept. Whole thousands of lines balance."""
    return [_csv(folder / f"azure-{metric}-{rows}.csv", select(metric, rows)) for metric in METRICS]


def _csv(path: Path, query: str) -> Path:
    """Written under another name first: a file that is there is whole, and kept."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
            connection.execute("SET enable_progress_bar = false")
            first = f'"{COLUMNS[0]}" AS "{MARK}{COLUMNS[0]}"'
            connection.execute(
                f"COPY (SELECT {first}, * EXCLUDE (\"{COLUMNS[0]}\") FROM ({query})) TO '{part}' (FORMAT csv)"
            )
        part.rename(path)
    return path
