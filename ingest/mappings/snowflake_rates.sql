-- What a unit of each kind of usage cost on each day that had some. Earlier months count too: an idle day has no rate of its own.
SELECT
    day_of("DATE") AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    trim(USAGE_TYPE) AS usage_type,
    trim(SERVICE_TYPE) AS service_type,
    trim(RATING_TYPE) AS rating_type,
    trim(BILLING_TYPE) AS billing_type,
    coalesce(TRY_CAST(trim(IS_ADJUSTMENT) AS BOOLEAN), false) AS is_adjustment,
    upper(trim(CURRENCY)) AS currency,
    money(EFFECTIVE_RATE) AS rate
FROM companion
WHERE EFFECTIVE_RATE IS NOT NULL AND day_of("DATE") < CAST(getvariable('period_end') AS DATE)
