-- Snowflake USAGE_IN_CURRENCY_DAILY to FOCUS 1.3, one line per column in the specification's order.
WITH told AS (
    SELECT
        *,
        service_named(SERVICE_TYPE, USAGE_TYPE) AS service,
        kind_name(RATING_TYPE) AS rating,
        billing_kind(BILLING_TYPE, USAGE_TYPE) AS billing,
        kind_name(USAGE_TYPE) AS label,
        is_adjusted(IS_ADJUSTMENT, USAGE_TYPE) AS is_adjusted,
        folded(ACCOUNT_LOCATOR) AS account,
        region_name(REGION) AS cloud_place,
        money(USAGE_IN_CURRENCY) AS cost,
        money(USAGE) AS counted,
        blank_to_null(REGION) AS cloud_region,
        date_of(USAGE_DATE) AS usage_day,
        balance_kind(BALANCE_SOURCE) AS paid_from,
        -- What was rolled over is of an earlier contract, whatever its number.
        CASE WHEN paid_from = 'rollover' OR blank_to_null(CONTRACT_NUMBER) IS NULL THEN upper(trim(ORGANIZATION_NAME)) ELSE trim(CONTRACT_NUMBER) END AS payer,
        operator_of(getvariable('marketplace')) AS operator
    FROM rows
    WHERE x_Keep
),
item AS (
    SELECT *, upper(organization) AS payer, item_kind(item) AS kind, item_id(contract, item, starts) AS commitment FROM snowflake_contracts
),
stated AS (
    SELECT day, currency, upper(organization) AS organization, coalesce(contract, '') AS contract, shortest(capacity) AS capacity, shortest(rollover) AS rollover, shortest(free) AS free
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
drawn AS (
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
sheet AS MATERIALIZED (
    SELECT
        account, region, currency, day, is_adjustment, kind_name(usage_type) AS label, is_overage(usage_type) AS is_overage,
        service_named(service_type, usage_type) AS service, kind_name(rating_type) AS rating, billing_kind(billing_type, usage_type) AS billing,
        min(rate) AS low, max(rate) AS high
    FROM snowflake_rates
    GROUP BY ALL
),
-- A day without use has no rate of its own: the last one before it holds. Where a day has several for one kind, there is none.
-- Only the days on which a rate changes are kept: there are few of them.
rated AS (
    SELECT account, region, currency, label, service, rating, billing, is_adjustment, day, CASE WHEN min(low) = max(high) THEN min(low) END AS rate
    FROM sheet GROUP BY ALL
),
label_changes AS (
    SELECT *, row_number() OVER kind = 1 OR rate IS DISTINCT FROM lag(rate) OVER kind AS is_change
    FROM rated WINDOW kind AS (PARTITION BY account, region, currency, label, service, rating, billing, is_adjustment ORDER BY day)
),
label_rate AS (
    SELECT *, coalesce(lead(day) OVER (PARTITION BY account, region, currency, label, service, rating, billing, is_adjustment ORDER BY day), DATE '9999-12-31') AS until
    FROM label_changes WHERE is_change
),
-- The label may be spelt another way or be left out: the documented keys, too, tell what a rate is for.
rated_by_keys AS (
    SELECT account, region, currency, is_overage, service, rating, billing, is_adjustment, day, CASE WHEN min(low) = max(high) THEN min(low) END AS rate
    FROM sheet GROUP BY ALL
),
key_changes AS (
    SELECT *, row_number() OVER kind = 1 OR rate IS DISTINCT FROM lag(rate) OVER kind AS is_change
    FROM rated_by_keys WINDOW kind AS (PARTITION BY account, region, currency, is_overage, service, rating, billing, is_adjustment ORDER BY day)
),
key_rate AS (
    SELECT *, coalesce(lead(day) OVER (PARTITION BY account, region, currency, is_overage, service, rating, billing, is_adjustment ORDER BY day), DATE '9999-12-31') AS until
    FROM key_changes WHERE is_change
),
line AS (
    SELECT
        t.*,
        coalesce(b.ChargeCategory, 'Usage') AS category,
        coalesce(b.ChargeFrequency, 'Usage-Based') AS frequency,
        coalesce(b.ChargeCategory, 'Usage') IN ('Usage', 'Purchase') AS is_priced,
        -- A fee for no quantity is one fee.
        category = 'Purchase' AND coalesce(t.counted, 0) = 0 AND t.cost <> 0 AS is_flat,
        CASE WHEN is_flat THEN 1 WHEN is_priced THEN t.counted END AS pricing_quantity,
        is_priced AND NOT is_flat AS is_rated,
        -- A rate of zero beside a cost is a missing rate.
        CASE WHEN is_rated AND (t.cost = 0 OR money(t.EFFECTIVE_RATE) <> 0) THEN blank_to_null(t.EFFECTIVE_RATE) END AS own_price,
        CASE WHEN lr.day IS NOT NULL THEN lr.rate ELSE kr.rate END AS sheet_rate,
        CASE WHEN is_rated AND own_price IS NULL AND (t.cost = 0 OR sheet_rate <> 0) THEN CAST(sheet_rate AS VARCHAR) END AS sheet_price,
        coalesce(own_price, sheet_price) AS contracted_price,
        coalesce(r.unit, CASE WHEN t.rating <> '' THEN 'Units' WHEN regexp_matches(t.USAGE_TYPE, '(?i)storage|transfer') THEN 'TB' ELSE 'Credits' END) AS unit,
        CASE WHEN r.unit IS NULL THEN 'PricingUnit: assumed' END AS unit_source,
        coalesce(s.ServiceName, 'Snowflake ' || t.service) AS service_name,
        coalesce(s.ServiceCategory, 'Other') AS service_category,
        coalesce(s.ServiceSubcategory, 'Other (Other)') AS service_subcategory,
        d.contract AS drawn_contract,
        d.commitment AS drawn_commitment,
        CASE t.paid_from WHEN 'capacity' THEN c.capacity WHEN 'rollover' THEN c.rollover WHEN 'free usage' THEN c.free END AS balance,
        host_of(t.cloud_region) AS host
    FROM told AS t
    LEFT JOIN snowflake_billing_types AS b ON t.billing = b.billing_type
    LEFT JOIN snowflake_rating_types AS r ON t.rating = r.rating_type
    LEFT JOIN snowflake_services AS s ON t.service = s.service_type
    LEFT JOIN label_rate AS lr
        ON t.usage_day >= lr.day AND t.usage_day < lr.until AND t.account = lr.account AND t.cloud_place = lr.region AND trim(t.CURRENCY) = lr.currency AND t.label = lr.label
        AND t.service = lr.service AND t.rating = lr.rating AND t.billing = lr.billing AND t.is_adjusted = lr.is_adjustment
    LEFT JOIN key_rate AS kr
        ON t.usage_day >= kr.day AND t.usage_day < kr.until AND t.account = kr.account AND t.cloud_place = kr.region AND trim(t.CURRENCY) = kr.currency AND is_overage(t.USAGE_TYPE) = kr.is_overage
        AND t.service = kr.service AND t.rating = kr.rating AND t.billing = kr.billing AND t.is_adjusted = kr.is_adjustment
    LEFT JOIN drawn AS d ON t.usage_day = d.day AND trim(t.CURRENCY) = d.currency AND t.paid_from = d.paid_from AND t.payer = d.payer
    LEFT JOIN stated AS c ON t.usage_day = c.day AND trim(t.CURRENCY) = c.currency AND upper(trim(t.ORGANIZATION_NAME)) = c.organization
        AND coalesce(trim(t.CONTRACT_NUMBER), '') = c.contract
)
SELECT
    NULL AS AllocatedMethodId,
    NULL AS AllocatedMethodDetails,
    NULL AS AllocatedResourceId,
    NULL AS AllocatedResourceName,
    NULL AS AllocatedTags,
    NULL AS AvailabilityZone,
    CASE WHEN x_Rule = '' THEN cost ELSE 0 END AS BilledCost,
    coalesce(blank_to_null(CONTRACT_NUMBER), trim(ORGANIZATION_NAME)) AS BillingAccountId,
    trim(ORGANIZATION_NAME) AS BillingAccountName,
    CASE WHEN blank_to_null(CONTRACT_NUMBER) IS NULL THEN 'Organization' ELSE 'Contract' END AS BillingAccountType,
    trim(CURRENCY) AS BillingCurrency,
    CAST(getvariable('period_end') AS TIMESTAMPTZ) AS BillingPeriodEnd,
    CAST(getvariable('period_start') AS TIMESTAMPTZ) AS BillingPeriodStart,
    NULL AS CapacityReservationId,
    NULL AS CapacityReservationStatus,
    category AS ChargeCategory,
    NULL AS ChargeClass,
    blank_to_null(USAGE_TYPE) AS ChargeDescription,
    frequency AS ChargeFrequency,
    utc(date_of(USAGE_DATE) + INTERVAL 1 DAY) AS ChargePeriodEnd,
    utc(date_of(USAGE_DATE)) AS ChargePeriodStart,
    NULL AS CommitmentDiscountCategory,
    NULL AS CommitmentDiscountId,
    NULL AS CommitmentDiscountName,
    NULL AS CommitmentDiscountQuantity,
    NULL AS CommitmentDiscountStatus,
    NULL AS CommitmentDiscountType,
    NULL AS CommitmentDiscountUnit,
    CASE WHEN category = 'Usage' THEN counted END AS ConsumedQuantity,
    CASE WHEN ConsumedQuantity IS NOT NULL THEN unit END AS ConsumedUnit,
    -- The specification wants a purchase to name what it buys; a fee that is paid from capacity buys none of it.
    CASE WHEN category <> 'Purchase' THEN drawn_from(drawn_contract, drawn_commitment, cost, trim(BALANCE_SOURCE), balance) END AS ContractApplied,
    -- USAGE_IN_CURRENCY is usage at the contract's rate, rounded; with the rate itself at hand the unrounded product is better.
    CASE WHEN is_priced THEN product(contracted_price, USAGE) ELSE cost END AS ContractedCost,
    money(contracted_price) AS ContractedUnitPrice,
    -- What is bought in advance is used by later lines.
    CASE WHEN is_bought THEN 0 ELSE cost END AS EffectiveCost,
    CASE WHEN category NOT IN ('Tax', 'Adjustment') THEN host END AS HostProviderName,
    NULL AS InvoiceId,
    coalesce(operator, 'Snowflake') AS InvoiceIssuerName,
    -- The views tell no list price: the contract's rate stands in for it, and x_PriceSource says so.
    CASE WHEN is_priced THEN ContractedCost ELSE cost END AS ListCost,
    ContractedUnitPrice AS ListUnitPrice,
    CASE WHEN is_priced THEN 'Standard' END AS PricingCategory,
    trim(CURRENCY) AS PricingCurrency,
    ContractedUnitPrice AS PricingCurrencyContractedUnitPrice,
    EffectiveCost AS PricingCurrencyEffectiveCost,
    ListUnitPrice AS PricingCurrencyListUnitPrice,
    pricing_quantity AS PricingQuantity,
    CASE WHEN PricingQuantity IS NOT NULL THEN unit END AS PricingUnit,
    coalesce(operator, 'Snowflake') AS ProviderName,
    'Snowflake' AS PublisherName,
    cloud_region AS RegionId,
    cloud_region AS RegionName,
    bought_item AS ResourceId,
    CASE WHEN bought_item IS NOT NULL THEN blank_to_null(USAGE_TYPE) END AS ResourceName,
    CASE WHEN bought_item IS NOT NULL THEN 'Contract Item' END AS ResourceType,
    'Snowflake' AS ServiceProviderName,
    service_category AS ServiceCategory,
    service_name AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    CASE WHEN is_priced THEN service || '|' || rating END AS SkuId,
    CASE WHEN is_priced THEN service END AS SkuMeter,
    NULL AS SkuPriceDetails,
    CASE WHEN is_priced THEN concat_ws('|', SkuId, coalesce(cloud_region, ''), coalesce(blank_to_null(SERVICE_LEVEL), ''), coalesce(blank_to_null(BALANCE_SOURCE), '')) END AS SkuPriceId,
    -- A locator is unique only within its region.
    trim(ACCOUNT_LOCATOR) || coalesce('.' || cloud_region, '') AS SubAccountId,
    coalesce(blank_to_null(ACCOUNT_NAME), SubAccountId) AS SubAccountName,
    CASE WHEN ACCOUNT_LOCATOR IS NULL THEN NULL WHEN is_reader(USAGE_TYPE) THEN 'Reader Account' ELSE 'Account' END AS SubAccountType,
    NULL AS Tags,
    'Snowflake' AS x_Provider,
    'Snowflake' AS x_ServiceCode,
    x_RowKind,
    blank_to_null(BILLING_TYPE) AS x_ChargeType,
    blank_to_null(USAGE_TYPE) AS x_UsageType,
    blank_to_null(BALANCE_SOURCE) AS x_Operation,
    getvariable('basis') AS x_EffectiveCostBasis,
    nullif(concat_ws('; ', CASE WHEN sheet_price IS NOT NULL THEN 'ContractedUnitPrice: sheet; ContractedCost: sheet' END, CASE WHEN contracted_price IS NOT NULL THEN 'ListUnitPrice: contracted; ListCost: contracted' END, CASE WHEN is_flat THEN 'PricingQuantity: assumed' END, CASE WHEN is_priced THEN unit_source END), '') AS x_PriceSource,
    NULL AS x_SourceColumns
FROM line
