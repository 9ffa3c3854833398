-- What each database held on each day, in bytes; together less than the account, which also keeps what clones share.
-- What hybrid tables hold is a charge of its own, and no share of this one.
SELECT
    day_of(USAGE_DATE) AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    coalesce(trim(DATABASE_ID), trim(DATABASE_NAME), 'unknown') AS database_id,
    trim(DATABASE_NAME) AS database_name,
    sum(bytes_of(AVERAGE_DATABASE_BYTES) + bytes_of(AVERAGE_FAILSAFE_BYTES)) AS bytes
FROM companion
WHERE in_month(day_of(USAGE_DATE))
GROUP BY 1, 2, 3, 4, 5
