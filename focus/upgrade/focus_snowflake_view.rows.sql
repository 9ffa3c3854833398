-- One row per row of the view; none is dropped. The view has no SKU: service and unit make one, with region, edition and balance its price.
SELECT
    *,
    'charge' AS x_RowKind,
    '' AS x_Rule,
    true AS x_Keep,
    'snowflake' AS provider,
    CAST(NULL AS VARCHAR) AS provider_named,
    CAST(NULL AS VARCHAR) AS publisher_named,
    'Snowflake' AS service_code,
    ChargeDescription AS usage_type,
    CASE WHEN json_valid(ContractApplied) THEN coalesce(ContractApplied ->> '$.Elements[0].x_BalanceSource', ContractApplied ->> '$[0].x_BalanceSource') END AS operation,
    ServiceName AS service_named,
    ChargeDescription AS described,
    InvoiceId AS invoice,
    coalesce(SkuMeter, ServiceName) AS meter,
    PricingCurrency AS priced_in,
    CAST(NULL AS VARCHAR) AS effective_usd,
    ResourceType AS resource_kind,
    SkuId AS sku_told,
    SkuPriceId AS sku_price_told,
    concat_ws('|', ServiceName, PricingUnit) AS sku_key,
    concat_ws('|', sku_key, coalesce(RegionId, ''), coalesce(x_ServiceLevel, ''), coalesce(operation, '')) AS sku_price_key
FROM raw
