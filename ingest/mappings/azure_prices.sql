-- The prices of view `sheet` that a pay-as-you-go charge can have. Reservations are told as the price of the whole term and
-- savings plans as what they leave of a price: neither is the price of what was used.
SELECT
    lower(trim(MeterId)) AS meter,
    lower(trim(PartNumber)) AS part,
    lower(trim(OfferId)) AS offer,
    lower(regexp_extract(trim(BillingProfileId), '([^/]+)/?$', 1)) AS profile,
    lower(trim(ProductId)) AS product,
    lower(concat_ws('_', regexp_extract(trim(ProductId), '^[^/]+'), regexp_extract(trim(SkuId), '[^/]+$'))) AS sku,
    rtrim(replace(lower(UnitOfMeasure), ' ', ''), 's') AS measure,
    TRY_CAST(regexp_extract(trim(UnitOfMeasure), '^\d+') AS DOUBLE)
        * CASE regexp_extract(trim(UnitOfMeasure), '^\d+([KM])', 1) WHEN 'K' THEN 1000 WHEN 'M' THEN 1000000 ELSE 1 END AS block,
    upper(trim(Currency)) AS currency,
    coalesce(money(TierMinimumUnits), 0) AS tier,
    CAST(coalesce(instant_of(EffectiveStartDate), utc(date_of(EffectiveStartDate))) AS DATE) AS valid_from,
    CAST(coalesce(instant_of(EffectiveEndDate), utc(date_of(EffectiveEndDate))) AS DATE) AS valid_to,
    -- The list price is what the market pays now, else what it paid when the agreement began. 0 is no price.
    nullif(coalesce(nullif(money(MarketPrice), 0), money(BasePrice)), 0) AS list_price,
    nullif(money(UnitPrice), 0) AS unit_price
FROM sheet
WHERE MeterId IS NOT NULL
    AND Term IS NULL
    AND coalesce(lower(trim(PriceType)), 'consumption') IN ('consumption', 'devtestconsumption')
    AND NOT coalesce(ProductOrderName ILIKE '%dev/test%', false)
    -- What a test subscription pays is the price of its own offer only.
    AND (lower(trim(PriceType)) IS DISTINCT FROM 'devtestconsumption' OR OfferId IS NOT NULL)
