-- What a unit of each kind of usage cost, and on which days that had some. Earlier months count too: an idle day has no rate of its own.
-- A sheet says the same of a kind day after day: its lines are brought together as they are unloaded, and read only then.
WITH day AS (
    SELECT "DATE" AS unloaded_day, day_of(told("DATE")) AS day FROM (SELECT DISTINCT "DATE" FROM unloaded)
),
line AS (
    SELECT
        ACCOUNT_LOCATOR, REGION, USAGE_TYPE, SERVICE_TYPE, RATING_TYPE, BILLING_TYPE, IS_ADJUSTMENT, CURRENCY, EFFECTIVE_RATE, list(day) AS days
    FROM unloaded JOIN day ON "DATE" = unloaded_day
    WHERE day < CAST(getvariable('period_end') AS DATE)
    GROUP BY ALL
)
SELECT
    days,
    folded(told(ACCOUNT_LOCATOR)) AS account,
    region_name(told(REGION)) AS region,
    trim(told(USAGE_TYPE)) AS usage_type,
    trim(told(SERVICE_TYPE)) AS service_type,
    trim(told(RATING_TYPE)) AS rating_type,
    trim(told(BILLING_TYPE)) AS billing_type,
    coalesce(TRY_CAST(trim(told(IS_ADJUSTMENT)) AS BOOLEAN), false) AS is_adjustment,
    upper(trim(told(CURRENCY))) AS currency,
    money(told(EFFECTIVE_RATE)) AS rate
FROM line
WHERE told(EFFECTIVE_RATE) IS NOT NULL
