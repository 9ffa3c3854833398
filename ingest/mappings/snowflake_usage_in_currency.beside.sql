-- What a rate sheet says, in few rows, once for a delivery: the mapping joins these and no longer the sheet, whose memory is given back.
-- Rows of a kind are told apart by numbers: one for the label, which may be spelt another way or be left out, and one for the
-- documented keys alone.
CREATE OR REPLACE TEMP TABLE rate_kinds AS
    SELECT
        *,
        dense_rank() OVER (ORDER BY account, region, currency, is_adjustment, label, service, rating, billing) AS by_label,
        dense_rank() OVER (ORDER BY account, region, currency, is_adjustment, is_overage, service, rating, billing) AS by_keys
    FROM (
        SELECT
            *, kind_name(usage_type) AS label, is_overage(usage_type) AS is_overage, service_named(service_type, usage_type) AS service,
            kind_name(rating_type) AS rating, billing_kind(billing_type, usage_type) AS billing
        FROM (SELECT DISTINCT account, region, currency, is_adjustment, usage_type, service_type, rating_type, billing_type FROM snowflake_rates)
    );
CREATE OR REPLACE TEMP TABLE rate_changes AS
WITH sheet AS MATERIALIZED (
    SELECT by_label, by_keys, days, rate
    FROM snowflake_rates AS r JOIN rate_kinds AS s
        ON r.account = s.account AND r.region = s.region AND r.usage_type IS NOT DISTINCT FROM s.usage_type AND r.service_type IS NOT DISTINCT FROM s.service_type
        AND r.rating_type IS NOT DISTINCT FROM s.rating_type AND r.billing_type IS NOT DISTINCT FROM s.billing_type
        AND r.is_adjustment = s.is_adjustment AND r.currency IS NOT DISTINCT FROM s.currency
),
numbered AS (
    SELECT 'label' AS found_by, by_label AS number, days, rate FROM sheet UNION ALL SELECT 'keys', by_keys, days, rate FROM sheet
),
-- Most rates never change.
steady AS MATERIALIZED (
    SELECT found_by, number, min(list_min(days)) AS day, min(rate) AS rate, min(rate) = max(rate) AND count(rate) = count(*) AS is_steady FROM numbered GROUP BY ALL
),
-- A day without use has no rate of its own: the last one before it holds. Where a day has several for one kind, there is none.
-- Only the days on which a rate changes are kept: there are few of them.
rated AS (
    SELECT found_by, number, day, CASE WHEN min(rate) = max(rate) THEN min(rate) END AS rate
    FROM (
        SELECT found_by, number, unnest(days) AS day, rate
        FROM numbered SEMI JOIN (SELECT found_by, number FROM steady WHERE is_steady IS NOT TRUE) AS s USING (found_by, number)
    )
    GROUP BY ALL
),
changes AS (
    SELECT *, row_number() OVER kind = 1 OR rate IS DISTINCT FROM lag(rate) OVER kind AS is_change
    FROM rated WINDOW kind AS (PARTITION BY found_by, number ORDER BY day)
),
rate_of AS MATERIALIZED (
    SELECT found_by, number, day, coalesce(lead(day) OVER (PARTITION BY found_by, number ORDER BY day), DATE '9999-12-31') AS until, rate
    FROM changes WHERE is_change
    UNION ALL
    SELECT found_by, number, day, DATE '9999-12-31', rate FROM steady WHERE is_steady
)
SELECT *, TRY_CAST(rate AS DECIMAL(19, 15)) AS cut_rate, CASE WHEN TRY_CAST(rate AS DECIMAL(9, 4)) = rate THEN TRY_CAST(rate AS DECIMAL(9, 4)) END AS short_rate
FROM rate_of;
CREATE OR REPLACE TEMP TABLE snowflake_rates AS FROM snowflake_rates LIMIT 0;
