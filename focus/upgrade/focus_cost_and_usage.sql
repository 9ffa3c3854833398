-- A FOCUS export of version 1.0 to 1.3 to FOCUS 1.3, one line per column in the specification's order.
WITH told AS (
    SELECT
        *,
        trim(ChargeCategory) AS category,
        ChargeCategory IN ('Usage', 'Purchase') AS is_priced,
        money(BilledCost) AS billed,
        money(EffectiveCost) AS effective,
        money(list_cost_told) AS list_given,
        money(contracted_cost_told) AS contracted_given,
        billed <> 0 OR effective <> 0 AS is_paid,
        -- A price or a cost of zero beside money that is paid is a missing one.
        CASE WHEN NOT (is_paid AND money(ListUnitPrice) = 0) THEN ListUnitPrice END AS list_stated,
        CASE WHEN NOT (is_paid AND money(ContractedUnitPrice) = 0) THEN ContractedUnitPrice END AS contracted_stated,
        -- A price sheet tells the price where the row has neither that nor a cost.
        sheet_list IS NOT NULL AND list_stated IS NULL AND coalesce(list_given, 0) = 0 AS is_list_sheet,
        sheet_unit IS NOT NULL AND contracted_stated IS NULL AND coalesce(contracted_given, 0) = 0 AS is_contracted_sheet,
        CASE WHEN is_list_sheet THEN sheet_list ELSE list_stated END AS list_text,
        CASE WHEN is_contracted_sheet THEN sheet_unit ELSE contracted_stated END AS contracted_text,
        coalesce(quantity_told, ConsumedQuantity) AS quantity,
        -- On a credit or an adjustment a price is kept only whole: a SKU's price demands its unit prices.
        is_priced OR (category <> 'Tax' AND SkuPriceId IS NOT NULL AND list_text IS NOT NULL AND contracted_text IS NOT NULL) AS has_price,
        coalesce(trim(priced_in), trim(BillingCurrency)) AS pricing_currency,
        pricing_currency = trim(BillingCurrency) AS is_one_currency,
        CASE WHEN provider = 'azure' THEN lower(CommitmentDiscountId) ELSE CommitmentDiscountId END AS commitment_id,
        CASE
            WHEN commitment_id IS NULL THEN NULL
            WHEN CommitmentDiscountCategory IN ('Spend', 'Usage') THEN CommitmentDiscountCategory
            WHEN regexp_matches(lower(concat_ws(' ', commitment_id, CommitmentDiscountType)), 'savings ?plan|billingbenefits') THEN 'Spend'
            ELSE 'Usage'
        END AS commitment_category,
        CASE
            WHEN commitment_id IS NULL THEN NULL
            WHEN CommitmentDiscountStatus IN ('Used', 'Unused') THEN CommitmentDiscountStatus
            WHEN category = 'Usage' THEN 'Used'
        END AS commitment_status,
        -- What is bought, or what lies unused, is the commitment itself.
        commitment_id IS NOT NULL AND (category = 'Purchase' OR commitment_status = 'Unused')
            AND lower(coalesce(ResourceId, commitment_id)) = lower(commitment_id) AS is_commitment,
        CASE WHEN is_commitment THEN commitment_id ELSE ResourceId END AS resource_id,
        -- Azure's first exports call usage Standard that a commitment covers.
        provider = 'azure' AND category = 'Usage' AND commitment_id IS NOT NULL AND coalesce(PricingCategory, 'Standard') = 'Standard' AS is_committed_usage
    FROM rows
    WHERE x_Keep
), line AS (
    SELECT
        t.*,
        p.*,
        coalesce(a.region_name, z.region_name) AS region_name,
        coalesce(t.service_named, p.entity) AS service_name,
        coalesce(service_category(t.ServiceCategory), n.ServiceCategory, c.ServiceCategory, m.ServiceCategory, 'Other') AS service_category,
        CASE
            WHEN getvariable('subcategory_parents')[t.ServiceSubcategory] = service_category THEN t.ServiceSubcategory
            WHEN n.ServiceCategory = service_category THEN n.ServiceSubcategory
            WHEN c.ServiceCategory = service_category THEN c.ServiceSubcategory
            WHEN m.ServiceCategory = service_category THEN m.ServiceSubcategory
            ELSE 'Other (' || service_category || ')'
        END AS service_subcategory,
        entity(coalesce(t.ServiceProviderName, t.publisher_named, t.provider_named, p.entity)) AS seller,
        CASE WHEN t.is_priced THEN coalesce(t.sku_told, t.sku_key) WHEN t.category <> 'Tax' THEN t.sku_told END AS sku_id,
        CASE WHEN t.is_priced THEN coalesce(t.sku_price_told, t.sku_price_key) WHEN t.has_price THEN t.SkuPriceId END AS sku_price_id,
        CASE WHEN t.has_price THEN money(t.list_text) END AS list_price,
        CASE WHEN t.has_price THEN money(t.contracted_text) END AS contracted_price,
        CASE WHEN t.has_price THEN money(t.quantity) END AS pricing_quantity,
        CASE WHEN t.category = 'Usage' AND t.commitment_status IS DISTINCT FROM 'Unused' THEN money(coalesce(t.ConsumedQuantity, t.quantity_told)) END AS consumed_quantity,
        CASE WHEN t.is_priced AND t.commitment_id IS NOT NULL THEN money(t.CommitmentDiscountQuantity) END AS commitment_given,
        CASE
            WHEN NOT t.is_priced OR t.commitment_id IS NULL THEN NULL
            WHEN commitment_given IS NOT NULL THEN commitment_given
            -- A plan is counted in money, a reservation in what it covers.
            WHEN t.commitment_category = 'Spend' THEN CASE t.category WHEN 'Usage' THEN t.effective ELSE t.billed END
            WHEN t.commitment_status = 'Unused' THEN money(t.quantity)
            WHEN t.size_ratio IS NOT NULL THEN product(t.size_ratio, coalesce(t.ConsumedQuantity, t.quantity_told))
            ELSE money(coalesce(t.ConsumedQuantity, t.quantity_told))
        END AS commitment_quantity
    FROM told AS t
    JOIN focus_providers AS p ON t.provider = p.provider
    LEFT JOIN focus_services AS n ON lower(trim(t.service_named)) = n.service_name
    LEFT JOIN aws_services AS c ON t.service_code = c.product_code
    LEFT JOIN azure_services AS m ON lower(t.service_code) = m.meter_category
    LEFT JOIN aws_regions AS a ON t.RegionId = a.region_id
    LEFT JOIN azure_regions AS z ON lower(t.RegionId) = z.location
)
SELECT
    AllocatedMethodId,
    AllocatedMethodDetails,
    AllocatedResourceId,
    AllocatedResourceName,
    AllocatedTags,
    AvailabilityZone,
    CASE WHEN x_Rule = '' THEN billed ELSE 0 END AS BilledCost,
    trim(BillingAccountId) AS BillingAccountId,
    coalesce(BillingAccountName, trim(BillingAccountId)) AS BillingAccountName,
    coalesce(BillingAccountType, billing_account_type) AS BillingAccountType,
    trim(BillingCurrency) AS BillingCurrency,
    coalesce(instant_of(BillingPeriodEnd), CAST(getvariable('period_end') AS TIMESTAMPTZ)) AS BillingPeriodEnd,
    instant_of(BillingPeriodStart) AS BillingPeriodStart,
    capacity_id AS CapacityReservationId,
    CASE
        WHEN capacity_id IS NULL THEN NULL
        WHEN CapacityReservationStatus IN ('Used', 'Unused') THEN CapacityReservationStatus
        WHEN category = 'Usage' AND provider = 'azure' AND lower(ResourceId) = capacity_id THEN 'Unused'
        WHEN category = 'Usage' THEN 'Used'
    END AS CapacityReservationStatus,
    category AS ChargeCategory,
    CASE WHEN ChargeClass = 'Correction' THEN 'Correction' END AS ChargeClass,
    coalesce(described, concat_ws(' ', service_name, meter)) AS ChargeDescription,
    CASE
        WHEN ChargeFrequency IN ('One-Time', 'Recurring', 'Usage-Based') THEN ChargeFrequency
        WHEN category = 'Usage' THEN 'Usage-Based'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    instant_of(ChargePeriodEnd) AS ChargePeriodEnd,
    instant_of(ChargePeriodStart) AS ChargePeriodStart,
    commitment_category AS CommitmentDiscountCategory,
    commitment_id AS CommitmentDiscountId,
    CASE WHEN commitment_id IS NOT NULL THEN CommitmentDiscountName END AS CommitmentDiscountName,
    commitment_quantity AS CommitmentDiscountQuantity,
    commitment_status AS CommitmentDiscountStatus,
    CASE WHEN commitment_id IS NOT NULL THEN coalesce(CommitmentDiscountType, CASE WHEN commitment_category = 'Spend' THEN 'Savings Plan' WHEN provider = 'aws' THEN 'Reserved Instance' ELSE 'Reservation' END) END AS CommitmentDiscountType,
    CASE
        WHEN commitment_quantity IS NULL THEN NULL
        WHEN commitment_given IS NOT NULL AND CommitmentDiscountUnit IS NOT NULL THEN CommitmentDiscountUnit
        WHEN commitment_category = 'Spend' THEN trim(BillingCurrency)
        WHEN commitment_status IS DISTINCT FROM 'Unused' AND money(size_ratio) <> 1 THEN 'Normalized Hours'
        ELSE 'Hours'
    END AS CommitmentDiscountUnit,
    consumed_quantity AS ConsumedQuantity,
    CASE WHEN consumed_quantity IS NOT NULL THEN coalesce(ConsumedUnit, PricingUnit, 'Units') END AS ConsumedUnit,
    contract_applied(ContractApplied) AS ContractApplied,
    CASE
        WHEN contracted_given <> 0 OR NOT is_paid THEN contracted_given
        WHEN is_priced THEN nullif(product(contracted_text, quantity), 0)
        ELSE nullif(billed, 0)
    END AS ContractedCost,
    contracted_price AS ContractedUnitPrice,
    effective AS EffectiveCost,
    CASE
        WHEN HostProviderName IS NOT NULL THEN entity(HostProviderName)
        WHEN category IN ('Tax', 'Adjustment') OR (service_subcategory = 'Support' AND RegionId IS NULL) THEN NULL
        -- A seller's product that shows no region and no resource of ours runs where we cannot see.
        WHEN cloud(coalesce(ServiceProviderName, publisher_named, provider_named, entity)) IS DISTINCT FROM provider AND coalesce(RegionId, resource_id) IS NULL THEN seller
        WHEN provider <> 'snowflake' THEN entity
    END AS HostProviderName,
    invoice AS InvoiceId,
    issuer(coalesce(InvoiceIssuerName, provider_named, entity)) AS InvoiceIssuerName,
    CASE
        WHEN list_given <> 0 OR NOT is_paid THEN list_given
        WHEN is_priced THEN nullif(product(list_text, quantity), 0)
        ELSE nullif(billed, 0)
    END AS ListCost,
    list_price AS ListUnitPrice,
    CASE WHEN sku_price_id IS NULL THEN NULL WHEN is_committed_usage THEN 'Committed' WHEN PricingCategory IN ('Standard', 'Committed', 'Dynamic') THEN PricingCategory ELSE 'Other' END AS PricingCategory,
    pricing_currency AS PricingCurrency,
    CASE WHEN has_price AND PricingCurrencyContractedUnitPrice IS NOT NULL THEN money(PricingCurrencyContractedUnitPrice) WHEN is_one_currency THEN contracted_price END AS PricingCurrencyContractedUnitPrice,
    coalesce(money(PricingCurrencyEffectiveCost), CASE WHEN is_one_currency THEN effective WHEN pricing_currency = 'USD' THEN money(effective_usd) END) AS PricingCurrencyEffectiveCost,
    CASE WHEN has_price AND PricingCurrencyListUnitPrice IS NOT NULL THEN money(PricingCurrencyListUnitPrice) WHEN is_one_currency THEN list_price END AS PricingCurrencyListUnitPrice,
    pricing_quantity AS PricingQuantity,
    CASE WHEN pricing_quantity IS NOT NULL THEN coalesce(PricingUnit, ConsumedUnit, 'Units') END AS PricingUnit,
    coalesce(provider_named, entity) AS ProviderName,
    coalesce(publisher_named, provider_named, entity) AS PublisherName,
    RegionId,
    CASE WHEN RegionId IS NOT NULL THEN coalesce(RegionName, region_name, RegionId) END AS RegionName,
    resource_id AS ResourceId,
    CASE WHEN resource_id IS NOT NULL THEN coalesce(ResourceName, CASE WHEN is_commitment THEN CommitmentDiscountName END) END AS ResourceName,
    CASE
        WHEN resource_id IS NULL THEN NULL
        WHEN is_commitment THEN coalesce(resource_kind, CommitmentDiscountType, 'Commitment')
        ELSE coalesce(
            resource_kind,
            nullif(concat_ws(':', nullif(regexp_extract(ResourceId, '^arn:[^:]*:([^:]+):', 1), ''), nullif(regexp_extract(ResourceId, '^arn:(?:[^:]*:){4}([A-Za-z-]+)[/:].', 1), '')), ''),
            nullif(regexp_extract(lower(ResourceId), '.*/providers/([^/]+/[^/]+)/', 1), ''),
            service_name
        )
    END AS ResourceType,
    seller AS ServiceProviderName,
    service_category AS ServiceCategory,
    service_name AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    sku_id AS SkuId,
    CASE WHEN sku_id IS NOT NULL THEN meter END AS SkuMeter,
    CASE WHEN sku_price_id IS NOT NULL THEN coalesce(sku_details(SkuPriceDetails), details_told) END AS SkuPriceDetails,
    sku_price_id AS SkuPriceId,
    SubAccountId,
    CASE WHEN SubAccountId IS NOT NULL THEN coalesce(SubAccountName, SubAccountId) END AS SubAccountName,
    CASE WHEN SubAccountId IS NOT NULL THEN coalesce(SubAccountType, sub_account_type) END AS SubAccountType,
    tags_json(Tags) AS Tags,
    label AS x_Provider,
    coalesce(service_code, service_name) AS x_ServiceCode,
    x_RowKind,
    ChargeCategory AS x_ChargeType,
    coalesce(usage_type, meter) AS x_UsageType,
    operation AS x_Operation,
    'amortized' AS x_EffectiveCostBasis,
    nullif(concat_ws(
        '; ',
        CASE WHEN is_split_twice THEN 'PricingQuantity: block' END,
        CASE WHEN is_contracted_split THEN 'ContractedCost: block' END,
        CASE WHEN is_list_split THEN 'ListCost: block' END,
        CASE WHEN is_contracted_sheet THEN 'ContractedUnitPrice: sheet; ContractedCost: sheet' END,
        CASE WHEN is_contracted_sheet AND is_one_currency THEN 'PricingCurrencyContractedUnitPrice: sheet' END,
        CASE WHEN is_list_sheet THEN 'ListUnitPrice: sheet; ListCost: sheet' END,
        CASE WHEN is_list_sheet AND is_one_currency THEN 'PricingCurrencyListUnitPrice: sheet' END
    ), '') AS x_PriceSource,
    x_SourceColumns
FROM line
