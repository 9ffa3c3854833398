-- Credits of each day by warehouse, query tag and user. Idle time, cloud services and very short queries are in none.
SELECT
    day_of(START_TIME) AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    coalesce(trim(WAREHOUSE_ID), trim(WAREHOUSE_NAME), 'unknown') AS warehouse_id,
    trim(WAREHOUSE_NAME) AS warehouse_name,
    trim(QUERY_TAG) AS query_tag,
    trim(USER_NAME) AS user_name,
    sum(coalesce(money(CREDITS_ATTRIBUTED_COMPUTE), 0)) AS credits
FROM companion
WHERE in_month(day_of(START_TIME))
GROUP BY 1, 2, 3, 4, 5, 6, 7
