-- Azure cost details of every agreement to FOCUS 1.3, one line per column in the specification's order.
-- What a long text tells is read once for all lines that have it.
WITH commitment AS (
    SELECT
        commitment_id AS told_commitment,
        kind_of(commitment_id, regexp_extract(split_part(commitment_id, '/providers/', -1), '^[^/]+/[^/]+')) AS commitment_kind,
        nullif(regexp_extract(commitment_id, '([^/]+)/?$', 1), '') AS commitment_name,
        contract_of(commitment_id) AS contract_id
    FROM (SELECT DISTINCT commitment_id FROM rows WHERE commitment_id IS NOT NULL)
),
-- Text that is no flat JSON object of different keys, even with its braces, is kept whole under one key.
tagged AS (
    SELECT Tags AS told_tags, CASE WHEN braced(Tags) IS NOT NULL THEN coalesce(flat_object(braced(Tags)), CAST(json_object('x_UnreadableTags', Tags) AS VARCHAR)) END AS tag_object
    FROM (SELECT DISTINCT Tags FROM raw WHERE Tags IS NOT NULL)
),
-- What was sold: none of it where the text is not JSON.
sold AS (
    SELECT
        AdditionalInfo AS told_info,
        TRY(json_extract_string(AdditionalInfo, ['$.ServiceType', '$.VCPUs', '$.VMCapacityReservationId'])) AS details,
        CASE WHEN regexp_full_match(details[1], '[A-Za-z][A-Za-z0-9_. -]{0,63}') THEN details[1] END AS instance_type,
        CASE WHEN regexp_full_match(details[2], '[1-9]\d{0,5}') THEN details[2] END AS core_count,
        nullif('{' || concat_ws(',', '"InstanceType":' || to_json(instance_type), '"CoreCount":' || core_count) || '}', '{}') AS sku_details,
        CASE WHEN starts_with(details[3], '/') THEN lower(details[3]) END AS capacity_id
    FROM (SELECT DISTINCT AdditionalInfo FROM raw WHERE starts_with(ltrim(AdditionalInfo), '{'))
),
measure AS (
    SELECT
        UnitOfMeasure AS told_measure,
        -- The leading count of '100 Hours', '10K' or '1/Month' is a block size; what follows is the unit.
        ltrim(trim(UnitOfMeasure), '0123456789') AS measured,
        left(trim(UnitOfMeasure), length(trim(UnitOfMeasure)) - length(measured)) AS counted,
        -- A text that no table knows has a block only where a space or a slash sets it off: '1,000 Calls' is a unit of its own.
        coalesce(regexp_full_match(counted, '[1-9]\d{0,11}') AND (u.unit IS NOT NULL OR left(measured, 1) IN (' ', '/')) AND length(counted || coalesce(u.zeros, '')) < 16, false) AS is_counted,
        -- Quantity counts blocks and UnitPrice is that of a block: real lines have 0.0004 of '10K' at 0.1, the list price of
        -- 10,000, and 499.399 of '1K' at the price of 1,000. Hours are counted one by one, whatever their block: a real line
        -- has 3 of '100 Hours' at 0.025, which another has as the price of '1 Hour'.
        CASE WHEN u.unit = 'Hours' OR NOT is_counted THEN '1' ELSE counted || coalesce(u.zeros, '') END AS told_block,
        coalesce(u.unit, CASE WHEN is_counted THEN blank_to_null(measured) END, blank_to_null(UnitOfMeasure), 'Units') AS told_unit
    FROM (SELECT DISTINCT UnitOfMeasure FROM raw WHERE UnitOfMeasure IS NOT NULL)
    LEFT JOIN azure_units AS u ON unit_key(UnitOfMeasure) = u.source_unit
),
told AS (
    SELECT
        *,
        lower(blank_to_null(ResourceId)) AS resource_id,
        coalesce(blank_to_null(MeterCategory), blank_to_null(ConsumedService), 'Azure') AS meter_category,
        lower(coalesce(blank_to_null(ConsumedService), regexp_extract(ResourceId, '.*/providers/([^/]+)/', 1), '')) AS resource_provider,
        coalesce(PublisherType ILIKE 'marketplace', false) AS is_marketplace,
        lower(replace(coalesce(blank_to_null(ResourceLocationNormalized), blank_to_null(ResourceLocation)), ' ', '')) AS location,
        money(CostInBillingCurrency) AS cost,
        money(Quantity) AS blocks,
        upper(trim(BillingCurrencyCode)) AS currency,
        money(price) AS price_amount,
        money(PayGPrice) AS list_amount,
        -- Of a customer agreement prices are in the pricing currency, and the rate is that of its invoice.
        coalesce(upper(blank_to_null(PricingCurrency)), currency) AS pricing_currency,
        CASE WHEN pricing_currency = currency THEN '1' WHEN TRY_CAST(ExchangeRatePricingToBilling AS DOUBLE) > 0 THEN trim(ExchangeRatePricingToBilling) END AS rate,
        CASE WHEN is_marketplace THEN coalesce(blank_to_null(PublisherName), 'Microsoft') ELSE issuer END AS seller
    FROM rows
    WHERE x_Keep
),
line AS (
    SELECT
        t.*,
        o.commitment_kind,
        o.contract_id,
        o.commitment_name,
        i.sku_details,
        i.capacity_id,
        j.tag_object,
        coalesce(c.ChargeCategory, 'Adjustment') AS category,
        CASE WHEN blank_to_null(t.PreviousInvoiceId) IS NOT NULL THEN 'Correction' ELSE c.ChargeClass END AS class,
        c.commitment_status,
        -- A refund whose cost and quantity differ in sign has no price that could be true, so it is told without a SKU price.
        category IN ('Usage', 'Purchase') AND (class IS DISTINCT FROM 'Correction' OR coalesce(sign(t.cost) = sign(t.blocks), false)) AS is_priced,
        -- A fee for no quantity is one fee.
        is_priced AND category = 'Purchase' AND coalesce(t.blocks, 0) = 0 AND t.cost <> 0 AS is_flat,
        CASE WHEN is_flat THEN 1 WHEN is_priced THEN t.blocks END AS pricing_quantity,
        CASE WHEN t.pricing_model = '' THEN 'Standard' ELSE coalesce(p.PricingCategory, 'Other') END AS pricing_category,
        CASE WHEN t.is_commitment THEN coalesce(p.CommitmentDiscountCategory, 'Usage') END AS commitment_category,
        CASE WHEN t.is_commitment THEN coalesce(p.CommitmentDiscountType, 'Reservation') END AS commitment_type,
        coalesce(m.told_block, '1') AS block,
        CASE WHEN block <> '1' THEN coalesce(product(block, t.Quantity), CAST(block AS DECIMAL(18, 0)) * TRY_CAST(t.Quantity AS DECIMAL(20, 9))) END AS in_units,
        CASE WHEN t.commitment_id IS NOT NULL AND (category = 'Purchase' OR c.commitment_status = 'Unused') THEN t.commitment_id ELSE t.resource_id END AS named_id,
        coalesce(m.told_unit, 'Units') AS unit,
        -- A service has one category: the meter's; of an unknown meter, name and category of the service of the resource.
        CASE WHEN s.meter_category IS NULL THEN coalesce(k.ServiceName, v.ServiceName, t.meter_category) ELSE t.meter_category END AS service_name,
        coalesce(s.ServiceCategory, k.ServiceCategory, v.ServiceCategory, 'Other') AS service_category,
        coalesce(s.ServiceSubcategory, k.ServiceSubcategory, v.ServiceSubcategory, 'Other (Other)') AS service_subcategory,
        coalesce(g.region_id, t.location) AS region_id,
        coalesce(g.region_name, blank_to_null(t.ResourceLocation), t.location) AS region_name,
        -- A price of zero beside a cost, or of what a commitment covers, is a missing price. So is a partner's effective price
        -- of what a commitment covers: that is its amortised rate.
        t.cost = 0 AND NOT t.is_commitment AS is_free,
        -- Money for a quantity of 0, or given back for what was used, has no price that could be true.
        is_priced AND NOT is_flat AND coalesce(sign(t.cost) * sign(t.blocks) > 0 OR t.cost = 0, true) AS has_price,
        CASE WHEN has_price AND (is_free OR t.price_amount <> 0) AND NOT (is_commitment AND blank_to_null(t.UnitPrice) IS NULL) THEN t.price END AS contracted_price,
        CASE WHEN has_price AND (is_free OR t.list_amount <> 0) THEN blank_to_null(t.PayGPrice) END AS list_price,
        -- The bill's own list cost, if it has one.
        CASE WHEN (has_price OR is_flat) AND (is_free OR money(t.PaygCostInBillingCurrency) <> 0) THEN money(t.PaygCostInBillingCurrency) END AS list_cost
    FROM told AS t
    LEFT JOIN azure_charge_types AS c ON t.charge_type = c.charge_type
    LEFT JOIN azure_pricing_models AS p ON t.pricing_model = p.pricing_model
    LEFT JOIN measure AS m ON t.UnitOfMeasure = m.told_measure
    LEFT JOIN commitment AS o ON t.commitment_id = o.told_commitment
    LEFT JOIN tagged AS j ON t.Tags = j.told_tags
    LEFT JOIN sold AS i ON t.AdditionalInfo = i.told_info
    LEFT JOIN azure_services AS s ON lower(t.meter_category) = s.meter_category
    LEFT JOIN azure_resource_types AS k ON CASE WHEN s.meter_category IS NULL AND NOT t.is_marketplace THEN regexp_extract(t.resource_id, '.*/providers/([^/]+/[^/]+)', 1) END = k.resource_type
    LEFT JOIN azure_resource_providers AS v ON CASE WHEN s.meter_category IS NULL AND NOT t.is_marketplace THEN t.resource_provider END = v.resource_provider
    LEFT JOIN azure_regions AS g ON t.location = g.location
),
-- What several others name stands in a step of its own: within one, the engine writes it out wherever it is named.
priced AS (
    SELECT
        *,
        -- A price sheet tells what is missing, in the billing currency.
        has_price AND contracted_price IS NULL AND sheet_unit IS NOT NULL AS is_contracted_sheet,
        has_price AND list_price IS NULL AND list_cost IS NULL AND sheet_list IS NOT NULL AS is_list_sheet,
        CASE WHEN is_contracted_sheet THEN money(sheet_unit) WHEN rate = '1' THEN CASE WHEN contracted_price IS NOT NULL THEN price_amount END ELSE product(contracted_price, rate) END AS contracted_in_billing,
        CASE WHEN is_list_sheet THEN money(sheet_list) WHEN rate = '1' THEN CASE WHEN list_price IS NOT NULL THEN list_amount END ELSE product(list_price, rate) END AS list_in_billing
    FROM line
),
exact AS (
    SELECT
        *,
        CASE WHEN is_priced THEN product(contracted_price, Quantity) END AS contracted_product,
        -- Where the list price is the contracted one, so is its product.
        CASE WHEN is_priced AND list_price IS DISTINCT FROM contracted_price THEN product(list_price, Quantity) END AS other_list_product,
        -- A price times a rate may have more digits than a cost can show. Then the cost is kept, and the profile finds its price.
        CASE WHEN is_contracted_sheet OR rate = '1' THEN true ELSE is_exact(contracted_in_billing, blocks) END AS is_contracted_exact,
        CASE WHEN is_list_sheet OR rate = '1' THEN true ELSE is_exact(list_in_billing, blocks) END AS is_list_exact
    FROM priced
),
costed AS (
    SELECT *, CASE WHEN list_price = contracted_price THEN contracted_product ELSE other_list_product END AS list_product FROM exact
)
SELECT
    NULL AS AllocatedMethodId,
    NULL AS AllocatedMethodDetails,
    NULL AS AllocatedResourceId,
    NULL AS AllocatedResourceName,
    NULL AS AllocatedTags,
    blank_to_null(AvailabilityZone) AS AvailabilityZone,
    CASE WHEN x_Rule = '' THEN cost ELSE 0 END AS BilledCost,
    payer_id AS BillingAccountId,
    coalesce(payer_name, payer_id) AS BillingAccountName,
    payer_type AS BillingAccountType,
    currency AS BillingCurrency,
    -- A delivery by days holds usage that is billed with a later month.
    coalesce(utc(billing_month + INTERVAL 1 MONTH), CAST(getvariable('period_end') AS TIMESTAMPTZ)) AS BillingPeriodEnd,
    coalesce(utc(billing_month), CAST(getvariable('period_start') AS TIMESTAMPTZ)) AS BillingPeriodStart,
    capacity_id AS CapacityReservationId,
    -- A line of the reservation itself is what of it stands free.
    CASE WHEN capacity_id IS NULL OR category <> 'Usage' THEN NULL WHEN resource_id = capacity_id THEN 'Unused' ELSE 'Used' END AS CapacityReservationStatus,
    category AS ChargeCategory,
    class AS ChargeClass,
    coalesce(blank_to_null(ProductName), blank_to_null(ProductOrderName), blank_to_null(MeterName), service_name) AS ChargeDescription,
    CASE
        WHEN Frequency ILIKE 'recurring' THEN 'Recurring'
        WHEN category = 'Usage' AND coalesce(Frequency, '') NOT ILIKE 'onetime' THEN 'Usage-Based'
        WHEN Frequency ILIKE 'usagebased' AND category <> 'Purchase' THEN 'Usage-Based'
        ELSE 'One-Time'
    END AS ChargeFrequency,
    utc(date_of("Date") + INTERVAL 1 DAY) AS ChargePeriodEnd,
    utc(date_of("Date")) AS ChargePeriodStart,
    CASE WHEN commitment_id IS NOT NULL THEN commitment_category END AS CommitmentDiscountCategory,
    commitment_id AS CommitmentDiscountId,
    CASE WHEN commitment_id IS NOT NULL THEN coalesce(blank_to_null(benefitName), blank_to_null(ReservationName), blank_to_null(ProductOrderName)) END AS CommitmentDiscountName,
    -- A plan is counted in money, a reservation in what it covers: hours, or another unit.
    CASE WHEN commitment_id IS NULL OR NOT is_priced THEN NULL WHEN commitment_category = 'Spend' THEN cost WHEN block = '1' THEN pricing_quantity ELSE in_units END AS CommitmentDiscountQuantity,
    CASE WHEN commitment_id IS NOT NULL AND category = 'Usage' THEN commitment_status END AS CommitmentDiscountStatus,
    CASE WHEN commitment_id IS NOT NULL THEN commitment_type END AS CommitmentDiscountType,
    -- One unit a commitment: a purchase that counts pieces buys hours.
    CASE WHEN CommitmentDiscountQuantity IS NULL THEN NULL WHEN commitment_category = 'Spend' THEN currency WHEN is_purchase AND unit = 'Units' THEN 'Hours' ELSE unit END AS CommitmentDiscountUnit,
    -- What is unused of a commitment that the bill does not name consumed nothing.
    CASE WHEN category <> 'Usage' THEN NULL WHEN commitment_status <> 'Used' THEN CASE WHEN commitment_id IS NULL THEN 0 END WHEN block = '1' THEN blocks ELSE in_units END AS ConsumedQuantity,
    CASE WHEN ConsumedQuantity IS NOT NULL THEN unit END AS ConsumedUnit,
    CASE WHEN CommitmentDiscountStatus IS NOT NULL AND CommitmentDiscountQuantity IS NOT NULL THEN applied(contract_id, commitment_id, CommitmentDiscountQuantity, CASE WHEN commitment_category = 'Usage' THEN to_json(unit) END) END AS ContractApplied,
    CASE
        WHEN NOT is_priced THEN cost
        WHEN is_contracted_sheet THEN product(sheet_unit, Quantity)
        WHEN rate = '1' THEN contracted_product
        WHEN is_contracted_exact THEN product(contracted_in_billing, blocks)
        ELSE product(contracted_product, rate)
    END AS ContractedCost,
    CASE WHEN is_contracted_exact THEN contracted_in_billing END AS ContractedUnitPrice,
    CASE
        WHEN is_commitment AND is_purchase AND NOT is_actual_alone THEN 0
        -- What is bought of such a seller is used by lines of the seller's own bill.
        WHEN is_marketplace AND category IN ('Usage', 'Purchase') AND is_prepaid_seller(PublisherName) THEN 0
        ELSE cost
    END AS EffectiveCost,
    CASE WHEN category NOT IN ('Tax', 'Adjustment') THEN 'Microsoft' END AS HostProviderName,
    blank_to_null(InvoiceId) AS InvoiceId,
    issuer AS InvoiceIssuerName,
    CASE
        WHEN NOT is_priced THEN cost
        WHEN list_cost IS NOT NULL THEN list_cost
        WHEN is_list_sheet THEN product(sheet_list, Quantity)
        WHEN rate = '1' THEN list_product
        WHEN is_list_exact THEN product(list_in_billing, blocks)
        ELSE product(list_product, rate)
    END AS ListCost,
    -- The bill rounds its list cost: a price that does not give it is left out, one that does is found by the profile.
    CASE WHEN NOT is_list_exact THEN NULL WHEN list_cost IS NULL THEN list_in_billing WHEN product(list_in_billing, blocks) = list_cost THEN list_in_billing END AS ListUnitPrice,
    CASE WHEN is_priced THEN pricing_category END AS PricingCategory,
    pricing_currency AS PricingCurrency,
    CASE WHEN contracted_price IS NOT NULL THEN price_amount END AS PricingCurrencyContractedUnitPrice,
    CASE
        WHEN pricing_currency = currency OR EffectiveCost = 0 THEN EffectiveCost
        -- Of what costs something 0 is a missing figure; without any, the cost at the line's own rate.
        WHEN money(CostInPricingCurrency) <> 0 THEN money(CostInPricingCurrency)
        WHEN pricing_currency = 'USD' AND money(CostInUsd) <> 0 THEN money(CostInUsd)
        ELSE coalesce(nullif(product(EffectivePrice, Quantity), 0), by_rate(EffectiveCost, rate))
    END AS PricingCurrencyEffectiveCost,
    CASE WHEN pricing_currency = currency THEN ListUnitPrice WHEN list_price IS NOT NULL THEN list_amount END AS PricingCurrencyListUnitPrice,
    pricing_quantity AS PricingQuantity,
    CASE WHEN PricingQuantity IS NULL THEN NULL WHEN block = '1' THEN unit ELSE block || ' ' || unit END AS PricingUnit,
    issuer AS ProviderName,
    seller AS PublisherName,
    region_id AS RegionId,
    CASE WHEN region_id IS NOT NULL THEN region_name END AS RegionName,
    named_id AS ResourceId,
    CASE
        WHEN named_id IS NULL THEN NULL
        WHEN named_id = commitment_id THEN coalesce(CommitmentDiscountName, commitment_name)
        ELSE coalesce(blank_to_null(ResourceName), CASE WHEN is_purchase THEN blank_to_null(benefitName) END, nullif(regexp_extract(trim(ResourceId), '([^/]+)/?$', 1), ''))
    END AS ResourceName,
    CASE WHEN named_id IS NOT NULL THEN coalesce(CASE WHEN named_id = commitment_id THEN commitment_kind ELSE kind_of(named_id, regexp_extract(split_part(named_id, '/providers/', -1), '^[^/]+/[^/]+')) END, nullif(resource_provider, ''), 'resource') END AS ResourceType,
    seller AS ServiceProviderName,
    service_category AS ServiceCategory,
    service_name AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    CASE WHEN is_priced THEN coalesce(blank_to_null(MeterId), blank_to_null(PartNumber), blank_to_null(ProductId), blank_to_null(ProductOrderName), service_name) END AS SkuId,
    CASE WHEN is_priced THEN blank_to_null(MeterName) END AS SkuMeter,
    CASE WHEN is_priced THEN sku_details END AS SkuPriceDetails,
    CASE WHEN is_priced THEN concat_ws('|', SkuId, blank_to_null(PartNumber), blank_to_null(ProductId), blank_to_null(OfferId), blank_to_null(PricingModel), blank_to_null(Term)) END AS SkuPriceId,
    -- What a partner buys for a customer without a subscription is the customer's. Azure writes ids now in one case, now in another.
    lower(coalesce(blank_to_null(SubscriptionId), blank_to_null(CustomerTenantId))) AS SubAccountId,
    CASE
        WHEN blank_to_null(SubscriptionId) IS NOT NULL THEN coalesce(blank_to_null(SubscriptionName), SubAccountId)
        WHEN SubAccountId IS NOT NULL THEN coalesce(blank_to_null(CustomerName), SubAccountId)
    END AS SubAccountName,
    CASE WHEN blank_to_null(SubscriptionId) IS NOT NULL THEN 'Subscription' WHEN SubAccountId IS NOT NULL THEN 'Customer' END AS SubAccountType,
    tag_object AS Tags,
    'Azure' AS x_Provider,
    meter_category AS x_ServiceCode,
    x_RowKind,
    blank_to_null(ChargeType) AS x_ChargeType,
    blank_to_null(MeterName) AS x_UsageType,
    NULL AS x_Operation,
    getvariable('basis') AS x_EffectiveCostBasis,
    nullif(concat_ws('; ', CASE WHEN is_contracted_sheet THEN 'ContractedUnitPrice: sheet; ContractedCost: sheet' END, CASE WHEN is_list_sheet THEN 'ListUnitPrice: sheet; ListCost: sheet' END, CASE WHEN is_flat THEN 'PricingQuantity: assumed' END, CASE WHEN PricingQuantity IS NOT NULL AND blank_to_null(UnitOfMeasure) IS NULL THEN 'PricingUnit: assumed' END), '') AS x_PriceSource,
    nullif(
        '{' || concat_ws(
            ',',
            CASE WHEN rate <> '1' THEN '"x_ExchangeRatePricingToBilling":' || to_json(rate) END,
            CASE WHEN rate <> '1' THEN '"x_ExchangeRateDate":' || to_json(blank_to_null(ExchangeRateDate)) END,
            '"x_PreviousInvoiceId":' || to_json(blank_to_null(PreviousInvoiceId)),
            '"x_PartnerTenantId":' || to_json(blank_to_null(PartnerTenantId)),
            '"x_PartnerName":' || to_json(blank_to_null(PartnerName)),
            '"x_ResellerName":' || to_json(blank_to_null(ResellerName)),
            '"x_ResellerMpnId":' || to_json(blank_to_null(ResellerMpnId)),
            '"x_CustomerTenantId":' || to_json(blank_to_null(CustomerTenantId)),
            '"x_CustomerName":' || to_json(blank_to_null(CustomerName)),
            '"x_PartnerEarnedCreditRate":' || to_json(blank_to_null(PartnerEarnedCreditRate)),
            '"x_PartnerEarnedCreditApplied":' || to_json(blank_to_null(PartnerEarnedCreditApplied))
        ) || '}',
        '{}'
    ) AS x_SourceColumns
FROM costed
