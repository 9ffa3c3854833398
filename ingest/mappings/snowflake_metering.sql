-- Credits of each day and service; what the day's compute includes of cloud services is a negative adjustment.
SELECT
    day_of(USAGE_DATE) AS day,
    folded(ACCOUNT_LOCATOR) AS account,
    region_name(REGION) AS region,
    trim(SERVICE_TYPE) AS service_type,
    sum(coalesce(money(CREDITS_USED), 0)) AS credits_used,
    sum(coalesce(money(CREDITS_ADJUSTMENT_CLOUD_SERVICES), 0)) AS credits_adjustment,
    sum(coalesce(money(CREDITS_BILLED), 0)) AS credits_billed
FROM companion
WHERE in_month(day_of(USAGE_DATE))
GROUP BY 1, 2, 3, 4
