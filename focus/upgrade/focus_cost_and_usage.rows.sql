-- One row per exported row; none is dropped. What AWS and Azure add in columns of their own stands in for what older versions lack.
WITH named AS (
    SELECT
        *,
        coalesce(cloud(ProviderName), cloud(PublisherName), cloud(InvoiceIssuerName), cloud(HostProviderName), '') AS provider,
        -- Azure's own details of what was sold, where they are one JSON object.
        CASE WHEN provider = 'azure' AND json_valid(x_SkuDetails) AND json_type(x_SkuDetails) = 'OBJECT' THEN x_SkuDetails END AS details,
        TRY_CAST(PricingQuantity AS DOUBLE) AS asked,
        -- How many units make one priced unit: told, or seen where only what was used is right.
        CASE WHEN provider = 'azure' THEN coalesce(TRY_CAST(x_PricingBlockSize AS DOUBLE), TRY_CAST(ConsumedQuantity AS DOUBLE) / nullif(asked, 0)) END AS block_size
    FROM raw
), measured AS (
    SELECT
        *,
        -- Azure's exports up to late 2024 divide a quantity in blocks by the block size once too often: price x quantity is then short of the cost by just that.
        coalesce(
            block_size >= 2 AND (
                abs(TRY_CAST(ListCost AS DOUBLE) / nullif(TRY_CAST(ListUnitPrice AS DOUBLE) * asked, 0) / block_size - 1) < 0.01
                OR abs(TRY_CAST(BilledCost AS DOUBLE) / nullif(TRY_CAST(ContractedUnitPrice AS DOUBLE) * asked, 0) / block_size - 1) < 0.01
            ), false
        ) AS is_split_twice,
        CASE
            WHEN NOT is_split_twice THEN PricingQuantity
            WHEN abs(TRY_CAST(ConsumedQuantity AS DOUBLE) / asked / block_size - 1) < 0.01 THEN ConsumedQuantity
            ELSE CAST(product(PricingQuantity, x_PricingBlockSize) AS VARCHAR)
        END AS quantity_told,
        -- A cost that was made of the wrong quantity is as wrong.
        coalesce(is_split_twice AND TRY_CAST(ContractedCost AS DOUBLE) / nullif(TRY_CAST(ContractedUnitPrice AS DOUBLE) * asked, 0) BETWEEN 0.5 AND 1.5, false) AS is_contracted_split,
        coalesce(is_split_twice AND TRY_CAST(ListCost AS DOUBLE) / nullif(TRY_CAST(ListUnitPrice AS DOUBLE) * asked, 0) BETWEEN 0.5 AND 1.5, false) AS is_list_split,
        -- The capacity reservation that a machine runs in, or that stands idle.
        coalesce(CapacityReservationId, CASE WHEN json_type(details, '$.VMCapacityReservationId') = 'VARCHAR' THEN lower(nullif(trim(details ->> '$.VMCapacityReservationId'), '')) END) AS capacity_id,
        -- How many of the smallest machine of its family a reserved one counts as.
        CASE WHEN is_json_number(details ->> '$.RINormalizationRatio') AND TRY_CAST(details ->> '$.RINormalizationRatio' AS DOUBLE) BETWEEN 0.0001 AND 10000 THEN details ->> '$.RINormalizationRatio' END AS size_ratio,
        CASE WHEN json_type(details, '$.ServiceType') = 'VARCHAR' THEN nullif(trim(details ->> '$.ServiceType'), '') END AS instance_type,
        list_filter([details ->> '$.VCPUs', details ->> '$.vCores'], lambda number: regexp_full_match(number, '[1-9]\d{0,5}'))[1] AS core_count,
        provider = 'azure' AND ChargeCategory <> 'Usage' AS is_bare
    FROM named
)
SELECT
    *,
    'charge' AS x_RowKind,
    '' AS x_Rule,
    true AS x_Keep,
    ProviderName AS provider_named,
    PublisherName AS publisher_named,
    coalesce(x_ServiceCode, x_SkuMeterCategory) AS service_code,
    coalesce(x_UsageType, x_SkuMeterName) AS usage_type,
    x_Operation AS operation,
    -- Azure leaves the service of purchases, rounding and credits blank; a seller's purchase has only the seller.
    coalesce(
        ServiceName, CASE WHEN is_bare THEN x_SkuMeterSubcategory END, x_SkuMeterCategory, x_SkuMeterSubcategory, x_ServiceCode,
        CASE WHEN provider = 'azure' AND cloud(PublisherName) IS DISTINCT FROM 'azure' THEN PublisherName END
    ) AS service_named,
    coalesce(
        ChargeDescription, x_SkuDescription,
        CASE WHEN provider = 'azure' AND CommitmentDiscountStatus = 'Unused' THEN concat_ws(' ', 'Unused', coalesce(CommitmentDiscountType, 'commitment'), CommitmentDiscountName) END
    ) AS described,
    coalesce(InvoiceId, x_InvoiceId) AS invoice,
    coalesce(SkuMeter, x_UsageType, x_SkuMeterName) AS meter,
    coalesce(PricingCurrency, x_PricingCurrency) AS priced_in,
    x_EffectiveCostInUsd AS effective_usd,
    coalesce(ResourceType, x_ResourceType) AS resource_kind,
    CASE WHEN NOT is_contracted_split THEN ContractedCost END AS contracted_cost_told,
    CASE WHEN NOT is_list_split THEN ListCost END AS list_cost_told,
    nullif('{' || concat_ws(',', '"InstanceType":' || CAST(to_json(instance_type) AS VARCHAR), '"CoreCount":' || core_count) || '}', '{}') AS details_told,
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
FROM measured
