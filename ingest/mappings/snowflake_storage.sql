-- What an account held on each day, in bytes, but for hybrid tables, whose storage is a charge of its own.
SELECT
    day_of(USAGE_DATE) AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    sum(bytes_of(STORAGE_BYTES) + bytes_of(STAGE_BYTES) + bytes_of(FAILSAFE_BYTES)) AS bytes
FROM companion
WHERE in_month(day_of(USAGE_DATE))
GROUP BY 1, 2, 3
