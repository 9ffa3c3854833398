-- Credits of each day and warehouse. The view is by the hour; times without a zone are in UTC.
SELECT
    day_of(START_TIME) AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    coalesce(trim(WAREHOUSE_ID), trim(WAREHOUSE_NAME), 'unknown') AS warehouse_id,
    trim(WAREHOUSE_NAME) AS warehouse_name,
    sum(coalesce(money(CREDITS_USED_COMPUTE), 0)) AS credits_compute,
    sum(coalesce(money(CREDITS_USED_CLOUD_SERVICES), 0)) AS credits_cloud,
    sum(coalesce(money(CREDITS_ATTRIBUTED_COMPUTE_QUERIES), 0)) AS credits_attributed
FROM companion
WHERE in_month(day_of(START_TIME))
GROUP BY 1, 2, 3, 4, 5
