-- The tags of what is there, and of warehouses and databases that were dropped since: what ran in the month is charged to
-- those too. They are found by their ids, which are never given again; users by their names, which are.
-- Two tags of one object may have the same name in two schemas: those are told apart by theirs.
WITH tag AS (
    SELECT DISTINCT
        folded(ACCOUNT_LOCATOR) AS account,
        region_name(REGION) AS region,
        upper(trim(DOMAIN)) AS domain,
        trim(OBJECT_ID) AS object_id,
        trim(OBJECT_NAME) AS object_name,
        trim(TAG_NAME) AS short_name,
        concat_ws('.', trim(TAG_DATABASE), trim(TAG_SCHEMA), trim(TAG_NAME)) AS full_name,
        trim(TAG_VALUE) AS tag_value
    FROM companion
    WHERE (OBJECT_DELETED IS NULL OR upper(trim(DOMAIN)) IN ('DATABASE', 'WAREHOUSE')) AND COLUMN_ID IS NULL AND COLUMN_NAME IS NULL
)
SELECT
    account,
    region,
    domain,
    object_id,
    object_name,
    CASE
        WHEN count(*) OVER (PARTITION BY account, region, domain, object_id, object_name, short_name) > 1 THEN full_name
        ELSE short_name
    END AS tag_name,
    tag_value
FROM tag
