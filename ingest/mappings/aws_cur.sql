-- AWS CUR 2.0 and legacy CUR to FOCUS 1.3, one line per column in the specification's order.
WITH line AS (
    SELECT
        r.*,
        amount(r.cost) AS charge_cost,
        -- Beside a cost, a rate or a commitment an on-demand cost of zero is a missing one.
        CASE
            WHEN r.pricing_public_on_demand_cost <> 0 THEN r.pricing_public_on_demand_cost
            WHEN r.cost = 0 AND r.kind_status IS NULL AND (TRY_CAST(r.pricing_public_on_demand_rate AS DOUBLE) = 0 OR (r.line_item_usage_amount = 0 AND r.pricing_public_on_demand_rate <> ''))
                THEN r.pricing_public_on_demand_cost
        END AS on_demand,
        CASE WHEN r.split_cost IS NULL THEN amount(r.line_item_usage_amount) ELSE r.split_quantity END AS quantity,
        CASE WHEN r.unused_cost IS NOT NULL AND r.reservation_arn IS NOT NULL THEN amount(nullif(r.reservation_unused_quantity, 0)) END AS unused_quantity,
        coalesce(r.reservation_net_effective_cost, r.reservation_effective_cost) AS reservation_cost,
        coalesce(r.savings_plan_net_savings_plan_effective_cost, r.savings_plan_savings_plan_effective_cost) AS savings_plan_cost,
        r.kind_category IN ('Usage', 'Purchase') AND r.kind_class IS NULL AS is_priced,
        CASE WHEN r.kind_category <> 'Usage' OR r.kind_status IS NOT NULL THEN coalesce(r.reservation_arn, r.savings_plan_arn) END AS commitment_id,
        coalesce(s.ServiceCategory, 'Other') AS service_category,
        coalesce(s.ServiceSubcategory, 'Other (Other)') AS service_subcategory,
        CASE WHEN u.unit IS NOT NULL THEN u.unit WHEN r.pricing_unit <> '' THEN r.pricing_unit END AS stated_unit,
        -- The last word of a usage type, before a size or a kind of volume: BoxUsage:t3.micro, EBS:VolumeUsage.gp2, EU-Requests-Tier1.
        CASE WHEN stated_unit IS NULL THEN regexp_extract(r.line_item_usage_type, '(?:^|[-:])([A-Za-z0-9]+)(?:[:.][a-z0-9.]+)?$', 1) END AS usage,
        nullif(r.product_region_code, '') AS region_id,
        g.region_name,
        CASE
            WHEN r.split_cost IS NOT NULL THEN r.split_line_item_parent_resource_id
            WHEN commitment_id IS NOT NULL AND (r.kind_category = 'Purchase' OR r.kind_status = 'Unused') THEN commitment_id
            WHEN r.line_item_resource_id <> '' THEN r.line_item_resource_id
        END AS resource_id,
        CASE WHEN r.line_item_product_code = 'AmazonEC2' THEN CASE WHEN NOT starts_with(r.line_item_resource_id, 'arn:') THEN split_part(r.line_item_resource_id, '-', 1) END END AS id_prefix,
        -- The legacy report names a capacity reservation as the resource of what it holds free.
        CASE
            WHEN r.capacity_reservation_capacity_reservation_arn <> '' THEN r.capacity_reservation_capacity_reservation_arn
            WHEN contains(r.line_item_resource_id, ':capacity-reservation/cr-') THEN r.line_item_resource_id
        END AS capacity_id,
        s.id_names,
        s.arn_names,
        CASE WHEN r.bill_billing_entity = 'AWS Marketplace' THEN coalesce(nullif(r.line_item_legal_entity, ''), 'AWS') ELSE 'AWS' END AS seller
    FROM rows AS r
    LEFT JOIN aws_services AS s ON r.line_item_product_code = s.product_code
    LEFT JOIN aws_units AS u ON r.pricing_unit = u.source_unit
    LEFT JOIN aws_regions AS g ON r.product_region_code = g.region_id
    WHERE r.x_Keep
), amount AS (
    SELECT
        line.*,
        coalesce(stated_unit, w.unit, 'Units') AS unit,
        CASE WHEN stated_unit IS NOT NULL THEN NULL WHEN w.unit IS NOT NULL THEN 'PricingUnit: table' ELSE 'PricingUnit: assumed' END AS unit_source,
        -- An ARN says what it names, except of buckets, topics and queues; a machine's or disk's id says it by its prefix.
        CASE
            WHEN resource_id IS NULL THEN NULL
            WHEN split_cost IS NOT NULL THEN 'instance'
            WHEN NOT starts_with(resource_id, 'arn:') THEN coalesce(t.resource, id_names, '')
            WHEN arn_names <> '' THEN arn_names
            WHEN starts_with(resource_id, 'arn:aws:s3:::') THEN 'bucket'
            ELSE split_part(split_part(resource_id, '/', 1), ':', 6)
        END AS resource_type,
        amount(on_demand) AS on_demand_cost,
        CASE effective_rule
            WHEN 'billed' THEN charge_cost
            WHEN 'reservation' THEN amount(reservation_cost)
            WHEN 'savings-plan' THEN amount(savings_plan_cost)
            WHEN 'unused' THEN unused_cost
            WHEN 'split' THEN split_cost
            ELSE 0
        END AS effective_cost,
        -- A fee for no quantity is one fee.
        is_priced AND kind_frequency <> 'Usage-Based' AND coalesce(quantity, 0) = 0 AND charge_cost <> 0 AS is_flat,
        CASE WHEN is_flat THEN 1 WHEN is_priced THEN coalesce(unused_quantity, quantity) END AS pricing_quantity,
        CASE WHEN kind_category = 'Usage' AND is_priced AND unused_cost IS NULL THEN quantity END AS consumed_quantity,
        CASE WHEN is_priced THEN coalesce(nullif(product_sku, ''), line_item_product_code || '|' || line_item_usage_type) END AS sku_id,
        CASE WHEN is_priced AND on_demand IS NOT NULL AND list_rule = 'on-demand' THEN rate(pricing_public_on_demand_rate) END AS list_price,
        CASE
            WHEN NOT is_priced OR unused_cost IS NOT NULL OR split_cost IS NOT NULL THEN NULL
            WHEN contracted_rule = 'on-demand' THEN CASE WHEN on_demand IS NOT NULL THEN rate(pricing_public_on_demand_rate) END
            ELSE rate(CASE WHEN line_item_net_unblended_cost IS NULL THEN line_item_unblended_rate ELSE line_item_net_unblended_rate END)
        END AS stated_price
    FROM line
    LEFT JOIN aws_resource_types AS t ON line.id_prefix = t.id_prefix
    LEFT JOIN aws_usage_units AS w ON line.usage = w.usage
), commitment AS (
    SELECT
        *,
        -- A rate of zero beside a cost is a missing one. The provider rounds fees: a rate that does not give the fee is left
        -- out, a price that does is found by the profile.
        CASE
            WHEN stated_price = 0 AND charge_cost <> 0 THEN NULL
            WHEN kind_category <> 'Purchase' THEN stated_price
            WHEN product(stated_price, pricing_quantity) = charge_cost THEN stated_price
        END AS contracted_price,
        CASE
            WHEN commitment_id IS NULL OR NOT is_priced THEN NULL
            WHEN reservation_arn IS NOT NULL THEN pricing_quantity
            WHEN kind_category = 'Purchase' THEN coalesce(amount(nullif(savings_plan_total_commitment_to_date, 0)), charge_cost)
            ELSE effective_cost
        END AS commitment_quantity
    FROM amount
)
SELECT
    CASE WHEN split_cost IS NOT NULL THEN 'aws-split-cost-allocation-data' END AS AllocatedMethodId,
    NULL AS AllocatedMethodDetails,
    allocated_id AS AllocatedResourceId,
    CASE WHEN allocated_id IS NOT NULL THEN coalesce(nullif(split_part(allocated_id, ':', 6), ''), allocated_id) END AS AllocatedResourceName,
    CASE WHEN allocated_id IS NOT NULL THEN tags END AS AllocatedTags,
    coalesce(nullif(line_item_availability_zone, ''), nullif(reservation_availability_zone, '')) AS AvailabilityZone,
    CASE billed_rule WHEN 'cost' THEN charge_cost ELSE 0 END AS BilledCost,
    bill_payer_account_id AS BillingAccountId,
    coalesce(nullif(bill_payer_account_name, ''), bill_payer_account_id) AS BillingAccountName,
    'Payer account' AS BillingAccountType,
    line_item_currency_code AS BillingCurrency,
    CAST(getvariable('period_end') AS TIMESTAMPTZ) AS BillingPeriodEnd,
    CAST(getvariable('period_start') AS TIMESTAMPTZ) AS BillingPeriodStart,
    capacity_id AS CapacityReservationId,
    CASE
        WHEN capacity_id IS NULL OR kind_category <> 'Usage' THEN NULL
        WHEN contains(lower(capacity_reservation_capacity_reservation_status), 'unused') OR contains(line_item_usage_type, 'UnusedBox') OR contains(line_item_usage_type, 'UnusedDed') THEN 'Unused'
        ELSE 'Used'
    END AS CapacityReservationStatus,
    kind_category AS ChargeCategory,
    kind_class AS ChargeClass,
    nullif(line_item_line_item_description, '') AS ChargeDescription,
    kind_frequency AS ChargeFrequency,
    -- Fee lines end inclusively, at one second to midnight; what is charged for an instant lasts a second.
    utc(CASE WHEN second(line_item_usage_end_date) = 59 OR line_item_usage_end_date <= line_item_usage_start_date THEN line_item_usage_end_date + INTERVAL 1 SECOND ELSE line_item_usage_end_date END) AS ChargePeriodEnd,
    utc(line_item_usage_start_date) AS ChargePeriodStart,
    CASE WHEN commitment_id IS NULL THEN NULL WHEN reservation_arn IS NOT NULL THEN 'Usage' ELSE 'Spend' END AS CommitmentDiscountCategory,
    commitment_id AS CommitmentDiscountId,
    NULL AS CommitmentDiscountName,
    commitment_quantity AS CommitmentDiscountQuantity,
    CASE WHEN commitment_id IS NOT NULL THEN kind_status END AS CommitmentDiscountStatus,
    CASE WHEN commitment_id IS NULL THEN NULL WHEN reservation_arn IS NOT NULL THEN 'Reserved Instance' ELSE 'Savings Plan' END AS CommitmentDiscountType,
    -- One unit a commitment: money for a plan, hours for a reservation, whatever the line says that it covers.
    CASE WHEN commitment_quantity IS NULL THEN NULL WHEN reservation_arn IS NOT NULL THEN 'Hours' ELSE line_item_currency_code END AS CommitmentDiscountUnit,
    consumed_quantity AS ConsumedQuantity,
    CASE WHEN consumed_quantity IS NOT NULL THEN unit END AS ConsumedUnit,
    -- What is used of a commitment, or left unused, draws on it; what is paid for it does not.
    CASE WHEN commitment_id IS NOT NULL AND kind_status IS NOT NULL AND commitment_quantity IS NOT NULL THEN draws_on(commitment_id, commitment_quantity, reservation_arn IS NOT NULL) END AS ContractApplied,
    CASE contracted_rule WHEN 'on-demand' THEN on_demand_cost WHEN 'unused' THEN unused_cost WHEN 'split' THEN split_cost ELSE charge_cost END AS ContractedCost,
    contracted_price AS ContractedUnitPrice,
    effective_cost AS EffectiveCost,
    CASE WHEN kind_category NOT IN ('Tax', 'Adjustment') THEN 'AWS' END AS HostProviderName,
    nullif(bill_invoice_id, '') AS InvoiceId,
    coalesce(nullif(bill_invoicing_entity, ''), nullif(line_item_legal_entity, ''), 'AWS') AS InvoiceIssuerName,
    CASE list_rule WHEN 'on-demand' THEN on_demand_cost WHEN 'unused' THEN unused_cost WHEN 'split' THEN split_list_cost ELSE charge_cost END AS ListCost,
    CASE WHEN list_price = 0 AND on_demand <> 0 THEN NULL ELSE list_price END AS ListUnitPrice,
    kind_pricing AS PricingCategory,
    coalesce(nullif(pricing_currency, ''), line_item_currency_code) AS PricingCurrency,
    contracted_price AS PricingCurrencyContractedUnitPrice,
    effective_cost AS PricingCurrencyEffectiveCost,
    ListUnitPrice AS PricingCurrencyListUnitPrice,
    pricing_quantity AS PricingQuantity,
    CASE WHEN pricing_quantity IS NOT NULL THEN unit END AS PricingUnit,
    'AWS' AS ProviderName,
    seller AS PublisherName,
    region_id AS RegionId,
    CASE WHEN region_id IS NOT NULL THEN coalesce(region_name, region_id) END AS RegionName,
    resource_id AS ResourceId,
    NULL AS ResourceName,
    CASE WHEN resource_type = '' THEN 'resource' ELSE resource_type END AS ResourceType,
    seller AS ServiceProviderName,
    service_category AS ServiceCategory,
    coalesce(product_title, line_item_product_code) AS ServiceName,
    service_subcategory AS ServiceSubcategory,
    sku_id AS SkuId,
    CASE WHEN is_priced THEN nullif(line_item_usage_type, '') END AS SkuMeter,
    CASE WHEN is_priced THEN sku_details END AS SkuPriceDetails,
    -- A rate code begins with its SKU; a rate id of older reports may stand for several.
    CASE
        WHEN NOT is_priced THEN NULL
        WHEN starts_with(pricing_rate_code, sku_id) THEN pricing_rate_code
        ELSE concat_ws('.', sku_id, coalesce(nullif(pricing_rate_code, ''), nullif(pricing_rate_id, '')))
    END AS SkuPriceId,
    line_item_usage_account_id AS SubAccountId,
    coalesce(nullif(line_item_usage_account_name, ''), line_item_usage_account_id) AS SubAccountName,
    'Member account' AS SubAccountType,
    CASE WHEN split_cost IS NULL THEN tags END AS Tags,
    'AWS' AS x_Provider,
    line_item_product_code AS x_ServiceCode,
    x_RowKind,
    line_item_line_item_type AS x_ChargeType,
    nullif(line_item_usage_type, '') AS x_UsageType,
    nullif(line_item_operation, '') AS x_Operation,
    'amortized' AS x_EffectiveCostBasis,
    CASE WHEN pricing_quantity IS NOT NULL AND (is_flat OR unit_source IS NOT NULL) THEN concat_ws('; ', CASE WHEN is_flat THEN 'PricingQuantity: assumed' END, unit_source) END AS x_PriceSource,
    NULL AS x_SourceColumns
FROM commitment
