-- Snowflake USAGE_IN_CURRENCY_DAILY to FOCUS 1.3, one line per column in the specification's order.
WITH read AS (
    SELECT
        r.*,
        k.* EXCLUDE (ORGANIZATION_NAME, CONTRACT_NUMBER, ACCOUNT_NAME, ACCOUNT_LOCATOR, REGION, SERVICE_LEVEL, USAGE_TYPE, CURRENCY, BALANCE_SOURCE, BILLING_TYPE, RATING_TYPE, SERVICE_TYPE, IS_ADJUSTMENT, x_RowKind, bought_item),
        money(r.USAGE_IN_CURRENCY) AS cost,
        money(r.USAGE) AS counted,
        date_of(r.USAGE_DATE) AS usage_day
    FROM rows AS r
    LEFT JOIN kinds AS k ON k.line = hash(getvariable('salt'), r.ORGANIZATION_NAME, r.CONTRACT_NUMBER, r.ACCOUNT_NAME, r.ACCOUNT_LOCATOR, r.REGION, r.SERVICE_LEVEL, r.USAGE_TYPE, r.CURRENCY, r.BALANCE_SOURCE, r.BILLING_TYPE, r.RATING_TYPE, r.SERVICE_TYPE, r.IS_ADJUSTMENT, r.x_RowKind, r.bought_item)
    WHERE r.x_Keep
),
-- Most figures have few digits; the engine is many times faster with those than with as many as money may have.
told AS (
    SELECT
        *,
        CASE WHEN TRY_CAST(USAGE_IN_CURRENCY AS DECIMAL(18, 6)) = cost THEN TRY_CAST(USAGE_IN_CURRENCY AS DECIMAL(18, 6)) END AS short_cost,
        CASE WHEN TRY_CAST(USAGE AS DECIMAL(13, 5)) = counted THEN TRY_CAST(USAGE AS DECIMAL(13, 5)) END AS short_counted
    FROM read
),
item AS (
    SELECT *, upper(organization) AS payer, item_kind(item) AS kind, item_id(contract, item, starts) AS commitment FROM snowflake_contracts
),
stated AS (
    SELECT day, currency, upper(organization) AS organization, coalesce(contract, '') AS contract,
        applied_end(shortest(capacity)) AS capacity, applied_end(shortest(rollover)) AS rollover, applied_end(shortest(free)) AS free
    FROM snowflake_balances
),
day AS (
    SELECT CAST(unnest(range(CAST(getvariable('period_start') AS TIMESTAMP), CAST(getvariable('period_end') AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS day
),
covered AS (
    -- Snowflake keeps one balance for all capacity: of the items that cover a day the first one begun is named.
    SELECT day, currency, kind AS paid_from, payer, contract, arg_min(commitment, (starts, commitment)) AS commitment
    FROM item JOIN day ON day BETWEEN starts AND coalesce(ends, DATE '9999-12-31')
    WHERE kind IN ('capacity', 'free usage')
    GROUP BY ALL
),
found AS (
    SELECT day, currency, paid_from, contract AS payer, contract, commitment FROM covered
    UNION ALL
    -- A line may leave its contract out, where there is one only.
    SELECT day, currency, paid_from, payer, any_value(contract), any_value(commitment) FROM covered GROUP BY ALL HAVING count(*) = 1
    UNION ALL
    SELECT day, currency, 'rollover', payer, arg_max(contract, (ends, starts, commitment)), arg_max(commitment, (ends, starts, commitment))
    FROM item JOIN day ON ends < day
    WHERE kind = 'capacity'
    GROUP BY ALL
),
drawn AS (
    SELECT day, currency, paid_from, payer, applied_before(contract, commitment) AS before_taken FROM found
),
label_rate AS (
    SELECT k.kind, f.day, f.until, f.rate, f.cut_rate, f.short_rate
    FROM kinds AS k
    JOIN (SELECT DISTINCT account, region, currency, is_adjustment, label, service, rating, billing, by_label FROM rate_kinds) AS s
        ON k.account = s.account AND k.cloud_place = s.region AND k.currency_code = s.currency AND k.is_adjusted = s.is_adjustment AND k.label = s.label
        AND k.service = s.service AND k.rating = s.rating AND k.billing = s.billing
    JOIN rate_changes AS f ON f.found_by = 'label' AND f.number = s.by_label
),
key_rate AS (
    SELECT k.kind, f.day, f.until, f.rate, f.cut_rate, f.short_rate
    FROM kinds AS k
    JOIN (SELECT DISTINCT account, region, currency, is_adjustment, is_overage, service, rating, billing, by_keys FROM rate_kinds) AS s
        ON k.account = s.account AND k.cloud_place = s.region AND k.currency_code = s.currency AND k.is_adjusted = s.is_adjustment AND k.is_overage = s.is_overage
        AND k.service = s.service AND k.rating = s.rating AND k.billing = s.billing
    JOIN rate_changes AS f ON f.found_by = 'keys' AND f.number = s.by_keys
),
line AS (
    SELECT
        t.* EXCLUDE (after_taken),
        -- A fee for no quantity is one fee.
        category = 'Purchase' AND coalesce(t.counted, 0) = 0 AND t.cost <> 0 AS is_flat,
        CASE WHEN is_flat THEN 1 WHEN is_priced THEN t.counted END AS pricing_quantity,
        is_priced AND NOT is_flat AS is_rated,
        -- A rate of zero beside a cost is a missing rate.
        CASE WHEN is_rated AND (t.cost = 0 OR money(t.EFFECTIVE_RATE) <> 0) THEN blank_to_null(t.EFFECTIVE_RATE) END AS own_price,
        CASE WHEN lr.day IS NOT NULL THEN lr.rate ELSE kr.rate END AS sheet_rate,
        CASE WHEN lr.day IS NOT NULL THEN lr.cut_rate ELSE kr.cut_rate END AS cut_rate,
        CASE WHEN lr.day IS NOT NULL THEN lr.short_rate ELSE kr.short_rate END AS short_rate,
        -- The specification wants a purchase to name what it buys; a fee that is paid from capacity buys none of it.
        CASE WHEN category <> 'Purchase' THEN d.before_taken END AS before_taken,
        t.after_taken || coalesce(CASE t.paid_from WHEN 'capacity' THEN c.capacity WHEN 'rollover' THEN c.rollover WHEN 'free usage' THEN c.free END, applied_end(NULL)) AS after_taken
    FROM told AS t
    LEFT JOIN label_rate AS lr ON t.kind = lr.kind AND t.usage_day >= lr.day AND t.usage_day < lr.until
    LEFT JOIN key_rate AS kr ON t.kind = kr.kind AND t.usage_day >= kr.day AND t.usage_day < kr.until
    LEFT JOIN drawn AS d ON t.usage_day = d.day AND t.currency_code = d.currency AND t.paid_from = d.paid_from AND t.payer = d.payer
    LEFT JOIN stated AS c ON t.usage_day = c.day AND t.currency_code = c.currency AND t.organization = c.organization AND t.contract_number = c.contract
),
taken AS (
    SELECT
        *,
        CASE WHEN is_rated AND own_price IS NULL AND (cost = 0 OR sheet_rate <> 0) THEN sheet_rate END AS sheet_price,
        CASE WHEN sheet_price IS NOT NULL THEN short_rate * short_counted END AS short_contracted,
        -- A rate of the sheet is a number already; own prices are texts.
        coalesce(short_contracted, CASE WHEN sheet_price IS NOT NULL AND is_short(USAGE) THEN cut_rate * TRY_CAST(USAGE AS DECIMAL(19, 9)) END) AS sheet_cost
    FROM line
),
priced AS (
    SELECT
        *,
        coalesce(sheet_cost, product(CASE WHEN sheet_cost IS NULL THEN coalesce(own_price, CAST(sheet_price AS VARCHAR)) END, USAGE)) AS contracted_cost
    FROM taken
)
SELECT
    NULL AS AllocatedMethodId,
    NULL AS AllocatedMethodDetails,
    NULL AS AllocatedResourceId,
    NULL AS AllocatedResourceName,
    NULL AS AllocatedTags,
    NULL AS AvailabilityZone,
    CASE WHEN x_Rule = '' THEN cost ELSE 0 END AS BilledCost,
    BillingAccountId,
    BillingAccountName,
    BillingAccountType,
    BillingCurrency,
    CAST(getvariable('period_end') AS TIMESTAMPTZ) AS BillingPeriodEnd,
    CAST(getvariable('period_start') AS TIMESTAMPTZ) AS BillingPeriodStart,
    NULL AS CapacityReservationId,
    NULL AS CapacityReservationStatus,
    ChargeCategory,
    NULL AS ChargeClass,
    ChargeDescription,
    ChargeFrequency,
    utc(usage_day + INTERVAL 1 DAY) AS ChargePeriodEnd,
    utc(usage_day) AS ChargePeriodStart,
    NULL AS CommitmentDiscountCategory,
    NULL AS CommitmentDiscountId,
    NULL AS CommitmentDiscountName,
    NULL AS CommitmentDiscountQuantity,
    NULL AS CommitmentDiscountStatus,
    NULL AS CommitmentDiscountType,
    NULL AS CommitmentDiscountUnit,
    CASE WHEN category = 'Usage' THEN counted END AS ConsumedQuantity,
    CASE WHEN ConsumedQuantity IS NOT NULL THEN priced.ConsumedUnit END AS ConsumedUnit,
    before_taken || CASE WHEN short_cost IS NOT NULL THEN shortest(short_cost) ELSE shortest(cost) END || after_taken AS ContractApplied,
    -- USAGE_IN_CURRENCY is usage at the contract's rate, rounded; with the rate itself at hand the unrounded product is better.
    CASE WHEN is_priced THEN contracted_cost ELSE cost END AS ContractedCost,
    coalesce(sheet_price, money(own_price)) AS ContractedUnitPrice,
    -- What is bought in advance is used by later lines.
    CASE WHEN is_bought THEN 0 ELSE cost END AS EffectiveCost,
    HostProviderName,
    NULL AS InvoiceId,
    InvoiceIssuerName,
    -- The views tell no list price: the contract's rate stands in for it, and x_PriceSource says so.
    CASE WHEN is_priced THEN ContractedCost ELSE cost END AS ListCost,
    ContractedUnitPrice AS ListUnitPrice,
    CASE WHEN is_priced THEN 'Standard' END AS PricingCategory,
    PricingCurrency,
    ContractedUnitPrice AS PricingCurrencyContractedUnitPrice,
    EffectiveCost AS PricingCurrencyEffectiveCost,
    ListUnitPrice AS PricingCurrencyListUnitPrice,
    pricing_quantity AS PricingQuantity,
    CASE WHEN PricingQuantity IS NOT NULL THEN priced.PricingUnit END AS PricingUnit,
    ProviderName,
    'Snowflake' AS PublisherName,
    RegionId,
    RegionName,
    bought_item AS ResourceId,
    ResourceName,
    CASE WHEN bought_item IS NOT NULL THEN 'Contract Item' END AS ResourceType,
    'Snowflake' AS ServiceProviderName,
    ServiceCategory,
    ServiceName,
    ServiceSubcategory,
    SkuId,
    SkuMeter,
    NULL AS SkuPriceDetails,
    SkuPriceId,
    SubAccountId,
    SubAccountName,
    SubAccountType,
    NULL AS Tags,
    'Snowflake' AS x_Provider,
    'Snowflake' AS x_ServiceCode,
    x_RowKind,
    x_ChargeType,
    x_UsageType,
    x_Operation,
    getvariable('basis') AS x_EffectiveCostBasis,
    CASE
        WHEN is_flat THEN flat_told
        WHEN sheet_price IS NOT NULL THEN sheet_told
        WHEN own_price IS NOT NULL THEN own_told
        ELSE unit_told
    END AS x_PriceSource,
    NULL AS x_SourceColumns
FROM priced
