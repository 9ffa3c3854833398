-- What lines of one kind have in common, worked out once for all of them: a bill has few kinds of lines, and most days of a month have each.
WITH kind AS MATERIALIZED (
    SELECT DISTINCT
        ORGANIZATION_NAME, CONTRACT_NUMBER, ACCOUNT_NAME, ACCOUNT_LOCATOR, REGION, SERVICE_LEVEL, USAGE_TYPE, CURRENCY, BALANCE_SOURCE,
        BILLING_TYPE, RATING_TYPE, SERVICE_TYPE, IS_ADJUSTMENT, x_RowKind, bought_item
    FROM rows
),
sort AS MATERIALIZED (
    SELECT
        *,
        service_named(SERVICE_TYPE, USAGE_TYPE) AS service,
        kind_name(RATING_TYPE) AS rating,
        billing_kind(BILLING_TYPE, USAGE_TYPE) AS billing,
        kind_name(USAGE_TYPE) AS label,
        is_adjusted(IS_ADJUSTMENT, USAGE_TYPE) AS is_adjusted,
        is_overage(USAGE_TYPE) AS is_overage,
        is_reader(USAGE_TYPE) AS is_of_reader,
        CASE WHEN regexp_matches(USAGE_TYPE, '(?i)storage|transfer') THEN 'TB' ELSE 'Credits' END AS unit_by_label
    FROM (SELECT DISTINCT SERVICE_TYPE, USAGE_TYPE, RATING_TYPE, BILLING_TYPE, IS_ADJUSTMENT FROM kind)
),
place AS MATERIALIZED (
    SELECT *, folded(ACCOUNT_LOCATOR) AS account, region_name(REGION) AS cloud_place, blank_to_null(REGION) AS cloud_region, host_of(blank_to_null(REGION)) AS host
    FROM (SELECT DISTINCT ACCOUNT_LOCATOR, REGION FROM kind)
),
told AS (
    SELECT
        k.*,
        s.* EXCLUDE (SERVICE_TYPE, USAGE_TYPE, RATING_TYPE, BILLING_TYPE, IS_ADJUSTMENT),
        p.* EXCLUDE (ACCOUNT_LOCATOR, REGION),
        upper(trim(CURRENCY)) AS currency_code,
        upper(trim(ORGANIZATION_NAME)) AS organization,
        coalesce(trim(CONTRACT_NUMBER), '') AS contract_number,
        balance_kind(BALANCE_SOURCE) AS paid_from,
        operator_of(getvariable('marketplace')) AS operator
    FROM kind AS k
    JOIN sort AS s
        ON k.SERVICE_TYPE IS NOT DISTINCT FROM s.SERVICE_TYPE AND k.USAGE_TYPE IS NOT DISTINCT FROM s.USAGE_TYPE AND k.RATING_TYPE IS NOT DISTINCT FROM s.RATING_TYPE
        AND k.BILLING_TYPE IS NOT DISTINCT FROM s.BILLING_TYPE AND k.IS_ADJUSTMENT IS NOT DISTINCT FROM s.IS_ADJUSTMENT
    JOIN place AS p ON k.ACCOUNT_LOCATOR IS NOT DISTINCT FROM p.ACCOUNT_LOCATOR AND k.REGION IS NOT DISTINCT FROM p.REGION
),
line AS (
    SELECT
        t.*,
        -- What was rolled over is of an earlier contract, whatever its number.
        CASE WHEN paid_from = 'rollover' OR blank_to_null(CONTRACT_NUMBER) IS NULL THEN organization ELSE trim(CONTRACT_NUMBER) END AS payer,
        coalesce(b.ChargeCategory, 'Usage') AS category,
        coalesce(b.ChargeFrequency, 'Usage-Based') AS frequency,
        coalesce(b.ChargeCategory, 'Usage') IN ('Usage', 'Purchase') AS is_priced,
        coalesce(r.unit, CASE WHEN t.rating <> '' THEN 'Units' ELSE t.unit_by_label END) AS unit,
        CASE WHEN r.unit IS NULL THEN 'PricingUnit: assumed' END AS unit_source,
        coalesce(s.ServiceName, 'Snowflake ' || t.service) AS service_name,
        coalesce(s.ServiceCategory, 'Other') AS service_category,
        coalesce(s.ServiceSubcategory, 'Other (Other)') AS service_subcategory,
        CASE WHEN is_priced THEN service || '|' || rating END AS sku
    FROM told AS t
    LEFT JOIN snowflake_billing_types AS b ON t.billing = b.billing_type
    LEFT JOIN snowflake_rating_types AS r ON t.rating = r.rating_type
    LEFT JOIN snowflake_services AS s ON t.service = s.service_type
)
SELECT
    *,
    row_number() OVER () AS kind,
    hash(getvariable('salt'), ORGANIZATION_NAME, CONTRACT_NUMBER, ACCOUNT_NAME, ACCOUNT_LOCATOR, REGION, SERVICE_LEVEL, USAGE_TYPE, CURRENCY, BALANCE_SOURCE, BILLING_TYPE, RATING_TYPE, SERVICE_TYPE, IS_ADJUSTMENT, x_RowKind, bought_item) AS line,
    split_kind_of(service, category, USAGE_TYPE, IS_ADJUSTMENT) AS split_kind,
    split_place(account, cloud_place) AS split_place,
    applied_after(trim(BALANCE_SOURCE)) AS after_taken,
    CASE WHEN is_priced THEN unit_source END AS unit_told,
    concat_ws('; ', 'PricingQuantity: assumed', unit_told) AS flat_told,
    concat_ws('; ', 'ContractedUnitPrice: sheet; ContractedCost: sheet', 'ListUnitPrice: contracted; ListCost: contracted', unit_told) AS sheet_told,
    concat_ws('; ', 'ListUnitPrice: contracted; ListCost: contracted', unit_told) AS own_told,
    coalesce(blank_to_null(CONTRACT_NUMBER), trim(ORGANIZATION_NAME)) AS BillingAccountId,
    trim(ORGANIZATION_NAME) AS BillingAccountName,
    CASE WHEN blank_to_null(CONTRACT_NUMBER) IS NULL THEN 'Organization' ELSE 'Contract' END AS BillingAccountType,
    upper(trim(CURRENCY)) AS BillingCurrency,
    category AS ChargeCategory,
    blank_to_null(USAGE_TYPE) AS ChargeDescription,
    frequency AS ChargeFrequency,
    unit AS ConsumedUnit,
    CASE WHEN category NOT IN ('Tax', 'Adjustment') THEN host END AS HostProviderName,
    coalesce(operator, 'Snowflake') AS InvoiceIssuerName,
    upper(trim(CURRENCY)) AS PricingCurrency,
    unit AS PricingUnit,
    coalesce(operator, 'Snowflake') AS ProviderName,
    cloud_region AS RegionId,
    cloud_region AS RegionName,
    CASE WHEN bought_item IS NOT NULL THEN blank_to_null(USAGE_TYPE) END AS ResourceName,
    service_category AS ServiceCategory,
    service_name AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    sku AS SkuId,
    CASE WHEN is_priced THEN service END AS SkuMeter,
    CASE WHEN is_priced THEN concat_ws('|', sku, coalesce(cloud_region, ''), coalesce(blank_to_null(SERVICE_LEVEL), ''), coalesce(blank_to_null(BALANCE_SOURCE), '')) END AS SkuPriceId,
    -- A locator is unique only within its region.
    upper(trim(ACCOUNT_LOCATOR) || coalesce('.' || cloud_region, '')) AS SubAccountId,
    coalesce(blank_to_null(ACCOUNT_NAME), upper(trim(ACCOUNT_LOCATOR) || coalesce('.' || cloud_region, ''))) AS SubAccountName,
    CASE WHEN ACCOUNT_LOCATOR IS NULL THEN NULL WHEN is_of_reader THEN 'Reader Account' ELSE 'Account' END AS SubAccountType,
    blank_to_null(BILLING_TYPE) AS x_ChargeType,
    blank_to_null(USAGE_TYPE) AS x_UsageType,
    blank_to_null(BALANCE_SOURCE) AS x_Operation
FROM line
