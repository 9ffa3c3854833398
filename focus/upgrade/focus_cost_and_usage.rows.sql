-- One row per exported row; none is dropped. What AWS and Azure add in columns of their own stands in for what older versions lack.
SELECT
    *,
    'charge' AS x_RowKind,
    '' AS x_Rule,
    true AS x_Keep,
    coalesce(cloud(ProviderName), cloud(PublisherName), cloud(InvoiceIssuerName), cloud(HostProviderName), '') AS provider,
    ProviderName AS provider_named,
    PublisherName AS publisher_named,
    coalesce(x_ServiceCode, x_SkuMeterCategory) AS service_code,
    coalesce(x_UsageType, x_SkuMeterName) AS usage_type,
    x_Operation AS operation,
    coalesce(ServiceName, x_SkuMeterCategory, x_SkuMeterSubcategory, x_ServiceCode) AS service_named,
    coalesce(ChargeDescription, x_SkuDescription) AS described,
    coalesce(InvoiceId, x_InvoiceId) AS invoice,
    coalesce(SkuMeter, x_UsageType, x_SkuMeterName) AS meter,
    coalesce(PricingCurrency, x_PricingCurrency) AS priced_in,
    x_EffectiveCostInUsd AS effective_usd,
    coalesce(ResourceType, x_ResourceType) AS resource_kind,
    -- AWS writes a price's key as SKU, term and rate.
    coalesce(SkuId, nullif(regexp_extract(SkuPriceId, '^([A-Z0-9]{16})\.', 1), ''), SkuPriceId) AS sku_told,
    coalesce(SkuPriceId, SkuId) AS sku_price_told,
    concat_ws(
        '|',
        coalesce(x_ServiceCode, x_SkuMeterCategory, ServiceName, ProviderName),
        coalesce(x_UsageType, x_SkuMeterId, SkuMeter, x_SkuMeterName, x_SkuPartNumber, x_SkuOrderId, ChargeDescription),
        x_Operation
    ) AS sku_key,
    sku_key AS sku_price_key
FROM raw
